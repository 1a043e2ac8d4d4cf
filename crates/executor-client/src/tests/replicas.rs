//! Several replicas: turns, losses, returns, names.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use call::ErrorCode;
use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::time::Instant;
use tonic::Code;

use super::fake::{Fake, Plan};
use super::*;
use crate::{Balance, Resolver, State};

const NAMES: [&str; 3] = ["zero", "one", "two"];

async fn three() -> Vec<Fake> {
    let mut fakes = Vec::new();
    for name in NAMES {
        fakes.push(Fake::start(Plan::saying(name)).await);
    }
    fakes
}

fn addresses(fakes: &[Fake]) -> Vec<SocketAddr> {
    fakes.iter().map(|fake| fake.address).collect()
}

/// Waits until the pool is connected to `n` replicas, so that each takes its turns.
async fn connected(way: &Way, n: usize) {
    until("all replicas are reached", async || way.pool.open_links() == n && serving(way) == n).await;
}

fn serving(way: &Way) -> usize {
    way.cluster.report()[0].addresses.iter().filter(|address| address.state == State::Serving).count()
}

#[tokio::test]
async fn replicas_take_turns() {
    for balance in [Balance::LeastLoaded, Balance::RoundRobin] {
        let fakes = three().await;
        let way = Way::to(&addresses(&fakes), Settings { balance, ..Settings::default() });
        connected(&way, 3).await;
        let mut said = Vec::new();
        for _ in 0..7 {
            said.push(way.ask("a").await.unwrap());
        }
        assert_eq!(said, ["one", "two", "zero", "one", "two", "zero", "one"]);
    }
}

#[tokio::test]
async fn retries_go_round_the_replicas() {
    let mut fakes = Vec::new();
    for _ in NAMES {
        fakes.push(Fake::start(Plan::failing(Code::Unavailable)).await);
    }
    let way = Way::to(&addresses(&fakes), Settings::default());
    connected(&way, 3).await;
    let error = way.ask("a").await.unwrap_err();
    let mut n_calls: Vec<_> = fakes.iter().map(Fake::n_calls).collect();
    n_calls.sort_unstable();
    assert_eq!(n_calls, [1, 1, 2]);
    for fake in &fakes {
        assert!(error.to_string().contains(&format!("'{}'", fake.address)), "{error}");
    }
}

#[tokio::test]
async fn no_request_fails_when_a_replica_is_killed_under_load() {
    let mut fakes = three().await;
    let way = Way::to(&addresses(&fakes), Settings::default());
    connected(&way, 3).await;
    let mut answers = stream::iter(0..500)
        .map(|n| {
            let way = &way;
            async move {
                let id = n.to_string();
                let answer = way.call(hop(HopInput::One(message(&id)))).await;
                (id, answer)
            }
        })
        .buffer_unordered(20);
    let mut n_answers = 0;
    let mut killed = None;
    while let Some((id, answer)) = answers.next().await {
        let Answer::One { message, .. } = answer.unwrap() else { panic!("a stream") };
        assert_eq!(&*message.header.request_id, &*id);
        n_answers += 1;
        if n_answers == 100 {
            killed = Some(fakes.remove(1).kill().await);
        }
    }
    assert_eq!(n_answers, 500);

    let back = Fake::start_at(killed.unwrap(), Plan::saying("one")).await;
    connected(&way, 3).await;
    for _ in 0..30 {
        way.ask("a").await.unwrap();
    }
    assert_eq!(back.n_calls(), 10, "the load is even again");
}

#[tokio::test]
async fn without_any_replica_calls_fail_at_once_and_the_first_back_is_used_at_once() {
    let fakes = three().await;
    let way = Way::to(&addresses(&fakes), Settings::default());
    connected(&way, 3).await;
    let mut gone = Vec::new();
    for fake in fakes {
        gone.push(fake.kill().await);
    }
    for _ in 0..3 {
        let began = Instant::now();
        let error = way.ask("a").await.unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(1), "a hang of {:?}", began.elapsed());
        assert_eq!(error.code, ErrorCode::Unavailable);
        let text = error.to_string();
        assert!(text.contains("refused") && text.contains("|Gateway: deployment `ranker`"), "{text}");
        for address in &gone {
            assert!(text.contains(&address.to_string()), "{text}");
        }
    }
    until("the report says so", async || serving(&way) == 0).await;
    let report = way.cluster.report()[0].to_string();
    assert!(report.contains("is not reached (cannot connect to 127.0.0.1:"), "{report}");
    let _back = Fake::start_at(gone[2], Plan::saying("back")).await;
    assert_eq!(way.ask("a").await.unwrap(), "back");
}

#[tokio::test]
async fn a_replica_that_never_answers_leaves_the_rotation() {
    let good = Fake::start(Plan::saying("good")).await;
    let stuck = Fake::start(Plan { stuck: true, ..Plan::hanging() }).await;
    let settings = Settings {
        timeout_send: Some(Duration::from_millis(100)),
        probe_timeout: Duration::from_millis(100),
        ..Settings::default()
    };
    let way = Way::to(&[good.address, stuck.address], settings);
    connected(&way, 2).await;
    let mut late = 0;
    until("it is left out", async || {
        late += usize::from(way.ask("a").await.is_err_and(|error| error.code == ErrorCode::DeadlineExceeded));
        serving(&way) == 1
    })
    .await;
    assert!(late > 0);
    for _ in 0..10 {
        assert_eq!(way.ask("a").await.unwrap(), "good");
    }
    let report = way.cluster.report()[0].to_string();
    assert!(report.contains("is left out (it does not answer probes)"), "{report}");

    let address = stuck.kill().await;
    let _back = Fake::start_at(address, Plan::saying("back")).await;
    until("it is used again", async || way.ask("a").await.unwrap() == "back").await;
}

/// A resolver whose answer the test changes.
fn changing() -> (Resolver, Arc<Mutex<Vec<SocketAddr>>>) {
    let addresses = Arc::<Mutex<Vec<SocketAddr>>>::default();
    let shared = addresses.clone();
    let resolver = Resolver::new(move |_host, _port| {
        let found = shared.lock().unwrap().clone();
        async move { if found.is_empty() { Err(io::Error::other("no such host")) } else { Ok(found) } }
    });
    (resolver, addresses)
}

#[tokio::test]
async fn calls_are_balanced_over_what_the_name_resolves_to() {
    let fakes = three().await;
    let all = addresses(&fakes);
    let (resolver, resolved) = changing();
    let settings = Settings { resolver, resolve_every: Duration::from_millis(20), ..Settings::default() };
    let way = Way::to(&["ranker.svc:80"], settings);
    for n in [1, 3, 2] {
        *resolved.lock().unwrap() = all[..n].to_vec();
        connected(&way, n).await;
        let before: Vec<_> = fakes.iter().map(Fake::n_calls).collect();
        for _ in 0..6 {
            way.ask("a").await.unwrap();
        }
        let calls: Vec<_> = fakes.iter().zip(before).map(|(fake, before)| fake.n_calls() - before).collect();
        let want: Vec<_> = (0..3).map(|index| if index < n { 6 / n } else { 0 }).collect();
        assert_eq!(calls, want, "{n} addresses");
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_named() {
    let (resolver, resolved) = changing();
    let way = Way::to(&["ranker.svc:80"], Settings { resolver, ..Settings::default() });
    let error = way.ask("a").await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Unavailable);
    let text = error.to_string();
    assert!(
        text.starts_with("cannot resolve `ranker.svc`: no such host|Gateway: deployment `ranker`"),
        "{text}"
    );
    assert!(text.contains("'ranker.svc:80'"), "{text}");
    let fake = Fake::start(Plan::saying("there")).await;
    *resolved.lock().unwrap() = vec![fake.address];
    assert_eq!(way.ask("a").await.unwrap(), "there");
    let report = way.cluster.report()[0].to_string();
    assert!(report.contains("ranker.svc:80 (127.0.0.1) is"), "{report}");
}

#[tokio::test]
async fn a_resolver_that_fails_takes_nothing_away() {
    let fake = Fake::start(Plan::saying("there")).await;
    let (resolver, resolved) = changing();
    *resolved.lock().unwrap() = vec![fake.address];
    let settings = Settings { resolver, resolve_every: Duration::from_millis(10), ..Settings::default() };
    let way = Way::to(&["ranker.svc:80"], settings);
    assert_eq!(way.ask("a").await.unwrap(), "there");
    resolved.lock().unwrap().clear();
    until("it fails", async || way.cluster.report()[0].to_string().contains("no such host")).await;
    assert_eq!(way.ask("a").await.unwrap(), "there");
}
