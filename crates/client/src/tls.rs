//! Encrypted connections.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem};
use rustls::{ClientConfig, RootCertStore};

use crate::Address;

/// Whom to trust on encrypted connections, and as whom to appear.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Certificate authorities to trust instead of the system's, PEM.
    pub authorities: Option<PathBuf>,
    /// The certificate chain to show, and its private key, PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The name that the peer's certificate must bear, if it is not the host of the address.
    pub server_name: Option<String>,
}

/// Settings that make no encrypted connection.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be used.
    #[error("cannot read certificates or a key from {file}")]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// Nobody would be trusted.
    #[error("there is no certificate authority to trust{}", file.as_ref().map(|file| format!(" in {}", file.display())).unwrap_or_default())]
    NoAuthority {
        /// Where it was looked for; `None` for the system's.
        file: Option<PathBuf>,
    },
    /// An authority's certificate is wrong, or the own one does not fit its key.
    #[error("a certificate cannot be used")]
    Certificate(#[from] rustls::Error),
    /// The host is no name that a certificate can bear.
    #[error("`{name}` is no name that a certificate can bear")]
    ServerName {
        /// The name.
        name: String,
    },
}

impl Tls {
    /// What connections to `address` need.
    pub(crate) fn client(&self, address: &Address) -> Result<grpc::client::Tls, TlsError> {
        let name = self.server_name.clone().unwrap_or_else(|| address.host().to_owned());
        let server_name = ServerName::try_from(name.clone()).map_err(|_| TlsError::ServerName { name })?;
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(self.roots()?);
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((certificates, private_key)) => {
                let chain = read_certificates(certificates)?;
                let key = PrivateKeyDer::from_pem_file(private_key)
                    .map_err(|source| TlsError::File { file: private_key.clone(), source })?;
                builder.with_client_auth_cert(chain, key)?
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(grpc::client::Tls { config: Arc::new(config), server_name })
    }

    fn roots(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        match &self.authorities {
            Some(file) => {
                for certificate in read_certificates(file)? {
                    roots.add(certificate)?;
                }
            }
            // Systems carry certificates that are not valid any more; those are passed over.
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        if roots.is_empty() {
            return Err(TlsError::NoAuthority { file: self.authorities.clone() });
        }
        Ok(roots)
    }
}

fn read_certificates(file: &PathBuf) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|source| TlsError::File { file: file.clone(), source })
}
