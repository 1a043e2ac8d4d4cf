//! Encryption towards executors.

mod identity;

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use grpc::client::{Tls, Trust};
use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, pem};

use self::identity::Shown;
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

/// What shows executors who calls, for those that ask. Connections made after the files have changed show the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate chain, PEM.
    pub certificates: PathBuf,
    /// Its private key, PEM.
    pub private_key: PathBuf,
}

/// Connections to executors cannot be encrypted.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file of authorities, certificates or keys cannot be used.
    #[error("cannot read {what} from {file}")]
    File {
        /// What should be in it.
        what: &'static str,
        /// The file.
        file: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// Certificate and key do not fit together.
    #[error("the certificate in {certificates} cannot be used with the key in {private_key}")]
    Identity {
        /// The certificate's file.
        certificates: PathBuf,
        /// The key's file.
        private_key: PathBuf,
        /// Why.
        source: Box<rustls::Error>,
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
    fn read(&self, provider: Arc<CryptoProvider>) -> Result<Trust, TlsError> {
        let file = match self {
            Self::System => env::var_os(ROOTS_VARIABLE).filter(|file| !file.is_empty()).map(PathBuf::from),
            Self::File(file) => Some(file.clone()),
        };
        let (certificates, from) = match file {
            None => (rustls_native_certs::load_native_certs().certs, "the system".to_owned()),
            Some(file) => (certificates("certificate authorities", &file)?, file.display().to_string()),
        };
        Trust::new(certificates, provider).map_err(|_| TlsError::NoRoots { from })
    }
}

/// What every encrypted connection is configured with.
pub(crate) fn config(roots: &Roots, identity: Option<&Identity>) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let trust = Arc::new(roots.read(provider.clone())?);
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("the provider supports the default versions")
        .dangerous()
        .with_custom_certificate_verifier(trust);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            builder.with_client_cert_resolver(Arc::new(Shown::new(identity.clone(), provider)?))
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(what: &'static str, file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(file)
        .and_then(|certificates| certificates.collect())
        .map_err(|source| TlsError::File { what, file: file.to_owned(), source })
}

/// How connections to `address` are encrypted.
pub(crate) fn tls(address: &Address, config: &Arc<ClientConfig>) -> Result<Tls, TlsError> {
    let host = address.host().to_owned();
    let server_name = ServerName::try_from(host.clone()).map_err(|source| TlsError::Host { host, source })?;
    Ok(Tls { config: config.clone(), server_name })
}
