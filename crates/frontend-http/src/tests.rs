//! The front end as a service, with a handler of the test.

mod bodies;
mod events;
mod failures;
mod routes;

use axum::body::{Body, Bytes};
use call::{Admission, Error, Handler, Limits, Request, Response};
use docarray::discovery::{Catalog, Discovery, EndpointSchema, Model};
use docarray::{Node, node};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use info::{Health, Latch, Report, Traffic};
use serde_json::{Value, json};
use tower::{ServiceExt as _, service_fn};

use crate::{FrontEnd, Http, Settings};

/// A front end and what it is told.
struct Stage {
    http: Http,
    catalog: Catalog,
    admission: Admission,
    health: Health,
    _accepting: tokio::sync::watch::Sender<bool>,
}

/// An answer, read to its end.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    /// The frames of the body.
    frames: Vec<Bytes>,
    /// Whether the body ended as it should.
    complete: bool,
}

/// An endpoint that takes and returns texts.
fn texts(is_generator: bool) -> EndpointSchema {
    let text = || {
        let schema = json!({"title": "Text", "type": "object", "properties": {
            "id": {"type": "string"}, "text": {"type": "string"}, "n": {"type": "integer", "default": 0}}});
        Model { name: "Text".into(), schema }
    };
    EndpointSchema { input: text(), output: text(), parameters: None, is_generator, is_singleton_doc: false }
}

fn flow(endpoints: &[(&'static str, bool)]) -> Discovery {
    let endpoints = endpoints.iter().map(|(name, streams)| ((*name).into(), Some(texts(*streams))));
    Discovery { endpoints: endpoints.collect(), ..Discovery::default() }
}

impl Stage {
    fn new<F>(answer: impl Fn(Request) -> F + Clone + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Response, Error>> + Send + 'static,
    {
        Self::with(Settings::default(), Limits::default(), answer)
    }

    fn with<F>(
        settings: Settings,
        limits: Limits,
        answer: impl Fn(Request) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Response, Error>> + Send + 'static,
    {
        let catalog = Catalog::default();
        catalog.set(flow(&[("/index", false), ("/stream", true), (call::DRY_RUN_ENDPOINT, false)]));
        let admission = Admission::new(limits);
        let (accepting, watch) = tokio::sync::watch::channel(true);
        let health = Health::new(watch);
        let report = Report::new(Traffic::default());
        let front_end = FrontEnd::new(catalog.clone(), admission.clone(), health.clone(), report, settings);
        let http = front_end.service(Handler::new(service_fn(answer)));
        Self { http, catalog, admission, health, _accepting: accepting }
    }

    fn echo() -> Self {
        Self::new(async |request: Request| Ok(Response::One(request.message)))
    }

    fn unready(&self) -> Latch {
        self.health.latch("the test")
    }

    async fn ask(&self, request: http::Request<Body>) -> Answer {
        let Ok(response) = self.http.clone().oneshot(request).await;
        let (parts, mut body) = response.into_parts();
        let (mut frames, mut complete) = (Vec::new(), true);
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => frames.extend(frame.into_data()),
                Err(_) => complete = false,
            }
        }
        Answer { status: parts.status, headers: parts.headers, frames, complete }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(http::Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        let request = http::Request::post(path).header("content-type", "application/json");
        self.ask(request.body(body.into()).unwrap()).await
    }
}

impl Answer {
    fn body(&self) -> Vec<u8> {
        self.frames.concat()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body()).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

/// A document of one text.
fn document(text: &str) -> call::Payload {
    let mut doc = Vec::new();
    node::put_field(&mut doc, "text", |to| Node::Text(text.into()).write(None, to));
    doc.into()
}
