//! `cargo xtask tidy`: the rules of the style guide that no compiler checks.
//!
//! It is a test too, so that nobody has to remember it.

mod edges;
mod files;
mod manifests;
mod metadata;

use anyhow::bail;

use crate::{shell, workspace};

pub(crate) fn run() -> anyhow::Result<()> {
    let problems = problems()?;
    for problem in &problems {
        eprintln!("{problem}");
    }
    if !problems.is_empty() {
        bail!("the workspace is not tidy: {} problems", problems.len());
    }
    println!("the workspace is tidy");
    Ok(())
}

/// All of them, each a line that names the place.
fn problems() -> anyhow::Result<Vec<String>> {
    let metadata = metadata::Metadata::read()?;
    let mut problems = edges::check(&metadata);
    let listed = shell::output(workspace::in_root("git").args(["ls-files"]))?;
    for name in listed.lines() {
        // A file that is removed but not yet committed is listed and cannot be read, as binary files cannot.
        let Ok(text) = std::fs::read_to_string(workspace::root().join(name)) else { continue };
        problems.extend(files::check(name, &text));
        if name.ends_with("/Cargo.toml") {
            problems.extend(manifests::check(name, &text));
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_workspace_is_tidy() {
        let problems = super::problems().unwrap();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    }
}
