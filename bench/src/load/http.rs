//! JSON over HTTP/1.1, one request after the other on a connection.

use std::net::SocketAddr;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Latencies, latencies, record};
use crate::sample;

/// One connection's load.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) address: SocketAddr,
    /// Bytes of documents in each request, as they would be encoded.
    pub(super) payload: usize,
    pub(super) until: Instant,
}

/// Posts documents until the time is up.
pub(super) async fn run(task: Task) -> anyhow::Result<Latencies> {
    let documents = json!([{ "id": sample::ID, "text": sample::text(task.payload) }]);
    let body: Bytes = json!({ "data": documents }).to_string().into();
    let stream = TcpStream::connect(task.address).await?;
    stream.set_nodelay(true)?;
    let (mut connection, driver) = http1::handshake(TokioIo::new(stream)).await?;
    let mut drivers = JoinSet::new();
    drivers.spawn(driver);
    let mut latencies = latencies()?;
    while Instant::now() < task.until {
        let request = Request::post(call::DEFAULT_ENDPOINT)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body.clone()))?;
        let begin = Instant::now();
        let answer = connection.send_request(request).await?;
        let status = answer.status();
        let content = answer.into_body().collect().await?.to_bytes();
        record(&mut latencies, begin);
        ensure!(status == StatusCode::OK, "answered with {status}: {}", String::from_utf8_lossy(&content));
        check(&content, &documents)?;
    }
    Ok(latencies)
}

/// Fails unless the answer holds the documents that were sent; fields that were not may stand beside them.
fn check(content: &[u8], documents: &Value) -> anyhow::Result<()> {
    let answer: Value = serde_json::from_slice(content).context("the answer is no JSON")?;
    let same = |field| answer["data"][0][field] == documents[0][field];
    ensure!(same("id") && same("text"), "the documents changed on their way");
    Ok(())
}
