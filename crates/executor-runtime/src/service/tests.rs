//! Requests through the handler, without a connection.

mod limits;
mod zoo;

use std::time::Duration;

use call::{
    Deadline, Error, ErrorCode, Header, Kind, Message, Parameters, Payload, Request, Response, Route, Routes,
};
use docarray::{Doc, DocList};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{Entry, ExecutorSettings, HostError, Hosted, host};
use zoo::{GO, Text, Zoo, text};

fn zoo_with(test: &str, change: impl FnOnce(&mut ExecutorSettings)) -> Hosted {
    let with = json!({"greeting": "hello", "test": test});
    let uses_with = with.as_object().unwrap().clone();
    let mut settings =
        ExecutorSettings { name: "zoo/rep-0".to_owned(), uses_with, ..ExecutorSettings::default() };
    change(&mut settings);
    host(&Entry::of::<Zoo>(), settings).unwrap()
}

fn zoo() -> Hosted {
    zoo_with("", |_| {})
}

fn message(endpoint: &str, docs: &[Text]) -> Message {
    Message {
        header: Header { request_id: "rid".into(), endpoint: Some(endpoint.into()), ..Header::default() },
        documents: Some(DocList::from(docs.to_vec()).write()),
        ..Message::default()
    }
}

fn request(endpoint: &str, docs: &[Text]) -> Request {
    Request { message: message(endpoint, docs), ..Request::default() }
}

fn with_parameters(mut request: Request, parameters: &Value) -> Request {
    request.message.parameters = Parameters::from_map(parameters.as_object().unwrap());
    request
}

async fn call(hosted: &Hosted, request: Request) -> Result<Message, Error> {
    match hosted.handler().oneshot(request).await? {
        Response::One(message) => Ok(message),
        Response::Stream(_) => panic!("a stream"),
    }
}

async fn stream_of(
    hosted: &Hosted,
    endpoint: &str,
    doc: &Text,
) -> Result<Vec<Result<Message, Error>>, Error> {
    let mut wire = Vec::new();
    doc.write(&mut wire);
    let mut message = message(endpoint, &[]);
    message.documents = Some(wire.into());
    let request = Request { message, kind: Kind::Stream, ..Request::default() };
    match hosted.handler().oneshot(request).await? {
        Response::Stream(parts) => Ok(parts.collect().await),
        Response::One(_) => panic!("no stream"),
    }
}

fn texts(message: &Message) -> Vec<String> {
    assert!(!message.is_error(), "{:?}", message.header.status);
    let docs = DocList::<Text>::read(message.documents.clone().expect("documents")).unwrap();
    docs.into_iter().map(|doc| doc.text).collect()
}

fn routes(message: &Message) -> Vec<String> {
    message.routes.added.iter().map(|route| route.executor.to_string()).collect()
}

fn result(message: &Message) -> Value {
    assert!(!message.is_error(), "{:?}", message.header.status);
    message.parameters.get(call::RESULTS_KEY).unwrap().unwrap()["zoo/rep-0"].clone()
}

fn description(message: &Message) -> &str {
    &message.header.status.as_ref().expect("a status").description
}

#[tokio::test]
async fn requests_find_their_endpoint_or_the_default() {
    let zoo = zoo();
    let answer = call(&zoo, request("/replace", &[text("a"), text("b")])).await.unwrap();
    assert_eq!(texts(&answer), ["b", "a", "more"]);
    assert_eq!(routes(&answer), ["zoo"]);
    assert_eq!((&*answer.header.request_id, answer.header.status), ("rid", None));
    for endpoint in ["/nowhere", "", "replace"] {
        let answer = call(&zoo, request(endpoint, &[text("a")])).await.unwrap();
        assert_eq!(texts(&answer), ["hello a"], "{endpoint}");
    }
}

#[tokio::test]
async fn what_no_endpoint_answers_passes_unchanged() {
    let zoo = zoo_with("", |settings| {
        settings.uses_requests.insert("/mapped".to_owned(), "all_others".to_owned());
    });
    let mut request = request("/nowhere", &[]);
    request.message.documents = Some(Payload::from(b"not even documents".to_vec()));
    let answer = call(&zoo, request.clone()).await.unwrap();
    assert_eq!((&answer.documents, &answer.header), (&request.message.documents, &request.message.header));
    assert!(routes(&answer).is_empty());
    let mapped = call(&zoo, self::request("/mapped", &[text("a")])).await.unwrap();
    assert_eq!(texts(&mapped), ["hello a"]);
    let error = stream_of(&zoo, "/nowhere", &text("a")).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::NotFound);
}

#[tokio::test]
async fn documents_change_in_place_or_stay() {
    let zoo = zoo();
    let answer = call(&zoo, request("/sync", &[text("a")])).await.unwrap();
    assert_eq!(texts(&answer), ["a!"]);
    let looked = call(&zoo, request("/look", &[text("a")])).await.unwrap();
    assert_eq!(looked.documents, request("/look", &[text("a")]).message.documents);
    let mut without = request("/sync", &[]);
    without.message.documents = None;
    let answer = call(&zoo, without).await.unwrap();
    assert!(texts(&answer).is_empty());
    let dry_run = call(&zoo, request(call::DRY_RUN_ENDPOINT, &[text("a")])).await.unwrap();
    assert_eq!((texts(&dry_run), routes(&dry_run)), (vec!["a".to_owned()], vec!["zoo".to_owned()]));
}

#[tokio::test]
async fn objects_are_returned_as_results() {
    let zoo = zoo();
    let before = json!({"a": 1.0, "__results__": {"other/rep-0": {"x": 1.0}}});
    let answer = call(&zoo, with_parameters(request("/results", &[text("a")]), &before)).await.unwrap();
    assert_eq!((texts(&answer), result(&answer)), (vec!["a".to_owned()], json!({"n": 1.0})));
    let all = Value::Object(answer.parameters.to_map().unwrap());
    assert_eq!((&all["a"], &all["__results__"]["other/rep-0"]), (&json!(1.0), &json!({"x": 1.0})));
    let answer = call(&zoo, request("/value", &[text("a")])).await.unwrap();
    assert_eq!((texts(&answer).len(), result(&answer)), (0, json!({"cleared": true})));
    let answer = call(&zoo, request("/list_value", &[])).await.unwrap();
    assert_eq!(answer.header.status.unwrap().exception.unwrap().name, "TypeError");
}

#[tokio::test]
async fn an_error_returns_the_request_as_it_was_received() {
    let zoo = zoo();
    let sent = with_parameters(request("/fail", &[text("a")]), &json!({"a": 1.0}));
    let answer = call(&zoo, sent.clone()).await.unwrap();
    assert_eq!((&answer.documents, &answer.parameters), (&sent.message.documents, &sent.message.parameters));
    assert!(routes(&answer).is_empty());
    let status = answer.header.status.unwrap();
    assert_eq!((status.is_error, &*status.description), (true, "Boom('boom 42')"));
    let exception = status.exception.unwrap();
    assert_eq!((&*exception.name, &*exception.executor, exception.args.len()), ("Boom", "Zoo", 1));
    assert_eq!(exception.stacks.last().unwrap(), "Boom: boom 42\n");
}

#[tokio::test]
async fn a_panic_costs_one_request() {
    let zoo = zoo();
    for (endpoint, want) in [("/panic", "Panic('out of hello')"), ("/panic_sync", "Panic('sync')")] {
        let answer = call(&zoo, request(endpoint, &[text("a")])).await.unwrap();
        assert_eq!(description(&answer), want);
        assert_eq!(texts(&call(&zoo, request("/sync", &[text("b")])).await.unwrap()), ["b!"]);
    }
}

#[tokio::test]
async fn documents_of_another_type_are_a_validation_error() {
    let zoo = zoo();
    let mut request = request("/sync", &[text("a")]);
    let mut docs = Vec::new();
    docarray::node::put_item(&mut docs, |_| {});
    request.message.documents = Some(docarray::node::content(docs.into()));
    let answer = call(&zoo, request.clone()).await.unwrap();
    assert_eq!(description(&answer), "ValidationError('docs[0].text: missing')");
    request.message.documents = Some(Payload::from(vec![0xff]));
    let answer = call(&zoo, request).await.unwrap();
    assert!(description(&answer).starts_with("ValidationError("), "{}", description(&answer));
}

#[tokio::test]
async fn parameters_are_typed() {
    let zoo = zoo();
    let check = async |parameters: Value, want: &str| {
        let answer = call(&zoo, with_parameters(request("/parameters", &[]), &parameters)).await.unwrap();
        let got = if answer.is_error() { description(&answer).to_owned() } else { texts(&answer).concat() };
        assert_eq!(got, want, "{parameters}");
    };
    check(json!({"top_k": 3.0}), "3 0").await;
    check(json!({"top_k": 3.0, "weight": 2.0, "__results__": {}}), "3 2").await;
    check(
        json!({"top_k": 3.5}),
        "ValidationError('parameters: invalid type: floating point `3.5`, expected usize')",
    )
    .await;
    check(json!({}), "ValidationError('parameters: missing field `top_k`')").await;
    let own = json!({"k": 1.0, "Zoo": {"k": 2.0}});
    let answer = call(&zoo, with_parameters(request("/parameters_map", &[]), &own)).await.unwrap();
    assert_eq!(result(&answer), json!({"seen": {"k": 2.0, "Zoo": {"k": 2.0}}}));
}

#[tokio::test]
async fn the_context_tells_of_the_request() {
    let answer = call(&zoo(), request("/context", &[])).await.unwrap();
    assert_eq!(texts(&answer), ["rid", "/context"]);
}

#[tokio::test]
async fn the_parts_of_a_join_come_together_and_apart() {
    let zoo = zoo();
    let part = |name: &str, docs: &[Text]| {
        let mut part = message("/join", docs);
        let route = Route { executor: name.into(), ..Route::default() };
        let before = Route { executor: "gateway".into(), ..Route::default() };
        part.routes = Routes { added: vec![before, route], ..Routes::default() };
        part
    };
    let mut request = request("/join", &[]);
    request.message = part("left", &[text("a"), text("b")]);
    request.parts = vec![part("right", &[text("c")])];
    let answer = call(&zoo, request.clone()).await.unwrap();
    assert_eq!(result(&answer), json!({"n": 3.0, "matrix": [2.0, 1.0], "map": {"left": 2.0, "right": 1.0}}));
    assert_eq!(
        (texts(&answer), routes(&answer)),
        (["a", "b", "c"].map(str::to_owned).to_vec(), ["gateway", "left", "zoo"].map(str::to_owned).to_vec())
    );
    request.message.documents = None;
    request.parts[0].documents = None;
    assert_eq!(result(&call(&zoo, request).await.unwrap())["matrix"], json!([]));
}

#[tokio::test]
async fn single_documents_are_answered_one_by_one() {
    let zoo = zoo();
    let docs = [text("a"), text("keep"), text("b")];
    let answer = call(&zoo, with_parameters(request("/single", &docs), &json!({"x": 1.0}))).await.unwrap();
    assert_eq!(texts(&answer), ["a1", "keep", "b1"]);
    let answer = call(&zoo, request("/single", &[text("a"), text("bad")])).await.unwrap();
    assert_eq!(description(&answer), "Boom('boom 1')");
    let answer = call(&zoo, request("/single_in_place", &docs)).await.unwrap();
    assert_eq!(texts(&answer), ["a?", "keep?", "b?"]);
}

#[tokio::test]
async fn documents_are_streamed() {
    let zoo = zoo();
    let parts = stream_of(&zoo, "/stream", &text("a")).await.unwrap();
    let parts: Vec<Message> = parts.into_iter().map(Result::unwrap).collect();
    let docs = parts.iter().map(|part| Text::read(part.documents.clone().unwrap()).unwrap().text);
    assert_eq!(docs.collect::<Vec<_>>(), ["helloa00", "helloa10", "helloa20"]);
    assert!(parts.iter().all(|part| part.header.request_id.len() == 32 && part.header.endpoint.is_none()));
    assert_ne!(parts[0].header.request_id, parts[1].header.request_id);
}

#[tokio::test]
async fn a_stream_that_fails_says_so_after_its_documents() {
    let zoo = zoo();
    let parts = stream_of(&zoo, "/stream_fails", &text("a")).await.unwrap();
    let parts: Vec<Message> = parts.into_iter().map(Result::unwrap).collect();
    assert_eq!(parts.len(), 2);
    assert_eq!(description(&parts[1]), "Boom('boom 7')");
    let answer = call(&zoo, request("/stream", &[text("a")])).await.unwrap();
    assert_eq!(description(&answer), "TypeError('stream() streams documents: it is called with stream_doc')");
    let parts = stream_of(&zoo, "/sync", &text("a")).await.unwrap();
    let only = parts.into_iter().next().unwrap().unwrap();
    assert_eq!(description(&only), "ValueError('endpoint must be generator')");
    assert_eq!(Text::read(only.documents.unwrap()).unwrap(), text("a"));
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_on_after_the_deadline() {
    let zoo = zoo_with("deadline", |_| {});
    let mut late = request("/wait", &[]);
    late.context.deadline = Deadline::after(Duration::from_secs(1));
    let error = call(&zoo, late).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::DeadlineExceeded);
    let mut by_header = request("/wait", &[]);
    by_header.message.header.timeout = Some(100);
    assert_eq!(call(&zoo, by_header).await.unwrap_err().code, ErrorCode::DeadlineExceeded);
    assert_eq!(result(&call(&zoo, request("/most", &[])).await.unwrap())["running"], json!(0.0));
    let mut stream = message("/stream_for_ever", &[]);
    let mut wire = Vec::new();
    text("a").write(&mut wire);
    (stream.documents, stream.header.timeout) = (Some(wire.into()), Some(100));
    let request = Request { message: stream, kind: Kind::Stream, ..Request::default() };
    let Response::Stream(mut parts) = zoo.handler().oneshot(request).await.unwrap() else {
        panic!("no stream")
    };
    assert_eq!(parts.next().await.unwrap().unwrap_err().code, ErrorCode::DeadlineExceeded);
    assert!(parts.next().await.is_none());
}

type Pending = std::pin::Pin<Box<dyn Future<Output = Result<Message, Error>>>>;

/// Polls each of the calls until none of them gets on by itself.
fn start(calls: &mut [Pending]) {
    for call in calls {
        assert!(futures_util::FutureExt::now_or_never(call.as_mut()).is_none());
    }
}

#[tokio::test]
async fn async_calls_run_together_up_to_the_limit_and_more_are_refused() {
    let zoo = zoo_with("together", |settings| (settings.max_running, settings.max_waiting) = (3, 1));
    let calls = || -> Pending {
        let zoo = zoo.clone();
        Box::pin(async move { call(&zoo, request("/wait", &[])).await })
    };
    let mut waiting: Vec<_> = (0..4).map(|_| calls()).collect();
    start(&mut waiting);
    assert_eq!(calls().await.unwrap_err().code, ErrorCode::Overloaded);
    // A caller that leaves makes room.
    waiting.truncate(2);
    waiting.push(calls());
    start(&mut waiting[2..]);
    GO.lock().unwrap()["together"].add_permits(1);
    futures_util::future::try_join_all(waiting).await.unwrap();
    assert_eq!(
        result(&call(&zoo, request("/most", &[])).await.unwrap()),
        json!({"most": 3.0, "running": 0.0})
    );
}

#[tokio::test]
async fn functions_that_block_run_one_after_the_other_unless_allowed() {
    for (test, allow_concurrent, most) in [("one", false, 1.0), ("several", true, 3.0)] {
        let zoo = zoo_with(test, |settings| settings.allow_concurrent = allow_concurrent);
        let calls = (0..3).map(|_| call(&zoo, request("/wait_sync", &[])));
        let release = async {
            let go = GO.lock().unwrap()[test].clone();
            if allow_concurrent {
                while result(&call(&zoo, request("/most", &[])).await?)["running"] != json!(3.0) {
                    tokio::task::yield_now().await;
                }
            }
            go.add_permits(3);
            Ok::<_, Error>(())
        };
        let (answers, released) = tokio::join!(futures_util::future::try_join_all(calls), release);
        answers.unwrap();
        released.unwrap();
        let seen = result(&call(&zoo, request("/most", &[])).await.unwrap());
        assert_eq!(seen, json!({"most": most, "running": 0.0}), "{test}");
    }
}

#[tokio::test]
async fn a_function_that_blocks_sees_that_its_caller_left() {
    let zoo = zoo_with("left", |_| {});
    let abandoned = call(&zoo, request("/wait_sync", &[]));
    assert!(futures_util::FutureExt::now_or_never(abandoned).is_none());
    // It keeps its place until it is done, so this is answered only if the first one noticed.
    assert_eq!(texts(&call(&zoo, request("/sync", &[text("a")])).await.unwrap()), ["a!"]);
    assert_eq!(zoo.close().await.unwrap_err().to_string(), "Boom: boom 99");
}

#[tokio::test]
async fn an_error_can_end_the_process() {
    let zoo = zoo_with("", |settings| settings.exit_on_exceptions = vec!["Boom".to_owned()]);
    call(&zoo, request("/panic", &[])).await.unwrap();
    assert!(!zoo.exit().is_cancelled());
    assert!(call(&zoo, request("/fail", &[])).await.unwrap().is_error(), "it is answered first");
    assert!(zoo.exit().is_cancelled());
}

#[test]
fn executors_that_cannot_be_hosted_say_why() {
    let entry = Entry::of::<Zoo>();
    let check = |with: Value, requests: &[(&str, &str)], want: &[&str]| {
        let uses_with = with.as_object().unwrap().clone();
        let uses_requests =
            requests.iter().map(|(name, method)| ((*name).into(), (*method).into())).collect();
        let settings =
            ExecutorSettings { uses_with, uses_requests, shard_id: 5, ..ExecutorSettings::default() };
        let error: HostError = host(&entry, settings).unwrap_err();
        let mut chain = vec![error.to_string()];
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            chain.push(cause.to_string());
            source = cause.source();
        }
        assert_eq!(chain, want);
    };
    check(
        json!({"greeting": 1}),
        &[],
        &["`with` of executor Zoo is not as it should be", "invalid type: integer `1`, expected a string"],
    );
    check(json!({"greeting": "bad"}), &[], &["executor Zoo cannot be made", "boom 5"]);
    let settings = ExecutorSettings {
        uses_requests: [("/x".to_owned(), "nothing".to_owned())].into(),
        ..ExecutorSettings::default()
    };
    let error = host(&entry, settings).unwrap_err().to_string();
    assert!(
        error.starts_with("`uses_requests` binds /x to `nothing`, which executor Zoo does not have"),
        "{error}"
    );
}

#[test]
fn discovery_tells_the_endpoints_in_order_and_the_dry_run_last() {
    let zoo = zoo();
    let discovery = zoo.discovery();
    let names: Vec<_> = discovery.endpoints.keys().map(|name| &**name).collect();
    assert_eq!(
        (names[0], names[1], *names.last().unwrap()),
        ("/default", "/replace", call::DRY_RUN_ENDPOINT)
    );
    assert_eq!(discovery.write_endpoints, ["/results", "/counts"]);
    assert!(discovery.endpoints.values().all(Option::is_some));
    let schema = |endpoint| discovery.schema(endpoint).unwrap();
    assert_eq!((schema("/stream").is_generator, schema("/stream").is_singleton_doc), (true, true));
    assert_eq!((schema("/single").is_generator, schema("/single").is_singleton_doc), (false, true));
    assert_eq!(
        (&*schema("/sync").input.name, &schema("/sync").output.schema["title"]),
        ("Text", &json!("Text"))
    );
    let dry_run = &schema(call::DRY_RUN_ENDPOINT).input.schema;
    assert!(dry_run.get("properties").is_none(), "gateways in Python insist on it");
}
