//! Encryption towards executors.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use grpc::client::Tls;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, pem};
use rustls::{ClientConfig, RootCertStore};

use crate::Address;

/// The variable with which gRPC's own libraries replace the system's authorities.
const ROOTS_VARIABLE: &str = "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH";

/// Who vouches for executors that are reached over TLS.
#[derive(Debug, Clone, Default)]
pub enum Roots {
    /// The authorities in the file that `GRPC_DEFAULT_SSL_ROOTS_FILE_PATH` names, or else the system's
    /// (`SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured).
    #[default]
    System,
    /// The authorities in a PEM file.
    File(PathBuf),
}

/// Connections to executors cannot be encrypted.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file of authorities cannot be used.
    #[error("cannot read certificate authorities from {file}")]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// There is none.
    #[error("{from} holds no valid certificate authority")]
    NoRoots {
        /// The file or the system's store.
        from: String,
    },
    /// The host of an address cannot be in a certificate.
    #[error("`{host}` cannot be verified by a certificate")]
    Host {
        /// The host.
        host: String,
        /// Why.
        source: rustls::pki_types::InvalidDnsNameError,
    },
}

impl Roots {
    /// What every encrypted connection is configured with.
    pub(crate) fn config(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let file = match self {
            Self::System => env::var_os(ROOTS_VARIABLE).filter(|file| !file.is_empty()).map(PathBuf::from),
            Self::File(file) => Some(file.clone()),
        };
        let (certificates, from) = match file {
            None => (rustls_native_certs::load_native_certs().certs, "the system".to_owned()),
            Some(file) => {
                let from = file.display().to_string();
                let certificates =
                    CertificateDer::pem_file_iter(&file).and_then(|certificates| certificates.collect());
                (certificates.map_err(|source| TlsError::File { file, source })?, from)
            }
        };
        let mut roots = RootCertStore::empty();
        let (valid, _invalid) = roots.add_parsable_certificates(certificates);
        if valid == 0 {
            return Err(TlsError::NoRoots { from });
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider supports the default versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Arc::new(config))
    }
}

/// How connections to `address` are encrypted.
pub(crate) fn tls(address: &Address, config: &Arc<ClientConfig>) -> Result<Tls, TlsError> {
    let host = address.host().to_owned();
    let server_name = ServerName::try_from(host.clone()).map_err(|source| TlsError::Host { host, source })?;
    Ok(Tls { config: config.clone(), server_name })
}
