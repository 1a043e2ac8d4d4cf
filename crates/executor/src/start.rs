//! Making an executor of its settings.

use std::sync::Arc;

use executor_runtime::{Entry, host};
use info::{Health, JINA_SERVICES, Report, Traffic};
use server::{Drain, Listener, Workers, tls};
use tracing::info;

use crate::{PortNumber, Running, Settings, StartError};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// Starts an executor on the threads of `workers`. When this returns it is ready. Its port is bound first, but
/// refuses connections while the executor is made, which may take long. Cancelling waits for nothing.
///
/// # Errors
///
/// If the executor cannot be made, or the system refuses what the settings ask for.
pub async fn start(settings: Settings, entry: Entry, workers: Arc<Workers>) -> Result<Running, StartError> {
    let number = match settings.port.number {
        PortNumber::Fixed(number) => number,
        PortNumber::Free => 0,
    };
    let listener = Listener::bind(&settings.port.host, number, BACKLOG)?;
    let address = listener.address();
    let tls = settings.tls.clone().map(|files| tls::Acceptor::new(files, &["h2"])).transpose()?;
    let drain = Drain::new();
    let handle = drain.handle();
    let mut hosting = settings.executor.clone();
    hosting.grpc.stop = handle.token().clone();
    // Its code may block.
    let hosted = tokio::task::spawn_blocking(move || host(&entry, hosting));
    let hosted = hosted.await.map_err(|_panicked| StartError::Panicked)??;

    let health = Health::new(handle.accepting());
    let latch = health.latch("the port");
    let control = info::control(Report::new(Traffic::default()), health.clone(), &JINA_SERVICES);
    let services = vec![hosted.grpc(control); workers.count()];
    let open = listener.open().map_err(|source| StartError::System { what: "an open port", source })?;
    let serve = server::serve(open, services, tls.clone(), settings.http, workers.clone(), handle.clone());
    handle.spawn_critical(serve);
    latch.set();
    info!(%address, name = settings.executor.name, executor = entry.class(), "executor started");
    let stop = handle.token().clone().drop_guard();
    Ok(Running {
        address,
        health,
        tls,
        hosted,
        drain,
        timing: settings.drain,
        _workers: workers,
        _stop: stop,
    })
}
