//! Messages on one stream, answered in any order.

use anyhow::{Context as _, ensure};
use call::Deadline;
use grpc::client::{Outbox, Reply};
use grpc::{Encoding, path};
use http::HeaderMap;
use http::uri::PathAndQuery;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Latencies, Task, latencies, read, record};

/// Keeps `in_flight` messages on their way until the time is up. A message's id is the number
/// of its place and a number of its own.
pub(super) async fn run(task: Task, in_flight: usize) -> anyhow::Result<Latencies> {
    let path = PathAndQuery::from_static(path::CALL);
    let opened = task.connection.open(path, HeaderMap::new(), Deadline::NEVER, Encoding::Identity).await?;
    let (outbox, reply) = opened;
    let (free, places) = mpsc::channel(in_flight);
    for place in 0..in_flight {
        free.send(place).await?;
    }
    // Both at once: a peer that cannot get rid of its answers reads no more messages.
    let receive = async { receive(&task, reply.await?, free, in_flight).await };
    let ((), latencies) = tokio::try_join!(send(&task, outbox, places), receive)?;
    Ok(latencies)
}

/// Sends a message for each place that is free.
async fn send(task: &Task, mut outbox: Outbox, mut places: mpsc::Receiver<usize>) -> anyhow::Result<()> {
    let mut message = task.request.clone();
    let mut sent = 0_usize;
    while let Some(place) = places.recv().await {
        sent += 1;
        message.header.request_id = format!("{place}-{sent}").into();
        outbox.send(proto::message::write(&message)).await?;
    }
    Ok(outbox.finish()?)
}

/// Takes the answers, and frees their places until the time is up.
async fn receive(
    task: &Task,
    mut reply: Reply,
    free: mpsc::Sender<usize>,
    in_flight: usize,
) -> anyhow::Result<Latencies> {
    let mut latencies = latencies()?;
    let mut begins = vec![Instant::now(); in_flight];
    while !task.is_over() {
        let place = next(task, &mut reply, &mut latencies, &mut begins).await?;
        begins[place] = Instant::now();
        free.send(place).await?;
    }
    drop(free);
    for _ in 0..in_flight {
        next(task, &mut reply, &mut latencies, &mut begins).await?;
    }
    ensure!(reply.next().await?.is_none(), "the stream goes on after its last answer");
    Ok(latencies)
}

/// Takes one answer and returns its place.
async fn next(
    task: &Task,
    reply: &mut Reply,
    latencies: &mut Latencies,
    begins: &mut [Instant],
) -> anyhow::Result<usize> {
    let wire = reply.next().await?.context("the stream ended before its answers")?;
    let answer = read(wire)?;
    let id = &answer.header.request_id;
    let place = id.split('-').next().and_then(|place| place.parse::<usize>().ok());
    let place = place.with_context(|| format!("`{id}` answers nothing that was asked"))?;
    let begin = begins.get(place).context("an answer to nothing that was asked")?;
    record(latencies, *begin);
    task.check(&answer)?;
    Ok(place)
}
