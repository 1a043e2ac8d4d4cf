//! One call for each message.

use call::Deadline;
use grpc::client::{Message, Outgoing};
use grpc::path;
use http::HeaderMap;
use http::uri::PathAndQuery;
use tokio::time::Instant;

use super::{Latencies, Task, latencies, read, record};

/// Calls until the time is up, one call after the other.
pub(super) async fn run(task: Task) -> anyhow::Result<Latencies> {
    let mut latencies = latencies()?;
    let frame = proto::message::write_frame(&task.request);
    while !task.is_over() {
        let begin = Instant::now();
        let outgoing = Outgoing {
            path: PathAndQuery::from_static(path::PROCESS_SINGLE_DATA),
            headers: HeaderMap::new(),
            deadline: Deadline::NEVER,
            message: Message::Frame(frame.clone()),
        };
        let (wire, _trailers) = task.connection.call(outgoing).await?.only().await?;
        record(&mut latencies, begin);
        task.check(&read(wire)?)?;
    }
    Ok(latencies)
}
