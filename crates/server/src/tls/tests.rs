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

#[test]
fn a_change_is_noticed_once() {
    let files = files("changes");
    let (first, second) = (identity(), identity());
    let write = |identity: &Identity| {
        fs::write(&files.certificates, &identity.certificate).unwrap();
        fs::write(&files.private_key, &identity.key).unwrap();
    };
    write(&first);
    let acceptor = Acceptor::new(files.clone(), &["h2"]).unwrap();
    assert!(!acceptor.reload_if_changed().unwrap());
    // Files are put in the place of others, as volumes of Kubernetes do.
    fs::remove_file(&files.certificates).unwrap();
    assert!(acceptor.reload_if_changed().is_err());
    assert!(!acceptor.reload_if_changed().unwrap(), "it is told once");
    write(&second);
    let before = acceptor.config.load_full();
    assert!(acceptor.reload_if_changed().unwrap());
    assert!(!Arc::ptr_eq(&before, &acceptor.config.load()));
    assert!(!acceptor.reload_if_changed().unwrap());
}

/// The first words of a client that offers one version and one cipher, both as numbers.
fn hello(version: [u8; 2], cipher: [u8; 2]) -> Vec<u8> {
    let mut body = version.to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend([0, 2]);
    body.extend(cipher);
    body.extend([1, 0]);
    let mut message = vec![1, 0, 0, u8::try_from(body.len()).unwrap()];
    message.extend(body);
    let mut record = vec![22, 3, 1, 0, u8::try_from(message.len()).unwrap()];
    record.extend(message);
    record
}

#[test]
fn only_safe_versions_and_ciphers_are_spoken() {
    let files = files("ciphers");
    let own = identity();
    fs::write(&files.certificates, &own.certificate).unwrap();
    fs::write(&files.private_key, &own.key).unwrap();
    let acceptor = Acceptor::new(files, &["h2"]).unwrap();
    let config = acceptor.config.load_full();
    let ciphers: Vec<_> =
        config.crypto_provider().cipher_suites.iter().map(|suite| format!("{:?}", suite.suite())).collect();
    let want = [
        "TLS13_AES_256_GCM_SHA384",
        "TLS13_AES_128_GCM_SHA256",
        "TLS13_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    ];
    assert_eq!(ciphers, want);
    // SSL 3, TLS 1.0 and 1.1, and TLS 1.2 with a cipher of old.
    let old = [([3, 0], [0xc0, 0x13]), ([3, 1], [0xc0, 0x13]), ([3, 2], [0xc0, 0x13]), ([3, 3], [0, 0x0a])];
    for (version, cipher) in old {
        let mut server = rustls::ServerConnection::new(config.clone()).unwrap();
        server.read_tls(&mut &hello(version, cipher)[..]).unwrap();
        assert!(server.process_new_packets().is_err(), "{version:?} {cipher:?}");
    }
}
