//! The front end as a service, with a handler of the test.

mod legacy;
mod over_http;
mod over_websocket;
mod typed;

use call::{Admission, Arrived, Context, Error, Handler, Limits, Request, Response};
use docarray::discovery::{Catalog, Discovery, EndpointSchema, Model};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::{ServiceExt as _, service_fn};

use crate::{FrontEnd, GraphQl, Settings};

/// A front end and what it is told.
struct Stage {
    graphql: GraphQl,
    catalog: Catalog,
    admission: Admission,
}

/// An answer, read to its end.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// An endpoint that takes and returns texts.
fn texts(is_generator: bool) -> EndpointSchema {
    let text = || {
        let chunk =
            json!({"title": "Chunk", "type": "object", "properties": {"from-to": {"type": "string"}}});
        let schema = json!({"title": "Text", "type": "object", "$defs": {"Chunk": chunk}, "properties": {
            "id": {"type": "string"},
            "text": {"type": "string", "default": "nothing"},
            "n": {"type": "integer", "default": 0},
            "chunks": {"type": "array", "items": {"$ref": "#/$defs/Chunk"}},
            "tags": {"type": "object"}}});
        Model { name: "Text".into(), schema }
    };
    EndpointSchema { input: text(), output: text(), parameters: None, is_generator, is_singleton_doc: false }
}

fn flow(endpoints: &[(&'static str, bool)]) -> Discovery {
    let endpoints = endpoints.iter().map(|(name, streams)| ((*name).into(), Some(texts(*streams))));
    Discovery { endpoints: endpoints.collect(), write_endpoints: vec!["/index".into()] }
}

impl Stage {
    fn new<F>(answer: impl Fn(Request) -> F + Clone + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Response, Error>> + Send + 'static,
    {
        Self::with(Settings::default(), answer)
    }

    fn with<F>(settings: Settings, answer: impl Fn(Request) -> F + Clone + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Response, Error>> + Send + 'static,
    {
        Self::within(Limits::default(), settings, answer)
    }

    fn within<F>(
        limits: Limits,
        settings: Settings,
        answer: impl Fn(Request) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Response, Error>> + Send + 'static,
    {
        let catalog = Catalog::default();
        catalog.set(flow(&[("/index", false), ("/search", false), ("/stream", true)]));
        let admission = Admission::new(limits);
        let front_end = FrontEnd::new(catalog.clone(), settings);
        let graphql = front_end.service(Handler::new(service_fn(answer)));
        Self { graphql, catalog, admission }
    }

    fn echo() -> Self {
        Self::new(async |request: Request| Ok(Response::One(request.message)))
    }

    async fn ask(&self, request: http::Request<Vec<u8>>) -> Answer {
        let admitted = self.admission.admit().unwrap();
        let request =
            request.map(|body| Arrived { body: body.into(), context: Context::default(), admitted });
        let Ok(response) = self.graphql.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, path: &str, accept: &str) -> Answer {
        self.ask(http::Request::get(path).header("accept", accept).body(Vec::new()).unwrap()).await
    }

    async fn post(&self, body: &Value) -> Answer {
        self.post_as("application/json", body).await
    }

    async fn post_as(&self, accept: &str, body: &Value) -> Answer {
        let request = http::Request::post("/graphql").header("content-type", "application/json");
        self.ask(request.header("accept", accept).body(body.to_string().into_bytes()).unwrap()).await
    }

    /// The answer to a query.
    async fn query(&self, query: &str) -> Value {
        self.post(&json!({"query": query})).await.json()
    }
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}
