//! How messages travel: compressed, encrypted, on several threads.

use std::sync::mpsc;

use call::{Request, Response};
use futures_util::future::join_all;
use grpc::Encoding;
use rcgen::{CertificateParams, CertifiedKey, KeyPair};
use server::tls;
use tests::{Caller, Sandbox, Stub};

use crate::{request, texts};

#[tokio::test]
async fn clients_may_compress() {
    let sandbox = Sandbox::builder().executor("encoder", Stub::echo(&["/index"])).start().await;
    for encoding in [Encoding::Gzip, Encoding::Deflate, Encoding::Zstd] {
        let caller = sandbox.caller().await.compressing(encoding);
        let answer = caller.process(&request("/index")).await.unwrap();
        assert_eq!(texts(&answer), [("a".to_owned(), "one".to_owned())], "{encoding:?}");
    }
}

#[tokio::test]
async fn the_gateway_compresses_as_it_is_told() {
    for (encoding, name) in
        [(Encoding::Gzip, Some("gzip")), (Encoding::Deflate, Some("deflate")), (Encoding::Identity, None)]
    {
        let (send, receive) = mpsc::channel();
        let encoder = Stub::new(&["/index"], move |request: Request| {
            send.send(request.context.metadata.clone()).unwrap();
            std::future::ready(Ok(Response::One(request.message)))
        });
        let sandbox = Sandbox::builder()
            .executor("encoder", encoder.showing(&["grpc-encoding"]))
            .settings(|settings| settings.client.encoding = encoding)
            .start()
            .await;
        let answer = sandbox.caller().await.process(&request("/index")).await.unwrap();
        assert_eq!(texts(&answer), [("a".to_owned(), "one".to_owned())], "{encoding:?}");
        let seen = receive.try_recv().unwrap();
        assert_eq!(seen.0.first().map(|(_, value)| &**value), name, "{encoding:?}");
    }
}

/// A certificate for `localhost`, and its files.
pub(crate) fn certificate(directory: &std::path::Path) -> (CertifiedKey<KeyPair>, tls::Files) {
    let signing_key = KeyPair::generate().unwrap();
    let cert =
        CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&signing_key).unwrap();
    let files = tls::Files {
        certificates: directory.join("cert.pem"),
        private_key: directory.join("key.pem"),
        client_authorities: None,
    };
    std::fs::write(&files.certificates, cert.pem()).unwrap();
    std::fs::write(&files.private_key, signing_key.serialize_pem()).unwrap();
    (CertifiedKey { cert, signing_key }, files)
}

#[tokio::test]
async fn connections_are_encrypted_with_certificates_that_may_change() {
    let directory = tempfile::tempdir().unwrap();
    let (first, files) = certificate(directory.path());
    let sandbox = Sandbox::builder()
        .executor("encoder", Stub::echo(&["/index"]))
        .settings(|settings| settings.tls = Some(files))
        .start()
        .await;
    let connect =
        |key: &CertifiedKey<KeyPair>| Caller::connect_tls(sandbox.address(), key.cert.der().clone());
    let caller = connect(&first).await.unwrap();
    caller.process(&request("/index")).await.unwrap();

    let (second, _same_files) = certificate(directory.path());
    sandbox.gateway().tls().unwrap().reload().unwrap();
    assert!(connect(&first).await.is_none(), "the old certificate is not shown any more");
    connect(&second).await.unwrap().process(&request("/index")).await.unwrap();
    caller.process(&request("/index")).await.unwrap();
}

#[tokio::test]
async fn connections_are_served_on_all_threads() {
    let sandbox = Sandbox::builder()
        .executor("encoder", Stub::echo(&["/index"]))
        .executor("ranker", Stub::echo(&["/index"]))
        .threads(3)
        .start()
        .await;
    let client = async || {
        let caller = sandbox.caller().await;
        for _ in 0..20 {
            caller.process(&request("/index")).await.unwrap();
        }
    };
    join_all((0..9).map(|_| client())).await;
}
