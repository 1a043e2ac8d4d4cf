//! How gateways begin and end.

use std::sync::Arc;
use std::time::Duration;

use call::{Request, Response};
use gateway::StartError;
use server::{Listener, Outcome, Timing};
use tests::{Caller, Sandbox, Stub, eventually, soon};
use tokio::sync::{Notify, Semaphore};
use tonic::Code;

use crate::request;

/// An address where nobody is.
fn nowhere() -> std::net::SocketAddr {
    Listener::bind("127.0.0.1", 0, 1).unwrap().address()
}

#[tokio::test]
async fn ports_stay_closed_until_every_executor_has_answered() {
    let late = nowhere();
    let sandbox = Sandbox::builder()
        .executor("encoder", Stub::echo(&["/index"]))
        .elsewhere("ranker", late)
        .begin()
        .unwrap();
    eventually("the executor that is there has answered", async || {
        sandbox.gateway().cluster().report()[0].answered
    })
    .await;
    assert!(!sandbox.gateway().health().is_ready());
    assert!(Caller::try_connect(sandbox.address()).await.is_none(), "the port is closed");
    let explained = sandbox.gateway().cluster().report()[1].to_string();
    assert!(explained.contains(&late.to_string()), "{explained}");

    let _ranker = Stub::echo(&["/index"]).serve_at(late);
    assert!(soon("the gateway is ready", sandbox.gateway().ready()).await);
    sandbox.caller().await.process(&request("/index")).await.unwrap();
}

#[tokio::test]
async fn executors_that_do_not_fit_together_are_a_start_failure() {
    let sandbox = Sandbox::builder()
        .executor("encoder", Stub::echo(&["/index", "/train"]))
        .executor("ranker", Stub::echo(&["/index"]))
        .begin()
        .unwrap();
    let (gateway, _executors) = sandbox.into_parts();
    assert!(!soon("the gateway gives up", gateway.ready()).await);
    let outcome = soon("the gateway ends", gateway.run(std::future::pending())).await;
    let Err(error @ StartError::Schemas(_)) = outcome else { panic!("{outcome:?}") };
    assert!(error.to_string().contains("/train"), "{error}");
}

#[tokio::test]
async fn wrong_graphs_and_missing_addresses_are_refused_at_once() {
    let cycle = Sandbox::builder()
        .executor("a", Stub::echo(&[]))
        .executor("b", Stub::echo(&[]))
        .graph("start-gateway: a; a: b; b: a")
        .begin();
    assert!(matches!(cycle, Err(StartError::Graph(_))), "{cycle:?}");
    let nobody = Sandbox::builder().graph("start-gateway: a; a: end-gateway").begin();
    assert!(matches!(nobody, Err(StartError::Target(_))), "{nobody:?}");
}

#[tokio::test]
async fn a_gateway_that_still_waits_stops_at_once() {
    let sandbox = Sandbox::builder().elsewhere("encoder", nowhere()).begin().unwrap();
    let outcome = soon("the gateway ends", sandbox.into_parts().0.stop()).await;
    assert_eq!(outcome.unwrap(), Outcome::Clean);
}

/// Answers when it is let.
fn held() -> (Stub, Arc<Notify>, Arc<Semaphore>) {
    let (called, gate) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
    let (tell, wait) = (called.clone(), gate.clone());
    let stub = Stub::new(&["/index"], move |request: Request| {
        let (tell, wait) = (tell.clone(), wait.clone());
        async move {
            tell.notify_one();
            wait.acquire().await.unwrap().forget();
            Ok(Response::One(request.message))
        }
    });
    (stub, called, gate)
}

#[tokio::test]
async fn a_drain_finishes_calls_in_flight_and_refuses_new_ones() {
    let (stub, called, gate) = held();
    let sandbox = Sandbox::builder()
        .executor("encoder", stub)
        .settings(|settings| settings.drain = Timing { linger: Duration::ZERO, grace: tests::PATIENCE })
        .start()
        .await;
    let (caller, address) = (sandbox.caller().await, sandbox.address());
    let (gateway, _executors) = sandbox.into_parts();
    let health = gateway.health().clone();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let draining = Box::pin(gateway.run(async {
        let _told = stopped.await;
    }));
    let asked = request("/index");
    let calls = Box::pin(async {
        let in_flight = caller.process(&asked);
        let meanwhile = async {
            called.notified().await;
            stop.send(()).unwrap();
            eventually("new connections are refused", async || Caller::try_connect(address).await.is_none())
                .await;
            assert!(!health.is_ready());
            gate.add_permits(1);
        };
        let (answer, ()) = tokio::join!(in_flight, meanwhile);
        answer
    });
    let (outcome, answer) = soon("the drain", async { tokio::join!(draining, calls) }).await;
    answer.unwrap();
    assert_eq!(outcome.unwrap(), Outcome::Clean);
    let refused = caller.process(&request("/index")).await.unwrap_err();
    assert_eq!(refused.code, Code::Unavailable);
}

#[tokio::test]
async fn a_drain_cuts_off_what_does_not_end() {
    let (stub, called, _gate) = held();
    let grace = Duration::from_millis(100);
    let sandbox = Sandbox::builder()
        .executor("encoder", stub)
        .settings(|settings| settings.drain = Timing { linger: Duration::ZERO, grace })
        .start()
        .await;
    let caller = sandbox.caller().await;
    let (gateway, _executors) = sandbox.into_parts();
    let asked = request("/index");
    let draining = async {
        called.notified().await;
        gateway.stop().await
    };
    let calling = caller.process(&asked);
    tokio::pin!(calling);
    let outcome = tokio::select! {
        outcome = soon("the drain", draining) => outcome.unwrap(),
        answer = &mut calling => panic!("{answer:?}"),
    };
    assert!(matches!(outcome, Outcome::CutOff { .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_drain_ends_streams_that_clients_keep_open() {
    let sandbox = Sandbox::builder().executor("encoder", Stub::echo(&["/index"])).start().await;
    let caller = sandbox.caller().await;
    let (gateway, _executors) = sandbox.into_parts();
    let mut stream = caller.open(grpc::path::CALL).await;
    stream.send(&request("/index")).await;
    assert_eq!(stream.next().await.unwrap().unwrap().header.request_id, "r");
    // The client might send more, at any time.
    let (outcome, end) = soon("the drain", async { tokio::join!(gateway.stop(), stream.next()) }).await;
    assert_eq!(outcome.unwrap(), Outcome::Clean);
    assert_eq!(end.unwrap_err().code, Code::Unavailable);
}

#[tokio::test]
async fn a_drain_answers_what_clients_send_before_they_hear_of_it() {
    let sandbox = Sandbox::builder().executor("encoder", Stub::echo(&["/index"])).start().await;
    let caller = sandbox.caller().await;
    let (gateway, _executors) = sandbox.into_parts();
    let health = gateway.health().clone();
    let mut stream = caller.open(grpc::path::CALL).await;
    stream.send(&request("/index")).await;
    assert_eq!(stream.next().await.unwrap().unwrap().header.request_id, "r");
    let late = async {
        eventually("the drain has begun", async || !health.is_ready()).await;
        stream.send(&request("/index")).await;
        stream.next().await
    };
    let (outcome, answer) = soon("the drain", async { tokio::join!(gateway.stop(), late) }).await;
    assert_eq!(outcome.unwrap(), Outcome::Clean);
    assert_eq!(answer.unwrap().unwrap().header.request_id, "r");
}
