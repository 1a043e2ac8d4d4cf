//! A request in the making.

use std::sync::Arc;
use std::time::Duration;

use bytestring::ByteString;
use call::{Deadline, Message, Parameters, Payload};
use docarray::{Doc, DocList};
use futures_core::Stream;
use futures_util::TryStreamExt as _;
use grpc::{Encoding, header};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::connector::Connector;
use crate::inputs::Inputs;
use crate::messages::{Answers, Call};
use crate::{Documents, Error, Messages, Responses};

/// Documents in one message, unless told otherwise.
const REQUEST_SIZE: usize = 100;
/// Unary calls at once, unless told otherwise.
const UNARY_CALLS: usize = 100;

/// A request in the making: what to send, and how. Sent by [`Post::send`], [`Post::collect`],
/// [`Post::messages`] or [`Post::stream_doc`].
#[derive(Debug)]
#[must_use = "nothing is sent before `send`, `collect` or `messages`"]
pub struct Post {
    connector: Arc<Connector>,
    template: Message,
    inputs: Inputs,
    request_size: usize,
    stream: bool,
    in_order: bool,
    prefetch: Option<usize>,
    timeout: Option<Duration>,
    compression: Encoding,
    continue_on_error: bool,
    headers: HeaderMap,
    /// The first thing that was wrong with what was told; the answer says it.
    problem: Option<Error>,
}

impl Post {
    pub(crate) fn new(connector: Arc<Connector>, endpoint: &str) -> Self {
        let mut template = Message::default();
        template.header.endpoint = Some(endpoint.into());
        Self {
            compression: connector.settings().compression,
            connector,
            template,
            inputs: Inputs::Nothing,
            request_size: REQUEST_SIZE,
            stream: true,
            in_order: false,
            prefetch: None,
            timeout: None,
            continue_on_error: false,
            headers: HeaderMap::new(),
            problem: None,
        }
    }

    /// The documents to send. They are taken when there is room for them, so an iterator may be endless;
    /// it should not block.
    pub fn inputs<T, I>(mut self, docs: I) -> Self
    where
        T: Doc,
        I: IntoIterator<Item = T>,
        I::IntoIter: Send + 'static,
    {
        self.inputs = Inputs::iterator(docs.into_iter());
        self
    }

    /// The documents to send, as they come. A message waits until it is full or the stream ends.
    pub fn input_stream<T: Doc>(mut self, docs: impl Stream<Item = T> + Send + 'static) -> Self {
        self.inputs = Inputs::stream(docs);
        self
    }

    /// The documents of each message as they go over the wire: encoded `DataContentProto`s, not looked into.
    pub fn contents<I>(mut self, contents: I) -> Self
    where
        I: IntoIterator<Item = Payload>,
        I::IntoIter: Send + 'static,
    {
        self.inputs = Inputs::Contents(Box::new(contents.into_iter()));
        self
    }

    /// How many documents go into one message; 100 by default.
    pub const fn request_size(mut self, documents: usize) -> Self {
        self.request_size = documents;
        self
    }

    /// Whether all messages go over one call (the default), or each over a call of its own.
    pub const fn stream(mut self, stream: bool) -> Self {
        self.stream = stream;
        self
    }

    /// Whether answers come in the order of the requests; by default each comes when it is there.
    pub const fn in_order(mut self, in_order: bool) -> Self {
        self.in_order = in_order;
        self
    }

    /// How many messages may be worked on at once; by default that is up to the peer, or 100 calls if they do
    /// not share one.
    pub const fn prefetch(mut self, messages: usize) -> Self {
        self.prefetch = Some(messages);
        self
    }

    /// Parameters for the executors: anything that is written as a JSON object.
    pub fn parameters(mut self, parameters: impl serde::Serialize) -> Self {
        match serde_json::to_value(parameters) {
            Ok(Value::Object(map)) => self.template.parameters = Parameters::from_map(&map),
            Ok(_) => self.fail(Error::Parameters),
            Err(error) => self.fail(Error::Json(error)),
        }
        self
    }

    /// Only executors whose names match this regular expression from their start are called.
    pub fn target_executor(mut self, pattern: impl Into<ByteString>) -> Self {
        self.template.header.target_executor = Some(pattern.into());
        self
    }

    /// How long everything may take, to the last answer; the peer is told.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How the messages are compressed.
    pub const fn compression(mut self, encoding: Encoding) -> Self {
        self.compression = encoding;
        self
    }

    /// Adds a header to the call.
    pub fn metadata(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => {
                self.headers.append(name, value);
            }
            _ => self.fail(Error::Metadata { name: name.to_owned() }),
        }
        self
    }

    /// Whether an answer that reports the failure of an executor is an answer like others, or (the default) the
    /// error that ends the stream.
    pub const fn continue_on_error(mut self, go_on: bool) -> Self {
        self.continue_on_error = go_on;
        self
    }

    /// Sends it: answers with documents of type `T`, as they come.
    pub fn send<T: Doc>(self) -> Responses<T> {
        Responses::new(self.messages())
    }

    /// Sends it, and gathers the documents of all answers.
    ///
    /// # Errors
    ///
    /// The first that occurs.
    pub async fn collect<T: Doc>(self) -> Result<DocList<T>, Error> {
        let mut responses = self.send::<T>();
        let mut all = DocList::default();
        while let Some(response) = responses.try_next().await? {
            all.extend(response.documents);
        }
        Ok(all)
    }

    /// Sends it: answers as they come, documents undecoded.
    pub fn messages(mut self) -> Messages {
        let stream = self.stream;
        let size = self.request_size;
        let contents = std::mem::take(&mut self.inputs).into_contents(size);
        self.into_messages(|call| if stream { call.stream(contents) } else { call.unary(contents) })
    }

    /// Sends one document to a streaming endpoint: the documents that it answers, as they come. Inputs given
    /// otherwise are not sent.
    pub fn stream_doc<In: Doc, Out: Doc>(self, doc: &In) -> Documents<Out> {
        let mut wire = Vec::new();
        doc.write(&mut wire);
        Documents::new(self.into_messages(|call| call.document(wire.into())))
    }

    fn into_messages(mut self, send: impl FnOnce(Call) -> Answers) -> Messages {
        if let Some(problem) = self.problem {
            return Messages::failed(problem);
        }
        if self.in_order {
            self.headers.insert(header::RESULTS_IN_ORDER, HeaderValue::from_static("true"));
        }
        if let Some(prefetch) = self.prefetch {
            self.headers.insert(header::PREFETCH, prefetch.into());
        }
        let call = Call {
            connector: self.connector,
            template: self.template,
            headers: self.headers,
            deadline: self.timeout.map_or(Deadline::NEVER, Deadline::after),
            compression: self.compression,
            in_order: self.in_order,
            unary_calls: self.prefetch.filter(|n| *n > 0).unwrap_or(UNARY_CALLS),
        };
        Messages::new(send(call), self.timeout, self.continue_on_error)
    }

    fn fail(&mut self, problem: Error) {
        self.problem.get_or_insert(problem);
    }
}
