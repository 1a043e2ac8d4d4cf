//! A client of HTTP/1.1 on the level of bytes.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::soon;

/// Makes requests, each on a connection of its own.
#[derive(Debug, Clone, Copy)]
pub struct Web {
    address: SocketAddr,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// How it went.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// What came of the body.
    pub body: Vec<u8>,
    /// Whether it ended as it should.
    pub complete: bool,
}

impl Web {
    /// A client of what listens at `address`.
    #[must_use]
    pub const fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// Makes a request; `headers` are names and values in turn.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "127.0.0.1");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).expect("a request");
        soon("an answer over HTTP", self.exchange(request)).await
    }

    /// Sends JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, &[("content-type", "application/json")], &body.to_string()).await
    }

    /// Asks for something.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "").await
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Answer {
        let stream = TcpStream::connect(self.address).await.expect("a connection");
        let (mut requests, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
        let answer = async {
            let answer = requests.send_request(request).await.expect("an answer");
            let (parts, mut incoming) = answer.into_parts();
            let (mut body, mut complete) = (Vec::new(), true);
            while let Some(frame) = incoming.frame().await {
                match frame {
                    Ok(frame) => body.extend(frame.into_data().unwrap_or_default()),
                    Err(_) => complete = false,
                }
            }
            Answer { status: parts.status, headers: parts.headers, body, complete }
        };
        tokio::pin!(connection, answer);
        let mut is_open = true;
        loop {
            tokio::select! {
                answer = &mut answer => return answer,
                _end = &mut connection, if is_open => is_open = false,
            }
        }
    }
}

impl Answer {
    /// The body.
    ///
    /// # Panics
    ///
    /// If it is no JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header, or nothing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}
