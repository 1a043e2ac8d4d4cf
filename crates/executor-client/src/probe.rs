//! Asking replicas under suspicion how they are.

use std::sync::Arc;

use call::wire::Reader;
use call::{Deadline, Payload};
use grpc::client::{CallError, Message, Outgoing};
use http::uri::PathAndQuery;
use tonic::Code;

use crate::backoff::Backoff;
use crate::error::Failure;
use crate::link::Link;

/// `SERVING` in `grpc.health.v1`.
const SERVING: u64 = 1;

/// Probes the replica whenever it is suspected, and again and again while it fails.
pub(crate) async fn watch(link: Arc<Link>) {
    let probing = async {
        loop {
            link.replica.suspected().await;
            tokio::time::sleep(link.replica.rest(link.worker.settings.max_backoff)).await;
            let mut backoff = Backoff::of(&link.worker.settings);
            while let Err(why) = probe(&link).await {
                link.replica.eject(&why);
                tokio::time::sleep(backoff.pause()).await;
            }
            link.replica.restore();
        }
    };
    tokio::select! {
        () = link.gone.cancelled() => {}
        () = probing => {}
    }
}

/// Asks the replica for its health. Whoever answers at all is well, unless the answer is to stay away.
async fn probe(link: &Arc<Link>) -> Result<(), String> {
    let deadline = Deadline::after(link.worker.settings.probe_timeout);
    match deadline.bound(ask(link, deadline)).await {
        None => Err("it does not answer probes".to_owned()),
        Some(Ok(SERVING)) => Ok(()),
        Some(Ok(_)) => Err("it says that it does not serve".to_owned()),
        Some(Err(Failure::Call(CallError::Status(status)))) if status.code != Code::Unavailable => Ok(()),
        Some(Err(failure)) => Err(failure.to_string()),
    }
}

async fn ask(link: &Arc<Link>, deadline: Deadline) -> Result<u64, Failure> {
    let connection = link.connection().await.map_err(Failure::Connect)?;
    let outgoing = Outgoing {
        path: PathAndQuery::from_static(grpc::path::HEALTH_CHECK),
        headers: link.executor.headers.clone(),
        deadline,
        message: Message::Encode(grpc::Encoding::Identity, Payload::new()),
    };
    let reply = connection.call(outgoing).await.inspect_err(|error| {
        if error.never_began() && !error.is_reset() {
            link.retire(&connection);
        }
    })?;
    let (wire, _trailers) = reply.only().await?;
    let mut serving = 0;
    let mut reader = Reader::new(wire);
    while let Some(field) = reader.next()? {
        if field.number == 1 {
            serving = field.varint()?;
        }
    }
    Ok(serving)
}
