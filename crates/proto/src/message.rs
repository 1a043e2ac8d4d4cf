//! Requests between their encoding and [`call::Message`].
//!
//! `DataRequestProto` and `SingleDocumentRequestProto` differ only in the type of field 4, which is not
//! looked into here; so one reader and one writer serve both.

use bytes::{BufMut, Bytes, BytesMut};
use call::wire::{self, Malformed, Reader};
use call::{Exception, Header, Message, Parameters, Payload, Route, Routes, Status, Timestamp};

/// Field numbers of `DataRequestProto`.
mod field {
    pub(super) const HEADER: u32 = 1;
    pub(super) const PARAMETERS: u32 = 2;
    pub(super) const ROUTES: u32 = 3;
    pub(super) const DOCUMENTS: u32 = 4;
}

/// Reads a request or an answer; the documents stay slices of `wire`.
///
/// # Errors
///
/// If the bytes around the documents are no such message.
pub fn read(wire: Payload) -> Result<Message, Malformed> {
    let mut message = Message::default();
    let mut routes = Payload::new();
    let mut reader = Reader::new(wire);
    while let Some(field) = reader.next()? {
        match field.number {
            field::HEADER => read_header(field.bytes()?, &mut message.header)?,
            field::PARAMETERS => {
                let wire = field.bytes()?.into_bytes();
                // A message field that occurs twice means both encodings one after the other.
                message.parameters = if message.parameters.is_empty() {
                    Parameters::from_wire(wire)
                } else {
                    Parameters::from_wire([message.parameters.wire(), &wire[..]].concat().into())
                };
            }
            field::ROUTES => {
                field.clone().bytes()?;
                routes.append(field.into_wire());
            }
            field::DOCUMENTS => {
                let documents = field.bytes()?;
                match &mut message.documents {
                    Some(all) => all.append(documents),
                    none => *none = Some(documents),
                }
            }
            _ => message.unknown.append(field.into_wire()),
        }
    }
    message.routes.received = routes.into_bytes();
    Ok(message)
}

/// Reads the `DataRequestListProto` of a join that is not merged.
///
/// # Errors
///
/// If the bytes around the documents are no such message.
pub fn read_list(wire: Payload) -> Result<Vec<Message>, Malformed> {
    let mut messages = Vec::new();
    let mut reader = Reader::new(wire);
    while let Some(field) = reader.next()? {
        if field.number == 1 {
            messages.push(read(field.bytes()?)?);
        }
    }
    Ok(messages)
}

/// Encodes a request or an answer, the documents as the slices they are. Header and parameters are always
/// present, as peers expect.
#[must_use]
pub fn write(message: &Message) -> Payload {
    let mut head = BytesMut::with_capacity(head_capacity(message));
    put_head(&mut head, message);
    join(head, tails_of(message))
}

/// Encodes a request or an answer as an uncompressed gRPC frame; see [`write()`].
#[must_use]
pub fn write_frame(message: &Message) -> Payload {
    let mut head = BytesMut::with_capacity(FRAME_HEAD + head_capacity(message));
    head.put_bytes(0, FRAME_HEAD);
    put_head(&mut head, message);
    let tails = message.documents.as_ref().map_or(0, Payload::len) + message.unknown.len();
    put_frame_len(&mut head, tails);
    join(head, tails_of(message))
}

/// Encodes the parts of a join that is not merged; see [`write()`].
#[must_use]
pub fn write_list(messages: &[Message]) -> Payload {
    let mut list = Payload::new();
    for message in messages {
        let one = write(message);
        let mut key = Vec::with_capacity(11);
        wire::put_len(&mut key, 1, one.len());
        list.push(key.into());
        list.append(one);
    }
    list
}

/// Decodes all routes of a message.
///
/// # Errors
///
/// If those received are malformed.
pub fn routes(routes: &Routes) -> Result<Vec<Route>, Malformed> {
    let mut all = Vec::new();
    let mut reader = Reader::new(routes.received.clone());
    while let Some(field) = reader.next()? {
        all.push(read_route(field.bytes()?)?);
    }
    all.extend(routes.added.iter().cloned());
    Ok(all)
}

/// Encodes a `StatusProto`.
#[must_use]
pub fn write_status(status: &Status) -> Bytes {
    let mut wire = Vec::new();
    put_status(&mut wire, status);
    wire.into()
}

// === Reading ===

fn read_header(wire: Payload, header: &mut Header) -> Result<(), Malformed> {
    let mut reader = Reader::new(wire);
    while let Some(field) = reader.next()? {
        match field.number {
            1 => header.request_id = field.text()?,
            2 => header.status = Some(Box::new(read_status(field.bytes()?)?)),
            3 => header.endpoint = Some(field.text()?),
            4 => header.target_executor = Some(field.text()?),
            5 => header.timeout = u32::try_from(field.varint()?).ok(),
            _ => {}
        }
    }
    Ok(())
}

/// Decodes a `StatusProto`.
///
/// # Errors
///
/// If the bytes are no such message.
pub fn read_status(wire: Payload) -> Result<Status, Malformed> {
    let mut status = Status::default();
    let mut reader = Reader::new(wire);
    while let Some(field) = reader.next()? {
        match field.number {
            1 => status.is_error = field.varint()? != 0,
            2 => status.description = field.text()?,
            3 => status.exception = Some(read_exception(field.bytes()?)?),
            _ => {}
        }
    }
    Ok(status)
}

fn read_exception(wire: Payload) -> Result<Exception, Malformed> {
    let mut exception = Exception::default();
    let mut reader = Reader::new(wire);
    while let Some(field) = reader.next()? {
        match field.number {
            1 => exception.name = field.text()?,
            2 => exception.args.push(field.text()?),
            3 => exception.stacks.push(field.text()?),
            4 => exception.executor = field.text()?,
            _ => {}
        }
    }
    Ok(exception)
}

fn read_route(wire: Payload) -> Result<Route, Malformed> {
    let mut route = Route::default();
    let mut reader = Reader::new(wire);
    while let Some(field) = reader.next()? {
        match field.number {
            1 => route.executor = field.text()?,
            2 => route.start = Some(read_timestamp(field.bytes()?)?),
            3 => route.end = Some(read_timestamp(field.bytes()?)?),
            4 => route.status = Some(Box::new(read_status(field.bytes()?)?)),
            _ => {}
        }
    }
    Ok(route)
}

fn read_timestamp(wire: Payload) -> Result<Timestamp, Malformed> {
    let mut time = Timestamp::default();
    let mut reader = Reader::new(wire);
    while let Some(field) = reader.next()? {
        match field.number {
            1 => time.seconds = field.varint()?.cast_signed(),
            // An `int32` travels as its 64-bit extension, so the low half is the value.
            2 => time.nanos = (field.varint()? as u32).cast_signed(),
            _ => {}
        }
    }
    Ok(time)
}

// === Writing ===

/// Up to here the documents are copied behind the head, so that a small message is one buffer and one frame.
const SMALL: usize = 4096;

/// The length of a gRPC frame's head: a flag and the message's length.
const FRAME_HEAD: usize = 5;

/// Fills in the head of a frame whose message is what follows it in `head` and `tails` more bytes.
fn put_frame_len(head: &mut BytesMut, tails: usize) {
    // A frame's length has 32 bits; nothing that large can be received, so nothing that large is sent on.
    let len = u32::try_from(head.len() - FRAME_HEAD + tails).unwrap_or(u32::MAX);
    head[1..FRAME_HEAD].copy_from_slice(&len.to_be_bytes());
}

fn tails_of(message: &Message) -> impl Iterator<Item = &Payload> + Clone {
    message.documents.iter().chain([&message.unknown])
}

fn join<'a>(mut head: BytesMut, tails: impl Iterator<Item = &'a Payload> + Clone) -> Payload {
    let len: usize = tails.clone().map(Payload::len).sum();
    if len <= SMALL {
        for tail in tails {
            for piece in tail.pieces() {
                head.extend_from_slice(piece);
            }
        }
        return Payload::from(head.freeze());
    }
    let mut whole = Payload::from(head.freeze());
    for tail in tails {
        whole.append(tail.clone());
    }
    whole
}

/// A guess, generous where it is cheap, so that most heads are written without growing the buffer.
fn head_capacity(message: &Message) -> usize {
    let documents = message.documents.as_ref().map_or(0, Payload::len);
    let small =
        if documents + message.unknown.len() <= SMALL { documents + message.unknown.len() } else { 0 };
    160 + message.parameters.wire().len()
        + message.routes.received.len()
        + 80 * message.routes.added.len()
        + message.header.status.as_ref().map_or(0, |_| 512)
        + small
}

fn put_head(to: &mut BytesMut, message: &Message) {
    let header = header_len(&message.header);
    wire::put_len(to, field::HEADER, header);
    put_header(to, &message.header);
    wire::put_bytes(to, field::PARAMETERS, message.parameters.wire());
    to.extend_from_slice(&message.routes.received);
    for route in &message.routes.added {
        wire::put_len(to, field::ROUTES, route_len(route));
        put_route(to, route);
    }
    if let Some(documents) = &message.documents {
        wire::put_len(to, field::DOCUMENTS, documents.len());
    }
}

fn header_len(header: &Header) -> usize {
    let mut len = text_len(1, &header.request_id);
    if let Some(status) = &header.status {
        len += wire::bytes_len(2, status_len(status));
    }
    for (number, text) in [(3, &header.endpoint), (4, &header.target_executor)] {
        len += text.as_ref().map_or(0, |text| wire::bytes_len(number, text.len()));
    }
    len + header.timeout.map_or(0, |timeout| wire::key_len(5) + wire::varint_len(timeout.into()))
}

fn put_header(to: &mut impl BufMut, header: &Header) {
    wire::put_text(to, 1, &header.request_id);
    if let Some(status) = &header.status {
        wire::put_len(to, 2, status_len(status));
        put_status(to, status);
    }
    // Fields with explicit presence are written even when empty.
    for (number, text) in [(3, &header.endpoint), (4, &header.target_executor)] {
        if let Some(text) = text {
            wire::put_bytes(to, number, text.as_bytes());
        }
    }
    if let Some(timeout) = header.timeout {
        wire::put_key(to, 5, 0);
        wire::put_varint(to, timeout.into());
    }
}

fn status_len(status: &Status) -> usize {
    let exception = status.exception.as_ref();
    2 * usize::from(status.is_error)
        + text_len(2, &status.description)
        + exception.map_or(0, |exception| wire::bytes_len(3, exception_len(exception)))
}

fn put_status(to: &mut impl BufMut, status: &Status) {
    wire::put_uint(to, 1, status.is_error.into());
    wire::put_text(to, 2, &status.description);
    if let Some(exception) = &status.exception {
        wire::put_len(to, 3, exception_len(exception));
        put_exception(to, exception);
    }
}

fn exception_len(exception: &Exception) -> usize {
    let args: usize = exception.args.iter().map(|arg| wire::bytes_len(2, arg.len())).sum();
    let stacks: usize = exception.stacks.iter().map(|line| wire::bytes_len(3, line.len())).sum();
    text_len(1, &exception.name) + args + stacks + text_len(4, &exception.executor)
}

fn put_exception(to: &mut impl BufMut, exception: &Exception) {
    wire::put_text(to, 1, &exception.name);
    for arg in &exception.args {
        wire::put_bytes(to, 2, arg.as_bytes());
    }
    for line in &exception.stacks {
        wire::put_bytes(to, 3, line.as_bytes());
    }
    wire::put_text(to, 4, &exception.executor);
}

fn route_len(route: &Route) -> usize {
    let times = [(2, route.start), (3, route.end)];
    let times: usize = times
        .into_iter()
        .filter_map(|(number, time)| Some(wire::bytes_len(number, timestamp_len(time?))))
        .sum();
    let status = route.status.as_ref().map_or(0, |status| wire::bytes_len(4, status_len(status)));
    text_len(1, &route.executor) + times + status
}

fn put_route(to: &mut impl BufMut, route: &Route) {
    wire::put_text(to, 1, &route.executor);
    for (number, time) in [(2, route.start), (3, route.end)] {
        if let Some(time) = time {
            wire::put_len(to, number, timestamp_len(time));
            wire::put_uint(to, 1, time.seconds.cast_unsigned());
            wire::put_uint(to, 2, i64::from(time.nanos).cast_unsigned());
        }
    }
    if let Some(status) = &route.status {
        wire::put_len(to, 4, status_len(status));
        put_status(to, status);
    }
}

fn timestamp_len(time: Timestamp) -> usize {
    let part = |value: u64| if value == 0 { 0 } else { 1 + wire::varint_len(value) };
    part(time.seconds.cast_unsigned()) + part(i64::from(time.nanos).cast_unsigned())
}

fn text_len(number: u32, text: &str) -> usize {
    if text.is_empty() { 0 } else { wire::bytes_len(number, text.len()) }
}

#[cfg(test)]
mod tests;
