//! Chromium for the tests of the pages.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::python::Environment;
use crate::{shell, workspace};

/// What it is called where it comes with the system.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The variable that says where it is otherwise.
const VARIABLE: &str = "CHROMIUM";

/// Chromium: what `CHROMIUM` names, or what is there, or what Debian or Playwright has, which is installed.
pub(crate) fn chromium(environment: &Environment) -> anyhow::Result<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return Ok(named.into());
    }
    if let Some(found) = installed() {
        return Ok(found);
    }
    if has_apt() {
        apt(&["update", "-q"])?;
        apt(&["install", "-q", "-y", "--no-install-recommends", "chromium"])?;
        return installed().context("Debian's chromium has no such program");
    }
    of_playwright(environment).with_context(|| {
        format!(
            "no Chromium is here: install it, or set {VARIABLE}, or leave its tests out with --no-browser"
        )
    })
}

fn installed() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let places = std::env::split_paths(&path).flat_map(|directory| NAMES.map(|name| directory.join(name)));
    let mut places = places.filter(|place| place.is_file());
    places.find(|place| shell::succeeds(Command::new(place).arg("--version")))
}

/// Whether Debian's packages can be installed, for which one has to be root.
fn has_apt() -> bool {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    is_root && shell::succeeds(Command::new("apt-get").arg("--version"))
}

fn apt(arguments: &[&str]) -> anyhow::Result<()> {
    let mut apt = Command::new("apt-get");
    shell::run(apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// The one that Playwright downloads, under the target directory.
fn of_playwright(environment: &Environment) -> anyhow::Result<PathBuf> {
    let directory = workspace::target().join("chromium");
    let mut install = Command::new(environment.program("playwright"));
    install.args(["install", "--only-shell", "chromium"]).env("PLAYWRIGHT_BROWSERS_PATH", &directory);
    shell::run(&mut install)?;
    let found = program_under(&directory)?;
    found.with_context(|| format!("no browser under {}", directory.display()))
}

fn program_under(directory: &Path) -> anyhow::Result<Option<PathBuf>> {
    const PROGRAMS: [&str; 3] = ["chrome", "headless_shell", "chrome-headless-shell"];
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let is_it = path.file_name().is_some_and(|name| PROGRAMS.iter().any(|program| name == *program));
        if path.is_file() && is_it {
            return Ok(Some(path));
        }
        if path.is_dir()
            && let Some(found) = program_under(&path)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
