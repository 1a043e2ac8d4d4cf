//! What manifests are to be like.

use std::path::PathBuf;

use indexmap::IndexMap;

/// `export FORMAT FILE OUT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// For what.
    pub format: ExportFormat,
    /// The Flow or Deployment.
    pub file: PathBuf,
    /// What `${{ CONTEXT.x }}` stands for in it.
    pub context: IndexMap<String, String>,
    /// A directory for Kubernetes, a file for docker-compose.
    pub out: PathBuf,
    /// The image of the gateway, of heads, and of executors that hand documents through.
    pub gateway_image: String,
    /// The image of executors that are in no image of their own.
    pub executor_image: Option<String>,
    /// The level of the log in every container, if it is to be another than the default.
    pub log_level: Option<String>,
}

/// What manifests are written for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportFormat {
    /// Kubernetes.
    Kubernetes(Box<Cluster>),
    /// docker-compose.
    DockerCompose {
        /// The network.
        network: String,
        /// Whether files of certificates and keys are taken from this machine, in place of the images.
        mounts_certificates: bool,
    },
}

/// What is to be said to Kubernetes beside the Flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The namespace; `None` means the one of the Flow.
    pub namespace: Option<String>,
    /// How processes are asked whether they are well.
    pub probes: Probes,
    /// How executors are found.
    pub services: Services,
    /// A Kubernetes secret with the gateway's certificate and key, in place of files in its image.
    pub tls_secret: Option<String>,
    /// Deployment → a secret with the certificate and key of its executors.
    pub executor_tls_secrets: IndexMap<String, String>,
    /// A secret with the authorities of those certificates.
    pub executors_ca_secret: Option<String>,
    /// Whether nodes may be drained of one pod of a workload at a time only.
    pub disruption_budgets: bool,
    /// Deployment, or `gateway` → how many replicas there may be.
    pub autoscale: IndexMap<String, Replicas>,
    /// Deployment, or `gateway` → what each of its pods needs.
    pub requests: IndexMap<String, Resources>,
    /// What volumes are claimed.
    pub claims: Claims,
}

/// How Kubernetes asks processes whether they are well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Probes {
    /// By gRPC and HTTP itself, which Kubernetes does from 1.24 on.
    #[default]
    Native,
    /// By running `jina ping` in the container.
    Exec,
}

/// What the name of an executor stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Services {
    /// All of its pods, among which the gateway chooses.
    #[default]
    Headless,
    /// One address, behind which Kubernetes or a service mesh chooses.
    ClusterIp,
}

/// Bounds of a number of replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replicas {
    /// At least one.
    pub least: u16,
    /// Not below `least`.
    pub most: u16,
}

/// Processor and memory, as Kubernetes writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resources {
    /// Such as `500m`.
    pub cpu: String,
    /// Such as `256Mi`.
    pub memory: String,
}

/// What volumes are claimed for executors with `volumes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// At least one.
    pub access_modes: Vec<String>,
    /// The storage class.
    pub class: String,
    /// Such as `10G`.
    pub capacity: String,
}
