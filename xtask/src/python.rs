//! The Python environment of the interop suite, and Python tools that come as packages.
//!
//! Environments lie under the target directory. Each keeps a copy of the lock that it was made from, and is
//! made anew when the lock changes.

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::Context as _;

use crate::{shell, workspace};

/// An environment that holds what the lock names.
#[derive(Debug)]
pub(crate) struct Environment {
    directory: PathBuf,
}

impl Environment {
    /// The environment `name` made from `lock`, a path in the workspace.
    pub(crate) fn of(name: &str, lock: &str) -> anyhow::Result<Self> {
        let directory = workspace::target().join("python").join(name);
        let lock = workspace::root().join(lock);
        let made_from = directory.join("made-from.txt");
        let wanted = fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
        let environment = Self { directory };
        if fs::read(&made_from).is_ok_and(|lock| lock == wanted) {
            return Ok(environment);
        }
        environment.make(&lock)?;
        fs::write(made_from, wanted)?;
        Ok(environment)
    }

    /// A program of the environment.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs().join(name)
    }

    /// Where its programs are.
    pub(crate) fn programs(&self) -> PathBuf {
        self.directory.join("bin")
    }

    fn make(&self, lock: &Path) -> anyhow::Result<()> {
        remove(&self.directory)?;
        let directory = self.directory.as_os_str();
        shell::run(workspace::in_root("python3").args(["-m", "venv"]).arg(directory))?;
        let python = self.program("python");
        // Resolving is not needed with a lock, but pip takes its time all the same; uv does not.
        let mut uv = workspace::in_root(&python);
        shell::run(uv.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"]))?;
        let mut install = workspace::in_root(self.program("uv"));
        install.args(["pip", "install", "--quiet", "--no-deps", "--python"]).arg(python);
        shell::run(install.arg("--requirement").arg(lock))
    }
}

/// Removes a directory that may not be there.
pub(crate) fn remove(directory: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", directory.display()))
        }
        _ => Ok(()),
    }
}
