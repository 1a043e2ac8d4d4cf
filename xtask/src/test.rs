//! `cargo xtask test`: every test that needs no container engine.

use anyhow::Context as _;

use crate::python::Environment;
use crate::{browser, node, shell, workspace};

/// What to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Leave out the suite that runs Python beside our programs.
    #[arg(long)]
    no_interop: bool,
    /// Leave out the suite that opens our pages in a browser.
    #[arg(long)]
    no_browser: bool,
    /// Leave out the suite of Node.js, which asks GraphQL.
    #[arg(long)]
    no_node: bool,
    /// Only the suite that runs Python, and of it only what this expression of pytest (`-k`) selects.
    #[arg(long, value_name = "EXPRESSION", num_args = 0..=1, default_missing_value = "")]
    interop: Option<String>,
    /// Only the suite that opens our pages in a browser.
    #[arg(long)]
    browser: bool,
    /// Only the suite of Node.js.
    #[arg(long)]
    node: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(only) = &arguments.interop {
        return interop(Some(only));
    }
    if arguments.browser {
        return browser();
    }
    if arguments.node {
        return graphql();
    }
    if !arguments.no_interop {
        interop(None)?;
    }
    if !arguments.no_browser {
        browser()?;
    }
    if !arguments.no_node {
        graphql()?;
    }
    rust()
}

/// Every Rust test of the workspace.
pub(crate) fn rust() -> anyhow::Result<()> {
    // Before the tests, because some of them start these programs.
    shell::run(workspace::cargo().args(["build", "--locked", "--workspace", "--bins"]))?;
    if shell::succeeds(workspace::cargo().args(["nextest", "--version"])) {
        // Examples in documentation, which nextest does not know.
        shell::run(workspace::cargo().args(["test", "--locked", "--workspace", "--doc", "--quiet"]))?;
        let mut nextest = workspace::cargo();
        return shell::run(nextest.args(["nextest", "run", "--locked", "--workspace", "--no-fail-fast"]));
    }
    shell::run(workspace::cargo().args(["test", "--locked", "--workspace", "--no-fail-fast"]))
}

/// The suite in `tests/interop`: the Python client, gateway and executors with ours.
pub(crate) fn interop(only: Option<&str>) -> anyhow::Result<()> {
    shell::run(workspace::cargo().args(["build", "--locked", "--workspace", "--bins"]))?;
    let environment = Environment::of("interop", "tests/interop/requirements.txt")?;
    let schemathesis = Environment::of("schemathesis", "tests/interop/schemathesis-requirements.txt")?;
    let mut pytest = workspace::in_root(environment.program("python"));
    pytest.args(["-m", "pytest", "-q", "tests/interop"]);
    if let Some(only) = only.filter(|only| !only.is_empty()) {
        pytest.args(["-k", only]);
    }
    pytest.env("FLOWGATE_BINARIES", workspace::binaries("debug"));
    pytest.env("SCHEMATHESIS", schemathesis.program("schemathesis"));
    shell::run(&mut pytest).context("the interop suite failed")
}

/// The suite in `tests/browser`: Chromium with our pages.
pub(crate) fn browser() -> anyhow::Result<()> {
    shell::run(workspace::cargo().args(["build", "--locked", "--workspace", "--bins"]))?;
    let environment = Environment::of("browser", "tests/browser/requirements.txt")?;
    let mut pytest = workspace::in_root(environment.program("python"));
    pytest.args(["-m", "pytest", "-q", "tests/browser"]);
    pytest.env("FLOWGATE_BINARIES", workspace::binaries("debug"));
    pytest.env("FLOWGATE_PICTURES", workspace::target().join("pictures"));
    pytest.env("CHROMIUM", browser::chromium(&environment)?);
    shell::run(&mut pytest).context("the browser suite failed")
}

/// The suite in `tests/graphql`: clients and audits of GraphQL that are written in JavaScript.
pub(crate) fn graphql() -> anyhow::Result<()> {
    shell::run(workspace::cargo().args(["build", "--locked", "--workspace", "--bins"]))?;
    node::test("graphql", "tests/graphql").context("the suite of Node.js failed")
}
