//! Encrypted connections.

use std::path::PathBuf;
use std::sync::Arc;

use grpc::server::Settings as CallSettings;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;
use tonic::service::Routes;

use super::peer::{Peer, Text, echo, grpc, texts};
use super::*;

/// An authority in a file, and a server that it vouches for as `localhost`.
fn trusted_peer() -> (tempfile::TempDir, PathBuf, Peer) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = certificate.signed_by(&key, &authority).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authority.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    let private_key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private_key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let calls = grpc(echo, CallSettings::default(), Routes::default());
    let peer = Peer::serve(0, calls, Some(TlsAcceptor::from(Arc::new(config))));
    (folder, file, peer)
}

fn settings(tls: Tls) -> Settings {
    Settings { tls, patience: Duration::ZERO, ..Settings::default() }
}

#[tokio::test]
async fn who_is_trusted_is_talked_to() {
    let (_folder, authorities, peer) = trusted_peer();
    let tls = Tls { authorities: Some(authorities), server_name: Some("localhost".into()), ..Tls::default() };
    let address = format!("grpcs://127.0.0.1:{}", peer.port());
    let client = Client::connect_with(&address, settings(tls.clone())).await.unwrap();
    let got = client.post("/a").inputs(texts(0..3)).collect::<Text>().await.unwrap();
    assert_eq!(got.to_vec(), texts(0..3));

    let another = Tls { server_name: Some("example.org".into()), ..tls };
    let error = Client::connect_with(&address, settings(another)).await.unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let file = PathBuf::from("/no/such/file.pem");
    let tls = Tls { authorities: Some(file), ..Tls::default() };
    let error = Client::new("grpcs://localhost:1", settings(tls)).unwrap_err();
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "cannot read certificates or a key from /no/such/file.pem");
}
