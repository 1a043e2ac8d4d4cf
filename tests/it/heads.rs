//! Heads: one executor in shards, behind a port of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use call::{Message, Payload, Request, Response};
use executor::{HeadSettings, RunningHead, start_head};
use prost::Message as _;
use proto::jina::EndpointsProto;
use routing::Polls;
use server::Workers;
use tests::executors::{self, Encoder};
use tests::golden::{self, calls, load, masked};
use tests::{Caller, Sandbox, Served, Stub, documents, eventually};
use tonic::Code;

use crate::{request, texts};

const HEAD_RAW: &str = include_str!("../golden/head_raw.json");

const ENDPOINTS: [&str; 3] = ["/any", "/index", "/search"];

/// Appends `name` to the texts of documents, and how many messages it got if it got several.
pub(crate) fn tag(name: &'static str) -> Stub {
    tag_on(&ENDPOINTS, name)
}

pub(crate) fn tag_on(endpoints: &[&'static str], name: &'static str) -> Stub {
    Stub::new(endpoints, move |request: Request| {
        let Request { mut message, parts, .. } = request;
        let n = if parts.is_empty() { String::new() } else { (parts.len() + 1).to_string() };
        let tagged: Vec<_> =
            texts(&message).into_iter().map(|(id, text)| (id, format!("{text} {name}{n}"))).collect();
        let tagged: Vec<_> = tagged.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
        message.documents = Some(documents::texts(&tagged));
        std::future::ready(Ok(Response::One(message)))
    })
}

/// A head before `shards`.
fn head(shards: &[SocketAddr], change: impl FnOnce(&mut HeadSettings)) -> RunningHead {
    let address = |shard: &SocketAddr| vec![shard.to_string().parse().unwrap()];
    let mut settings =
        HeadSettings { shards: shards.iter().map(address).collect(), ..HeadSettings::default() };
    change(&mut settings);
    start_head(settings, Arc::new(Workers::current())).unwrap()
}

/// What a head says after an answer: how many shards it asked, and how many gave no answer.
async fn counts(caller: &Caller, request: &Message) -> [String; 2] {
    let exchange = caller.call(grpc::path::PROCESS_SINGLE_DATA, [proto::message::write(request)]).await;
    let trailers = exchange.status.unwrap();
    ["total_shards", "failed_shards"].map(|name| trailers[name].to_str().unwrap().to_owned())
}

/// The text of the only document that `endpoint` is answered with.
pub(crate) async fn ask(caller: &Caller, endpoint: &'static str) -> String {
    let answer = caller.process(&request(endpoint)).await.unwrap();
    let documents = texts(&answer);
    assert_eq!(documents.len(), 1, "{answer:?}");
    documents[0].1.clone()
}

#[tokio::test]
async fn a_head_answers_as_those_of_python_do() {
    let served: Vec<Served> =
        (0..2).map(|n| executors::serve_as::<Encoder>(&format!("encoder/shard-{n}/rep-0"))).collect();
    let polled = ["/index", "/results", "/search"];
    let head = head(&[served[0].address(), served[1].address()], |settings| {
        let all = polled.iter().map(|endpoint| ((*endpoint).to_owned(), Polls::All));
        settings.polling.endpoints.extend(all);
    });
    for call in calls(&load(HEAD_RAW)["calls"]) {
        let name = call.name.as_str();
        let caller = Caller::connect(head.address()).await.with_headers(&call.request_metadata);
        let requests: Vec<Payload> = call.requests.iter().map(|request| request.wire().into()).collect();
        let exchange = caller.call(&call.rpc, requests).await;
        assert_eq!(format!("{:?}", exchange.code()).to_uppercase(), call.code, "{name}");
        let wires = || call.responses.iter().map(golden::Recorded::wire);
        match name {
            // Ours go by the message then. What a process says of itself is its own.
            "no_endpoint_metadata" | "info" => continue,
            "discovery" => {
                let read = |wire: bytes::Bytes| {
                    let mut answer = EndpointsProto::decode(wire).unwrap();
                    answer.endpoints.sort();
                    let schemas = answer.schemas.take().unwrap().fields;
                    (answer.endpoints, schemas.keys().cloned().collect::<std::collections::BTreeSet<_>>())
                };
                assert_eq!(read(exchange.responses[0].clone()), read(wires().next().unwrap()));
                continue;
            }
            "health" | "reflection" => {
                assert_eq!(exchange.responses, wires().collect::<Vec<_>>(), "{name}");
                continue;
            }
            _ => {}
        }
        let read = |wire| {
            let mut message = masked(wire);
            crate::golden::only_names(&mut message);
            // None at all and none in it mean the same.
            message.parameters.get_or_insert_default();
            message
        };
        let got: Vec<_> = exchange.responses.iter().cloned().map(read).collect();
        assert_eq!(got, wires().map(read).collect::<Vec<_>>(), "{name}");
        // A stream of requests has no trailers for each of them.
        if let (Ok(trailers), false) = (&exchange.status, name == "call") {
            for (key, value) in &call.trailing_metadata {
                let got = trailers.get(key).map(|value| value.to_str().unwrap());
                assert_eq!(got, Some(value.as_str()), "{name}: {key}");
            }
        }
    }
    head.stop().await;
}

#[tokio::test]
async fn the_endpoint_tells_which_shards_are_asked() {
    let served: Vec<Served> = ["s0", "s1", "s2"].into_iter().map(|name| tag(name).serve()).collect();
    let shards: Vec<_> = served.iter().map(Served::address).collect();
    let head = head(&shards, |_| {});
    let caller = Caller::connect(head.address()).await;
    for want in ["one s0", "one s1", "one s2", "one s0"] {
        assert_eq!(ask(&caller, "/any").await, want);
    }
    assert_eq!(ask(&caller, "/index").await, "one s1");
    assert_eq!(ask(&caller, "/search").await, "one s2", "all are asked and the last has its way");
    assert_eq!(counts(&caller, &request("/search")).await, ["3", "0"]);
    assert_eq!(counts(&caller, &request("/any")).await, ["1", "0"]);
    let told = caller.with_header("endpoint", "/search");
    assert_eq!(counts(&told, &request("/any")).await, ["3", "0"], "the header counts");
}

#[tokio::test]
async fn shards_that_are_gone_are_left_out() {
    let (left, right) = (tag("left").serve(), tag("right").serve());
    let head = head(&[left.address(), right.address()], |_| {});
    let sandbox = Sandbox::builder().elsewhere("index", head.address()).start().await;
    let (direct, client) = (Caller::connect(head.address()).await, sandbox.caller().await);
    assert_eq!(ask(&client, "/search").await, "one right");
    drop(right);
    assert_eq!(ask(&direct, "/search").await, "one left");
    assert_eq!(counts(&direct, &request("/search")).await, ["2", "1"]);
    assert_eq!(ask(&client, "/search").await, "one left");
    drop(left);
    let status = client.process(&request("/search")).await.unwrap_err();
    assert_eq!(status.code, Code::Unavailable);
    for part in ["|Head:", "worker/shard-0", "|Gateway:", "index"] {
        assert!(status.message.contains(part), "{part}: {}", status.message);
    }
}

#[tokio::test]
async fn executors_before_and_after_the_shards_are_called() {
    let shards = [tag("s0").serve(), tag("s1").serve()];
    // Endpoints that the shards do not bind keep no gateway from starting.
    let before = tag_on(&["/search", "/only-before"], "before").serve();
    let after = tag("after").serve();
    let head = head(&[shards[0].address(), shards[1].address()], |settings| {
        settings.uses_before = before.address().to_string().parse().ok();
        settings.uses_after = after.address().to_string().parse().ok();
    });
    let sandbox = Sandbox::builder().elsewhere("index", head.address()).start().await;
    let client = sandbox.caller().await;
    assert_eq!(ask(&client, "/search").await, "one before s0 after2");
    assert_eq!(ask(&client, "/any").await, "one s0 after");
    let endpoints = sandbox.gateway().catalog().read();
    assert!(endpoints.endpoints.contains_key("/only-before"), "{endpoints:?}");
}

#[tokio::test]
async fn a_head_whose_shards_are_missing_says_so_until_they_come() {
    let address = Stub::echo(&[]).serve().kill();
    let head = head(&[address], |settings| {
        settings.client.discovery_timeout = Duration::from_millis(50);
    });
    let caller = Caller::connect(head.address()).await;
    let discover = async || caller.call(grpc::path::ENDPOINT_DISCOVERY, [Payload::new()]).await;
    let refused = discover().await.status.unwrap_err();
    assert_eq!(refused.code, Code::Unavailable);
    assert!(refused.message.contains("|Head: executor `worker/shard-0`"), "{}", refused.message);
    let shard = tag("back").serve_at(address);
    eventually("the shard is found", async || discover().await.code() == Code::Ok).await;
    assert_eq!(ask(&caller, "/any").await, "one back");
    drop(shard);
}
