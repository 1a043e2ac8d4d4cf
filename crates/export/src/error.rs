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
