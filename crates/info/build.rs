//! Hands the versions of what the report names to the compiler.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let lock = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    let lock = fs::read_to_string(lock)?;
    for package in ["prost", "tonic", "serde_yaml"] {
        let version = locked_version(&lock, package).ok_or(format!("{package} is not in Cargo.lock"))?;
        println!("cargo::rustc-env={}_VERSION={version}", package.to_uppercase());
    }
    // Asking git at every build would build everything anew for every commit.
    println!("cargo::rerun-if-env-changed=FLOWGATE_COMMIT");
    let profile = env::var("PROFILE")?;
    let commit = env::var("FLOWGATE_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = commit.or_else(|| (profile == "release").then(head).flatten());
    println!("cargo::rustc-env=BUILD_COMMIT={}", commit.as_deref().unwrap_or("(unknown)"));
    println!("cargo::rustc-env=BUILD_PROFILE={profile}");
    let rustc = Command::new(env::var("RUSTC")?).arg("--version").output()?;
    println!("cargo::rustc-env=RUSTC_VERSION={}", String::from_utf8(rustc.stdout)?.trim());
    Ok(())
}

/// The commit that is checked out, where there is a repository.
fn head() -> Option<String> {
    let git =
        Command::new("git").args(["rev-parse", "HEAD"]).output().ok().filter(|git| git.status.success())?;
    Some(String::from_utf8(git.stdout).ok()?.trim().to_owned())
}

/// The version that stands in the line after the package's name.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{package}\""));
    lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')
}
