//! `export`.

use std::path::PathBuf;

use indexmap::IndexMap;
use serde_json::Value;

use super::tools::{helped, row, text};
use crate::arguments::{self, Line};
use crate::form::{Form, expected};
use crate::table::Argument;
use crate::{
    Claims, Cluster, Command, Environment, Export, ExportFormat, Parsed, Place, Probes, Problem, Reason,
    Replicas, Resources, Services,
};

pub(super) const USAGE: &str = "export {kubernetes,docker-compose} FILE OUT";

static ARGUMENTS: [Argument; 16] = [
    super::tools::CONTEXT,
    row("k8s-namespace", &[], Form::Text, "Kubernetes namespace; the Flow's name if left out"),
    row("network-name", &["network_name"], Form::Text, "Network of docker-compose"),
    row(
        "mount-certificates",
        &[],
        Form::Flag,
        "docker-compose: mount the files of certificates and keys that the Flow names",
    ),
    row("outfile-path", &["outfile_path", "outpath"], Form::Text, "Where to write, in place of OUT"),
    row(
        "gateway-image",
        &[],
        Form::Text,
        "Image of gateway, heads and executors without code; JINA_GATEWAY_IMAGE if left out",
    ),
    row("executor-image", &[], Form::Text, "Image of executors that are in none of their own"),
    row(
        "probes",
        &[],
        Form::Choice { of: &["native", "exec"], exact: false },
        "Kubernetes: native probes, or `jina ping` for clusters before 1.24",
    ),
    row(
        "services",
        &[],
        Form::Choice { of: &["headless", "cluster-ip"], exact: false },
        "Kubernetes: whether the gateway sees every replica or one address for all",
    ),
    row("tls-secret", &[], Form::Text, "Kubernetes: secret with the gateway's certificate and key"),
    row(
        "executor-tls-secrets",
        &[],
        Form::KeyValue,
        "Kubernetes: secrets with the certificates and keys of executors, as DEPLOYMENT=SECRET",
    ),
    row(
        "executors-ca-secret",
        &[],
        Form::Text,
        "Kubernetes: secret whose `ca.crt` the gateway and heads trust executors by",
    ),
    row(
        "disruption-budgets",
        &[],
        Form::Flag,
        "Kubernetes: write a PodDisruptionBudget for each workload with replicas",
    ),
    row(
        "autoscale",
        &[],
        Form::KeyValue,
        "Kubernetes: write a HorizontalPodAutoscaler for each DEPLOYMENT=LEAST-MOST",
    ),
    row(
        "requests",
        &[],
        Form::KeyValue,
        "Kubernetes: what pods need, as DEPLOYMENT=CPU/MEMORY, such as gateway=500m/256Mi",
    ),
    row("log-level", &[], Form::Text, "Level of the log in all containers; JINA_LOG_LEVEL if left out"),
];

pub(super) fn arguments() -> Vec<&'static Argument> {
    ARGUMENTS.iter().collect()
}

pub(super) fn export(argv: &[String], env: &Environment) -> Result<Parsed, Vec<Problem>> {
    let line = arguments::parse(&arguments(), argv)?;
    if line.help {
        return Ok(helped(USAGE, &arguments()));
    }
    let mut problems = Vec::new();
    let mut positionals = line.positionals.iter();
    let format = match positionals.next().map(String::as_str) {
        Some("kubernetes") => Some(ExportFormat::Kubernetes(Box::new(cluster(&line, env, &mut problems)))),
        Some("docker-compose") => {
            let network = text(&line, "network-name").unwrap_or_else(|| "jina-network".to_owned());
            let mounts_certificates = line.values.get("mount-certificates") == Some(&Value::Bool(true));
            Some(ExportFormat::DockerCompose { network, mounts_certificates })
        }
        Some(other) => {
            let reason = expected("one of kubernetes, docker-compose", &other.into());
            problems.push(Problem::new(Place::Argument("FORMAT".to_owned()), reason));
            None
        }
        None => {
            problems.push(super::missing("the format, one of kubernetes, docker-compose,"));
            None
        }
    };
    let file = positionals.next().map(PathBuf::from);
    let out = positionals.next().cloned().or_else(|| text(&line, "outfile-path")).map(PathBuf::from);
    if file.is_none() {
        problems.push(super::missing("the Flow file"));
    }
    if out.is_none() {
        problems.push(super::missing("where to write"));
    }
    let variable = |name: &str| env.get(name).filter(|text| !text.is_empty()).cloned();
    match (format, file, out) {
        (Some(format), Some(file), Some(out)) if problems.is_empty() => {
            let gateway_image = text(&line, "gateway-image").or_else(|| variable("JINA_GATEWAY_IMAGE"));
            let export = Export {
                format,
                file,
                context: super::tools::given(&line),
                out,
                gateway_image: gateway_image.unwrap_or_else(|| "flowgate/gateway".to_owned()),
                executor_image: text(&line, "executor-image"),
                log_level: text(&line, "log-level").or_else(|| variable("JINA_LOG_LEVEL")),
            };
            Ok(Parsed { command: Command::Export(export), warnings: line.warnings })
        }
        _ => Err(problems),
    }
}

fn cluster(line: &Line, env: &Environment, problems: &mut Vec<Problem>) -> Cluster {
    let each = |name: &str| {
        let entries = line.values.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        entries.into_iter().filter_map(|(key, value)| Some((key, crate::form::text(&value)?)))
    };
    let (replicas, needs) = (each("autoscale"), each("requests"));
    let autoscale = collect(replicas, "--autoscale", "LEAST-MOST, such as 2-10", read_replicas, problems);
    let requests = collect(needs, "--requests", "CPU/MEMORY, such as 500m/256Mi", read_resources, problems);
    let variable = |name: &str, default: &str| {
        env.get(name).filter(|text| !text.is_empty()).map_or_else(|| default.to_owned(), Clone::clone)
    };
    let modes = variable("JINA_K8S_ACCESS_MODES", r#"["ReadWriteOnce"]"#);
    let access_modes = serde_json::from_str(&modes).unwrap_or_else(|_| {
        let reason = expected("a JSON list such as [\"ReadWriteOnce\"]", &modes.as_str().into());
        problems.push(Problem::new(Place::Variable("JINA_K8S_ACCESS_MODES".to_owned()), reason));
        Vec::new()
    });
    Cluster {
        namespace: text(line, "k8s-namespace"),
        probes: if text(line, "probes").as_deref() == Some("exec") { Probes::Exec } else { Probes::Native },
        services: match text(line, "services").as_deref() {
            Some("cluster-ip") => Services::ClusterIp,
            _ => Services::Headless,
        },
        tls_secret: text(line, "tls-secret"),
        executor_tls_secrets: each("executor-tls-secrets").collect(),
        executors_ca_secret: text(line, "executors-ca-secret"),
        disruption_budgets: line.values.get("disruption-budgets") == Some(&Value::Bool(true)),
        autoscale,
        requests,
        claims: Claims {
            access_modes,
            class: variable("JINA_K8S_STORAGE_CLASS_NAME", "standard"),
            capacity: variable("JINA_K8S_STORAGE_CAPACITY", "10G"),
        },
    }
}

fn collect<T>(
    entries: impl Iterator<Item = (String, String)>,
    argument: &str,
    what: &str,
    read: impl Fn(&str) -> Option<T>,
    problems: &mut Vec<Problem>,
) -> IndexMap<String, T> {
    let mut values = IndexMap::new();
    for (name, text) in entries {
        match read(&text) {
            Some(value) => {
                values.insert(name, value);
            }
            None => {
                let reason = Reason::Expected { expected: what.to_owned(), found: text };
                problems.push(Problem::new(Place::Argument(format!("{argument} {name}")), reason));
            }
        }
    }
    values
}

fn read_replicas(text: &str) -> Option<Replicas> {
    let (least, most) = text.split_once('-')?;
    let (least, most) = (least.trim().parse().ok()?, most.trim().parse().ok()?);
    (least > 0 && least <= most).then_some(Replicas { least, most })
}

fn read_resources(text: &str) -> Option<Resources> {
    let (cpu, memory) = text.split_once('/')?;
    let is_quantity = |text: &str| {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        digits.parse::<f64>().is_ok_and(|number| number > 0.0)
    };
    (is_quantity(cpu) && is_quantity(memory))
        .then(|| Resources { cpu: cpu.to_owned(), memory: memory.to_owned() })
}
