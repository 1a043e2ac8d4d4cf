//! What shows executors who calls, from files that may change while the process runs.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::sign::CertifiedKey;
use tracing::{info, warn};

use super::{Identity, TlsError, certificates};

/// What tells a file from what it was before; nothing of one that is not there.
type Look = Option<(Option<SystemTime>, u64, u64)>;

/// Looks at the files whenever an executor asks who calls: two questions to the file system for a handshake.
#[derive(Debug)]
pub(super) struct Shown {
    files: Identity,
    provider: Arc<CryptoProvider>,
    read: Mutex<([Look; 2], Arc<CertifiedKey>)>,
}

impl Shown {
    pub(super) fn new(files: Identity, provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let looks = looks(&files);
        let read = Mutex::new((looks, Arc::new(certified(&files, &provider)?)));
        Ok(Self { files, provider, read })
    }

    /// What the files hold now, or held when they were right last.
    pub(super) fn now(&self) -> Arc<CertifiedKey> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let looks = looks(&self.files);
        if looks != read.0 {
            read.0 = looks;
            match certified(&self.files, &self.provider) {
                Ok(key) => {
                    read.1 = Arc::new(key);
                    info!(file = %self.files.certificates.display(), "executors are shown a new certificate");
                }
                Err(error) => warn!(%error, "executors are shown the old certificate, the new one is wrong"),
            }
        }
        read.1.clone()
    }
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _authorities: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.now()).filter(|shown| shown.key.choose_scheme(schemes).is_some())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn looks(files: &Identity) -> [Look; 2] {
    let look = |file: &PathBuf| {
        let metadata = std::fs::metadata(file).ok()?;
        Some((metadata.modified().ok(), metadata.len(), metadata.ino()))
    };
    [look(&files.certificates), look(&files.private_key)]
}

fn certified(files: &Identity, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let Identity { certificates: chain, private_key } = files;
    let key = PrivateKeyDer::from_pem_file(private_key).map_err(|source| TlsError::File {
        what: "a private key",
        file: private_key.clone(),
        source,
    })?;
    CertifiedKey::from_der(certificates("certificates", chain)?, key, provider).map_err(|source| {
        TlsError::Identity {
            certificates: chain.clone(),
            private_key: private_key.clone(),
            source: Box::new(source),
        }
    })
}

#[cfg(test)]
mod tests;
