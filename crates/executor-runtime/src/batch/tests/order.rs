//! Many callers: which go first, how long they wait, and whose answers they get.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::batched::{Shared, Stage, batching, request, with_priority};

#[tokio::test(start_paused = true)]
async fn urgent_requests_go_first_and_none_waits_for_ever() {
    let go = Arc::new(Semaphore::new(0));
    let shared = Shared { go: Some(go.clone()), ..Shared::default() };
    let stage = Stage::with("priority", shared, |settings| settings.max_running = 1);
    let send = |text: &'static str, priority: &'static str| {
        let stage = stage.clone();
        async move { stage.send(with_priority(request("/mark", text), priority)).await.unwrap() }
    };
    let all = async {
        let busy = [send("a b c d", "0"), send("old old old old", "0")];
        let urgent = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            join_all([send("low low low low", "-1"), send("high high high high", "2")]).await
        };
        let later = async {
            // By then the old one has waited for nine timeouts.
            tokio::time::sleep(Duration::from_secs(9)).await;
            go.add_permits(5);
            send("newer newer newer newer", "7").await
        };
        tokio::join!(join_all(busy), urgent, later);
    };
    all.await;
    let firsts: Vec<String> =
        stage.calls().iter().map(|call| call.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(firsts, ["a", "high", "old", "low", "newer"]);
}

#[tokio::test(start_paused = true)]
async fn callers_share_calls_and_nobody_waits_longer_than_the_timeout_and_one_batch() {
    const CALLERS: usize = 32;
    const ROUNDS: usize = 20;
    let check = async |test: &str, batched: bool| {
        let stage = Stage::with(test, Shared::default(), |settings| {
            // A model runs one call at a time.
            settings.max_running = 1;
            batching(settings, "/costly", |it| it.use_dynamic_batching = Some(batched));
        });
        let begin = Instant::now();
        let callers = (0..CALLERS).map(|caller| {
            let stage = stage.clone();
            async move {
                let mut longest = Duration::ZERO;
                for round in 0..ROUNDS {
                    let sent = Instant::now();
                    let text = format!("{caller}-{round}");
                    assert_eq!(stage.post("/costly", &text).await, text);
                    longest = longest.max(sent.elapsed());
                }
                longest
            }
        });
        let longest = join_all(callers).await.into_iter().max().unwrap();
        (stage.calls().len(), begin.elapsed(), longest)
    };
    let (calls, time, longest) = check("shared", true).await;
    let (single_calls, single_time, _) = check("alone", false).await;
    assert_eq!((calls, single_calls), (ROUNDS, CALLERS * ROUNDS));
    assert!(time * 8 <= single_time, "{time:?} against {single_time:?}");
    // A millisecond is what the clock of the timers may add.
    assert!(longest <= Duration::from_millis(20 + 100 + 1), "{longest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_thousand_answers_go_to_their_own_callers() {
    const CALLERS: usize = 64;
    const REQUESTS: usize = 100_000;
    let stage = Stage::with("content", Shared::default(), |settings| {
        batching(settings, "/mark", |it| {
            (it.preferred_batch_size, it.timeout) = (Some(24), Some(Duration::from_millis(1)));
        });
    });
    let next = Arc::new(AtomicUsize::new(0));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (stage, next) = (stage.clone(), next.clone());
        callers.spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= REQUESTS {
                    return;
                }
                let texts: Vec<String> = (0..=n % 3).map(|doc| format!("{n}.{doc}")).collect();
                let want: Vec<String> = texts.iter().map(|text| format!("{text}!")).collect();
                assert_eq!(stage.post("/mark", &texts.join(" ")).await, want.join(" "));
            }
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.unwrap();
    }
    let stats = &stage.hosted.batches()["/mark"];
    assert_eq!(stats.requests, u64::try_from(REQUESTS).unwrap());
    assert!(stats.calls * 4 < stats.requests, "{} calls", stats.calls);
}
