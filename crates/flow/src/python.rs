//! Executors written in Python, run by the user's own `jina`.

mod child;
mod command;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

pub(crate) use child::Child;
pub(crate) use command::{Process, arguments};

/// How long a Python may take to say whether it has `jina`.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs `jina`, and ends it when the pipe to its standard input is closed: when the Flow is gone, however it went.
const BOOTSTRAP: &str = "\
import os, runpy, signal, sys, threading, time
def watch():
    while os.read(0, 4096):
        pass
    os.killpg(0, signal.SIGTERM)
    time.sleep(10)
    os.killpg(0, signal.SIGKILL)
threading.Thread(target=watch, daemon=True).start()
runpy.run_module('jina', run_name='__main__', alter_sys=True)
";

/// A `jina` installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Jina {
    /// A Python that can import it.
    Module(PathBuf),
    /// Its program.
    Program(PathBuf),
}

/// There is no `jina` to run Python executors with.
#[derive(Debug, thiserror::Error)]
pub enum NoJina {
    /// The variable names a Python without it.
    #[error("JINA_PYTHON is `{}`, which cannot import `jina`: install it there, or let JINA_PYTHON name a Python that has it", python.display())]
    Configured {
        /// The Python.
        python: PathBuf,
    },
    /// It is nowhere.
    #[error("no `jina` is installed: `pip install jina`, or let JINA_PYTHON name a Python that has it")]
    Nowhere,
}

impl Jina {
    /// Looks at `JINA_PYTHON`, then for a `python3` that has it, then for its program on the path.
    pub(crate) async fn find(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, NoJina> {
        if let Some(python) = variable("JINA_PYTHON").filter(|python| !python.is_empty()) {
            let python = PathBuf::from(python);
            return if imports_jina(&python).await {
                Ok(Self::Module(python))
            } else {
                Err(NoJina::Configured { python })
            };
        }
        let python = PathBuf::from("python3");
        if imports_jina(&python).await {
            return Ok(Self::Module(python));
        }
        let path = variable("PATH").unwrap_or_default();
        let programs = std::env::split_paths(&path).map(|folder| folder.join("jina"));
        programs.into_iter().find(|program| is_another(program)).map(Self::Program).ok_or(NoJina::Nowhere)
    }

    /// The command that runs an executor.
    pub(crate) fn run(&self, process: Process<'_>) -> Command {
        let mut command = self.command();
        command.args(arguments(process)).envs(process.variables);
        command
    }

    /// The command that runs it.
    fn command(&self) -> Command {
        let mut command = match self {
            Self::Module(python) => {
                let mut command = Command::new(python);
                command.args(["-c", BOOTSTRAP]);
                command
            }
            Self::Program(program) => Command::new(program),
        };
        // Its logo is nice, but not once for each replica.
        command.env("JINA_LOG_NO_COLOR", "1");
        command
    }
}

async fn imports_jina(python: &Path) -> bool {
    // Looking for the module is quick; importing it takes seconds.
    let look = "import importlib.util, sys; sys.exit(importlib.util.find_spec('jina') is None)";
    let mut command = Command::new(python);
    command.args(["-c", look]).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let answer = tokio::time::timeout(PATIENCE, command.status()).await;
    answer.is_ok_and(|status| status.is_ok_and(|status| status.success()))
}

/// Whether there is a program that is not this one: images carry it under the name `jina`, too.
fn is_another(program: &Path) -> bool {
    let Ok(program) = program.canonicalize() else { return false };
    let this = std::env::current_exe().and_then(|this| this.canonicalize());
    program.is_file() && this.map_or(true, |this| this != program)
}

#[cfg(test)]
mod tests;
