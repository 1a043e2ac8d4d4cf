//! Encryption towards the process that is asked.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
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

/// What is shown and known where a process is asked encrypted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Authorities of which one must vouch for the process, PEM; if they are given, nothing is asked in plain text.
    pub authorities: Option<PathBuf>,
    /// The certificate chain and its private key, PEM, for processes that let in nobody else.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// How a process is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Encryption<'a> {
    pub(super) trust: Trust,
    pub(super) credentials: &'a Credentials,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Encryption<'_> {
    /// How TLS is spoken, if it is.
    pub(super) fn config(self, protocol: &str) -> Result<Option<Arc<ClientConfig>>, BoxError> {
        let provider = Arc::new(ring::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
        let verifier: Arc<dyn ServerCertVerifier> = match self.trust {
            Trust::Plaintext => return Ok(None),
            Trust::Verified => {
                let authorities = authorities(self.credentials.authorities.as_deref())?;
                Arc::new(grpc::client::Trust::new(authorities, provider)?)
            }
            Trust::Anybody => Arc::new(Anybody(provider)),
        };
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        let mut config = match &self.credentials.identity {
            None => builder.with_no_client_auth(),
            Some((certificates, private_key)) => {
                let certificates = CertificateDer::pem_file_iter(certificates)?.collect::<Result<_, _>>()?;
                builder.with_client_auth_cert(certificates, PrivateKeyDer::from_pem_file(private_key)?)?
            }
        };
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        Ok(Some(Arc::new(config)))
    }
}

fn authorities(file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, BoxError> {
    let said = || ROOTS.iter().find_map(|name| env::var_os(name).filter(|file| !file.is_empty()));
    Ok(match file.map(Path::to_owned).or_else(|| said().map(PathBuf::from)) {
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
