//! One call of an endpoint's code, its inputs still encoded.

use call::{Header, Message, Parameters, Payload, RESULTS_KEY, Route};
use docarray::{Doc, DocList, node};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{Context, Docs, Failure};

/// One call. The generated code takes out of it what the function asks for.
#[derive(Debug, Clone)]
pub struct Invocation {
    pub(crate) parts: Vec<Part>,
    pub(crate) parameters: Parameters,
    /// Parameters under this key are for this executor alone.
    pub(crate) meta_name: std::sync::Arc<str>,
    pub(crate) context: Context,
    /// Whether it stands for several requests, which came in no parts that could be told apart.
    pub(crate) is_batch: bool,
}

/// The documents that came from one predecessor.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// The last executor the part went through.
    pub(crate) from: String,
    /// A `DocListProto`, or a `DocProto` where documents are streamed.
    pub(crate) docs: Payload,
}

impl Part {
    pub(crate) fn of(message: &Message) -> Result<Self, Failure> {
        let routes = proto::message::routes(&message.routes).map_err(|error| Failure::validation(&error))?;
        let from = routes.last().map(|route| route.executor.to_string()).unwrap_or_default();
        let content = message.documents.clone().unwrap_or_default();
        let docs = node::doc_list(content).map_err(|error| Failure::validation(&error))?;
        Ok(Self { from, docs })
    }
}

impl Invocation {
    /// The request behind the call.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// The call as requests in the wire's own terms, one for each part, for code outside of this process.
    #[must_use]
    pub fn requests(&self) -> Vec<Message> {
        let header = Header {
            request_id: self.context.request_id.clone(),
            endpoint: Some(self.context.endpoint.clone()),
            ..Header::default()
        };
        let request = |part: &Part| {
            let mut message = Message {
                header: header.clone(),
                parameters: self.parameters.clone(),
                documents: Some(node::content(part.docs.clone())),
                ..Message::default()
            };
            // Who never went through an executor has none.
            if !part.from.is_empty() {
                let executor = part.from.as_str().into();
                message.routes.added.push(Route { executor, ..Route::default() });
            }
            message
        };
        self.parts.iter().map(request).collect()
    }

    /// The document of a stream, encoded, as a list of one.
    #[must_use]
    pub fn streamed(&self) -> Message {
        let mut docs = Payload::new();
        node::append_item(&mut docs, self.received());
        let part = Part { from: String::new(), docs };
        let alone = Self { parts: vec![part], ..self.clone() };
        alone.requests().pop().unwrap_or_default()
    }

    /// All documents, those of the parts of a join one after the other, as a `DocListProto`.
    pub(crate) fn received(&self) -> Payload {
        let mut all = Payload::new();
        for part in &self.parts {
            all.append(part.docs.clone());
        }
        all
    }

    /// All documents.
    ///
    /// # Errors
    ///
    /// If one is of another type.
    pub fn docs<D: Docs>(&self) -> Result<D, Failure> {
        D::read(node::content(self.received())).map_err(|error| Failure::validation(&error))
    }

    /// The document of a stream.
    ///
    /// # Errors
    ///
    /// If it is of another type.
    pub fn doc<T: Doc>(&self) -> Result<T, Failure> {
        T::read(self.received()).map_err(|error| Failure::validation(&error.in_field("document")))
    }

    /// The documents by the part they came with; empty if there is none at all, and in a batch.
    ///
    /// # Errors
    ///
    /// If a document is of another type.
    pub fn matrix<T: Doc>(&self) -> Result<Vec<DocList<T>>, Failure> {
        if self.is_batch || self.parts.iter().all(|part| part.docs.is_empty()) {
            return Ok(Vec::new());
        }
        self.parts.iter().map(Part::read).collect()
    }

    /// The documents by the name of the predecessor they came from; none in a batch.
    ///
    /// # Errors
    ///
    /// If a document is of another type.
    pub fn map<T: Doc, M: FromIterator<(String, DocList<T>)>>(&self) -> Result<M, Failure> {
        let parts = self.parts.iter().filter(|_| !self.is_batch);
        parts.map(|part| Ok((part.from.clone(), part.read()?))).collect()
    }

    /// The parameters, those for this executor alone laid over the others.
    ///
    /// All numbers travel as doubles, so whole ones are given as integers, which every number type takes.
    ///
    /// # Errors
    ///
    /// If they do not fit the type.
    pub fn parameters<P: DeserializeOwned>(&self) -> Result<P, Failure> {
        let mut map = self.parameters.to_map().map_err(|error| Failure::validation(&error))?;
        map.remove(RESULTS_KEY);
        if let Some(Value::Object(own)) = map.get(&*self.meta_name) {
            let own = own.clone();
            map.extend(own);
        }
        whole_numbers(&mut map);
        P::deserialize(Value::Object(map))
            .map_err(|error| Failure::new("ValidationError", format!("parameters: {error}")))
    }
}

impl Part {
    fn read<T: Doc>(&self) -> Result<DocList<T>, Failure> {
        DocList::read(node::content(self.docs.clone())).map_err(|error| Failure::validation(&error))
    }
}

fn whole_numbers(map: &mut Map<String, Value>) {
    map.values_mut().for_each(whole_number);
}

/// Writes doubles without a fraction as integers.
fn whole_number(value: &mut Value) {
    /// Up to here every integer has a double of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) => {
            if let Some(double) =
                number.as_f64().filter(|double| double.fract() == 0.0 && double.abs() <= EXACT)
            {
                *value = (double as i64).into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_number),
        Value::Object(map) => whole_numbers(map),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
