//! `flowgate flow --uses FILE`.

use std::process::ExitCode;

use config::{Environment, FlowCommand};
use executor_runtime::Registry;
use server::{Outcome, Signal, Signals, chain};
use tokio::runtime::Builder;

use super::WRONG;
use super::output::{complain, failed, print};
use crate::{Error, Flow, Plan};

pub(super) fn run(command: &FlowCommand, env: &Environment, registry: &Registry) -> ExitCode {
    let FlowCommand { file, context } = command;
    let plan = match Flow::read_with(file, env, context, registry.clone()) {
        Ok(plan) => plan,
        Err(error) => return failed(&error),
    };
    if let Err(error) = server::log::start(&plan.spec().gateway.log) {
        complain(&chain(&error));
        return ExitCode::from(WRONG);
    }
    for warning in plan.warnings() {
        tracing::warn!(%warning, "the Flow file");
    }
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(source) => return failed(&Error::System { what: "a runtime", source }),
    };
    match runtime.block_on(serve(plan)) {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::CutOff { .. }) => ExitCode::FAILURE,
        Err(error) => failed(&error),
    }
}

/// Signals count from the beginning: a Flow that waits for its executors can be stopped, too.
async fn serve(plan: Plan) -> Result<Outcome, Error> {
    let mut signals = Signals::new().map_err(|source| Error::System { what: "signals", source })?;
    let stopped = async { while signals.next().await != Signal::Stop {} };
    let running = tokio::select! {
        running = plan.start() => running?,
        () = stopped => return Ok(Outcome::Clean),
    };
    for (protocol, address) in running.addresses() {
        print(&format!("the Flow is ready: {} at {address}", protocol.name()));
    }
    running.block_on(signals).await
}
