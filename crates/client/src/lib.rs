//! The client: requests to a Flow or a single executor, with typed documents.
//!
//! ```no_run
//! # async fn example(docs: Vec<docarray::documents::TextDoc>) -> Result<(), client::Error> {
//! use client::Client;
//! use docarray::documents::TextDoc;
//!
//! let client = Client::connect("grpc://localhost:12345").await?;
//! let answers = client.post("/index").inputs(docs).request_size(10).in_order(true).collect::<TextDoc>().await?;
//! # Ok(())
//! # }
//! ```
//!
//! A [`Client`] is a cheap handle to one connection, which is made again when it breaks. [`Client::post`] begins a
//! request; nothing is sent before its answer is polled, and dropping the answer cancels what is not finished.

mod address;
mod connector;
mod control;
mod error;
mod inputs;
mod messages;
mod post;
mod response;
mod settings;
mod tls;

use std::sync::Arc;

pub use address::{Address, InvalidAddress};
pub use call::{ErrorCode, Message, Payload, Route, Timestamp};
pub use control::Info;
pub use error::{Error, ExecutorError};
pub use grpc::Encoding;
pub use messages::Messages;
pub use post::Post;
pub use response::{Documents, Response, Responses};
pub use settings::Settings;
pub use tls::{Tls, TlsError};

use connector::Connector;

/// A handle to a Flow or an executor. Clones share one connection, which closes when the last is dropped.
#[derive(Debug, Clone)]
pub struct Client {
    connector: Arc<Connector>,
}

impl Client {
    /// Connects to an address such as `grpc://localhost:12345`, or `grpcs://…` for an encrypted connection.
    ///
    /// # Errors
    ///
    /// If the address is none, or nobody there speaks gRPC within [`Settings::patience`].
    pub async fn connect(address: &str) -> Result<Self, Error> {
        Self::connect_with(address, Settings::default()).await
    }

    /// Connects with settings of one's own.
    ///
    /// # Errors
    ///
    /// As [`Client::connect`]; or if the TLS settings are wrong.
    pub async fn connect_with(address: &str, settings: Settings) -> Result<Self, Error> {
        let client = Self::new(address, settings)?;
        client.connector.connection(call::Deadline::NEVER).await?;
        Ok(client)
    }

    /// A client that connects with its first request.
    ///
    /// # Errors
    ///
    /// If the address is none or the TLS settings are wrong.
    pub fn new(address: &str, settings: Settings) -> Result<Self, Error> {
        Ok(Self { connector: Arc::new(Connector::new(address.parse()?, settings)?) })
    }

    /// Begins a request to an endpoint, such as `/index`.
    pub fn post(&self, endpoint: &str) -> Post {
        Post::new(self.connector.clone(), endpoint)
    }

    /// Whether there is a connection now. Without one, the next request makes it.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connector.is_connected()
    }

    /// Where it connects to.
    #[must_use]
    pub fn address(&self) -> &Address {
        self.connector.address()
    }
}

#[cfg(test)]
mod tests;
