//! A closed loop: as many calls in flight as asked for, each followed by the next as soon as it is answered.

mod http;
mod stream;
mod unary;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use call::{Message, Payload};
use grpc::client::{Connection, Options, Target, connect};
use hdrhistogram::Histogram;
use prost::Message as _;
use proto::jina::data_request_proto::DataContentProto;
use proto::jina::data_request_proto::data_content_proto::Documents;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::sample;

/// Whom to call, and how.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    /// Whom to call.
    #[arg(long)]
    address: SocketAddr,
    /// One gRPC call for each message, messages on gRPC streams, or JSON over HTTP.
    #[arg(long, value_enum, default_value_t = Kind::Unary)]
    call: Kind,
    /// Bytes of documents in each message.
    #[arg(long, default_value_t = 150)]
    payload: usize,
    /// Connections.
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// Messages in flight on each connection; with HTTP/1.1 each has a connection of its own.
    #[arg(long, default_value_t = 16)]
    in_flight: usize,
    /// Seconds to go on for; calls in flight at their end are finished and counted.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Kind {
    Unary,
    Stream,
    Http,
}

/// What came of it.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Report {
    answers: u64,
    seconds: f64,
    per_second: f64,
    p50_us: u64,
    p99_us: u64,
    max_us: u64,
}

/// What one connection's load needs to know.
#[derive(Clone)]
struct Task {
    connection: Connection,
    request: Message,
    until: Instant,
}

impl Task {
    fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Fails unless the answer holds the documents that were sent, every byte of them, or at least decodes to
    /// the same: who decodes and encodes documents does not keep the order of their fields, and executors in
    /// Python name the types of some.
    fn check(&self, answer: &Message) -> anyhow::Result<()> {
        ensure!(!answer.is_error(), "the answer reports an error: {:?}", answer.header.status);
        if answer.documents == self.request.documents {
            return Ok(());
        }
        let (sent, received) = (decode(&self.request)?, decode(answer)?);
        ensure!(sent == received, "the documents changed on their way");
        Ok(())
    }
}

fn decode(message: &Message) -> anyhow::Result<DataContentProto> {
    let documents = message.documents.clone().context("a message without documents")?;
    let mut content = DataContentProto::decode(documents)?;
    if let Some(Documents::Docs(list)) = &mut content.documents {
        for field in list.docs.iter_mut().flat_map(|doc| doc.data.values_mut()) {
            field.docarray_type = None;
        }
    }
    Ok(content)
}

fn read(wire: Payload) -> anyhow::Result<Message> {
    proto::message::read(wire).context("the answer is no message")
}

type Latencies = Histogram<u64>;

fn record(latencies: &mut Latencies, since: Instant) {
    latencies.saturating_record(since.elapsed().as_micros().try_into().unwrap_or(u64::MAX));
}

fn latencies() -> anyhow::Result<Latencies> {
    let most = Duration::from_secs(60).as_micros().try_into()?;
    Ok(Latencies::new_with_bounds(1, most, 3)?)
}

/// Fails if the last answers take too long.
pub(crate) async fn within_reason(arguments: &Arguments) -> anyhow::Result<Report> {
    let most = Duration::from_secs_f64(arguments.seconds) + Duration::from_secs(20);
    tokio::time::timeout(most, run(arguments)).await.context("some calls are not answered at all")?
}

async fn run(arguments: &Arguments) -> anyhow::Result<Report> {
    let connections = match arguments.call {
        Kind::Unary | Kind::Stream => connections(arguments).await?,
        Kind::Http => Connections::default(),
    };
    let request = sample::request(arguments.payload);
    let begin = Instant::now();
    let until = begin + Duration::from_secs_f64(arguments.seconds);
    let task =
        |connection: &Connection| Task { connection: connection.clone(), request: request.clone(), until };
    let mut tasks = JoinSet::new();
    match arguments.call {
        Kind::Unary => {
            for connection in &connections.open {
                for _ in 0..arguments.in_flight {
                    tasks.spawn(unary::run(task(connection)));
                }
            }
        }
        Kind::Stream => {
            for connection in &connections.open {
                tasks.spawn(stream::run(task(connection), arguments.in_flight));
            }
        }
        Kind::Http => {
            for _ in 0..arguments.connections * arguments.in_flight {
                let Arguments { address, payload, .. } = *arguments;
                tasks.spawn(http::run(http::Task { address, payload, until }));
            }
        }
    }
    let mut all = latencies()?;
    while let Some(latencies) = tasks.join_next().await {
        all.add(latencies??)?;
    }
    let seconds = begin.elapsed().as_secs_f64();
    Ok(Report {
        answers: all.len(),
        seconds,
        per_second: all.len() as f64 / seconds,
        p50_us: all.value_at_quantile(0.5),
        p99_us: all.value_at_quantile(0.99),
        max_us: all.max(),
    })
}

/// gRPC connections, and what drives them.
#[derive(Default)]
struct Connections {
    open: Vec<Connection>,
    _drivers: JoinSet<()>,
}

async fn connections(arguments: &Arguments) -> anyhow::Result<Connections> {
    let target = Target { authority: arguments.address.to_string().parse()?, tls: None };
    let mut drivers = JoinSet::new();
    let mut open = Vec::new();
    for _ in 0..arguments.connections {
        let (connection, driver) = connect(arguments.address, &target, &Options::default()).await?;
        drivers.spawn(driver);
        open.push(connection);
    }
    Ok(Connections { open, _drivers: drivers })
}
