//! Requests and answers as JSON, the same for every protocol that speaks it.
//!
//! A request is an object with `data`, one document or an array of them; `parameters`; and `header` with
//! `request_id` and `target_executor`. Other keys are ignored. An answer has the same three keys. Keys are accepted
//! in `snake_case` and in `camelCase`; answers have the former.
//!
//! ```
//! use docarray::envelope::Endpoint;
//!
//! let endpoint = Endpoint::new(None);
//! let body = br#"{"data": {"id": "a", "text": "on rivers"}, "parameters": {"limit": 10}}"#;
//! let request = endpoint.read(body).unwrap();
//! assert_eq!(request.header.request_id, "a");
//!
//! let mut json = Vec::new();
//! endpoint.write(&request, &mut json).unwrap();
//! let want = r#"{"data":[{"id":"a","text":"on rivers"}],"parameters":{"limit":10.0},"header":{"request_id":"a","target_executor":""}}"#;
//! assert_eq!(String::from_utf8(json).unwrap(), want);
//! ```

mod answer;
mod detail;

use bytestring::ByteString;
use call::{Header, Message, Parameters};
use jiter::Peek;

use crate::codec::{Codec, Fault, Halt, Invalid, Problem, Source, Step};
use crate::discovery::EndpointSchema;
use crate::{merge, node};

pub use answer::{put_failure, put_status};
pub use detail::{put_detail, put_invalid, put_invalid_part};

/// What an endpoint takes and returns, compiled.
#[derive(Debug)]
pub struct Endpoint {
    input: Codec,
    output: Codec,
    parameters: Codec,
}

/// Where a request wants to go, for protocols that have one address for all endpoints.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destination {
    /// `exec_endpoint`, beside the header or in it.
    pub endpoint: Option<ByteString>,
    /// `target_executor` beside the header.
    pub target_executor: Option<ByteString>,
}

/// The header of a request while it is read.
#[derive(Default)]
struct Read {
    is_given: bool,
    request_id: Option<ByteString>,
    target_executor: Option<ByteString>,
    endpoint: Option<ByteString>,
}

impl Endpoint {
    /// Compiles the schemas of an endpoint; an executor that tells none takes and returns documents as they are.
    #[must_use]
    pub fn new(schema: Option<&EndpointSchema>) -> Self {
        let Some(schema) = schema else {
            return Self { input: Codec::any(), output: Codec::any(), parameters: Codec::any_parameters() };
        };
        Self {
            input: Codec::new(&schema.input),
            output: Codec::new(&schema.output),
            parameters: schema.parameters.as_ref().map_or_else(Codec::any_parameters, Codec::new),
        }
    }

    /// The documents it takes.
    #[must_use]
    pub const fn input(&self) -> &Codec {
        &self.input
    }

    /// The documents it returns.
    #[must_use]
    pub const fn output(&self) -> &Codec {
        &self.output
    }

    /// Its parameters.
    #[must_use]
    pub const fn parameters(&self) -> &Codec {
        &self.parameters
    }

    /// Reads a request. Without a request id it gets that of its document, if it is a single one, or else a new one. Which
    /// endpoint it is for, the caller knows.
    ///
    /// # Errors
    ///
    /// If the body is no JSON or not what the schemas ask for.
    pub fn read(&self, body: &[u8]) -> Result<Message, Invalid> {
        self.read_with_id(body, None)
    }

    /// Like [`Endpoint::read`], with the id for requests whose header has none.
    ///
    /// # Errors
    ///
    /// If the body is no JSON or not what the schemas ask for.
    pub fn read_with_id(&self, body: &[u8], request_id: Option<ByteString>) -> Result<Message, Invalid> {
        if body.is_empty() {
            return Err(Problem::new(Fault::Missing, 0..0).into());
        }
        let mut source = Source::new(body)?;
        let read = self.read_object(&mut source, request_id);
        source.finish(read)
    }

    /// Reads a request for a stream, whose body is the document itself.
    ///
    /// # Errors
    ///
    /// If the body is no JSON or not what the schema asks for.
    pub fn read_document(&self, body: &[u8]) -> Result<Message, Invalid> {
        if body.is_empty() {
            return Err(Problem::new(Fault::Missing, 0..0).into());
        }
        let document = self.input.read_one(body)?;
        let header = Header { request_id: call::new_id(), ..Header::default() };
        Ok(Message { header, documents: Some(document), ..Message::default() })
    }

    fn read_object(&self, source: &mut Source<'_>, request_id: Option<ByteString>) -> Result<Message, Halt> {
        let start = source.at();
        let peek = source.peek()?;
        if peek != Peek::Object {
            source.mismatch("object".to_owned(), peek)?;
            return Ok(Message::default());
        }
        let (mut documents, mut parameters, mut header) = (None, None, Read::default());
        let mut key = source.first_key()?;
        while let Some(name) = key {
            let step = match name {
                "data" => "data",
                "parameters" => "parameters",
                "header" => "header",
                _ => "",
            };
            let n_problems = source.n_problems();
            let read = match step {
                "data" => self.input.read_documents(source).map(|read| documents = Some(read)),
                "parameters" => self.read_parameters(source).map(|read| parameters = read),
                "header" => header.read(source),
                _ => skip(source),
            };
            source.within(n_problems, || Step::Key(step.to_owned()));
            read?;
            key = source.next_key()?;
        }
        if documents.is_none() {
            let missing = Problem::new(Fault::Missing, start..source.at());
            source.problem(missing.within(Step::Key("data".to_owned())))?;
        }
        if parameters.is_none() && self.parameters.has_required() {
            let missing = Problem::new(Fault::Missing, start..source.at());
            source.problem(missing.within(Step::Key("parameters".to_owned())))?;
        }
        let (content, is_single) = documents.map(|docs| (docs.content, docs.is_single)).unwrap_or_default();
        let id_of_document = || {
            let docs = node::doc_list(content.clone()).ok()?;
            merge::ids(docs).ok()?.pop().flatten().filter(|_| is_single && !header.is_given)
        };
        let request_id =
            header.request_id.take().or(request_id).or_else(id_of_document).unwrap_or_else(call::new_id);
        let header = Header { request_id, target_executor: header.target_executor, ..Header::default() };
        let parameters = parameters.unwrap_or_default();
        Ok(Message { header, parameters, documents: Some(content), ..Message::default() })
    }

    /// Null is the same as nothing.
    fn read_parameters(&self, source: &mut Source<'_>) -> Result<Option<Parameters>, Halt> {
        if source.peek()? == Peek::Null {
            source.skip(Peek::Null)?;
            return Ok(None);
        }
        self.parameters.read_struct(source).map(Some)
    }
}

impl Destination {
    /// Looks into a request for where it wants to go; the documents are passed by.
    ///
    /// # Errors
    ///
    /// If the body is no JSON, or these keys hold no text.
    pub fn read(body: &[u8]) -> Result<Self, Invalid> {
        let mut source = Source::new(body)?;
        let read = Self::read_object(&mut source);
        source.finish(read)
    }

    fn read_object(source: &mut Source<'_>) -> Result<Self, Halt> {
        let mut destination = Self::default();
        let mut header = Read::default();
        let peek = source.peek()?;
        if peek != Peek::Object {
            source.mismatch("object".to_owned(), peek)?;
            return Ok(destination);
        }
        let mut key = source.first_key()?;
        while let Some(name) = key {
            match name {
                "exec_endpoint" | "execEndpoint" => destination.endpoint = text(source, "exec_endpoint")?,
                "target_executor" | "targetExecutor" => {
                    destination.target_executor = text(source, "target_executor")?;
                }
                "header" => {
                    let n_problems = source.n_problems();
                    let read = header.read(source);
                    source.within(n_problems, || Step::Key("header".to_owned()));
                    read?;
                }
                _ => skip(source)?,
            }
            key = source.next_key()?;
        }
        destination.endpoint = destination.endpoint.or(header.endpoint);
        Ok(destination)
    }
}

impl Read {
    fn read(&mut self, source: &mut Source<'_>) -> Result<(), Halt> {
        let peek = source.peek()?;
        match peek {
            Peek::Null => return source.skip(peek),
            Peek::Object => self.is_given = true,
            _ => return source.mismatch("object".to_owned(), peek),
        }
        let mut key = source.first_key()?;
        while let Some(name) = key {
            match name {
                "request_id" | "requestId" => self.request_id = text(source, "request_id")?,
                "target_executor" | "targetExecutor" => {
                    self.target_executor = text(source, "target_executor")?
                }
                "exec_endpoint" | "execEndpoint" => self.endpoint = text(source, "exec_endpoint")?,
                _ => skip(source)?,
            }
            key = source.next_key()?;
        }
        Ok(())
    }
}

/// Reads the text, or null, of a key.
fn text(source: &mut Source<'_>, key: &str) -> Result<Option<ByteString>, Halt> {
    let peek = source.peek()?;
    match peek {
        Peek::String => source.text().map(|text| Some(text.into())),
        Peek::Null => source.skip(peek).map(|()| None),
        _ => {
            let n_problems = source.n_problems();
            let mismatch = source.mismatch("string".to_owned(), peek);
            source.within(n_problems, || Step::Key(key.to_owned()));
            mismatch.map(|()| None)
        }
    }
}

fn skip(source: &mut Source<'_>) -> Result<(), Halt> {
    let peek = source.peek()?;
    source.skip(peek)
}

#[cfg(test)]
mod tests;
