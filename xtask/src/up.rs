//! `cargo xtask up [FILE]`: a Flow on this machine, no container needed.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use crate::{shell, workspace};

/// Which Flow.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A Flow file; the search Flow if there is none.
    file: Option<PathBuf>,
}

/// The Flow that is run if none is named.
const EXAMPLE: &str = "examples/search/flow.yml";

/// What the program prints before the address of a port.
const READY: &str = "the Flow is ready: GRPC at ";

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let file = arguments.file.clone().unwrap_or_else(|| workspace::root().join(EXAMPLE));
    // Its program has the executors of the search Flow beside everything that `flowgate` has.
    shell::run(workspace::cargo().args(["build", "--release", "--locked", "--package", "search"]))?;
    let mut flow = Command::new(workspace::binaries("release").join("search"));
    flow.args(["flow", "--uses"]).arg(&file).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut flow = flow.spawn().context("cannot start the Flow")?;
    let id = flow.id().to_string();
    // The Flow drains and ends; this program ends with it, not before.
    ctrlc::set_handler(move || {
        shell::succeeds(Command::new("kill").args(["-TERM", &id]));
    })?;
    let printed = flow.stdout.take().context("the output is not piped")?;
    for line in BufReader::new(printed).lines() {
        let line = line?;
        println!("{line}");
        if let Some(address) = line.strip_prefix(READY) {
            println!("{}", invitation(address, arguments.file.is_none()));
        }
    }
    let status = flow.wait()?;
    if !status.success() {
        bail!("the Flow `{}` failed: {status}", file.display());
    }
    Ok(())
}

/// What to do with a Flow that is ready.
fn invitation(address: &str, is_example: bool) -> String {
    let host =
        address.strip_prefix("0.0.0.0").map_or_else(|| address.to_owned(), |port| format!("127.0.0.1{port}"));
    let client = workspace::binaries("release").join("search-client");
    let program = shown(&client);
    let mut text = format!("\nendpoint  grpc://{host}\n");
    if is_example {
        text.push_str(&format!(
            "index     {program} --address grpc://{host} index docs\n\
             search    {program} --address grpc://{host} search deadline\n"
        ));
    } else {
        let ping = shown(&workspace::binaries("release").join("search"));
        text.push_str(&format!("try       {ping} ping flow grpc://{host}\n"));
    }
    text.push_str("end       Ctrl-C, which finishes the requests under way\n");
    text
}

/// A path as it is typed in the current directory.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}
