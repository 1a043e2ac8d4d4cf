//! Batches through the handler, with paused time.

mod batched;
mod order;

use std::sync::Arc;
use std::time::Duration;

use call::ErrorCode;
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::{Entry, ExecutorSettings, host};
use batched::{Batched, Shared, Stage, batching, request, with_parameters, within};

const TIMEOUT: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_full_batch_goes_at_once_and_others_after_the_timeout() {
    let stage = Stage::new("full");
    let begin = Instant::now();
    let answers = tokio::join!(stage.post("/mark", "a b"), stage.post("/mark", "c d"));
    assert_eq!((answers.0.as_str(), answers.1.as_str(), begin.elapsed()), ("a! b!", "c! d!", Duration::ZERO));
    // What is left of the timer of the last batch does not count.
    tokio::time::advance(Duration::from_millis(300)).await;
    let begin = Instant::now();
    assert_eq!(stage.post("/mark", "e").await, "e!");
    assert!(
        (TIMEOUT..TIMEOUT + Duration::from_millis(2)).contains(&begin.elapsed()),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(stage.calls(), ["a b c d", "e"]);
    let stats = &stage.hosted.batches()["/mark"];
    assert_eq!((stats.requests, stats.calls, stats.sizes.sum, stats.waits.count()), (3, 2, 5, 3));
    assert!(stage.hosted.service.batchers["/mark"].groups().is_empty(), "no queue is left behind");
}

#[tokio::test(start_paused = true)]
async fn requests_are_split_and_put_together_again() {
    let stage = Stage::new("split");
    let begin = Instant::now();
    assert_eq!(stage.post("/mark", "0 1 2 3 4 5 6 7 8 9").await, "0! 1! 2! 3! 4! 5! 6! 7! 8! 9!");
    let answers = tokio::join!(stage.post("/mark", "a b c"), stage.post("/mark", "d e f"));
    assert_eq!((answers.0.as_str(), answers.1.as_str()), ("a! b! c!", "d! e! f!"));
    assert_eq!(stage.calls(), ["0 1 2 3", "4 5 6 7", "8 9", "a b c d", "e f"]);
    assert_eq!(begin.elapsed(), Duration::ZERO, "what is left over goes with the rest");
}

#[tokio::test(start_paused = true)]
async fn only_equal_parameters_share_a_batch() {
    let stage = Stage::new("parameters");
    let send = |text: &str, x: serde_json::Value| {
        let request = with_parameters(request("/mark", text), &json!({"x": x, "__results__": {}}));
        let stage = stage.clone();
        async move { stage.send(request).await.unwrap() }
    };
    let answers = join_all([send("a b", json!(1)), send("c", json!(2)), send("d e", json!(1.0))]).await;
    assert_eq!(answers, ["a! b!", "c!", "d! e!"]);
    assert_eq!(stage.calls(), ["a b d e", "c"]);
    let answer = stage.send(with_parameters(request("/seen", "a b"), &json!({"k": 1}))).await.unwrap();
    assert_eq!(answer, "0 0 {\"k\":1} rid|/seen 0 0 {\"k\":1} rid|/seen");
    let answers = tokio::join!(stage.post("/seen", "a"), stage.post("/seen", "b"));
    assert_eq!(answers.0, "0 0 {} |/seen", "of several requests nothing is told that one of them said");
}

#[tokio::test(start_paused = true)]
async fn errors_fail_the_requests_of_their_call_alone() {
    let check = async |test: &str, first: &str, second: &str, want: [&str; 2]| {
        let stage = Stage::new(test);
        let answers = tokio::join!(stage.post("/mark", first), stage.post("/mark", second));
        assert_eq!([answers.0.as_str(), answers.1.as_str()], want, "{first}, {second}");
    };
    let bad = "Bad('a bad word')";
    check("error both", "a b bad", "d e f", [bad, bad]).await;
    check("error second", "a b c", "d e bad", ["a! b! c!", bad]).await;
    let length = "ValueError('Dynamic Batching requires input size to equal output size. Expected output size 4, but got 3')";
    check("length", "a lost", "c d", [length, length]).await;
    let object = Stage::new("object").post("/object", "a").await;
    assert!(object.starts_with("TypeError('The return type must be DocList / `None`"), "{object}");
}

#[tokio::test(start_paused = true)]
async fn one_bad_request_fails_alone_where_the_author_allows_it() {
    let stage = Stage::new("isolated");
    let texts = ["a", "bad", "panic", "d"];
    let answers = join_all(texts.map(|text| stage.post("/patient", text))).await;
    assert_eq!(answers, ["a", "Bad('a bad word')", "Panic('in panic')", "d"]);
    assert_eq!(stage.calls(), ["a bad panic d", "a", "bad", "panic", "d"]);
    assert_eq!(stage.hosted.batches()["/patient"].repeated, 4);
}

#[tokio::test(start_paused = true)]
async fn documents_of_another_type_fail_alone() {
    let stage = Stage::new("mistyped");
    let mut mistyped = request("/mark", "");
    let mut docs = Vec::new();
    docarray::node::put_item(&mut docs, |_| {});
    mistyped.message.documents = Some(docarray::node::content(docs.into()));
    let answers = tokio::join!(stage.post("/mark", "a b"), stage.send(mistyped), stage.post("/mark", "c"));
    assert_eq!((answers.0.as_str(), answers.2.as_str()), ("a! b!", "c!"));
    let failure = answers.1.unwrap();
    assert!(failure.starts_with("ValidationError("), "{failure}");
    assert_eq!(stage.calls(), ["a b c"], "the code was not called with it");
}

#[tokio::test(start_paused = true)]
async fn documents_weigh_what_the_code_says() {
    let stage = Stage::new("weighed");
    stage.post("/weighed", "sixsix 333 thirteenthirt 1").await;
    assert_eq!(stage.calls(), ["sixsix 333 thirteenthirt", "1"]);
    let begin = Instant::now();
    let mut weightless = request("/weighed", "");
    let docs = vec![batched::Word::default(); 3];
    weightless.message.documents = Some(docarray::DocList::from(docs).write());
    stage.send(weightless).await.unwrap();
    assert!(begin.elapsed() >= TIMEOUT);
    assert_eq!(stage.sizes(), [3, 1, 3], "documents without weight are called after the timeout");
}

#[tokio::test(start_paused = true)]
async fn a_request_without_documents_is_answered_at_once() {
    let stage = Stage::new("empty");
    let begin = Instant::now();
    assert_eq!(stage.post("/mark", "").await, "");
    assert_eq!((begin.elapsed(), stage.calls().len()), (Duration::ZERO, 0));
}

#[tokio::test(start_paused = true)]
async fn the_configuration_overrides_the_code_option_by_option() {
    let check = async |test: &str, endpoint: &str, change: fn(&mut ExecutorSettings), want: &[usize]| {
        let stage = Stage::with(test, Shared::default(), change);
        let begin = Instant::now();
        stage.post(endpoint, "0 1 2 3 4 5 6 7 8 9").await;
        assert_eq!((stage.sizes().as_slice(), begin.elapsed()), (want, Duration::ZERO), "{test}");
    };
    check("all", "/mark", |all| batching(all, "/mark", |it| it.flush_all = Some(true)), &[10]).await;
    check("method", "/mark", |all| batching(all, "mark", |it| it.preferred_batch_size = Some(5)), &[5, 5])
        .await;
    let both = |all: &mut ExecutorSettings| {
        batching(all, "mark", |it| it.preferred_batch_size = Some(5));
        batching(all, "/mark", |it| it.preferred_batch_size = Some(8));
    };
    check("endpoint wins", "/mark", both, &[8, 2]).await;
    check("off", "/mark", |all| batching(all, "mark", |it| it.use_dynamic_batching = Some(false)), &[10])
        .await;
    check("asked for", "/plain", |all| batching(all, "/plain", |_| {}), &[4, 4, 2]).await;
    check(
        "count",
        "/weighed",
        |all| batching(all, "weighed", |it| it.use_custom_metric = Some(false)),
        &[10],
    )
    .await;
    let mut settings = ExecutorSettings::default();
    settings.uses_with.insert("test".to_owned(), json!("off"));
    batching(&mut settings, "/nowhere", |_| {});
    let error = host(&Entry::of::<Batched>(), settings).unwrap_err().to_string();
    assert!(
        error.starts_with("`uses_dynamic_batching` names `/nowhere`, which executor Batched does not"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_batch_goes_early_for_a_request_that_would_miss_its_deadline() {
    let stage = Stage::new("deadline");
    let begin = Instant::now();
    stage.send(within(request("/mark", "a"), 500)).await.unwrap();
    assert!(begin.elapsed() < Duration::from_millis(260), "{:?}", begin.elapsed());
    // One that has time enough waits for company.
    let begin = Instant::now();
    stage.send(within(request("/mark", "a"), 60_000)).await.unwrap();
    assert!(begin.elapsed() >= TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn documents_of_callers_that_left_are_passed_over() {
    let stage = Stage::new("left");
    assert!(stage.post("/mark", "a b").now_or_never().is_none());
    let late = stage.send(within(request("/mark", "c"), 0)).await.unwrap_err();
    assert_eq!(late.code, ErrorCode::DeadlineExceeded);
    assert_eq!(stage.post("/mark", "d").await, "d!");
    assert_eq!(stage.calls(), ["d"]);
    assert_eq!(stage.hosted.batches()["/mark"].abandoned, 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_waits_for_is_dropped() {
    let go = Arc::new(Semaphore::new(0));
    let shared = Shared { go: Some(go.clone()), ..Shared::default() };
    let stage = Stage::with("dropped", shared, |settings| settings.max_running = 1);
    let mut first = Box::pin(stage.post("/mark", "a b c d"));
    let mut second = Box::pin(stage.post("/mark", "e f g h"));
    let called = async |n: usize| {
        while stage.calls().len() < n {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        _ = &mut first => panic!("nobody let it"),
        _ = &mut second => panic!("nobody let it"),
        () = called(1) => {}
    }
    drop(first);
    let go_on = async {
        called(2).await;
        go.add_permits(1);
    };
    let (answer, ()) = tokio::join!(second, go_on);
    assert_eq!((answer.as_str(), stage.calls().len()), ("e! f! g! h!", 2), "its place was free");
}

#[tokio::test(start_paused = true)]
async fn too_many_that_wait_are_refused() {
    let stage = Stage::with("bounded", Shared::default(), |settings| settings.max_waiting = 2);
    let mut waiting = [Box::pin(stage.post("/mark", "a")), Box::pin(stage.post("/mark", "b"))];
    assert!(waiting.iter_mut().all(|call| call.now_or_never().is_none()));
    let refused = stage.send(request("/mark", "c")).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Overloaded);
    assert!(refused.retry_after.is_some());
    let [first, second] = waiting;
    drop(first);
    let answers = tokio::join!(second, stage.post("/mark", "d"));
    assert_eq!((answers.0.as_str(), answers.1.as_str()), ("b!", "d!"), "one that left makes room");
    assert_eq!(stage.hosted.batches()["/mark"].refused, 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_waits_for_company_when_the_process_ends() {
    let mut stop = None;
    let stage = Stage::with("ending", Shared::default(), |settings| stop = Some(settings.grpc.stop.clone()));
    let begin = Instant::now();
    let ending = async {
        tokio::task::yield_now().await;
        stop.unwrap().cancel();
    };
    let (answer, ()) = tokio::join!(stage.post("/mark", "a"), ending);
    assert_eq!((answer.as_str(), begin.elapsed()), ("a!", Duration::ZERO));
    stage.hosted.close().await.unwrap();
}
