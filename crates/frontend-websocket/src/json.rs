//! Requests and answers as JSON.

use std::collections::HashMap;
use std::sync::Arc;

use bytestring::ByteString;
use docarray::codec::{Fault, Invalid};
use docarray::discovery::{Catalog, Discovery};
use docarray::envelope::{self, Destination, Endpoint};

use crate::close::Ending;
use crate::mode::{Form, Outgoing, Received, kind};
use crate::reply::{Asked, status};

/// Reads the requests of one connection by the schemas of the Flow, which are compiled when they are first needed.
#[derive(Debug)]
pub(crate) struct Json {
    catalog: Catalog,
    /// What `endpoints` was made of.
    discovery: Arc<Discovery>,
    /// By the name under which executors bind them; the empty name is for those that nobody binds.
    endpoints: HashMap<ByteString, Arc<Endpoint>>,
}

/// Where requests go that do not say.
const ROOT: ByteString = ByteString::from_static("/");

impl Json {
    pub(crate) fn new(catalog: Catalog) -> Self {
        let discovery = catalog.read();
        Self { catalog, discovery, endpoints: HashMap::new() }
    }

    /// `{}` asks for the end. A request whose documents are not what the endpoint takes is answered with what is wrong;
    /// what is no JSON ends the connection.
    pub(crate) fn read(&mut self, text: &[u8]) -> Result<Received, Ending> {
        if is_end(text) {
            return Ok(Received::End);
        }
        let destination = match Destination::read(text) {
            Ok(destination) => destination,
            Err(invalid) => return wrong(text, &invalid),
        };
        let name = destination.endpoint.unwrap_or(ROOT);
        let endpoint = self.endpoint(&name);
        let mut message = match endpoint.read(text) {
            Ok(message) => message,
            Err(invalid) => return wrong(text, &invalid),
        };
        message.header.endpoint = Some(name);
        message.header.target_executor = message.header.target_executor.or(destination.target_executor);
        let kind = kind(&self.discovery, message.header.endpoint.as_deref().unwrap_or_default());
        Ok(Received::Request(Asked { message: Box::new(message), kind, form: Form::Json(endpoint) }))
    }

    fn endpoint(&mut self, name: &str) -> Arc<Endpoint> {
        let discovery = self.catalog.read();
        if !Arc::ptr_eq(&discovery, &self.discovery) {
            self.endpoints.clear();
            self.discovery = discovery;
        }
        let bound = self.discovery.bound(name).cloned().unwrap_or_default();
        let compile = || Arc::new(Endpoint::new(self.discovery.schema(name)));
        self.endpoints.entry(bound).or_insert_with(compile).clone()
    }
}

/// Whether a text is an object without keys.
fn is_end(text: &[u8]) -> bool {
    let inner = text.trim_ascii().strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"));
    inner.is_some_and(|inner| inner.trim_ascii().is_empty())
}

fn wrong(text: &[u8], invalid: &Invalid) -> Result<Received, Ending> {
    if invalid.problems.iter().any(|problem| matches!(problem.fault, Fault::Syntax { .. })) {
        return Err(Ending::Undecodable(invalid.to_string().into()));
    }
    let mut answer = Vec::new();
    envelope::put_failure(&request_id(text), &status(invalid), &mut answer);
    Ok(Received::Wrong(Outgoing::text(answer)))
}

/// As far as it can be found.
fn request_id(text: &[u8]) -> String {
    let object: serde_json::Value = serde_json::from_slice(text).unwrap_or_default();
    let header = &object["header"];
    let id = header.get("request_id").or_else(|| header.get("requestId")).and_then(serde_json::Value::as_str);
    id.unwrap_or_default().to_owned()
}
