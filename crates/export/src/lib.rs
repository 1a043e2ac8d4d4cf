//! Manifests for Kubernetes and docker-compose from a Flow, equal in meaning to those that Jina exports.
//!
//! `flow::Flow` is what both have in common: the processes of a Flow, each with its image, its arguments and its
//! environment. Nothing here reads a file or a variable; [`write()`] is all that writes.

mod arguments;
mod compose;
mod error;
mod flow;
mod kubernetes;
mod names;
mod stateful;
mod yaml;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use config::{Export, ExportFormat, FlowSpec};

pub use error::{Error, Problem};

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where.
    pub path: PathBuf,
    /// YAML.
    pub content: String,
}

/// Makes the files that `export` asks for.
///
/// # Errors
///
/// Everything about the Flow that cannot be exported, at once.
pub fn export(spec: &FlowSpec, export: &Export) -> Result<Vec<File>, Error> {
    let flow = flow::Flow::new(spec, export)?;
    match &export.format {
        ExportFormat::Kubernetes(cluster) => kubernetes::files(&flow, cluster, &export.out),
        ExportFormat::DockerCompose { network, mounts_certificates } => {
            let content = compose::file(&flow, network, *mounts_certificates)?;
            Ok(vec![File { path: export.out.clone(), content }])
        }
    }
}

/// Writes the files, and the directories that they are to be in.
///
/// # Errors
///
/// [`Error::Write`] with the first file that could not be written.
pub fn write(files: &[File]) -> Result<(), Error> {
    for file in files {
        write_one(&file.path, &file.content)
            .map_err(|source| Error::Write { path: file.path.clone(), source })?;
    }
    Ok(())
}

fn write_one(path: &Path, content: &str) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(path, content)
}
