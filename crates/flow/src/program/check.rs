//! `flowgate check FILE`: is it right, and what does it mean?

use std::process::ExitCode;
use std::time::Duration;

use config::{Check, Environment};
use executor_runtime::Registry;
use tokio::runtime::Builder;

use super::WRONG;
use super::output::{complain, failed, print};
use crate::{Error, Flow, Plan, Said};

pub(super) fn run(check: &Check, env: &Environment, registry: &Registry) -> ExitCode {
    let plan = match Flow::read_with(&check.file, env, &check.context, registry.clone()) {
        Ok(plan) => plan,
        Err(error) => return failed(&error),
    };
    for warning in plan.warnings() {
        complain(&format!("warning: {warning}"));
    }
    let printed = print(&format!("{plan}\n\n{}", plan.graph().to_mermaid()));
    match check.live {
        Some(allowed) if printed == ExitCode::SUCCESS => ask(&plan, allowed),
        _ => printed,
    }
}

/// What the executors that run say to it.
fn ask(plan: &Plan, allowed: Duration) -> ExitCode {
    let asked = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(plan.ask(allowed)),
        Err(source) => Err(Error::System { what: "a runtime", source }),
    };
    let live = match asked {
        Ok(live) => live,
        Err(error) => return failed(&error),
    };
    let is_silent = |said: &Said| matches!(said, Said::Nothing { .. });
    let (silent, others): (Vec<_>, Vec<_>) = live.nodes.iter().partition(|node| is_silent(&node.said));
    let lines: String = others.iter().map(|node| format!("\n{node}")).collect();
    let printed = print(&lines);
    silent.iter().for_each(complain);
    live.problems.iter().for_each(complain);
    match (live.problems.is_empty(), silent.is_empty()) {
        (false, _) => ExitCode::from(WRONG),
        (true, false) => ExitCode::FAILURE,
        (true, true) => printed,
    }
}
