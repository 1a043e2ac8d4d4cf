//! Encryption towards clients, with certificates that may change while the process runs.

mod files;

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub use files::{FileError, read_certificates, read_private_key, roots};

/// Which files a server's identity is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The certificate chain, PEM.
    pub certificates: PathBuf,
    /// Its private key, PEM.
    pub private_key: PathBuf,
    /// Authorities whose clients alone are let in, PEM.
    pub client_authorities: Option<PathBuf>,
}

/// What tells a file from what it was before; nothing of one that is not there.
type Look = Option<(Option<SystemTime>, u64, u64)>;

impl Files {
    fn look(&self) -> Vec<Look> {
        let files = [Some(&self.certificates), Some(&self.private_key), self.client_authorities.as_ref()];
        let look = |file: &PathBuf| {
            let metadata = std::fs::metadata(file).ok()?;
            Some((metadata.modified().ok(), metadata.len(), metadata.ino()))
        };
        files.into_iter().flatten().map(look).collect()
    }
}

/// Files that do not make a server's identity.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One of them cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// They do not fit together.
    #[error("the certificate in {certificates} cannot be used with the key in {private_key}")]
    Mismatch {
        /// The certificate's file.
        certificates: PathBuf,
        /// The key's file.
        private_key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The authorities cannot be used to verify clients.
    #[error("the certificate authorities in {file} cannot verify clients")]
    Authorities {
        /// Their file.
        file: PathBuf,
        /// Why.
        source: rustls::server::VerifierBuilderError,
    },
}

/// Accepts encrypted connections. Clones share the certificates.
#[derive(Debug, Clone)]
pub struct Acceptor {
    files: Arc<Files>,
    config: Arc<ArcSwap<ServerConfig>>,
    /// How the files looked when they were read last.
    read: Arc<Mutex<Vec<Look>>>,
    protocols: Arc<[Vec<u8>]>,
}

impl Acceptor {
    /// Reads the files. `protocols` are offered by ALPN, the preferred one first.
    ///
    /// # Errors
    ///
    /// If they cannot be read or do not fit together.
    pub fn new(files: Files, protocols: &[&str]) -> Result<Self, TlsError> {
        let protocols: Arc<[_]> = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let read = Arc::new(Mutex::new(files.look()));
        let config = Arc::new(ArcSwap::from_pointee(config(&files, &protocols)?));
        Ok(Self { files: Arc::new(files), config, read, protocols })
    }

    /// Reads the files again; connections made from now on get what they hold now.
    ///
    /// # Errors
    ///
    /// If they are wrong. What was read before stays in use.
    pub fn reload(&self) -> Result<(), TlsError> {
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = self.files.look();
        self.config.store(Arc::new(config(&self.files, &self.protocols)?));
        Ok(())
    }

    /// Reads the files again if they are others than last time; whether they were.
    ///
    /// # Errors
    ///
    /// If they are wrong, which is told once. What was read before stays in use.
    pub fn reload_if_changed(&self) -> Result<bool, TlsError> {
        let changed = *self.read.lock().unwrap_or_else(PoisonError::into_inner) != self.files.look();
        if changed { self.reload().map(|()| true) } else { Ok(false) }
    }

    /// The files.
    #[must_use]
    pub fn files(&self) -> &Files {
        &self.files
    }

    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.config.load_full()).accept(stream).await
    }
}

fn config(files: &Files, protocols: &[Vec<u8>]) -> Result<ServerConfig, TlsError> {
    let certificates = read_certificates(&files.certificates)?;
    let private_key = read_private_key(&files.private_key)?;
    let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider supports the default versions");
    let builder = match &files.client_authorities {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(file)?), provider)
                .build()
                .map_err(|source| TlsError::Authorities { file: file.clone(), source })?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config =
        builder.with_single_cert(certificates, private_key).map_err(|source| TlsError::Mismatch {
            certificates: files.certificates.clone(),
            private_key: files.private_key.clone(),
            source,
        })?;
    config.alpn_protocols = protocols.to_vec();
    Ok(config)
}

#[cfg(test)]
mod tests;
