//! The gateways that are compared, each before the same executor.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::process::{Process, free_port};
use crate::python::Environment;
use crate::{shell, workspace};

/// Who can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Kind {
    /// Nobody: the load goes to the executor itself.
    Direct,
    /// Our gateway.
    Flowgate,
    /// nginx with `grpc_pass`.
    Nginx,
    /// HAProxy.
    Haproxy,
    /// Jina's gateway in Python.
    Jina,
}

/// What the load speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// gRPC, on to the executor as it is.
    Grpc,
    /// JSON over HTTP, which becomes gRPC.
    Http,
}

impl Protocol {
    const fn name(self) -> &'static str {
        match self {
            Self::Grpc => "GRPC",
            Self::Http => "HTTP",
        }
    }

    /// The load that shows whether somebody answers.
    const fn probe(self) -> &'static [&'static str] {
        match self {
            Self::Grpc => &["--seconds", "0.01", "--connections", "1"],
            Self::Http => &["--call", "http", "--seconds", "0.01", "--connections", "1", "--in-flight", "1"],
        }
    }
}

/// One of them, running.
#[derive(Debug)]
pub(super) struct Contender {
    pub(super) kind: Kind,
    /// Where it takes calls.
    pub(super) address: String,
    process: Option<Process>,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [Self::Direct, Self::Flowgate, Self::Nginx, Self::Haproxy, Self::Jina];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Flowgate => "flowgate",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Jina => "jina",
        }
    }

    /// Whether it is on this machine; the others are built or installed by need.
    pub(super) fn is_installed(self) -> bool {
        match self {
            Self::Direct | Self::Flowgate | Self::Jina => true,
            Self::Nginx => shell::succeeds(Command::new("nginx").arg("-v")),
            Self::Haproxy => shell::succeeds(Command::new("haproxy").arg("-v")),
        }
    }

    /// Whether it can stand between such a load and an executor.
    pub(super) fn speaks(self, protocol: Protocol) -> bool {
        match protocol {
            Protocol::Grpc => true,
            Protocol::Http => matches!(self, Self::Flowgate | Self::Jina),
        }
    }

    /// The program's own word on its version.
    pub(super) fn version(self) -> anyhow::Result<String> {
        let mut command = match self {
            Self::Direct => return Ok("the executor itself".to_owned()),
            Self::Flowgate => {
                let mut git = workspace::in_root("git");
                git.args(["describe", "--always", "--dirty"]);
                git
            }
            // It says so on its error stream.
            Self::Nginx => {
                let mut sh = Command::new("sh");
                sh.args(["-c", "nginx -v 2>&1"]);
                sh
            }
            Self::Haproxy => {
                let mut haproxy = Command::new("haproxy");
                haproxy.arg("-v");
                haproxy
            }
            Self::Jina => {
                let mut jina = Command::new(python()?.program("jina"));
                jina.arg("-v");
                jina
            }
        };
        Ok(shell::output(&mut command)?.lines().next().unwrap_or_default().to_owned())
    }

    /// Starts it before the executor at `executor`; its files go to `directory`.
    pub(super) fn start(
        self,
        protocol: Protocol,
        executor: &str,
        directory: &Path,
    ) -> anyhow::Result<Contender> {
        if self == Self::Direct {
            return Ok(Contender { kind: self, address: executor.to_owned(), process: None });
        }
        let directory = directory.join(self.name());
        fs::create_dir_all(&directory)?;
        let port = free_port()?;
        let mut command = self.command(protocol, executor, port, &directory)?;
        let log = fs::File::create(directory.join("log.txt"))?;
        command.stdout(log.try_clone()?).stderr(log);
        let mut process = Process::start(self.name(), &mut command)?;
        let address = format!("127.0.0.1:{port}");
        let answers = || shell::succeeds(&mut load(&address, protocol.probe()));
        let log = directory.join("log.txt");
        process
            .wait_ready(Duration::from_secs(90), answers)
            .with_context(|| format!("what it said is in {}", log.display()))?;
        Ok(Contender { kind: self, address, process: Some(process) })
    }

    fn command(
        self,
        protocol: Protocol,
        executor: &str,
        port: u16,
        directory: &Path,
    ) -> anyhow::Result<Command> {
        let configured = |file: &str| -> anyhow::Result<PathBuf> {
            let template = fs::read_to_string(workspace::root().join("bench/contenders").join(file))?;
            let text = template
                .replace("@PORT@", &port.to_string())
                .replace("@EXECUTOR@", executor)
                .replace("@DIRECTORY@", &directory.to_string_lossy());
            let path = directory.join(file);
            fs::write(&path, text)?;
            Ok(path)
        };
        let mut command = match self {
            Self::Direct => bail!("nobody stands between, so nothing is started"),
            Self::Nginx => {
                let mut nginx = Command::new("nginx");
                nginx.arg("-p").arg(directory).arg("-c").arg(configured("nginx.conf")?);
                return Ok(nginx);
            }
            Self::Haproxy => {
                let mut haproxy = Command::new("haproxy");
                haproxy.arg("-f").arg(configured("haproxy.cfg")?);
                return Ok(haproxy);
            }
            Self::Flowgate => Command::new(workspace::binaries("release").join("gateway")),
            Self::Jina => {
                let mut jina = Command::new(python()?.program("jina"));
                jina.arg("gateway").env("JINA_LOG_LEVEL", "WARNING").env("JINA_OPTOUT_TELEMETRY", "1");
                jina
            }
        };
        command
            .args(["--host", "127.0.0.1", "--protocol", protocol.name(), "--port", &port.to_string()])
            .args(["--graph-description", r#"{"start-gateway": ["echo"], "echo": ["end-gateway"]}"#])
            .args(["--deployments-addresses", &format!(r#"{{"echo": ["grpc://{executor}"]}}"#)]);
        Ok(command)
    }
}

impl Contender {
    /// The process whose use of the machine is counted; none if nobody stands between.
    pub(super) fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }
}

/// The load generator, to be sent to `address`.
pub(super) fn load(address: &str, arguments: &[&str]) -> Command {
    let mut load = Command::new(workspace::binaries("release").join("bench"));
    load.args(["load", "--address", address]).args(arguments).stderr(Stdio::inherit());
    load
}

/// The Python that has Jina.
pub(super) fn python() -> anyhow::Result<Environment> {
    Environment::of("interop", "tests/interop/requirements.txt")
}
