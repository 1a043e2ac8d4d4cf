//! The vocabulary of one request, shared by everything on the call path.
//!
//! A front end turns its protocol into a [`Request`] and hands it to a [`Handler`]; the answer is a
//! [`Response`] or an [`Error`]. Between gateway and executor one call is a [`Hop`]. Documents travel
//! as an opaque [`Payload`], slices of the buffers they were received in.
//!
//! This crate does no IO, spawns nothing and knows no protocol. It does know how Protocol Buffers are
//! laid out ([`wire`]), because that is what payloads and parameters are made of.

mod admission;
mod deadline;
mod error;
mod hop;
mod message;
mod names;
mod parameters;
mod payload;
mod request;
mod root_path;
pub mod wire;

pub use admission::{Admission, Admitted, Limits, Overload};
pub use deadline::Deadline;
pub use error::{Error, ErrorCode};
pub use hop::{Answer, Hop, HopInput, NodeIndex};
pub use message::{Exception, Header, Message, Route, Routes, Status, Timestamp};
pub use names::{DEFAULT_ENDPOINT, DRY_RUN_ENDPOINT, ExecutorName, InvalidName};
pub use parameters::{Entry, Parameters, RESULTS_KEY};
pub use payload::Payload;
pub use request::{Arrived, Context, Handler, Kind, Metadata, Parts, Request, Response, new_id};
pub use root_path::RootPath;
