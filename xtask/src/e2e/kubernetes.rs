//! The deployment of `deploy/kustomize/overlays/ci`, in the cluster that kubectl talks to.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::say;
use crate::process::poll;
use crate::python::Environment;
use crate::{shell, workspace};

const OVERLAY: &str = "deploy/kustomize/overlays/ci";
const NAMESPACE: &str = "flowgate-e2e";
/// A pod that leaves goes on for 40 s and may take 25 s more.
const UNTIL_GONE: Duration = Duration::from_secs(120);

/// Names are looked up every ten seconds, and those who answer may remember for thirty.
const UNTIL_KNOWN: Duration = Duration::from_secs(90);

/// What is deployed. Dropping it deletes it.
struct Cluster {
    client: PathBuf,
    node: String,
}

pub(super) fn run(client: PathBuf, python: &Environment, node: &str) -> anyhow::Result<()> {
    let cluster = Cluster { client, node: node.to_owned() };
    let outcome = cluster.play(python);
    if outcome.is_err() {
        cluster.show();
    }
    outcome
}

impl Cluster {
    fn play(&self, python: &Environment) -> anyhow::Result<()> {
        say("everything is applied and becomes ready");
        self.cleared()?;
        shell::run(workspace::in_root("kubectl").args(["apply", "--kustomize", OVERLAY]))?;
        for workload in ["deployment/gateway", "deployment/segmenter", "statefulset/indexer"] {
            self.rolled_out(workload)?;
        }
        say("requests");
        let address = self.address()?;
        for command in ["fill", "find"] {
            let mut client = Command::new(&self.client);
            shell::run(client.args(["--address", &format!("grpc://{address}"), command]))?;
        }
        let mut search = workspace::in_root(python.program("python"));
        shell::run(search.args(["-W", "ignore", "tests/e2e/search.py", &address]))?;
        self.under_load("gateways are replaced one by one: no request fails", || {
            shell::run(self.kubectl().args(["rollout", "restart", "deployment/gateway"]))?;
            self.rolled_out("deployment/gateway")?;
            self.settled("app=gateway", 2)
        })?;
        self.under_load("segmenters are replaced one by one: no request fails", || {
            shell::run(self.kubectl().args(["rollout", "restart", "deployment/segmenter"]))?;
            self.rolled_out("deployment/segmenter")?;
            self.settled("app=segmenter", 2)
        })?;
        self.under_load("segmenters become four, then one: no request fails", || {
            for n in [4, 1] {
                let replicas = format!("--replicas={n}");
                shell::run(self.kubectl().args(["scale", "deployment/segmenter", &replicas]))?;
                self.rolled_out("deployment/segmenter")?;
                self.settled("app=segmenter", n)?;
            }
            Ok(())
        })?;
        shell::run(self.kubectl().args(["scale", "deployment/segmenter", "--replicas=2"]))?;
        self.rolled_out("deployment/segmenter")?;
        self.known("segmenter", 2)?;
        self.under_load("a segmenter is killed and replaced: no request fails", || {
            let pods = self.pods("app=segmenter")?;
            let pod = pods.first().context("there is no segmenter")?;
            shell::run(self.kubectl().args(["delete", pod, "--force", "--grace-period=0"]))?;
            self.rolled_out("deployment/segmenter")?;
            self.settled("app=segmenter", 2)
        })
    }

    fn kubectl(&self) -> Command {
        let mut kubectl = workspace::in_root("kubectl");
        kubectl.args(["--namespace", NAMESPACE]);
        kubectl
    }

    /// Waits until what an earlier run left is gone.
    fn cleared(&self) -> anyhow::Result<()> {
        let cleared = poll(UNTIL_GONE, || {
            let mut get = workspace::in_root("kubectl");
            get.args(["get", "namespace", NAMESPACE, "--ignore-not-found"]);
            Ok(!shell::output(get.args(["--output", "jsonpath={.status.phase}"]))?.contains("Terminating"))
        })?;
        ensure!(cleared, "the namespace {NAMESPACE} still ends after {UNTIL_GONE:?}");
        Ok(())
    }

    fn rolled_out(&self, workload: &str) -> anyhow::Result<()> {
        shell::run(self.kubectl().args(["rollout", "status", workload, "--timeout=180s"]))
    }

    /// The pods of a selector, those that are leaving included.
    fn pods(&self, selector: &str) -> anyhow::Result<Vec<String>> {
        let mut get = self.kubectl();
        let pods = shell::output(get.args(["get", "pods", "--selector", selector, "--output", "name"]))?;
        Ok(pods.lines().map(str::to_owned).collect())
    }

    /// Waits until those who leave have left.
    fn settled(&self, selector: &str, n: usize) -> anyhow::Result<()> {
        let settled = poll(UNTIL_GONE, || Ok(self.pods(selector)?.len() == n))?;
        ensure!(settled, "there are not {n} pods of {selector} after {UNTIL_GONE:?}");
        Ok(())
    }

    /// Waits until all gateways know so many replicas: names tell of new ones later than the cluster does.
    fn known(&self, executor: &str, n: usize) -> anyhow::Result<()> {
        let (news, wanted) = (format!("replicas changed executor={executor} "), format!("replicas={n}"));
        let all_know = poll(UNTIL_KNOWN, || {
            for pod in self.pods("app=gateway")? {
                let log = shell::output(self.kubectl().args(["logs", &pod]))?;
                if !log.lines().rfind(|line| line.contains(&news)).is_some_and(|line| line.ends_with(&wanted))
                {
                    return Ok(false);
                }
            }
            Ok(true)
        })?;
        ensure!(all_know, "not all gateways know {n} replicas of {executor} after {UNTIL_KNOWN:?}");
        Ok(())
    }

    /// Host and port of the gateway's gRPC, on the node.
    fn address(&self) -> anyhow::Result<String> {
        let mut get = self.kubectl();
        get.args(["get", "service/gateway", "--output", "jsonpath={.spec.ports[0].nodePort}"]);
        Ok(format!("{}:{}", self.node, shell::output(&mut get)?.trim()))
    }

    fn under_load(&self, act: &str, happen: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
        say(act);
        let address = format!("grpc://{}", self.address()?);
        let mut client = Command::new(&self.client);
        client.args(["--address", &address]);
        super::under_load(client, happen)
    }

    fn show(&self) {
        let commands: [&[&str]; 3] = [
            &["get", "pods", "--output=wide"],
            &["get", "events"],
            &["logs", "--selector=app", "--tail=50", "--prefix"],
        ];
        for command in commands {
            if let Err(error) = shell::run(self.kubectl().args(command)) {
                eprintln!("{error:#}");
            }
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut delete = workspace::in_root("kubectl");
        delete.args(["delete", "--kustomize", OVERLAY, "--ignore-not-found", "--wait=false"]);
        if let Err(error) = shell::run(&mut delete) {
            eprintln!("{error:#}");
        }
    }
}
