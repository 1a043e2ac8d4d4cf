//! Exchanges recorded with the reference implementation, made again with this gateway in its place.
//!
//! Executors answer what they answered then, if they are asked what they were asked then.

use call::Payload;
use docarray::discovery::Discovery;
use prost::Message as _;
use proto::jina::{DataRequestProto, EndpointsProto, StatusProto};
use serde_json::Value;
use tests::executors::{self, Encoder, Ranker};
use tests::golden::{Call, Replay, calls, discovery, load, masked};
use tests::{Caller, Exchange, Sandbox, eventually};

const STARTUP: &str = include_str!("../golden/startup_gateway_to_executors.json");
const CLIENT_TRACES: &str = include_str!("../golden/client_traces.json");
const TOPOLOGIES: &str = include_str!("../golden/topologies.json");
const GATEWAY_RAW: &str = include_str!("../golden/gateway_raw.json");

/// The recorded chain of an encoder and a ranker.
async fn chain() -> (Sandbox, [Replay; 2]) {
    let startup = load(STARTUP);
    let replays = ["encoder", "ranker"].map(Replay::new);
    let [encoder, ranker] = &replays;
    let sandbox = Sandbox::builder()
        .executor("encoder", encoder.stub(discovery(&startup, "encoder", &[])))
        .executor("ranker", ranker.stub(discovery(&startup, "ranker", &[])))
        .settings(|settings| {
            let header = ("x-static".into(), "v1".into());
            settings.executors["ranker"].metadata = call::Metadata(vec![header]);
        })
        .start()
        .await;
    (sandbox, replays)
}

/// Makes the call of a client again.
async fn make(sandbox: &Sandbox, call: &Call) -> Exchange {
    let mut headers = call.request_metadata.clone();
    headers.retain(|(name, _)| name != "user-agent");
    let caller: Caller = sandbox.caller().await.with_headers(&headers);
    let requests: Vec<Payload> = call.requests.iter().map(|request| request.wire().into()).collect();
    caller.call(&call.rpc, requests).await
}

/// Compares data answers, whatever their order.
#[track_caller]
fn compare(case: &str, call: &Call, exchange: &Exchange, prepare: impl Fn(&mut DataRequestProto)) {
    let code = format!("{:?}", exchange.code()).to_uppercase();
    assert_eq!(code, call.code, "{case}");
    let read = |wires: Vec<bytes::Bytes>| {
        let mut messages: Vec<_> = wires.into_iter().map(masked).collect();
        messages.iter_mut().for_each(&prepare);
        messages.sort_by_key(|message| message.header.as_ref().map(|header| header.request_id.clone()));
        messages
    };
    let want = read(call.responses.iter().map(tests::golden::Recorded::wire).collect());
    let got = read(exchange.responses.clone());
    assert_eq!(got, want, "{case}");
}

#[tokio::test]
async fn clients_and_executors_see_what_they_saw() {
    let (sandbox, replays) = chain().await;
    let traces = load(CLIENT_TRACES);
    for trace in traces["traces"].as_array().unwrap() {
        let name = trace["name"].as_str().unwrap();
        let all = calls(&trace["calls"]);
        replays.iter().for_each(|replay| replay.expect(&all));
        for call in all.iter().filter(|call| call.hop == "client->gateway") {
            let exchange = make(&sandbox, call).await;
            if call.rpc == grpc::path::DRY_RUN {
                let read = |wire| StatusProto::decode(wire).unwrap();
                assert_eq!(read(exchange.responses[0].clone()), read(call.responses[0].wire()), "{name}");
            } else {
                compare(name, call, &exchange, |_| {});
            }
        }
        assert!(replays.iter().all(Replay::is_done), "{name}: {replays:#?}");
    }
}

/// The recorded chain with executors of the runtime in the place of those in Python.
async fn rust_chain() -> Sandbox {
    Sandbox::builder()
        .served("encoder", executors::serve::<Encoder>("encoder"))
        .served("ranker", executors::serve::<Ranker>("ranker"))
        .start()
        .await
}

/// How an exception is told in words differs between languages; which it was does not.
pub(crate) fn only_names(message: &mut DataRequestProto) {
    let header = message.header.as_mut().and_then(|header| header.status.as_mut());
    let routes = message.routes.iter_mut().filter_map(|route| route.status.as_mut());
    for status in header.into_iter().chain(routes) {
        status.description.clear();
        if let Some(exception) = &mut status.exception {
            exception.args.clear();
            exception.stacks.clear();
        }
    }
}

#[tokio::test]
async fn clients_of_rust_executors_see_what_those_of_python_saw() {
    let sandbox = rust_chain().await;
    let traces = load(CLIENT_TRACES);
    for trace in traces["traces"].as_array().unwrap() {
        let all = calls(&trace["calls"]);
        let data = |call: &&Call| call.hop == "client->gateway" && call.rpc != grpc::path::DRY_RUN;
        for call in all.iter().filter(data) {
            compare(trace["name"].as_str().unwrap(), call, &make(&sandbox, call).await, only_names);
        }
    }
    let raw = calls(&load(GATEWAY_RAW)["calls"]);
    for name in ["call_two_one_fails", "docs_bytes", "wrong_doc_schema", "client_supplied_routes"] {
        let call = raw.iter().find(|call| call.name == name).unwrap();
        compare(name, call, &make(&sandbox, call).await, only_names);
    }
}

/// A recorded topology: which graph, and what is not comparable in it.
async fn topology(name: &str, graph: &str, executors: &[&str], prepare: impl Fn(&mut DataRequestProto)) {
    let startup = load(STARTUP);
    let topologies: Value = load(TOPOLOGIES);
    let case = calls(&topologies[name]["cases"]).remove(0);
    // All executors of these recordings have this endpoint and document.
    let common: Discovery = discovery(&startup, "encoder", &["/index"]);
    let mut builder = Sandbox::builder();
    let mut replays = Vec::new();
    for executor in executors {
        let mut replay = Replay::new(executor);
        if name == "floating" && *executor == "ranker" {
            // Recorded when the answer to the client was complete, its routes included.
            replay = replay.ignoring_routes();
        }
        replay.expect(&case.downstream);
        builder = builder.executor(executor, replay.stub(common.clone()));
        replays.push(replay);
    }
    let no_reduce = name == "join_no_reduce";
    let sandbox = builder
        .graph(graph)
        .settings(|settings| settings.graph.no_reduce.extend(no_reduce.then(|| "joiner".to_owned())))
        .start()
        .await;
    let exchange = make(&sandbox, &case).await;
    for replay in &replays {
        eventually("the executor is called", async || replay.is_done()).await;
    }
    compare(name, &case, &exchange, prepare);
}

#[tokio::test]
async fn joins_that_are_not_merged_are_as_they_were() {
    let graph = "start-gateway: encoder, ranker; encoder: joiner; ranker: joiner; joiner: end-gateway";
    topology("join_no_reduce", graph, &["encoder", "ranker", "joiner"], |_| {}).await;
}

#[tokio::test]
async fn joins_that_are_merged_are_as_they_were() {
    // The ranker happened to be faster when this was recorded; here the graph tells the order.
    let graph = "start-gateway: ranker, encoder; encoder: joiner; ranker: joiner; joiner: end-gateway";
    let by_name = |message: &mut DataRequestProto| {
        message.routes.sort_by(|left, right| left.executor.cmp(&right.executor));
    };
    topology("join_reduce", graph, &["encoder", "ranker", "joiner"], by_name).await;
}

#[tokio::test]
async fn floating_executors_are_called_as_they_were() {
    let graph = "start-gateway: encoder; encoder: end-gateway, ranker";
    // Whether it is done when the answer goes out is a matter of chance.
    let without_end = |message: &mut DataRequestProto| {
        message
            .routes
            .iter_mut()
            .filter(|route| route.executor == "ranker")
            .for_each(|route| route.end_time = None);
    };
    topology("floating", graph, &["encoder", "ranker"], without_end).await;
}

#[tokio::test]
async fn what_a_gateway_says_of_itself_is_as_it_was() {
    let (sandbox, _replays) = chain().await;
    let all = calls(&load(GATEWAY_RAW)["calls"]);
    let unchanged = |call: &&Call| {
        let name = call.name.as_str();
        let reflects =
            name == "reflection_list" || name.ends_with("_not_served") || name == "call_empty_stream";
        name.starts_with("health") || reflects
    };
    for call in all.iter().filter(unchanged) {
        let exchange = make(&sandbox, call).await;
        let code = format!("{:?}", exchange.code()).to_uppercase();
        assert_eq!(code, call.code.replace('_', ""), "{}", call.name);
        let want: Vec<_> = call.responses.iter().map(tests::golden::Recorded::wire).collect();
        assert_eq!(exchange.responses, want, "{}", call.name);
    }
}

#[tokio::test]
async fn discovery_of_the_flow_is_as_it_was() {
    let (sandbox, _replays) = chain().await;
    let all = calls(&load(GATEWAY_RAW)["calls"]);
    let call = all.iter().find(|call| call.name == "discovery").unwrap();
    let read = |wire| {
        let mut answer = EndpointsProto::decode(wire).unwrap();
        answer.endpoints.sort();
        answer
    };
    let exchange = make(&sandbox, call).await;
    assert_eq!(read(exchange.responses[0].clone()), read(call.responses[0].wire()));
}

#[tokio::test]
async fn requests_that_nobody_answers_are_echoed_as_they_were() {
    let (sandbox, _replays) = chain().await;
    let all = calls(&load(GATEWAY_RAW)["calls"]);
    for name in ["no_endpoint", "no_header"] {
        let call = all.iter().find(|call| call.name == name).unwrap();
        compare(name, call, &make(&sandbox, call).await, |_| {});
    }
}
