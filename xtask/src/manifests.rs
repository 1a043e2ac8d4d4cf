//! `cargo xtask manifests`: what `deploy/` and the exporter write, against the schemas of Kubernetes and itself.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use crate::python::Environment;
use crate::renderers::Renderers;
use crate::{shell, workspace};

/// The overlays and the version of Kubernetes whose schemas they keep. That of `ci` is for older ones than there are
/// schemas for.
const OVERLAYS: [(&str, &str); 3] = [("dev", "1.33"), ("prod", "1.33"), ("ci", "1.25")];

/// The version of everything else.
const VERSION: &str = "1.33";

pub(crate) fn run() -> anyhow::Result<()> {
    let environment = Environment::of("manifests", "xtask/manifests-requirements.txt")?;
    let directory = workspace::target().join("manifests");
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    fs::create_dir_all(&directory)?;
    let renderers = Renderers::of_this_machine()?;
    for (overlay, version) in OVERLAYS {
        let text = renderers.kustomize(&format!("deploy/kustomize/overlays/{overlay}"))?;
        validate(&environment, &directory, overlay, version, &text)?;
    }
    for (name, values) in [("default", None), ("tls", Some("tests/deploy/tls.values.yaml"))] {
        let text = renderers.helm("deploy/helm/flow", values)?;
        validate(&environment, &directory, &format!("chart-{name}"), VERSION, &text)?;
    }
    let (search, stateful) = ("examples/search/flow.yml", "tests/deploy/stateful.yml");
    for (name, flow, more) in
        [("exported", search, &[][..]), ("exported-tls", search, &TLS), ("exported-stateful", stateful, &[])]
    {
        let text = exported(flow, &directory.join(name), more)?;
        validate(&environment, &directory, name, VERSION, &text)?;
    }
    let mut pytest = workspace::in_root(environment.program("python"));
    pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/deploy"]);
    shell::run(pytest.env("MANIFESTS", directory))
}

/// Certificates for everything.
const TLS: [&str; 6] = [
    "--tls-secret",
    "gateway-tls",
    "--executor-tls-secrets",
    "segmenter=segmenter-tls",
    "indexer=indexer-tls",
    "--executors-ca-secret=executors-ca",
];

/// The manifests that `flowgate export` writes for a Flow like the example, all in one.
fn exported(flow: &str, out: &Path, more: &[&str]) -> anyhow::Result<String> {
    let mut export = workspace::cargo();
    export.args(["run", "--quiet", "--locked", "--package", "flowgate", "--", "export", "kubernetes"]);
    export.arg(flow).arg(out);
    export.args(["--executor-image", "flowgate/executor", "--disruption-budgets"]);
    export.args(["--autoscale", "gateway=2-10", "segmenter=2-10"]);
    export.args(["--requests", "gateway=500m/128Mi", "segmenter=500m/128Mi", "indexer=1/1Gi"]);
    export.args(more);
    let mut text = String::new();
    for file in shell::output(&mut export)?.lines() {
        text.push_str("---\n");
        text.push_str(&fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?);
    }
    Ok(text)
}

fn validate(
    environment: &Environment,
    directory: &Path,
    name: &str,
    version: &str,
    text: &str,
) -> anyhow::Result<()> {
    let file = directory.join(format!("{name}.yaml"));
    fs::write(&file, text)?;
    let mut validate = Command::new(environment.program("kubernetes-validate"));
    shell::run(validate.args(["--kubernetes-version", version, "--strict", "--quiet"]).arg(file))
}
