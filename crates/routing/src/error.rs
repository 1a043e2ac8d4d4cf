//! Why a request gets no answer from the graph.
//!
//! What the pool reports of an executor that cannot be reached is passed on as it is: it names the executor.

use bytestring::ByteString;
use call::wire::Malformed;
use call::{ErrorCode, ExecutorName};

/// A failure of the routing itself.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// A streaming call, and nobody to answer it.
    #[error("no executor serves endpoint `{endpoint}`")]
    UnknownEndpoint {
        /// The endpoint.
        endpoint: ByteString,
    },
    /// A target that cannot be understood.
    #[error("target_executor `{pattern}` is not a regular expression")]
    Target {
        /// The expression.
        pattern: ByteString,
        /// Why not.
        source: Box<regex::Error>,
    },
    /// The parameters of the request are no message.
    #[error("the parameters of the request are malformed")]
    Parameters {
        /// What is wrong with them.
        #[source]
        source: Malformed,
    },
    /// The documents of the request are no message, and somebody must look into them.
    #[error("the documents of the request are malformed")]
    Documents {
        /// What is wrong with them.
        #[source]
        source: Malformed,
    },
    /// An executor's answer is no message, and somebody must look into it.
    #[error("the answer of executor `{executor}` is malformed")]
    Answer {
        /// The executor.
        executor: ExecutorName,
        /// What is wrong with it.
        #[source]
        source: Malformed,
    },
    /// The documents of several branches cannot be merged.
    #[error("the documents of the branches before executor `{executor}` are malformed")]
    Merge {
        /// The executor they come together at.
        executor: ExecutorName,
        /// What is wrong with them.
        #[source]
        source: Malformed,
    },
    /// Another kind of answer than was asked for.
    #[error("executor `{executor}` answered a call for {asked} with the other kind")]
    Kind {
        /// The executor.
        executor: ExecutorName,
        /// What it was asked for.
        asked: &'static str,
    },
    /// One document cannot be answered by several streams.
    #[error("executor `{executor}` is asked on all its shards here, which a stream of documents cannot be")]
    StreamOfShards {
        /// The executor.
        executor: ExecutorName,
    },
    /// There is nobody to ask.
    #[error("no shard of executor `{executor}` was asked")]
    NoShard {
        /// The executor.
        executor: ExecutorName,
    },
    /// The parts of a join, which only executors are sent.
    #[error("a gateway takes one request at a time, not the parts of a join")]
    Parts,
    /// Too much goes on that no client waits for.
    #[error("too many floating calls in flight: the limit is {limit}")]
    Floating {
        /// The limit.
        limit: usize,
    },
}

impl From<Error> for call::Error {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::UnknownEndpoint { .. } => ErrorCode::NotFound,
            Error::Target { .. } | Error::Parameters { .. } | Error::Documents { .. } => {
                ErrorCode::InvalidRequest
            }
            Error::Answer { .. } | Error::Merge { .. } | Error::Kind { .. } | Error::NoShard { .. } => {
                ErrorCode::Internal
            }
            Error::Parts | Error::StreamOfShards { .. } => ErrorCode::Unimplemented,
            Error::Floating { .. } => ErrorCode::Overloaded,
        };
        Self::new(code, error)
    }
}
