//! From a request to its answer.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use async_graphql::dynamic::Schema;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationType, Selection};
use async_graphql::{Name, Request as Query, ServerError, Value};
use axum::response::Response;
use call::{Arrived, Handler};
use docarray::discovery::Catalog;
use http::header::ACCEPT;
use http::request::Parts;
use http::{Method, Request};
use tower::Service;

use crate::ask::{Asker, LARGE, apart};
use crate::reply::{Media, Refusal};
use crate::schemas::Schemas;
use crate::{PATH, Settings, limits, page, read, reply, socket};

/// What answers GraphQL, but for who answers the questions to endpoints. Clones share it.
#[derive(Clone)]
pub struct FrontEnd {
    shared: Arc<Shared>,
}

/// What is one for the process.
pub(crate) struct Shared {
    pub(crate) schemas: Schemas,
    pub(crate) settings: Settings,
}

/// Answers the requests of one worker. Cloning is cheap.
#[derive(Clone)]
pub struct GraphQl {
    pub(crate) shared: Arc<Shared>,
    pub(crate) handler: Handler,
}

/// What a query asks for.
pub(crate) struct Operation {
    pub(crate) kind: OperationType,
    /// The names of its fields in the answer.
    keys: Vec<Name>,
}

impl FrontEnd {
    /// Puts it together. Its schema is that of `catalog`, whatever that says at the time of a request.
    #[must_use]
    pub fn new(catalog: Catalog, settings: Settings) -> Self {
        Self { shared: Arc::new(Shared { schemas: Schemas::new(catalog), settings }) }
    }

    /// Answers with what `handler` answers.
    #[must_use]
    pub fn service(&self, handler: Handler) -> GraphQl {
        GraphQl { shared: self.shared.clone(), handler }
    }
}

impl GraphQl {
    pub(crate) fn schema(&self) -> Result<Schema, Refusal> {
        self.shared.schemas.current().ok_or(Refusal::NoSchema)
    }

    async fn answer(self, request: Request<Arrived>) -> Response {
        let (parts, arrived) = request.into_parts();
        let below = parts.uri.path().strip_prefix(PATH).and_then(|rest| rest.strip_prefix('/'));
        if let Some(asset) = below.filter(|asset| !asset.is_empty()) {
            return page::asset(asset);
        }
        if socket::is_wanted(&parts.headers) {
            return socket::open(self, parts, arrived);
        }
        let is_read = parts.method == Method::GET;
        if is_read && !read::has_query(&parts) && wants_page(&parts) {
            return page::page();
        }
        let media = match Media::choose(&parts.headers) {
            Ok(media) => media,
            Err(refusal) => return refusal.into_response(Media::Json),
        };
        match self.execute(&parts, arrived).await {
            Ok(response) => reply::response(response, media),
            Err(refusal) => refusal.into_response(media),
        }
    }

    async fn execute(self, parts: &Parts, arrived: Arrived) -> Result<async_graphql::Response, Refusal> {
        let mut query = match parts.method {
            Method::GET => read::from_query(parts)?,
            Method::POST => {
                let (headers, body) = (parts.headers.clone(), arrived.body.clone());
                let query = apart(body.len() >= LARGE, move || read::from_body(&headers, &body));
                query.await.unwrap_or(Err(Refusal::Panic))?
            }
            _ => return Err(Refusal::Method { allow: "GET, POST" }),
        };
        let operation = operation(&mut query, &self.shared.settings)?;
        let kind = operation.as_ref().map(|operation| operation.kind);
        if parts.method == Method::GET && kind == Some(OperationType::Mutation) {
            return Err(Refusal::Method { allow: "POST" });
        }
        let asker = Asker {
            handler: self.handler.clone(),
            context: arrived.context,
            admission: arrived.admitted.admission().clone(),
            admitted: Mutex::new(Some(arrived.admitted)),
        };
        let mut answer = self.schema()?.execute(query.data(asker)).await;
        if let Some(operation) = operation {
            operation.sort(&mut answer.data);
        }
        Ok(answer)
    }
}

/// What a query asks for; `None` if it has no such operation. From here on it is of a size that is no burden.
pub(crate) fn operation(query: &mut Query, settings: &Settings) -> Result<Option<Operation>, Refusal> {
    limits::check_text(&query.query, settings)?;
    let name = query.operation_name.clone();
    let document = query.parsed_query().map_err(|error| Refusal::Unreadable(Box::new(concise(error))))?;
    limits::check_document(document, settings)?;
    let ExecutableDocument { operations, .. } = document;
    let operation = match operations {
        DocumentOperations::Single(operation) => Some(operation),
        DocumentOperations::Multiple(operations) => match name {
            Some(name) => operations.get(name.as_str()),
            None => operations.values().next().filter(|_| operations.len() == 1),
        },
    };
    Ok(operation.map(|operation| {
        let items = operation.node.selection_set.node.items.iter();
        let keys = items.filter_map(|item| match &item.node {
            Selection::Field(field) => Some(field.node.response_key().node.clone()),
            Selection::FragmentSpread(_) | Selection::InlineFragment(_) => None,
        });
        Operation { kind: operation.node.ty, keys: keys.collect() }
    }))
}

/// The parser repeats the line of the query, which may be long, above what it expected there.
fn concise(mut error: ServerError) -> ServerError {
    let expected = error.message.lines().last().and_then(|line| line.trim().strip_prefix("= "));
    if let Some(expected) = expected {
        error.message = expected.to_owned();
    }
    error
}

impl Operation {
    /// Fields are answered as their executors answer, and told in the order in which they were asked for.
    fn sort(&self, data: &mut Value) {
        let Value::Object(fields) = data else { return };
        let rank = |name: &Name| self.keys.iter().position(|key| key == name).unwrap_or(self.keys.len());
        fields.sort_by(|one, _, other, _| rank(one).cmp(&rank(other)));
    }
}

fn wants_page(parts: &Parts) -> bool {
    let accepted = parts.headers.get_all(ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    accepted.into_iter().any(|value| value.contains("text/html"))
}

impl Service<Request<Arrived>> for GraphQl {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Arrived>) -> Self::Future {
        let answer = self.clone().answer(request);
        Box::pin(async move { Ok(answer.await) })
    }
}

impl fmt::Debug for FrontEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrontEnd").finish_non_exhaustive()
    }
}

impl fmt::Debug for GraphQl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphQl").finish_non_exhaustive()
    }
}
