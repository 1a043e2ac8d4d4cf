//! `flowgate check FILE`: is it right, and what does it mean?

use std::path::Path;
use std::process::ExitCode;

use config::Environment;
use executor_runtime::Registry;

use super::WRONG;
use super::output::{complain, print};
use crate::Flow;

pub(super) fn run(file: &Path, env: &Environment, registry: &Registry) -> ExitCode {
    match Flow::read_with(file, env, registry.clone()) {
        Ok(plan) => {
            for warning in plan.warnings() {
                complain(&format!("warning: {warning}"));
            }
            print(&format!("{plan}\n\n{}", plan.graph().to_mermaid()))
        }
        Err(error) => {
            complain(&error);
            ExitCode::from(WRONG)
        }
    }
}
