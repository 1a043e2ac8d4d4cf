//! What cannot be exported.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why there are no manifests.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The Flow, or what was asked for, must be changed.
    #[error("{}", Lines(.0))]
    Problems(Vec<Problem>),
    /// A file cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An object has no YAML.
    #[error("a manifest cannot be put into YAML")]
    Yaml(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Something about a Flow that cannot be exported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// An executor is in no image.
    #[error(
        "executor `{deployment}` runs `{uses}`, which is in no image: write `uses: docker://IMAGE`, or name the \
         image that knows it with --executor-image"
    )]
    InNoImage {
        /// The deployment.
        deployment: String,
        /// What it runs.
        uses: String,
    },
    /// An executor of the Hub.
    #[error(
        "executor `{deployment}` runs `{uses}`, and the Hub is not asked for its image: write `uses: docker://IMAGE`"
    )]
    Hub {
        /// The deployment.
        deployment: String,
        /// What it runs.
        uses: String,
    },
    /// The gateway could not call it.
    #[error("executor `{deployment}` does not speak GRPC, so that the gateway cannot call it")]
    NoGrpc {
        /// The deployment.
        deployment: String,
    },
    /// Two names are the same for Kubernetes and docker-compose.
    #[error("`{one}` and `{other}` would both be called `{name}`")]
    SameName {
        /// A deployment.
        one: String,
        /// Another.
        other: String,
        /// Their name in manifests.
        name: String,
    },
    /// A name that nothing in a manifest may have.
    #[error("`{name}` is no name for {what}: small letters, digits and `-`, at most 63 of them")]
    NoName {
        /// The name.
        name: String,
        /// What it is to name.
        what: &'static str,
    },
    /// An argument is about a deployment that the Flow does not have.
    #[error("{argument}: the Flow has no deployment `{deployment}`")]
    NoDeployment {
        /// The argument.
        argument: &'static str,
        /// The deployment.
        deployment: String,
    },
    /// It is not known that what runs in it can take part in consensus.
    #[error(
        "executor `{deployment}` is stateful and runs in the image `{image}` of its own, where `jina executor` starts \
         it: replicas of Jina's cannot be joined in containers. Name the executor in `uses`, and with --executor-image \
         an image of Flowgate that knows it"
    )]
    StatefulImage {
        /// The deployment.
        deployment: String,
        /// Its image.
        image: String,
    },
    /// There is nothing to keep consistent.
    #[error("executor `{deployment}` is stateful and runs nothing: it has no state; leave out `stateful`")]
    StatefulPassThrough {
        /// The deployment.
        deployment: String,
    },
    /// Its replicas could not call each other.
    #[error(
        "executor `{deployment}` is stateful and does not speak GRPC, by which its replicas call each other"
    )]
    StatefulWithoutGrpc {
        /// The deployment.
        deployment: String,
    },
    /// It is not known where a volume is to be mounted.
    #[error(
        "the workspace `{workspace}` of stateful executor `{deployment}` is relative: in a container it must be \
         absolute, such as `/workspace`, so that a volume can be there"
    )]
    RelativeWorkspace {
        /// The deployment.
        deployment: String,
        /// Its workspace.
        workspace: String,
    },
    /// A replica that starts again would have forgotten what it promised to the others.
    #[error(
        "the workspace `{workspace}` of stateful executor `{deployment}` is on no volume: its state would be lost with \
         its container. Name a volume for it in `volumes`, or leave out `volumes` and `disable_auto_volume`"
    )]
    StateOnNoVolume {
        /// The deployment.
        deployment: String,
        /// Its workspace.
        workspace: String,
    },
    /// Replicas know each other from the beginning.
    #[error(
        "--autoscale: executor `{deployment}` is stateful: it has the replicas that the Flow says, which know each other"
    )]
    StatefulScaled {
        /// The deployment.
        deployment: String,
    },
    /// Pods get labels that are longer than the name.
    #[error("`{name}` is too long for the StatefulSet of a stateful executor: at most {most} characters")]
    LongSet {
        /// The deployment, or a shard of it.
        name: String,
        /// How long it may be.
        most: usize,
    },
    /// The service between replicas is called like a deployment.
    #[error("`{other}` and the service between the replicas of `{deployment}` would both be called `{name}`")]
    PeersName {
        /// The stateful deployment, or a shard of it.
        deployment: String,
        /// Another deployment.
        other: String,
        /// Their name in manifests.
        name: String,
    },
}

/// One problem a line.
struct Lines<'a>(&'a [Problem]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.0.iter().enumerate() {
            let separator = if number == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}
