//! Questions about the state of the peer.

use std::collections::HashMap;

use bytestring::ByteString;
use call::wire::Reader;
use call::{Deadline, Message, Parameters, Payload};
use docarray::discovery::Discovery;
use grpc::client::Outgoing;
use grpc::path;
use http::HeaderMap;
use http::uri::PathAndQuery;
use prost::Message as _;
use proto::jina::{EndpointsProto, JinaInfoProto};

use crate::{Client, Error, ExecutorError};

/// `SERVING` in `grpc.health.v1`.
const SERVING: u64 = 1;

/// What a process says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Info {
    /// Versions and platform.
    pub jina: HashMap<String, String>,
    /// Variables of its environment.
    pub envs: HashMap<String, String>,
}

impl Client {
    /// Sends an empty document through the whole Flow.
    ///
    /// # Errors
    ///
    /// If it does not get through.
    pub async fn dry_run(&self) -> Result<(), Error> {
        let wire = self.ask(path::DRY_RUN, Payload::new()).await?;
        let mut message = Message::default();
        message.header.status = Some(Box::new(proto::message::read_status(wire)?));
        match ExecutorError::of(&message) {
            Some(error) => Err(Error::Executor(Box::new(error))),
            None => Ok(()),
        }
    }

    /// Whether the peer says that it serves. An unreachable one does not.
    pub async fn is_ready(&self) -> bool {
        let Ok(wire) = self.ask(path::HEALTH_CHECK, Payload::new()).await else { return false };
        let mut reader = Reader::new(wire);
        let mut serving = false;
        while let Ok(Some(field)) = reader.next() {
            if field.number == 1 {
                serving = field.varint() == Ok(SERVING);
            }
        }
        serving
    }

    /// Versions, platform and environment of the peer.
    ///
    /// # Errors
    ///
    /// If it does not answer.
    pub async fn status(&self) -> Result<Info, Error> {
        let info: JinaInfoProto = self.ask_proto(path::STATUS).await?;
        Ok(Info { jina: info.jina, envs: info.envs })
    }

    /// The endpoints that can be called, and the schemas of their documents.
    ///
    /// # Errors
    ///
    /// If the peer does not answer.
    pub async fn endpoints(&self) -> Result<Discovery, Error> {
        let answer: EndpointsProto = self.ask_proto(path::ENDPOINT_DISCOVERY).await?;
        let schemas = answer.schemas.unwrap_or_default().encode_to_vec();
        let endpoints = answer.endpoints.into_iter().map(ByteString::from);
        let write_endpoints = answer.write_endpoints.into_iter().map(ByteString::from).collect();
        Discovery::read(endpoints, write_endpoints, &Parameters::from_wire(schemas.into()))
            .map_err(|source| Error::Control { path: path::ENDPOINT_DISCOVERY, source: source.into() })
    }

    async fn ask_proto<T: prost::Message + Default>(&self, path: &'static str) -> Result<T, Error> {
        let wire = self.ask(path, Payload::new()).await?;
        T::decode(wire).map_err(|source| Error::Control { path, source: source.into() })
    }

    async fn ask(&self, path: &'static str, question: Payload) -> Result<Payload, Error> {
        let allowed = self.connector.settings().control_timeout;
        let deadline = Deadline::after(allowed);
        let outgoing = || Outgoing {
            path: PathAndQuery::from_static(path),
            headers: HeaderMap::new(),
            deadline,
            message: grpc::client::Message::Encode(grpc::Encoding::Identity, question.clone()),
        };
        let answer = async {
            let only = self.connector.call(outgoing).await?.only().await;
            only.map(|(wire, _trailers)| wire).map_err(|error| Error::of_call(error, None))
        };
        deadline.bound(answer).await.unwrap_or(Err(Error::DeadlineExceeded { allowed }))
    }
}
