//! The WebSocket front end of the gateway.
//!
//! A connection to `/` carries many requests at once: each message is one, in `bytes` mode an encoded
//! `DataRequestProto`, otherwise a JSON object; each answer is one message, sent when it is there. An end marker asks
//! the gateway to answer what it has and close. An endpoint that streams answers with several messages. `/dry_run` tells whether the Flow can be reached. Plain HTTP on the
//! same port tells about the process.
//!
//! [`FrontEnd`] is one for the process; a [`Port`] answers the HTTP requests of one worker and opens connections;
//! `conversation` is what happens on one; `meter` and `frames` count what arrives before it is buffered.

mod close;
mod conversation;
mod dry_run;
mod frames;
mod handshake;
mod json;
mod meter;
mod mode;
mod plain;
mod port;
mod reply;
mod vigil;

pub use port::{FrontEnd, Port, Settings};

#[cfg(test)]
mod tests;
