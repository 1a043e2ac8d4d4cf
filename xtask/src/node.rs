//! Node.js, and suites that are written for it.
//!
//! A suite is a directory with a `package.json` and its lock. It runs from a copy under the target directory, beside the
//! packages that the lock names, which are installed anew when the lock changes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::Context as _;

use crate::python::{Environment, remove};
use crate::{shell, workspace};

const LOCK: &str = "package-lock.json";
/// Older ones lack what the suites use.
const MIN_VERSION: u32 = 20;
/// Node.js as a Python package, for machines that have none.
const PACKAGED: &str = "tests/graphql/node-requirements.txt";

/// Runs every test of the suite in `directory`, a path in the workspace.
pub(crate) fn test(name: &str, directory: &str) -> anyhow::Result<()> {
    let path = path()?;
    let place = workspace::target().join("node").join(name);
    copy(&workspace::root().join(directory), &place)?;
    install(&place, &path)?;
    let mut node = Command::new("node");
    node.current_dir(&place).env("PATH", &path).env("FLOWGATE_BINARIES", workspace::binaries("debug"));
    shell::run(node.args(["--test", "--test-reporter", "spec"]))
}

/// The search path on which `node` and `npm` are.
fn path() -> anyhow::Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    if is_enough(&path) {
        return Ok(path);
    }
    let packaged = Environment::of("node", PACKAGED)?.programs();
    let path = env::join_paths([packaged].into_iter().chain(env::split_paths(&path)))?;
    Ok(path)
}

fn is_enough(path: &OsString) -> bool {
    let version = Command::new("node").arg("--version").env("PATH", path).output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let major =
        version.ok().and_then(|text| text.trim_start_matches('v').split('.').next()?.parse::<u32>().ok());
    major.is_some_and(|major| major >= MIN_VERSION)
        && shell::succeeds(Command::new("npm").arg("--version").env("PATH", path))
}

/// Brings the suite's files up to date; its packages stay.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(to)? {
        let path = entry?.path();
        if path.is_file() {
            fs::remove_file(path)?;
        }
    }
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn install(place: &Path, path: &OsString) -> anyhow::Result<()> {
    let packages: PathBuf = place.join("node_modules");
    let made_from = packages.join("made-from.json");
    let wanted = fs::read(place.join(LOCK)).context("the suite has no lock")?;
    if fs::read(&made_from).is_ok_and(|lock| lock == wanted) {
        return Ok(());
    }
    remove(&packages)?;
    let mut npm = Command::new("npm");
    npm.current_dir(place).env("PATH", path);
    shell::run(npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]))?;
    Ok(fs::write(made_from, wanted)?)
}
