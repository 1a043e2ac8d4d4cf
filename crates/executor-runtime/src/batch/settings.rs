//! How the documents of several requests are gathered into one call.

use std::sync::Arc;
use std::time::Duration;

use bytestring::ByteString;
use call::Payload;
use indexmap::IndexMap;

use crate::endpoint::{Bound, Code};
use crate::{Failure, HostError};

/// Documents of a batch where nobody says how many.
const SIZE: usize = 4;

/// How long documents wait where nobody says how long.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Dynamic batching, as the code or the configuration asks for it. What is `None` is left to the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Batching {
    /// The weight that makes a batch; documents weigh 1 unless the code says otherwise.
    pub preferred_batch_size: Option<usize>,
    /// How long the first document waits at most.
    pub timeout: Option<Duration>,
    /// Whether everything that waits becomes one call, however much it is.
    pub flush_all: Option<bool>,
    /// Whether documents weigh what the code says.
    pub use_custom_metric: Option<bool>,
    /// False switches batching off.
    pub use_dynamic_batching: Option<bool>,
}

/// What one encoded document weighs.
pub type Weigh = fn(Payload) -> Result<usize, Failure>;

/// Whether one encoded document is of the type that the function takes.
pub type Check = fn(Payload) -> Result<(), Failure>;

/// What the code says of batching.
#[derive(Debug, Clone, Copy, Default)]
pub struct Authored {
    /// Without it there is no batching, unless it is configured.
    pub batching: Option<Batching>,
    /// Without it each document weighs 1.
    pub weigh: Option<Weigh>,
    /// Without it a document of another type fails the whole batch.
    pub check: Option<Check>,
    /// Whether a batch that fails is called again request by request, so that only those fail whose documents
    /// are to blame.
    pub isolate_errors: bool,
}

/// How the calls of one endpoint are gathered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) size: u64,
    pub(crate) timeout: Duration,
    pub(crate) flush_all: bool,
    pub(crate) weigh: Option<Weigh>,
    pub(crate) check: Option<Check>,
    pub(crate) isolate_errors: bool,
}

impl Batching {
    /// What this says, and what `base` says of the rest.
    const fn over(self, base: Self) -> Self {
        /// `Option::or` is not `const`.
        macro_rules! or {
            ($field:ident) => {
                match self.$field {
                    Some(value) => Some(value),
                    None => base.$field,
                }
            };
        }
        Self {
            preferred_batch_size: or!(preferred_batch_size),
            timeout: or!(timeout),
            flush_all: or!(flush_all),
            use_custom_metric: or!(use_custom_metric),
            use_dynamic_batching: or!(use_dynamic_batching),
        }
    }

    fn rule(self, authored: &Authored) -> Option<Rule> {
        if self.use_dynamic_batching == Some(false) {
            return None;
        }
        let size = self.preferred_batch_size.unwrap_or(SIZE).max(1);
        Some(Rule {
            size: u64::try_from(size).unwrap_or(u64::MAX),
            timeout: self.timeout.unwrap_or(TIMEOUT),
            flush_all: self.flush_all.unwrap_or(false),
            weigh: authored.weigh.filter(|_| self.use_custom_metric.unwrap_or(true)),
            check: authored.check,
            isolate_errors: authored.isolate_errors,
        })
    }
}

/// The rule of each endpoint that has one. What is configured for an endpoint wins over what is configured for its
/// function, and that over what the code says.
pub(crate) fn rules(
    endpoints: &IndexMap<ByteString, Arc<Bound>>,
    configured: &IndexMap<String, Batching>,
    executor: &ByteString,
) -> Result<IndexMap<ByteString, Rule>, HostError> {
    for key in configured.keys() {
        let is_known = |(name, bound): (&ByteString, &Arc<Bound>)| **name == **key || *bound.method == **key;
        if !endpoints.iter().any(is_known) {
            let known = endpoints.iter().flat_map(|(name, bound)| [&**name, &*bound.method]);
            let known: indexmap::IndexSet<&str> = known.collect();
            return Err(HostError::UnknownBatching {
                key: key.clone(),
                executor: executor.to_string(),
                known: known.into_iter().collect::<Vec<_>>().join(", "),
            });
        }
    }
    let mut rules = IndexMap::new();
    for (name, bound) in endpoints {
        let layers =
            [configured.get(&**name), configured.get(&*bound.method), bound.authored.batching.as_ref()];
        let asked = layers.into_iter().flatten().copied().reduce(Batching::over);
        let Some(rule) = asked.and_then(|batching| batching.rule(&bound.authored)) else { continue };
        if matches!(bound.code, Code::Stream(_)) {
            tracing::warn!(endpoint = &**name, "endpoints that stream documents are not batched");
            continue;
        }
        rules.insert(name.clone(), rule);
    }
    Ok(rules)
}
