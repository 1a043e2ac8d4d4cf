//! A proxy that keeps what passes, frame by frame of HTTP/2.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A proxy before one address. It is gone when it is dropped.
#[derive(Debug)]
pub struct Wire {
    address: SocketAddr,
    /// What clients sent, connection by connection.
    sent: Arc<Mutex<Vec<Vec<u8>>>>,
    _tasks: JoinSet<()>,
}

/// A frame of HTTP/2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its type, such as [`Frame::PING`].
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// Its stream.
    pub stream: u32,
    /// What is in it.
    pub payload: Vec<u8>,
}

/// What HTTP/2 connections of clients begin with.
const PREFACE: usize = 24;

const HEAD: usize = 9;

impl Frame {
    /// A piece of a body.
    pub const DATA: u8 = 0;
    /// A ping, or with the flag 1 its answer.
    pub const PING: u8 = 6;
}

impl Wire {
    /// A proxy before `target`.
    ///
    /// # Panics
    ///
    /// If there is no port to be had.
    pub async fn before(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let sent = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        let all = sent.clone();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(target).await else { continue };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let number = {
                    let mut all = lock(&all);
                    all.push(Vec::new());
                    all.len() - 1
                };
                connections.spawn(pass(from_client, to_server, Some((all.clone(), number))));
                connections.spawn(pass(from_server, to_client, None));
            }
        });
        Self { address, sent, _tasks: tasks }
    }

    /// Where it is.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The complete frames that clients sent until now, over all connections.
    #[must_use]
    pub fn frames(&self) -> Vec<Frame> {
        lock(&self.sent).iter().flat_map(|bytes| frames(bytes.get(PREFACE..).unwrap_or_default())).collect()
    }

    /// The bodies that clients sent, one for each stream of each connection.
    #[must_use]
    pub fn bodies(&self) -> Vec<Vec<u8>> {
        let mut bodies = Vec::new();
        for bytes in lock(&self.sent).iter() {
            let frames = frames(bytes.get(PREFACE..).unwrap_or_default());
            let mut of_streams = std::collections::BTreeMap::<u32, Vec<u8>>::new();
            for frame in frames.into_iter().filter(|frame| frame.kind == Frame::DATA) {
                of_streams.entry(frame.stream).or_default().extend(frame.payload);
            }
            bodies.extend(of_streams.into_values());
        }
        bodies
    }
}

fn lock(sent: &Mutex<Vec<Vec<u8>>>) -> MutexGuard<'_, Vec<Vec<u8>>> {
    sent.lock().unwrap_or_else(PoisonError::into_inner)
}

type Record = (Arc<Mutex<Vec<Vec<u8>>>>, usize);

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, record: Option<Record>) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        if let Some((sent, number)) = &record {
            lock(sent)[*number].extend_from_slice(&buffer[..n]);
        }
        if to.write_all(&buffer[..n]).await.is_err() {
            return;
        }
    }
    // Whoever reads there learns that nothing more comes, if there is anybody left.
    let _gone = to.shutdown().await;
}

fn frames(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while bytes.len() >= HEAD {
        let length = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]) as usize;
        let stream = u32::from_be_bytes([bytes[5] & 0x7f, bytes[6], bytes[7], bytes[8]]);
        let Some(payload) = bytes.get(HEAD..HEAD + length) else { break };
        frames.push(Frame { kind: bytes[3], flags: bytes[4], stream, payload: payload.to_vec() });
        bytes = &bytes[HEAD + length..];
    }
    frames
}
