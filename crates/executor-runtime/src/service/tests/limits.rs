//! Code that does not come back, or takes more memory than there is.

#![expect(clippy::unused_async, reason = "code that does not behave")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use call::ErrorCode;
use docarray::DocList;
use serde_json::json;

use super::zoo::{Text, text};
use super::{call, request, texts};
use crate::{Context, Entry, ExecutorSettings, Hosted, executor, host, requests};

/// By test: set when loops should end after all, so that the test's process can.
static DONE: LazyLock<Mutex<BTreeMap<String, Arc<AtomicBool>>>> = LazyLock::new(Mutex::default);

struct Runaway {
    done: Arc<AtomicBool>,
}

#[derive(serde::Deserialize)]
struct With {
    test: String,
}

#[executor]
impl Runaway {
    fn new(with: With) -> Self {
        Self { done: DONE.lock().unwrap().entry(with.test).or_default().clone() }
    }

    #[requests(on = "/loops")]
    fn loops(&self, docs: &DocList<Text>) {
        self.spin(docs);
    }

    #[requests(on = "/spins")]
    async fn spins(&self, docs: &DocList<Text>) {
        self.spin(docs);
    }

    #[requests(on = "/batched", dynamic_batching(preferred_batch_size = 2, timeout = 0))]
    fn batched(&self, docs: &DocList<Text>) {
        self.spin(docs);
    }

    #[requests(on = "/sleeps")]
    async fn sleeps(&self, _docs: &DocList<Text>) {
        std::future::pending::<()>().await;
    }

    #[requests(on = "/notices")]
    fn notices(&self, _docs: &DocList<Text>, context: &Context) {
        while !context.is_cancelled() {
            std::thread::yield_now();
        }
    }

    #[requests(on = "/works")]
    fn works(&self, docs: &mut DocList<Text>) {
        docs.iter_mut().for_each(|doc| doc.text.push('!'));
    }
}

impl Runaway {
    /// Loops until the test is over if there is a document.
    fn spin(&self, docs: &DocList<Text>) {
        while !docs.is_empty() && !self.done.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
    }
}

fn runaway(test: &str, change: impl FnOnce(&mut ExecutorSettings)) -> Hosted {
    let uses_with = json!({"test": test}).as_object().unwrap().clone();
    let mut settings = ExecutorSettings { uses_with, ..ExecutorSettings::default() };
    change(&mut settings);
    host(&Entry::of::<Runaway>(), settings).unwrap()
}

async fn refused(hosted: &Hosted, endpoint: &str) -> ErrorCode {
    call(hosted, request(endpoint, &[text("a")])).await.unwrap_err().code
}

#[tokio::test]
async fn code_that_never_comes_back_is_answered_for_and_makes_room() {
    let limit = Duration::from_millis(30);
    let hosted = runaway("loops", |settings| settings.max_call_time = Some(limit));
    for endpoint in ["/loops", "/spins", "/sleeps", "/notices", "/batched"] {
        assert_eq!(refused(&hosted, endpoint).await, ErrorCode::DeadlineExceeded, "{endpoint}");
        let answer = call(&hosted, request("/works", &[text("a")])).await.unwrap();
        assert_eq!(texts(&answer), ["a!"], "after {endpoint}");
    }
    // Those that could notice have come back, or do so soon.
    while hosted.stuck() > 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(hosted.stuck(), 3);
    DONE.lock().unwrap()["loops"].store(true, Ordering::Relaxed);
    while hosted.stuck() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(!hosted.exit().is_cancelled());
    hosted.close().await.unwrap();
}

#[tokio::test]
async fn the_process_ends_when_too_many_calls_never_come_back() {
    let limit = Duration::from_millis(1);
    let hosted = runaway("exit", |settings| settings.max_call_time = Some(limit));
    for n in 0..16 {
        assert!(!hosted.exit().is_cancelled(), "after {n}");
        assert_eq!(refused(&hosted, "/loops").await, ErrorCode::DeadlineExceeded);
    }
    assert!(hosted.exit().is_cancelled());
    // Nobody waits for them.
    hosted.close().await.unwrap();
    DONE.lock().unwrap()["exit"].store(true, Ordering::Relaxed);
}

#[tokio::test]
async fn calls_are_ended_when_the_memory_is_used_up() {
    let hosted = runaway("memory", |settings| settings.memory_limit = Some(1000));
    let running = ["/loops", "/sleeps"].map(|endpoint| refused(&hosted, endpoint));
    let memory = hosted.service.calls.memory.clone();
    let used_up = async {
        tokio::task::yield_now().await;
        memory.note(1001);
    };
    let (codes, ()) = tokio::join!(futures_util::future::join_all(running), used_up);
    assert_eq!(codes, [ErrorCode::Overloaded; 2]);
    for endpoint in ["/works", "/batched"] {
        assert_eq!(refused(&hosted, endpoint).await, ErrorCode::Overloaded, "{endpoint}");
    }
    memory.note(999);
    assert_eq!(texts(&call(&hosted, request("/works", &[text("a")])).await.unwrap()), ["a!"]);
    DONE.lock().unwrap()["memory"].store(true, Ordering::Relaxed);
}
