//! Answers become JSON.

use call::{Message, Status};
use serde_json::Value;

use super::Endpoint;
use crate::codec::put_text;
use crate::doc::DocError;

impl Endpoint {
    /// Writes an answer. That an executor failed is in the header, under `status`.
    ///
    /// # Errors
    ///
    /// If documents or parameters are malformed.
    pub fn write(&self, answer: &Message, to: &mut Vec<u8>) -> Result<(), DocError> {
        let documents = answer.documents.clone().unwrap_or_default();
        // Text grows a little, numbers more; anyway most of it is written without moving.
        to.reserve(documents.len() + documents.len() / 2 + 200);
        to.extend_from_slice(b"{\"data\":");
        self.output.write(documents, to).map_err(|error| error.in_field("data"))?;
        to.extend_from_slice(b",\"parameters\":");
        put_parameters(answer, to).map_err(|error| error.in_field("parameters"))?;
        to.extend_from_slice(b",\"header\":");
        let target_executor = answer.header.target_executor.as_deref().unwrap_or_default();
        put_header(&answer.header.request_id, target_executor, answer.header.status.as_deref(), to);
        to.push(b'}');
        Ok(())
    }

    /// Writes one document of a stream.
    ///
    /// # Errors
    ///
    /// If the document is malformed.
    pub fn write_document(&self, part: &Message, to: &mut Vec<u8>) -> Result<(), DocError> {
        self.output.write_one(part.documents.clone().unwrap_or_default(), to)
    }
}

/// Writes the answer to a request that got none: only its header, from which clients of Jina take why.
pub fn put_failure(request_id: &str, status: &Status, to: &mut Vec<u8>) {
    to.extend_from_slice(b"{\"header\":");
    put_header(request_id, "", Some(status), to);
    to.push(b'}');
}

/// Writes a status as `StatusProto` has it: `code` is 0 or 1.
pub fn put_status(status: &Status, to: &mut Vec<u8>) {
    to.extend_from_slice(if status.is_error { b"{\"code\":1" } else { b"{\"code\":0" });
    to.extend_from_slice(b",\"description\":");
    put_text(&status.description, to);
    to.extend_from_slice(b",\"exception\":");
    match &status.exception {
        Some(exception) => {
            to.extend_from_slice(b"{\"name\":");
            put_text(&exception.name, to);
            to.extend_from_slice(b",\"args\":");
            put_texts(&exception.args, to);
            to.extend_from_slice(b",\"stacks\":");
            put_texts(&exception.stacks, to);
            to.extend_from_slice(b",\"executor\":");
            put_text(&exception.executor, to);
            to.push(b'}');
        }
        None => to.extend_from_slice(b"null"),
    }
    to.push(b'}');
}

fn put_header(request_id: &str, target_executor: &str, status: Option<&Status>, to: &mut Vec<u8>) {
    to.extend_from_slice(b"{\"request_id\":");
    put_text(request_id, to);
    to.extend_from_slice(b",\"target_executor\":");
    put_text(target_executor, to);
    if let Some(status) = status {
        to.extend_from_slice(b",\"status\":");
        put_status(status, to);
    }
    to.push(b'}');
}

fn put_parameters(answer: &Message, to: &mut Vec<u8>) -> Result<(), DocError> {
    let parameters = Value::Object(answer.parameters.to_map()?);
    to.extend_from_slice(parameters.to_string().as_bytes());
    Ok(())
}

fn put_texts(texts: &[bytestring::ByteString], to: &mut Vec<u8>) {
    to.push(b'[');
    for (n, text) in texts.iter().enumerate() {
        if n > 0 {
            to.push(b',');
        }
        put_text(text, to);
    }
    to.push(b']');
}
