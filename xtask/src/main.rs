//! `cargo xtask COMMAND`: what developers and CI run.
fn main() -> anyhow::Result<()> {
    anyhow::bail!("no command yet")
}
