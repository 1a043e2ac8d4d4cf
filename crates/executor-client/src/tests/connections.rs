//! Connections: how they begin, end and are replaced.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use call::{ErrorCode, Request, Response};
use h2::Reason;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use super::fake::{Fake, Plan};
use super::*;
use crate::{Identity, Resolver, Roots};

/// Answers as many requests as the test lets through.
fn gated() -> (Plan, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let shared = gate.clone();
    let plan = Plan::new(move |request: Request| {
        let gate = shared.clone();
        async move {
            gate.acquire().await.unwrap().forget();
            Ok(Response::One(request.message))
        }
    });
    (plan, gate)
}

#[tokio::test]
async fn a_call_waits_for_the_first_connection_only() {
    let fake = Fake::start(Plan::saying("a")).await;
    let way = Way::to(&[fake.address], Settings::default());
    assert_eq!(way.ask("a").await.unwrap(), "a", "no connection is there yet");
}

#[tokio::test]
async fn an_executor_that_leaves_in_order_costs_no_call() {
    let fake = Fake::start(Plan::saying("before")).await;
    let way = Way::to(&[fake.address], Settings::default());
    assert_eq!(way.ask("a").await.unwrap(), "before");
    let address = fake.leave().await;
    let _back = Fake::start_at(address, Plan::saying("after")).await;
    assert_eq!(way.ask("a").await.unwrap(), "after");
}

#[tokio::test]
async fn an_answer_whose_connection_dies_is_an_error_or_another_replicas() {
    let (plan, _gate) = gated();
    let fake = Fake::start(plan.clone()).await;
    let address = fake.address;
    let way = Way::to(&[address], Settings::default());
    let call = way.ask("a");
    tokio::pin!(call);
    let dying = async {
        until("the call has arrived", async || fake.n_calls() == 1).await;
        fake.kill().await
    };
    let (error, _) = tokio::join!(call, dying);
    let error = error.unwrap_err();
    assert_eq!(error.code, ErrorCode::Unavailable);
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[tokio::test]
async fn more_connections_are_made_when_those_there_are_busy() {
    let (plan, gate) = gated();
    let fake = Fake::start(plan).await;
    let settings = Settings { calls_per_connection: 2, connections_per_replica: 3, ..Settings::default() };
    let way = Way::to(&[fake.address], settings);
    let mut calls = JoinSet::new();
    for n in 1..=12 {
        let pool = way.pool.clone();
        calls.spawn(async move { pool.oneshot(hop(HopInput::One(message("a")))).await.map(drop) });
        until("the call has arrived", async || fake.n_calls() == n).await;
        let want = n.div_ceil(2).clamp(1, 3);
        until("the connections are enough", async || way.pool.open_connections() >= want.min(n / 2)).await;
    }
    assert_eq!(way.pool.open_connections(), 3);
    gate.add_permits(12);
    while let Some(call) = calls.join_next().await {
        call.unwrap().unwrap();
    }
}

#[tokio::test]
async fn stopping_finishes_calls_in_flight_and_then_ends_everything() {
    let (plan, gate) = gated();
    let fake = Fake::start(plan).await;
    let way = Way::to(&[fake.address], Settings::default());
    let call = async {
        until("the call has arrived", async || fake.n_calls() == 1).await;
        way.stop.cancel();
        // A request on its way through the graph has another call to make.
        gate.add_permits(2);
        way.ask("b").await
    };
    let (first, second) = tokio::join!(way.ask("a"), call);
    first.unwrap();
    second.unwrap();
    way.tasks.close();
    tokio::time::timeout(Duration::from_secs(5), way.tasks.wait()).await.unwrap();
    gate.add_permits(1);
    way.ask("late").await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), way.tasks.wait()).await.unwrap();
}

#[tokio::test]
async fn stopping_takes_no_time_when_nothing_is_in_flight() {
    let fake = Fake::start(Plan::saying("a")).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = Fake::start(Plan::saying("a")).await.kill().await;
    let silent_address = silent.local_addr().unwrap();
    for address in [fake.address, silent_address, gone] {
        let way = Way::to(&[address], Settings::default());
        if address == silent_address {
            let _connecting = silent.accept().await.unwrap();
        } else {
            assert_eq!(way.ask("a").await.is_ok(), address == fake.address);
        }
        way.stop.cancel();
        way.tasks.close();
        tokio::time::timeout(Duration::from_millis(500), way.tasks.wait()).await.unwrap();
    }
}

#[test]
fn each_worker_has_connections_of_its_own() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (main, worker) = (runtime(), runtime());
    let (fake, way) = main.block_on(async {
        let fake = Fake::start(Plan::saying("a")).await;
        let way = Way::to(&[fake.address], Settings::default());
        (fake, way)
    });
    let pool = way.cluster.pool(worker.handle());
    let (ended, end) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let answer = worker.block_on(pool.clone().oneshot(hop(HopInput::One(message("a")))));
        ended.send(()).unwrap();
        (answer.map(drop), pool.open_connections())
    });
    main.block_on(until("the worker is done", async || end.try_recv().is_ok()));
    let (answer, n_connections) = thread.join().unwrap();
    answer.unwrap();
    assert_eq!(n_connections, 1);
    assert_eq!(fake.n_calls(), 1);
}

#[tokio::test]
async fn a_cluster_that_nobody_holds_ends() {
    let fake = Fake::start(Plan::saying("a")).await;
    let Way { cluster, pool, tasks, .. } = Way::to(&[fake.address], Settings::default());
    pool.oneshot(hop(HopInput::One(message("a")))).await.unwrap();
    drop(cluster);
    tasks.close();
    tokio::time::timeout(Duration::from_secs(5), tasks.wait()).await.unwrap();
}

/// Serves HTTP/2 on a socket and complains about pings on every connection but those after `n`.
async fn complaining(listener: TcpListener, n: usize) {
    let mut connections = JoinSet::new();
    for index in 0.. {
        let (stream, _) = listener.accept().await.unwrap();
        connections.spawn(async move {
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((request, mut respond))) = connection.accept().await {
                if index < n {
                    connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
                    continue;
                }
                drop(request);
                let mut response = http::Response::new(());
                response.headers_mut().insert("grpc-status", http::HeaderValue::from_static("5"));
                // The peer may have gone.
                let _sent = respond.send_response(response, true);
            }
        });
    }
}

#[tokio::test]
async fn a_peer_that_is_pinged_too_often_is_connected_to_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut server = JoinSet::new();
    server.spawn(complaining(listener, 2));
    let way = Way::to(&[address], Settings::default());
    until("a call is answered", async || way.ask("a").await.unwrap_err().code == ErrorCode::NotFound).await;
}

#[tokio::test]
async fn a_peer_that_accepts_and_is_silent_does_not_hold_up_later_calls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = Settings::default();
    settings.options.connect_timeout = Duration::from_millis(300);
    let way = Way::to(&[listener.local_addr().unwrap()], settings);
    for _ in 0..2 {
        let began = Instant::now();
        let error = way.ask("a").await.unwrap_err();
        assert_eq!(error.code, ErrorCode::Unavailable);
        assert!(error.to_string().contains("took more than 300ms|Gateway"), "{error}");
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }
}

/// A certificate that is its own authority, in files.
struct Certified {
    certificates: NamedTempFile,
    private_key: NamedTempFile,
    chain: Vec<CertificateDer<'static>>,
    key: PrivatePkcs8KeyDer<'static>,
}

fn certified(name: &str) -> Certified {
    let identity = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let file = |pem: &str| {
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), pem).unwrap();
        file
    };
    Certified {
        certificates: file(&identity.cert.pem()),
        private_key: file(&identity.signing_key.serialize_pem()),
        chain: vec![identity.cert.der().clone()],
        key: PrivatePkcs8KeyDer::from(identity.signing_key.serialize_der()),
    }
}

/// An acceptor that lets in `clients` alone, or everybody.
fn acceptor(server: &Certified, clients: Option<&Certified>) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone());
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(clients.chain.clone());
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let mut config = builder.with_single_cert(server.chain.clone(), server.key.clone_key().into()).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

/// The settings towards an executor whose names all lead to `address`.
fn encrypted(server: &Certified, address: SocketAddr) -> Settings {
    let resolver = Resolver::new(move |_host, _port| async move { Ok(vec![address]) });
    let roots = Roots::File(server.certificates.path().to_owned());
    Settings { resolver, roots, ..Settings::default() }
}

#[tokio::test]
async fn encrypted_executors_are_verified() {
    let server = certified("ranker.svc");
    let tls = Some(acceptor(&server, None));
    let fake = Fake::start(Plan { tls, ..Plan::saying("secret") }).await;
    let settings = encrypted(&server, fake.address);
    let way = Way::to(&["grpcs://ranker.svc:443"], settings.clone());
    assert_eq!(way.ask("a").await.unwrap(), "secret");
    let way = Way::to(&["grpcs://other.svc:443"], settings);
    let error = way.ask("a").await.unwrap_err();
    assert!(error.to_string().contains("TLS handshake"), "{error}");
}

#[tokio::test]
async fn executors_that_ask_are_shown_who_calls() {
    let (server, client) = (certified("ranker.svc"), certified("gateway"));
    let tls = Some(acceptor(&server, Some(&client)));
    let fake = Fake::start(Plan { tls, ..Plan::saying("secret") }).await;
    let unknown = encrypted(&server, fake.address);
    let identity = Identity {
        certificates: client.certificates.path().to_owned(),
        private_key: client.private_key.path().to_owned(),
    };
    let known = Settings { identity: Some(identity), ..unknown.clone() };
    let way = Way::to(&["grpcs://ranker.svc:443"], known);
    assert_eq!(way.ask("a").await.unwrap(), "secret");
    let way = Way::to(&["grpcs://ranker.svc:443"], unknown);
    assert_eq!(way.ask("a").await.unwrap_err().code, ErrorCode::Unavailable);
}
