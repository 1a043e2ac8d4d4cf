//! Identities are read, followed and refused.

use std::fs;

use rcgen::{CertificateParams, KeyPair};

use super::*;

struct Identity {
    certificate: String,
    key: String,
}

fn identity() -> Identity {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    Identity { certificate: certificate.pem(), key: key.serialize_pem() }
}

fn files(name: &str) -> Files {
    let folder = std::env::temp_dir().join(format!("server-tls-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    Files {
        certificates: folder.join("tls.crt"),
        private_key: folder.join("tls.key"),
        client_authorities: None,
    }
}

#[test]
fn a_wrong_new_version_leaves_the_old_one() {
    let files = files("reload");
    let (first, second) = (identity(), identity());
    fs::write(&files.certificates, &first.certificate).unwrap();
    fs::write(&files.private_key, &first.key).unwrap();
    let acceptor = Acceptor::new(files.clone(), &["h2"]).unwrap();
    let before = acceptor.config.load_full();

    fs::write(&files.certificates, &second.certificate).unwrap();
    let mismatch = acceptor.reload().unwrap_err();
    assert!(matches!(mismatch, TlsError::Mismatch { .. }), "{mismatch}");
    assert!(Arc::ptr_eq(&before, &acceptor.config.load_full()));

    fs::write(&files.private_key, &second.key).unwrap();
    acceptor.reload().unwrap();
    assert!(!Arc::ptr_eq(&before, &acceptor.config.load_full()));
    assert_eq!(acceptor.config.load().alpn_protocols, [b"h2"]);
}

#[test]
fn files_that_are_no_identity_are_named() {
    let files = files("wrong");
    let good = identity();
    let check = |case: &str, certificate: &str, key: &str, want: &str| {
        fs::write(&files.certificates, certificate).unwrap();
        fs::write(&files.private_key, key).unwrap();
        let error = Acceptor::new(files.clone(), &[]).unwrap_err().to_string();
        assert!(error.contains(want), "{case}: {error}");
    };
    check("no certificate", "", &good.key, "tls.crt holds no certificate");
    check("no key", &good.certificate, &good.certificate, "tls.key holds no private key");
    check("another key", &good.certificate, &identity().key, "cannot be used with the key in");
    fs::remove_file(&files.private_key).unwrap();
    let missing = Acceptor::new(files, &[]).unwrap_err();
    assert!(missing.to_string().starts_with("cannot read "), "{missing}");
}
