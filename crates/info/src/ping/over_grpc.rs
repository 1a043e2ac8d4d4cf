//! Health checks and dry runs over gRPC.

use std::time::Duration;

use bytes::Bytes;
use call::{Deadline, Payload};
use grpc::client::{self, CallError, Message, Options, Outgoing, Target, Tls};
use http::HeaderMap;
use http::uri::{Authority, PathAndQuery};
use prost::Message as _;
use proto::jina::StatusProto;
use proto::jina::status_proto::StatusCode;
use rustls::pki_types::ServerName;
use tonic_health::pb::HealthCheckResponse;
use tonic_health::pb::health_check_response::ServingStatus;

use super::tls::Encryption;
use super::{Address, PingError, Subject, without_end};

pub(super) async fn ask(
    subject: Subject,
    address: &Address,
    encryption: Encryption<'_>,
    allowed: Duration,
) -> Result<(), PingError> {
    let path = match subject {
        Subject::Process => grpc::path::HEALTH_CHECK,
        Subject::Flow => grpc::path::DRY_RUN,
    };
    // Both calls take an empty message: the empty service name stands for the whole process.
    let answer = call(path, address, encryption, allowed).await?;
    let unreadable = |source| PingError::Call { address: address.clone(), source: Box::new(source) };
    match subject {
        Subject::Process => {
            let health = HealthCheckResponse::decode(answer).map_err(unreadable)?;
            if health.status() == ServingStatus::Serving {
                return Ok(());
            }
            Err(PingError::NotReady { address: address.clone() })
        }
        Subject::Flow => {
            let status = StatusProto::decode(answer).map_err(unreadable)?;
            if status.code() == StatusCode::Success {
                return Ok(());
            }
            Err(PingError::DryRun { address: address.clone(), description: status.description })
        }
    }
}

async fn call(
    path: &'static str,
    address: &Address,
    encryption: Encryption<'_>,
    allowed: Duration,
) -> Result<Bytes, PingError> {
    let connect = |source| PingError::Connect { address: address.clone(), source };
    let authority = Authority::try_from(address.authority()).map_err(|error| connect(error.into()))?;
    let tls = encryption.config("h2").map_err(connect)?;
    let server_name = || ServerName::try_from(address.host.clone()).map_err(|error| connect(error.into()));
    let tls =
        tls.map(|config| Ok::<_, PingError>(Tls { config, server_name: server_name()? })).transpose()?;
    let target = Target { authority, tls };
    // The round as a whole is bounded already, so this bound must not come first.
    let connect_timeout = allowed.saturating_mul(2);
    let options = Options { connect_timeout, keepalive: None, ..Options::default() };
    let (connection, driver) = client::connect(address.resolve().await?, &target, &options)
        .await
        .map_err(|error| connect(error.into()))?;
    let outgoing = Outgoing {
        path: PathAndQuery::from_static(path),
        headers: HeaderMap::new(),
        deadline: Deadline::after(allowed),
        message: Message::Encode(grpc::Encoding::Identity, Payload::new()),
    };
    let answer = async {
        let (answer, _trailers) = connection.call(outgoing).await?.only().await?;
        Ok::<_, CallError>(answer.into_bytes())
    };
    tokio::select! {
        answer = answer => {
            answer.map_err(|source| PingError::Call { address: address.clone(), source: Box::new(source) })
        }
        never = without_end(driver) => match never {},
    }
}
