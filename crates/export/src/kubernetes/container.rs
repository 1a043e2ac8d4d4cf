//! The containers of a pod.

use config::Protocol;

use super::PORT;
use crate::flow::{Image, Node};

/// A process in a pod.
#[derive(Debug, Clone)]
pub(super) struct Container {
    pub(super) name: &'static str,
    pub(super) image: Image,
    pub(super) arguments: Vec<String>,
    /// Its ports and what is spoken there; the first is asked whether the process is well.
    pub(super) ports: Vec<(u16, Protocol)>,
    /// Whether the ports speak TLS.
    pub(super) is_secure: bool,
    /// As `jina ping` calls it.
    pub(super) target: &'static str,
    /// Whether the deployment's GPUs are for it.
    pub(super) has_gpus: bool,
    /// Whether the deployment's volumes are for it.
    pub(super) has_volumes: bool,
}

/// Where the certificate and the key of a Kubernetes secret are mounted.
pub(super) const TLS_DIRECTORY: &str = "/etc/flowgate/tls";
/// Where the authorities of executors are mounted, and what the secret calls them.
pub(super) const CA_DIRECTORY: &str = "/etc/flowgate/executors";
pub(super) const CA_FILE: &str = "ca.crt";

impl Container {
    pub(super) fn executor(node: &Node<'_>, image: &Image, arguments: Vec<String>, port: u16) -> Self {
        Self {
            name: "executor",
            image: image.clone(),
            arguments,
            ports: (port..).zip(node.protocols.iter().copied()).collect(),
            is_secure: node.is_secure(),
            target: "executor",
            has_gpus: true,
            has_volumes: true,
        }
    }

    pub(super) fn head(node: &Node<'_>, arguments: Vec<String>, port: u16) -> Self {
        let executor = Self::executor(node, &node.head, arguments, port);
        Self { ports: vec![(port, Protocol::Grpc)], has_gpus: false, has_volumes: false, ..executor }
    }

    pub(super) fn beside(name: &'static str, image: &Image, arguments: Vec<String>, port: u16) -> Self {
        Self {
            name,
            image: image.clone(),
            arguments,
            ports: vec![(port, Protocol::Grpc)],
            is_secure: false,
            target: "executor",
            has_gpus: false,
            has_volumes: false,
        }
    }

    pub(super) fn gateway(
        image: &Image,
        arguments: Vec<String>,
        protocols: &[Protocol],
        is_secure: bool,
    ) -> Self {
        Self {
            name: "gateway",
            image: image.clone(),
            arguments,
            ports: (PORT..).zip(protocols.iter().copied()).collect(),
            is_secure,
            target: "gateway",
            has_gpus: false,
            has_volumes: false,
        }
    }
}

/// Which arguments of a process name its certificate and its key.
pub(super) const GATEWAY: [&str; 2] = ["--ssl-certfile", "--ssl-keyfile"];
pub(super) const EXECUTOR: [&str; 2] = ["--tls-certfile", "--tls-keyfile"];

/// Lets a process read its certificate and key from the mounted secret.
pub(super) fn use_tls_secret(arguments: &mut Vec<String>, [certificate, key]: [&str; 2]) {
    say(arguments, certificate, format!("{TLS_DIRECTORY}/tls.crt"));
    say(arguments, key, format!("{TLS_DIRECTORY}/tls.key"));
}

/// Lets a process trust executors by the mounted authorities.
pub(super) fn use_ca_secret(arguments: &mut Vec<String>) {
    say(arguments, "--executors-ca", format!("{CA_DIRECTORY}/{CA_FILE}"));
}

/// Whatever the file says of `name`.
fn say(arguments: &mut Vec<String>, name: &str, value: String) {
    match arguments.iter().position(|argument| argument == name) {
        Some(idx) => arguments[idx + 1] = value,
        None => arguments.extend([name.to_owned(), value]),
    }
}
