//! Exchanges over HTTP that were recorded with the reference implementation, made again with this gateway.
//!
//! Not compared: ids that are made up, the order of fields, whether a number is written `1` or `1.0`. Where this gateway
//! answers otherwise on purpose, see docs/differences.md, the test says what it answers instead.

use call::{Error, ErrorCode, Kind, Message, Request, Response};
use docarray::discovery::{Discovery, EndpointSchema, Model};
use docarray::{Doc, DocList, Id};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tests::executors::{self, Encoder, Ranker};
use tests::golden::load;
use tests::{Answer, Sandbox, Stub, Web};

use crate::http::{both, web};

const FLOW: &str = include_str!("../golden/http_flow_encoder_ranker.json");
const FLOW_OPENAPI: &str = include_str!("../golden/http_openapi_flow_encoder_ranker.json");
const TOOLS: &str = include_str!("../golden/http_flow_tools.json");
const TOOLS_OPENAPI: &str = include_str!("../golden/http_openapi_flow_tools.json");

#[derive(Debug, Deserialize)]
pub(crate) struct Exchange {
    pub(crate) name: String,
    pub(crate) request: Asked,
    pub(crate) response: Answered,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    method: String,
    path: String,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    body: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    pub(crate) body: String,
}

fn exchanges(recording: &str) -> Vec<Exchange> {
    Vec::deserialize(&load(recording)["exchanges"]).unwrap()
}

pub(crate) async fn make(sandbox: &Sandbox, asked: &Asked) -> Answer {
    make_at(web(sandbox), asked).await
}

pub(crate) async fn make_at(web: Web, asked: &Asked) -> Answer {
    let headers: Vec<_> =
        asked.headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
    web.ask(&asked.method, &asked.path, &headers, &asked.body).await
}

/// A value as it is compared.
pub(crate) fn comparable(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        // A tensor that was written as a text.
        Value::String(text) if text.starts_with('[') => {
            serde_json::from_str(text).map_or_else(|_| value.clone(), |tensor| comparable(&tensor))
        }
        Value::String(id) if id.len() == 32 && id.bytes().all(|c| c.is_ascii_hexdigit()) => "<id>".into(),
        Value::Array(items) => items.iter().map(comparable).collect(),
        Value::Object(entries) => {
            let key = |key: &str| match key {
                // As gateways with Pydantic 1 spell them.
                "requestId" => "request_id".to_owned(),
                "targetExecutor" => "target_executor".to_owned(),
                _ => key.to_owned(),
            };
            entries.iter().map(|(name, value)| (key(name), comparable(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::String(_) => value.clone(),
    }
}

/// What is wrong where. The recordings name the alternatives of `data` on the way; those are left out.
fn problems(detail: &Value) -> Vec<(Value, Vec<Value>)> {
    let step = |step: &&Value| {
        let name = step.as_str().unwrap_or_default();
        !name.starts_with("list[") && !name.ends_with("Doc")
    };
    let problem = |problem: &Value| {
        (problem["type"].clone(), problem["loc"].as_array().unwrap().iter().filter(step).cloned().collect())
    };
    detail["detail"].as_array().unwrap().iter().map(problem).collect()
}

#[track_caller]
pub(crate) fn compare(exchange: &Exchange, answer: &Answer) {
    let Exchange { name, response, .. } = exchange;
    assert_eq!(answer.status, response.status, "{name}: {}", answer.text());
    let content_type = response.headers.get("content-type").and_then(Value::as_str).unwrap_or_default();
    assert_eq!(answer.header("content-type"), content_type, "{name}");
    let allow = response.headers.get("allow").and_then(Value::as_str).unwrap_or_default();
    assert_eq!(answer.header("allow"), allow, "{name}");
    if content_type != "application/json" || response.body.is_empty() {
        return;
    }
    let (got, want) = (answer.json(), load(&response.body));
    match response.status {
        422 => {
            let (got, want) = (problems(&got), problems(&want));
            assert!(!got.is_empty() && got.iter().all(|problem| want.contains(problem)), "{name}: {got:?}");
        }
        // How an exception is told in words differs between languages.
        500 => assert!(got["detail"].is_string(), "{name}"),
        _ => assert_eq!(comparable(&got), comparable(&want), "{name}"),
    }
}

/// Which paths there are, with which operations, and which components.
pub(crate) fn outline(openapi: &Value) -> (Vec<String>, Vec<String>) {
    let operations = openapi["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| {
            format!("{method} {path} {}", operation["operationId"].as_str().unwrap())
        })
    });
    let mut operations: Vec<_> = operations.collect();
    let mut components: Vec<_> =
        openapi["components"]["schemas"].as_object().unwrap().keys().cloned().collect();
    // The answer of requests that fail is described here only.
    components.retain(|name| name != "Failure");
    operations.sort();
    components.sort();
    (operations, components)
}

#[tokio::test]
async fn a_flow_answers_as_it_did() {
    let sandbox = Sandbox::builder()
        .served("encoder", executors::serve::<Encoder>("encoder"))
        .served("ranker", executors::serve::<Ranker>("ranker"))
        .settings(both)
        .settings(|settings| settings.rest.cors = true)
        .start()
        .await;
    for exchange in exchanges(FLOW) {
        let answer = make(&sandbox, &exchange.request).await;
        match exchange.name.as_str() {
            // Its values are volatile.
            "status" => {
                let (got, want) = (answer.json(), load(&exchange.response.body));
                let keys = |section: &Value| section.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
                assert_eq!(keys(&got["jina"]), keys(&want["jina"]));
                assert_eq!(keys(&got["envs"]), keys(&want["envs"]));
            }
            // Its parts come from this gateway.
            "docs" | "redoc" => {
                let kind = answer.header("content-type").to_owned();
                assert_eq!((answer.status.as_u16(), kind.as_str()), (200, "text/html; charset=utf-8"));
            }
            // Ids may be left out, and both spellings of keys are understood.
            "no_id" | "with_header_camel" | "header_without_request_id" => {
                assert_eq!(answer.status, 200, "{}: {}", exchange.name, answer.text());
            }
            "trailing_slash" => {
                assert_eq!((answer.status.as_u16(), answer.header("location")), (307, "/index"));
            }
            "cors_preflight" => {
                let methods = "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT";
                let got = answer.header("access-control-allow-methods").replace(' ', "");
                assert_eq!((answer.status.as_u16(), got.as_str()), (200, methods));
                for name in
                    ["origin", "headers", "credentials"].map(|part| format!("access-control-allow-{part}"))
                {
                    assert_eq!(answer.header(&name), exchange.response.headers[&name], "{name}");
                }
            }
            "accept_gzip" => assert_eq!(answer.header("content-encoding"), "gzip"),
            _ => compare(&exchange, &answer),
        }
    }
    let openapi = web(&sandbox).get("/openapi.json").await.json();
    let (mut got, want) = (outline(&openapi), outline(&load(FLOW_OPENAPI)));
    got.1.retain(|name| !name.starts_with("ArticleDoc_"));
    assert_eq!(got, want);
}

/// A token.
#[derive(Debug, Clone, Default, Doc)]
#[document(name = "TokenDoc")]
struct Token {
    id: Id,
    text: String,
    #[document(default = 0)]
    pos: i32,
}

/// What the recorded executor does.
fn tool(request: &Request) -> Result<Response, Error> {
    let invalid = |error| Error::new(ErrorCode::InvalidRequest, error);
    let Message { header, parameters, documents, .. } = request.message.clone();
    let endpoint = header.endpoint.unwrap_or_default();
    let documents = documents.unwrap_or_default();
    if request.kind == Kind::Stream {
        let token = Token::read(documents).map_err(invalid)?;
        let part = |token: Token| {
            let mut doc = Vec::new();
            token.write(&mut doc);
            Message { documents: Some(doc.into()), ..Message::default() }
        };
        let of = |n: i32, text: String| part(Token { id: format!("tok-{n}").into(), text, pos: n });
        let parts: Vec<_> = if &*endpoint == "/stream" {
            (0..3).map(|n| Ok(of(n, format!("{} {n}", token.text)))).collect()
        } else {
            vec![Ok(of(0, "first".to_owned())), Err(Error::new(ErrorCode::Internal, "the generator failed"))]
        };
        return Ok(Response::Stream(Box::pin(stream::iter(parts))));
    }
    let mut tokens = DocList::<Token>::read(documents).map_err(invalid)?;
    let parameters = parameters.to_map().unwrap_or_default();
    for token in &mut tokens {
        token.text = match &*endpoint {
            "/single" => format!("single:{}", token.text),
            "/params" => format!("{}|{}|None", token.text, parameters["top_k"].as_f64().unwrap_or_default()),
            _ => {
                let times = parameters.get("times").and_then(Value::as_f64).unwrap_or(1.0);
                let suffix = parameters.get("suffix").and_then(Value::as_str).unwrap_or("!");
                std::iter::once(token.text.as_str())
                    .chain((0..).take_while(|n| f64::from(*n) < times).map(|_| suffix))
                    .collect()
            }
        };
    }
    let mut message = request.message.clone();
    message.documents = Some(tokens.write());
    Ok(Response::One(message))
}

/// The recorded executor, which says of itself what is in the recorded document.
fn tools() -> Stub {
    let openapi = load(TOOLS_OPENAPI);
    let model = |name: &str| {
        let schema = openapi["components"]["schemas"][name].clone();
        Model { name: name.into(), schema }
    };
    let endpoint = |name: &'static str, parameters: Option<&str>, is_generator: bool| {
        let schema = EndpointSchema {
            input: model("TokenDoc"),
            output: model("TokenDoc"),
            parameters: parameters.map(model),
            is_generator,
            is_singleton_doc: true,
        };
        (name.into(), Some(schema))
    };
    // OpenAPI documents leave out defaults of null; executors say them.
    let default_null = |schema: &mut Value| schema["properties"]["lang"]["default"] = Value::Null;
    let anything = json!({"title": "Anything", "type": "object", "properties": {}});
    let mut endpoints: indexmap::IndexMap<_, _> = [
        endpoint("/single", None, false),
        endpoint("/params", Some("SearchParams"), false),
        endpoint("/optparams", Some("OptParams"), false),
        endpoint("/stream", None, true),
        endpoint("/streamfail", None, true),
        endpoint("_jina_dry_run_", None, false),
    ]
    .into();
    if let Some(parameters) =
        endpoints.get_mut("/params").and_then(Option::as_mut).and_then(|of| of.parameters.as_mut())
    {
        default_null(&mut parameters.schema);
    }
    if let Some(Some(dry_run)) = endpoints.get_mut("_jina_dry_run_") {
        dry_run.input.schema = anything;
    }
    let discovery = Discovery { endpoints, ..Discovery::default() };
    Stub::with_discovery(discovery, |request| std::future::ready(tool(&request)))
}

/// The documents and the last event of a stream.
pub(crate) fn events(body: &str) -> (Vec<Value>, String) {
    let mut frames: Vec<_> = body.split("\r\n\r\n").filter(|frame| !frame.is_empty()).collect();
    let last = frames.pop().unwrap_or_default().to_owned();
    let data = |frame: &str| comparable(&load(frame.strip_prefix("event: update\r\ndata: ").unwrap()));
    (frames.into_iter().map(data).collect(), last)
}

#[tokio::test]
async fn single_documents_parameters_and_streams_are_answered_as_they_were() {
    let sandbox = Sandbox::builder().executor("tools", tools()).settings(both).start().await;
    for exchange in exchanges(TOOLS) {
        let answer = make(&sandbox, &exchange.request).await;
        match exchange.name.as_str() {
            // Ids may be left out.
            "single_object_no_id" | "sse_query_no_id" | "sse_body_no_id" => {
                assert_eq!(answer.status, 200, "{}: {}", exchange.name, answer.text());
            }
            // A stream of nothing is told what is missing.
            "sse_nothing" => assert_eq!(answer.status, 422),
            // No document comes twice, and a stream that failed does not end well.
            "sse_fail" => {
                let (documents, last) = events(&answer.text());
                assert_eq!(documents.len(), 1, "{}", answer.text());
                assert!(last.starts_with("event: error\r\ndata: {\"detail\":"), "{last}");
                assert!(!answer.complete);
            }
            // Not a matter of the gateway: Python executors fail with generators that are not asynchronous, and with
            // documents of a class that they do not declare.
            "sse_sync_generator" | "sse_wrong_type" => {}
            name if exchange.response.body.starts_with("event: ") => {
                compare(&exchange, &answer);
                for header in ["cache-control", "x-accel-buffering"] {
                    assert_eq!(answer.header(header), exchange.response.headers[header], "{name}");
                }
                assert_eq!(events(&answer.text()), events(&exchange.response.body), "{name}");
                assert!(answer.complete, "{name}");
            }
            _ => compare(&exchange, &answer),
        }
    }
    let openapi = web(&sandbox).get("/openapi.json").await.json();
    let (got, want) = (outline(&openapi), outline(&load(TOOLS_OPENAPI)));
    for operation in &got.0 {
        assert!(want.0.contains(operation), "{operation}");
    }
    for name in ["TokenDoc", "SearchParams", "OptParams", "params_input_model", "single_output_model"] {
        assert!(got.1.iter().any(|component| component == name), "{name}");
    }
}
