//! Encryption towards the process that is asked.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

/// Who is believed to be the one who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Whoever answers, in plain text.
    Plaintext,
    /// Whoever answers, encrypted. Nothing secret is told or learned by asking whether a process serves.
    Anybody,
    /// Those whose certificate an authority vouches for.
    Verified,
}

/// The variables that say where authorities are, as Python's clients know them.
const ROOTS: [&str; 2] = ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "SSL_CERT_FILE"];

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Trust {
    /// How TLS is spoken, if it is.
    pub(super) fn config(self, protocol: &str) -> Result<Option<Arc<ClientConfig>>, BoxError> {
        let provider = Arc::new(ring::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
        let mut config = match self {
            Self::Plaintext => return Ok(None),
            Self::Verified => {
                let known = grpc::client::Trust::new(authorities()?, provider)?;
                builder.dangerous().with_custom_certificate_verifier(Arc::new(known)).with_no_client_auth()
            }
            Self::Anybody => {
                let anybody = Arc::new(Anybody(provider));
                builder.dangerous().with_custom_certificate_verifier(anybody).with_no_client_auth()
            }
        };
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        Ok(Some(Arc::new(config)))
    }
}

fn authorities() -> Result<Vec<CertificateDer<'static>>, BoxError> {
    let file = ROOTS.iter().find_map(|name| env::var_os(name).filter(|file| !file.is_empty()));
    Ok(match file.map(PathBuf::from) {
        Some(file) => CertificateDer::pem_file_iter(file)?.collect::<Result<_, _>>()?,
        None => rustls_native_certs::load_native_certs().certs,
    })
}

/// Takes any certificate; the key must fit it.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
