//! `flowgate ping {gateway,executor,flow} ADDRESS`.

use std::process::ExitCode;
use std::time::Duration;

use config::{Ping, PingTarget};
use info::Subject;
use server::chain;

use super::output::{complain, print};

/// For rounds without a limit: a day is as good as none.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn run(ping: &Ping) -> ExitCode {
    let scheme = match (ping.protocol, ping.secure) {
        (config::Protocol::Grpc, false) => "grpc",
        (config::Protocol::Grpc, true) => "grpcs",
        (config::Protocol::Http | config::Protocol::WebSocket, false) => "http",
        (config::Protocol::Http | config::Protocol::WebSocket, true) => "https",
    };
    let address = format!("{scheme}://{}:{}", ping.host, ping.port);
    let address = match address.parse() {
        Ok(address) => address,
        Err(error) => {
            complain(&chain(&error));
            return ExitCode::from(super::WRONG);
        }
    };
    let question = info::Ping {
        subject: match ping.target {
            PingTarget::Gateway | PingTarget::Executor => Subject::Process,
            PingTarget::Flow => Subject::Flow,
        },
        address,
        allowed: ping.timeout.unwrap_or(LONGEST),
        attempts: ping.attempts,
        min_successful: ping.min_successful_attempts,
        credentials: info::Credentials {
            authorities: ping.authorities.clone(),
            identity: ping.identity.clone(),
        },
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&error);
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(info::ping(&question)) {
        Ok(()) => print("readiness check succeeded"),
        Err(error) => {
            complain(&chain(&error));
            ExitCode::FAILURE
        }
    }
}
