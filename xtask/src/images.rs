//! `cargo xtask images`: the container images.

use std::fs;

use anyhow::Context as _;

use crate::{shell, workspace};

/// How to build them.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// With programs that cargo builds on this machine, instead of in a container.
    #[arg(long)]
    prebuilt: bool,
}

/// The programs that the images hold.
const PROGRAMS: [&str; 2] = ["flowgate", "search"];

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.prebuilt {
        return prebuilt();
    }
    shell::run(workspace::in_root("docker").args(["compose", "build"]))
}

/// The images with programs of this machine; it must be of the Debian release that the images are made of.
pub(crate) fn prebuilt() -> anyhow::Result<()> {
    let mut build = workspace::cargo();
    shell::run(build.args([
        "build",
        "--release",
        "--locked",
        "--package",
        "flowgate",
        "--package",
        "search",
    ]))?;
    let dist = workspace::root().join("dist");
    fs::create_dir_all(&dist)?;
    for program in PROGRAMS {
        let built = workspace::binaries("release").join(program);
        fs::copy(&built, dist.join(program)).with_context(|| format!("cannot copy {}", built.display()))?;
    }
    shell::run(workspace::in_root("docker").args(["compose", "build"]).env("BUILDER", "prebuilt"))
}
