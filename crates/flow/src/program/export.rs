//! `flowgate export {kubernetes,docker-compose} FILE OUT`.

use std::process::ExitCode;

use config::{Environment, Export, FlowSpec};
use export::Error;
use server::chain;

use super::WRONG;
use super::output::{complain, print};

pub(super) fn run(export: &Export, env: &Environment) -> ExitCode {
    let (spec, warnings) = match FlowSpec::read_given(&export.file, env, &export.context) {
        Ok(read) => read,
        Err(problems) => {
            complain(&crate::Error::from(problems));
            return ExitCode::from(WRONG);
        }
    };
    for warning in warnings {
        complain(&format!("warning: {warning}"));
    }
    for deployment in spec.deployments.iter().filter(|deployment| deployment.external.is_some()) {
        complain(&format!("warning: executor `{}` is external and not exported", deployment.name));
    }
    let files = match ::export::export(&spec, export) {
        Ok(files) => files,
        Err(error) => return failed(&error),
    };
    match ::export::write(&files) {
        Ok(()) => print(&files.iter().map(|file| format!("{}\n", file.path.display())).collect::<String>()),
        Err(error) => failed(&error),
    }
}

fn failed(error: &Error) -> ExitCode {
    complain(&chain(error));
    match error {
        Error::Problems(_) => ExitCode::from(WRONG),
        Error::Write { .. } | Error::Yaml(_) => ExitCode::FAILURE,
    }
}
