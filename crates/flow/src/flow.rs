//! A Flow in the making.

use std::path::Path;

use config::{Environment, FlowSpec};
use executor_runtime::Registry;
use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::builder::{self, Deployment, Gateway};
use crate::{Error, Plan, Running};

/// A Flow in the making: a gateway and what is behind it. Deployments stand in a chain unless they say otherwise.
#[derive(Debug, Clone, Default)]
#[must_use = "a Flow does nothing before it is started"]
pub struct Flow {
    with: Map<String, Value>,
    gateway: Map<String, Value>,
    executors: Vec<Value>,
    registry: Registry,
}

impl Flow {
    /// A gateway with nothing behind it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a Flow file. Executors are looked for in `registry`; all others are Python's.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn read(file: &Path, registry: Registry) -> Result<Plan, Error> {
        Self::read_with(file, &environment(), &IndexMap::new(), registry)
    }

    /// As [`Flow::read`], with variables of one's own in place of the process's, and with what `${{ CONTEXT.x }}`
    /// stands for.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn read_with(
        file: &Path,
        env: &Environment,
        given: &IndexMap<String, String>,
        registry: Registry,
    ) -> Result<Plan, Error> {
        let (spec, warnings) = FlowSpec::read_given(file, env, given)?;
        Plan::new(spec, warnings, registry)
    }

    /// Sets the gateway up.
    pub fn config_gateway(mut self, configure: impl FnOnce(Gateway) -> Gateway) -> Self {
        self.gateway.extend(configure(Gateway::default()).into_options());
        self
    }

    /// Adds a node behind the last one, or behind those that it needs.
    #[expect(clippy::should_implement_trait, reason = "it is called so in every Flow, and adds no two Flows")]
    pub fn add(mut self, deployment: Deployment) -> Self {
        let (options, register) = deployment.into_parts();
        self.registry = register(self.registry);
        self.executors.push(options.into());
        self
    }

    /// Adds a node that waits for all of `names` and merges what they return.
    pub fn needs<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>, name: &str) -> Self {
        let names = names.into_iter().map(|name| name.as_ref().into()).collect();
        self.executors.push(builder::join(name, "needs", names).into());
        self
    }

    /// Adds a node that waits for every node that nobody waits for yet, and merges what they return.
    pub fn needs_all(mut self, name: &str) -> Self {
        self.executors.push(builder::join(name, "needs_all", Vec::new()).into());
        self
    }

    /// Makes executors known that nodes refer to by name.
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = registry;
        self
    }

    /// Any key that a Flow file may have under `with`.
    pub fn option(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.with.insert(key.to_owned(), value.into());
        self
    }

    /// Checks it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn check(self) -> Result<Plan, Error> {
        let file = Map::from_iter([
            ("with".to_owned(), self.with.into()),
            ("gateway".to_owned(), self.gateway.into()),
            ("executors".to_owned(), self.executors.into()),
        ]);
        let (spec, warnings) = FlowSpec::of_built(file, &environment())?;
        Plan::new(spec, warnings, self.registry)
    }

    /// Checks it, starts it and waits until it is ready.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, or why it could not start.
    pub async fn start(self) -> Result<Running, Error> {
        self.check()?.start().await
    }
}

/// The variables of this process, those that are text.
pub(crate) fn environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
