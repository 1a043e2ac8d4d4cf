//! One call of the gateway to one executor.

use std::fmt;

use crate::{Context, Message, Parts};

/// The place of an executor in the graph; stable while the graph lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeIndex(pub usize);

/// A call to one executor. Cloning is cheap, so that a failed call can be made again.
#[derive(Debug, Clone)]
pub struct Hop {
    /// Whom to call.
    pub node: NodeIndex,
    /// What to send.
    pub input: HopInput,
    /// The deadline and the headers of the request behind it.
    pub context: Context,
}

/// What an executor is sent.
#[derive(Debug, Clone)]
pub enum HopInput {
    /// One message, answered by one.
    One(Message),
    /// The parts of a join that is not merged, answered by one message. Never empty.
    Many(Vec<Message>),
    /// One document, answered by a stream.
    Stream(Message),
}

/// What an executor answered.
#[expect(
    clippy::large_enum_variant,
    reason = "one message is the rule; a box would cost every request an allocation"
)]
pub enum Answer {
    /// One message, and whether the executor marked it as failed beside its status.
    One {
        /// The answer.
        message: Message,
        /// What follows must not be called.
        failed: bool,
    },
    /// A stream of single documents.
    Stream(Parts),
}

impl HopInput {
    /// The message that tells the endpoint.
    #[must_use]
    pub fn first(&self) -> Option<&Message> {
        match self {
            Self::One(message) | Self::Stream(message) => Some(message),
            Self::Many(messages) => messages.first(),
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One { message, failed } => {
                f.debug_struct("One").field("message", message).field("failed", failed).finish()
            }
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}
