//! Files that change.

use std::fs;

use super::*;

fn pair() -> (String, String, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed(vec!["gateway".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem(), made.cert.der().to_vec())
}

#[test]
fn new_certificates_are_shown_and_wrong_ones_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let files = Identity {
        certificates: directory.path().join("tls.crt"),
        private_key: directory.path().join("tls.key"),
    };
    // As renewals do it: a new file takes the place of the old one.
    let replace = |file: &PathBuf, text: &str| {
        let new = directory.path().join("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, file).unwrap();
    };
    let (first, second) = (pair(), pair());
    replace(&files.certificates, &first.0);
    replace(&files.private_key, &first.1);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let shown = Shown::new(files.clone(), provider.clone()).unwrap();
    let sees = |der: &[u8]| assert_eq!(shown.now().cert[0].as_ref(), der);
    sees(&first.2);
    replace(&files.certificates, &second.0);
    sees(&first.2); // the key does not fit yet
    replace(&files.private_key, &second.1);
    sees(&second.2);
    fs::remove_file(&files.private_key).unwrap();
    sees(&second.2);
    let error = Shown::new(files, provider).unwrap_err().to_string();
    assert!(error.contains("tls.key"), "{error}");
}
