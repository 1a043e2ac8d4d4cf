//! One call: what goes out, what comes back, what fails.

use std::sync::Arc;
use std::time::Duration;

use call::{ErrorCode, Request, Response};
use grpc::{Encoding, path};
use tokio::sync::{Notify, mpsc};
use tonic::Code;

use super::fake::{Fake, Plan};
use super::*;

#[tokio::test]
async fn a_call_carries_its_metadata_and_brings_back_the_trailers() {
    let fake = Fake::start(Plan::new(|mut request: Request| async {
        let status = call::Status { is_error: true, ..call::Status::default() };
        request.message.header.status = Some(Box::new(status));
        request.message.trailers = pairs(&[("total_shards", "2")]);
        Ok(Response::One(request.message))
    }))
    .await;
    let metadata = [("authorization", "tok"), ("X-Tenant", "me")];
    let way = Way::with_metadata(&[fake.address], Settings::default(), &metadata);
    let mut call = hop(HopInput::One(message("a")));
    call.context.metadata = pairs(&[("traceparent", "00-1-2-01")]);
    let Answer::One { message, failed } = way.call(call).await.unwrap() else { panic!("a stream") };
    assert_eq!((&*message.header.request_id, failed), ("a", true));
    assert_eq!(message.trailers, pairs(&[("total_shards", "2"), ("is-error", "true")]));

    let seen = &fake.seen(path::PROCESS_SINGLE_DATA)[0];
    let of = |name: &str| seen.get(name).map(|value| value.to_str().unwrap());
    let own = ["authorization", "x-tenant", "traceparent", "endpoint", "grpc-timeout", "grpc-encoding"];
    assert_eq!(own.map(of), [Some("tok"), Some("me"), Some("00-1-2-01"), Some("/search"), None, None]);
}

#[tokio::test]
async fn no_endpoint_is_no_header() {
    let fake = Fake::start(Plan::saying("a")).await;
    let way = Way::to(&[fake.address], Settings::default());
    let mut message = message("a");
    message.header.endpoint = Some("".into());
    way.call(hop(HopInput::One(message))).await.unwrap();
    assert_eq!(fake.seen(path::PROCESS_SINGLE_DATA)[0].get("endpoint"), None);
}

#[tokio::test]
async fn the_parts_of_a_join_go_out_together() {
    let fake = Fake::start(Plan::new(|request: Request| async move {
        assert_eq!(request.parts.len(), 1);
        Ok(Response::One(request.message))
    }))
    .await;
    let way = Way::to(&[fake.address], Settings::default());
    way.call(hop(HopInput::Many(vec![message("a"), message("b")]))).await.unwrap();
    let seen = fake.seen(path::PROCESS_DATA);
    assert_eq!(seen[0].get("endpoint").unwrap(), "/search");
}

#[tokio::test]
async fn requests_are_compressed_if_the_settings_say_so() {
    let fake = Fake::start(Plan::new(|request| async { Ok(Response::One(request.message)) })).await;
    for (encoding, want) in [(Encoding::Gzip, Some("gzip")), (Encoding::Deflate, Some("deflate"))] {
        let n_before = fake.n_calls();
        let way = Way::to(&[fake.address], Settings { encoding, ..Settings::default() });
        assert_eq!(way.ask("a").await.unwrap(), "sent");
        let seen = fake.seen(path::PROCESS_SINGLE_DATA);
        assert_eq!(seen[n_before].get("grpc-encoding").map(|value| value.to_str().unwrap()), want);
    }
}

#[tokio::test]
async fn an_executors_code_is_kept_and_not_tried_again() {
    for code in [Code::InvalidArgument, Code::Unknown, Code::PermissionDenied, Code::DeadlineExceeded] {
        let fake = Fake::start(Plan::failing(code)).await;
        let way = Way::to(&[fake.address], Settings::default());
        let error = way.ask("a").await.unwrap_err();
        assert_eq!(grpc::Status::of(&error).code, code);
        let text = error.to_string();
        assert!(text.starts_with("not today|Gateway: deployment `ranker` at address(es) {'"), "{text}");
        assert!(text.contains(&fake.address.to_string()), "{text}");
        assert_eq!(fake.n_calls(), 1, "{code:?}");
    }
}

#[tokio::test]
async fn unavailable_is_tried_again_as_often_as_the_settings_say() {
    for (retries, want) in [(-1, 4), (0, 1), (1, 2), (5, 6)] {
        let fake = Fake::start(Plan::failing(Code::Unavailable)).await;
        let way = Way::to(&[fake.address], Settings { retries, ..Settings::default() });
        assert_eq!(way.ask("a").await.unwrap_err().code, ErrorCode::Unavailable);
        assert_eq!(fake.n_calls(), want, "{retries} retries");
    }
}

#[tokio::test]
async fn not_found_is_tried_on_other_replicas_only() {
    let (wrong, right) =
        (Fake::start(Plan::failing(Code::NotFound)).await, Fake::start(Plan::saying("right")).await);
    let way = Way::to(&[right.address, wrong.address], Settings::default());
    for _ in 0..4 {
        assert_eq!(way.ask("a").await.unwrap(), "right");
    }
    assert!(wrong.n_calls() > 0);
    let way = Way::to(&[wrong.address], Settings::default());
    let n_before = wrong.n_calls();
    assert_eq!(way.ask("a").await.unwrap_err().code, ErrorCode::NotFound);
    assert_eq!(wrong.n_calls(), n_before + 1);
}

#[tokio::test]
async fn an_attempt_ends_with_its_time() {
    let fake = Fake::start(Plan::hanging()).await;
    let timeout_send = Some(Duration::from_millis(100));
    let way = Way::to(&[fake.address], Settings { timeout_send, ..Settings::default() });
    let error = way.ask("a").await.unwrap_err();
    assert_eq!(error.code, ErrorCode::DeadlineExceeded);
    assert!(error.to_string().contains("did not answer within 100ms; a larger `timeout_send`"), "{error}");
    assert_eq!(fake.n_calls(), 1, "it is not made again");
    let told = fake.seen(path::PROCESS_SINGLE_DATA)[0].get("grpc-timeout").unwrap().clone();
    let told = grpc::timeout::parse(told.as_bytes()).unwrap();
    assert!(told <= Duration::from_millis(100) && told > Duration::from_millis(50), "{told:?}");
}

#[tokio::test]
async fn the_clients_deadline_counts_if_it_is_nearer() {
    let fake = Fake::start(Plan::hanging()).await;
    let timeout_send = Some(Duration::from_secs(60));
    let way = Way::to(&[fake.address], Settings { timeout_send, ..Settings::default() });
    let call = within(hop(HopInput::One(message("a"))), Duration::from_millis(50));
    let error = way.call(call).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::DeadlineExceeded);
    assert!(error.to_string().ends_with("did not answer in time for the client"), "{error}");
}

#[tokio::test]
async fn dropping_a_call_cancels_it_at_the_executor() {
    struct Cancelled(mpsc::Sender<()>);
    impl Drop for Cancelled {
        fn drop(&mut self) {
            self.0.try_send(()).unwrap();
        }
    }
    let (begun, (cancelled, mut was_cancelled)) = (Arc::new(Notify::new()), mpsc::channel(1));
    let has_begun = begun.clone();
    let fake = Fake::start(Plan::new(move |_request| {
        let (begun, guard) = (begun.clone(), Cancelled(cancelled.clone()));
        async move {
            begun.notify_one();
            std::future::pending::<()>().await;
            drop(guard);
            unreachable!()
        }
    }))
    .await;
    let way = Way::to(&[fake.address], Settings::default());
    tokio::select! {
        _ = way.ask("a") => panic!("answered"),
        () = has_begun.notified() => {}
    }
    was_cancelled.recv().await.unwrap();
}

#[tokio::test]
async fn an_unknown_node_is_an_error() {
    let fake = Fake::start(Plan::saying("a")).await;
    let way = Way::to(&[fake.address], Settings::default());
    let call = Hop { node: NodeIndex(7), ..hop(HopInput::One(message("a"))) };
    assert_eq!(way.call(call).await.unwrap_err().code, ErrorCode::Internal);
}
