//! Health checks and dry runs over plain HTTP.

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::tls::Encryption;
use super::{Address, PingError, Subject, without_end};

/// Healthy answers are short.
const MAX_ANSWER: usize = 1 << 20;

/// What is read of the answer to a dry run.
#[derive(serde::Deserialize)]
struct DryRun {
    code: i64,
    #[serde(default)]
    description: String,
}

pub(super) async fn ask(
    subject: Subject,
    address: &Address,
    encryption: Encryption<'_>,
) -> Result<(), PingError> {
    let path = match subject {
        Subject::Process => "/",
        Subject::Flow => "/dry_run",
    };
    let (status, body) = get(path, address, encryption).await?;
    if status != StatusCode::OK {
        return Err(PingError::HttpStatus { address: address.clone(), status });
    }
    match subject {
        Subject::Process => Ok(()),
        Subject::Flow => {
            let failed = |source| PingError::Call { address: address.clone(), source: Box::new(source) };
            let DryRun { code, description } = serde_json::from_slice(&body).map_err(failed)?;
            if code == 0 {
                return Ok(());
            }
            Err(PingError::DryRun { address: address.clone(), description })
        }
    }
}

async fn get(
    path: &str,
    address: &Address,
    encryption: Encryption<'_>,
) -> Result<(StatusCode, Bytes), PingError> {
    let connect = |source| PingError::Connect { address: address.clone(), source };
    let stream = TcpStream::connect(address.resolve().await?).await.map_err(|error| connect(error.into()))?;
    let Some(config) = encryption.config("http/1.1").map_err(connect)? else {
        return get_over(stream, path, address).await;
    };
    let name = ServerName::try_from(address.host.clone()).map_err(|error| connect(error.into()))?;
    let stream = TlsConnector::from(config).connect(name, stream).await;
    get_over(stream.map_err(|error| connect(error.into()))?, path, address).await
}

async fn get_over(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    path: &str,
    address: &Address,
) -> Result<(StatusCode, Bytes), PingError> {
    let connect = |source| PingError::Connect { address: address.clone(), source };
    let (mut requests, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| connect(error.into()))?;
    let answer = async {
        let request = Request::get(path)
            .header(header::HOST, address.authority())
            .header(header::CONNECTION, "close")
            .body(Empty::<Bytes>::new())?;
        let answer = requests.send_request(request).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>((status, body.to_bytes()))
    };
    tokio::select! {
        answer = answer => answer.map_err(|source| PingError::Call { address: address.clone(), source }),
        never = without_end(connection) => match never {},
    }
}
