//! Executors without a gateway: their own HTTP, compared with what was recorded of Jina's, and what only they have.

use std::time::Duration;

use docarray::documents::TextDoc;
use docarray::{Doc, DocList, Id};
use executor::{Port, Protocol, Running, Settings};
use executor_runtime::{Context, Entry, Executor, executor, requests};
use futures_util::{SinkExt as _, Stream, StreamExt as _, stream};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use server::Workers;
use tests::executors::Encoder;
use tests::golden::load;
use tests::{Caller, Web, soon};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{self, client::IntoClientRequest as _};

use crate::golden_http::{Exchange, comparable, compare, events, make_at};
use crate::request;

const RECORDED: &str = include_str!("../golden/http_deployment_direct.json");
const OPENAPI: &str = include_str!("../golden/http_openapi_deployment_encoder.json");

/// A token.
#[derive(Debug, Clone, Default, Doc)]
#[document(name = "TokenDoc")]
struct Token {
    id: Id,
    text: String,
    #[document(default = 0)]
    pos: i32,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct SearchParams {
    top_k: u32,
    lang: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default)]
struct OptParams {
    suffix: String,
    times: usize,
}

impl Default for OptParams {
    fn default() -> Self {
        Self { suffix: "!".to_owned(), times: 1 }
    }
}

/// The recorded tools.
#[derive(Debug, Default)]
struct Tools;

#[executor]
impl Tools {
    #[requests(on = "/single")]
    fn single(&self, mut doc: Token) -> Token {
        doc.text = format!("single:{}", doc.text);
        doc
    }

    #[requests(on = "/params")]
    fn params(&self, docs: &mut DocList<Token>, parameters: &SearchParams) {
        for doc in docs {
            let lang = parameters.lang.as_deref().unwrap_or("None");
            doc.text = format!("{}|{}|{lang}", doc.text, parameters.top_k);
        }
    }

    #[requests(on = "/optparams")]
    fn optparams(&self, docs: &mut DocList<Token>, parameters: &OptParams) {
        for doc in docs {
            doc.text.push_str(&parameters.suffix.repeat(parameters.times));
        }
    }

    #[requests(on = "/stream")]
    fn stream(&self, doc: Token) -> impl Stream<Item = Token> + Send + use<> {
        let token =
            move |n: i32| Token { id: format!("tok-{n}").into(), text: format!("{} {n}", doc.text), pos: n };
        stream::iter((0..3).map(token))
    }
}

/// Answers what nobody else does.
#[derive(Debug, Default)]
struct DefaultOnly;

#[executor]
impl DefaultOnly {
    #[requests]
    fn answer(&self, docs: &mut DocList<Token>) {
        for doc in docs {
            doc.text = format!("default:{}", doc.text);
        }
    }
}

/// Tells what it is told beside documents.
#[derive(Debug, Default)]
struct Telling;

#[executor]
impl Telling {
    #[requests(on = "/tell")]
    fn tell(&self, docs: &mut DocList<TextDoc>, context: &Context) {
        let told = json!({
            "id": context.request_id(),
            "endpoint": context.endpoint(),
            "trace": context.trace_parent(),
            "tenant": context.header("x-tenant"),
            "secret": context.header("authorization"),
        });
        docs.iter_mut().for_each(|doc| doc.text = Some(told.to_string()));
    }

    #[requests(on = "/late")]
    async fn late(&self, _docs: &DocList<TextDoc>, context: &Context) {
        context.cancelled().await;
    }
}

async fn start<E: Executor>(protocols: &[Protocol]) -> Running {
    let mut settings = Settings::default();
    settings.serving.ports = protocols.iter().map(|protocol| Port::of(*protocol)).collect();
    settings.executor.name = "encoder/rep-0".to_owned();
    let tenant = vec!["x-tenant".parse().unwrap()];
    settings.rest.forward.clone_from(&tenant);
    settings.executor.grpc.forward = tenant;
    executor::start(settings, Entry::of::<E>(), Workers::current().into()).await.unwrap()
}

async fn replay<E: Executor>(server: &str) {
    let running = start::<E>(&[Protocol::Http]).await;
    let web = Web::new(running.address());
    for exchange in Vec::<Exchange>::deserialize(&load(RECORDED)["servers"][server]).unwrap() {
        let answer = make_at(web, &exchange.request).await;
        let name = exchange.name.as_str();
        match name {
            // Executors tell as much of themselves as gateways do.
            "status" | "dry_run" => assert_eq!(answer.status, 200, "{name}"),
            // The id may be left out.
            "header_no_rid" => assert_eq!(answer.status, 200, "{name}"),
            "sse_nothing" => assert_eq!(answer.status, 422, "{name}"),
            // Other functions than those of this executor.
            "sse_sync_generator" | "sse_fail" | "sse_wrong_type" => {}
            _ if exchange.response.body.starts_with("event: ") => {
                assert_eq!(events(&answer.text()), events(&exchange.response.body), "{name}");
                assert!(answer.complete, "{name}");
            }
            // Parameters come back as they were sent; Python fills in what the function would have taken.
            "params_ok" | "params_extra" | "optparams_empty" | "optparams_some" | "optparams_absent" => {
                let (got, want) = (answer.json(), load(&exchange.response.body));
                assert_eq!(got["data"], want["data"], "{name}");
            }
            _ if exchange.response.status == 200 => {
                assert_eq!(answer.status, 200, "{name}: {}", answer.text());
                let (got, want) = (answer.json(), load(&exchange.response.body));
                // Ours bears a header, too.
                for part in ["data", "parameters"] {
                    assert_eq!(comparable(&got[part]), comparable(&want[part]), "{name}");
                }
            }
            _ => compare(&exchange, &answer),
        }
    }
}

#[tokio::test]
async fn executors_answer_over_http_as_they_did() {
    replay::<Encoder>("encoder").await;
    replay::<Tools>("tools").await;
    replay::<DefaultOnly>("default_only").await;
}

#[tokio::test]
async fn the_openapi_document_has_the_endpoints_and_their_parameters() {
    let running = start::<Encoder>(&[Protocol::Http]).await;
    let openapi = Web::new(running.address()).get("/openapi.json").await.json();
    for (path, operations) in load(OPENAPI)["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            assert!(openapi["paths"][path][method].is_object(), "{method} {path}");
        }
    }
    let running = start::<Tools>(&[Protocol::Http]).await;
    let web = Web::new(running.address());
    let openapi = web.get("/openapi.json").await.json();
    let schemas = &openapi["components"]["schemas"];
    assert_eq!(schemas["SearchParams"]["required"], json!(["top_k"]));
    assert_eq!(schemas["SearchParams"]["properties"]["lang"]["anyOf"][0], json!({"type": "string"}));
    assert_eq!(schemas["params_input_model"]["required"], json!(["data", "parameters"]));
    assert_eq!(schemas["OptParams"]["properties"]["suffix"]["default"], "!");
    let page = web.get("/docs").await;
    assert!(page.status == 200 && page.header("content-type").starts_with("text/html"), "{page:?}");
}

#[tokio::test]
async fn all_protocols_are_one_executor_and_are_counted_together() {
    let running = start::<Encoder>(&[Protocol::Grpc, Protocol::Http, Protocol::WebSocket]).await;
    let [grpc, http, websocket] = running.addresses() else { panic!("{:?}", running.addresses()) };
    let web = Web::new(*http);
    let report = async |web: Web| web.get("/status").await.json()["envs"].clone();
    assert_eq!(report(web).await["JINA_GRPC_RECV_BYTES"], "(unset)");
    let mut message = request("/results");
    message.documents = None;
    message.parameters = call::Parameters::from_map(json!({"a": 1}).as_object().unwrap());
    Caller::connect(*grpc).await.process(&message).await.unwrap();
    let told = report(Web::new(*websocket)).await;
    let count = |name: &str| told[name].as_str().and_then(|n| n.parse::<u64>().ok()).unwrap_or_default();
    assert_eq!(count("JINA_GRPC_RECV_BYTES"), message.parameters.wire().len() as u64);
    assert!(count("JINA_GRPC_SEND_BYTES") > count("JINA_GRPC_RECV_BYTES"), "{told}");
    assert_eq!(report(web).await, told, "every port tells the same");
    assert_eq!(running.stop().await.unwrap(), server::Outcome::Clean);
}

#[tokio::test]
async fn functions_are_told_of_the_request() {
    let running = start::<Telling>(&[Protocol::Http, Protocol::Grpc, Protocol::WebSocket]).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [
        ("content-type", "application/json"),
        ("traceparent", trace),
        ("x-tenant", "blue"),
        ("authorization", "Bearer x"),
        ("x-request-id", "r-7"),
    ];
    let body = json!({"data": [{"id": "a"}]}).to_string();
    let answer = Web::new(running.address()).ask("POST", "/tell", &headers, &body).await;
    let want = json!({"id": "r-7", "endpoint": "/tell", "trace": trace, "tenant": "blue", "secret": null});
    let told = |text: &Value| load(text.as_str().unwrap());
    assert_eq!(told(&answer.json()["data"][0]["text"]), want);

    let caller = Caller::connect(running.addresses()[1]).await;
    let caller = caller
        .with_header("traceparent", trace)
        .with_header("x-tenant", "blue")
        .with_header("authorization", "Bearer x");
    let mut message = request("/tell");
    message.header.request_id = "r-7".into();
    let answer = caller.process(&message).await.unwrap();
    let docs = DocList::<TextDoc>::read(answer.documents.unwrap()).unwrap();
    assert_eq!(load(docs[0].text.as_deref().unwrap()), want);

    // What opens a WebSocket connection counts for all its requests.
    let address = running.addresses()[2];
    let mut open = format!("ws://{address}/").into_client_request().unwrap();
    for (name, value) in [("traceparent", trace), ("x-tenant", "blue"), ("authorization", "Bearer x")] {
        open.headers_mut().insert(name, value.parse().unwrap());
    }
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async(open, stream).await.unwrap();
    let asked = json!({"exec_endpoint": "/tell", "data": [{"id": "a"}], "header": {"request_id": "r-7"}});
    for _ in 0..2 {
        socket.send(tungstenite::Message::text(asked.to_string())).await.unwrap();
        let answer = soon("an answer", socket.next()).await.unwrap().unwrap();
        assert_eq!(told(&load(answer.to_text().unwrap())["data"][0]["text"]), want);
    }
}

#[tokio::test]
async fn the_callers_deadline_ends_the_work() {
    let running = start::<Telling>(&[Protocol::Http, Protocol::Grpc]).await;
    let headers = [("content-type", "application/json"), ("x-request-timeout", "0.05")];
    let body = json!({"data": [{"id": "a"}]}).to_string();
    let answer = Web::new(running.address()).ask("POST", "/late", &headers, &body).await;
    // The function may notice first, and then its answer comes.
    assert!([200, 504].contains(&answer.status.as_u16()), "{}", answer.text());
    let caller = Caller::connect(running.addresses()[1]).await.within(Duration::from_millis(50));
    let ended = caller.process(&request("/late")).await;
    assert!(ended.is_ok() || ended.unwrap_err().code == tonic::Code::DeadlineExceeded);
}
