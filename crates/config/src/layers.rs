//! Defaults < file < environment < arguments, and where each value came from.

use figment::value::{Dict, Map, Tag};
use figment::{Figment, Metadata, Profile, Provider};
use indexmap::IndexMap;
use serde_json::Value;

use crate::nearest::nearest;
use crate::table::{Argument, PYTHON, Program, arguments, by_key};
use crate::{Place, Problem, Warning};

/// The environment of the process, as the caller read it.
pub type Environment = IndexMap<String, String>;

/// The environment of this process. Variables that are no UTF-8 cannot be meant for us.
#[must_use]
pub fn process_environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Values with the places they were found in, by the argument's name, in canonical form.
pub(crate) type Values = IndexMap<&'static str, (Value, Place)>;

/// One source of values.
struct Layer {
    name: &'static str,
    values: Values,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name)
    }

    /// Figment joins dictionaries of several layers key by key and sorts them. A graph must neither be joined
    /// nor sorted, so each value goes in as one text.
    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let text = |value: &Value| figment::value::Value::String(Tag::Default, value.to_string());
        let dict = self.values.iter().map(|(name, (value, _))| ((*name).to_owned(), text(value))).collect();
        Ok(Map::from([(Profile::Default, dict)]))
    }
}

/// The values of all layers, the strongest of each.
pub(crate) fn merged(layers: [(&'static str, Values); 4]) -> Values {
    let layers = layers.map(|(name, values)| Layer { name, values });
    let figment = layers.iter().fold(Figment::new(), |figment, layer| figment.merge(layer));
    let mut merged = Values::new();
    let names: indexmap::IndexSet<&'static str> =
        layers.iter().flat_map(|layer| layer.values.keys().copied()).collect();
    for name in names {
        let text = figment.find_value(name).ok().and_then(figment::value::Value::into_string);
        let value = text.and_then(|text| serde_json::from_str(&text).ok());
        let layer =
            figment.find_metadata(name).and_then(|found| layers.iter().find(|l| l.name == found.name));
        if let (Some(value), Some(layer)) = (value, layer) {
            merged.insert(name, (value, layer.values[name].1.clone()));
        }
    }
    merged
}

/// The defaults of `program`; some are overridden by variables of Jina's.
pub(crate) fn defaults(program: Program, env: &Environment, problems: &mut Vec<Problem>) -> Values {
    let mut values = Values::new();
    for argument in arguments(program) {
        let variable = match argument.name {
            "host" => Some("JINA_DEFAULT_HOST"),
            "timeout-ctrl" => Some("JINA_DEFAULT_TIMEOUT_CTRL"),
            "executors-ca" => Some("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"),
            _ => None,
        };
        let set = variable.and_then(|name| Some((env.get(name).filter(|text| !text.is_empty())?, name)));
        let (text, place) = match (set, argument.default) {
            (Some((text, name)), _) => (text.as_str(), Place::Variable(name.to_owned())),
            (None, Some(default)) => (default, Place::Default),
            (None, None) => continue,
        };
        insert(&mut values, argument, &text.into(), place, problems);
    }
    values
}

/// The `FLOWGATE_` variables.
pub(crate) fn environment(
    program: Program,
    env: &Environment,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Warning>,
) -> Values {
    let mut values = Values::new();
    for (variable, text) in env {
        let Some(key) = variable.strip_prefix("FLOWGATE_") else { continue };
        if text.is_empty() || is_service_link(key, text) {
            continue;
        }
        if let Some(argument) = by_key(program, &key.to_ascii_lowercase()) {
            insert(&mut values, argument, &text.as_str().into(), Place::Variable(variable.clone()), problems);
        } else if !crate::table::all().any(|argument| argument.variable() == *variable) {
            let name = key.to_ascii_lowercase().replace('_', "-");
            let nearest = nearest(&name, arguments(program).map(|argument| argument.name));
            warnings.push(Warning::UnknownVariable { variable: variable.clone(), nearest });
        }
    }
    values
}

/// Kubernetes describes a Service called `flowgate` to every container by variables such as
/// `FLOWGATE_PORT=tcp://10.0.0.1:80`; they are not meant for us.
fn is_service_link(key: &str, text: &str) -> bool {
    key.starts_with("SERVICE_") || text.contains("://") && key.starts_with("PORT") || {
        let mut parts = key.split('_');
        parts.next() == Some("PORT") && parts.next().is_some_and(|port| port.parse::<u16>().is_ok())
    }
}

/// Reads a value and keeps it, or notes what is wrong with it. Null means "as if nothing was said".
pub(crate) fn insert(
    values: &mut Values,
    argument: &'static Argument,
    value: &Value,
    place: Place,
    problems: &mut Vec<Problem>,
) {
    if value.is_null() {
        return;
    }
    match argument.form.read(value) {
        Ok(value) => {
            values.insert(argument.name, (value, place));
        }
        Err(reason) => problems.push(Problem::new(place, reason)),
    }
}

/// Says once of each argument whether somebody may wait in vain for its effect.
pub(crate) fn warn_ineffective(program: Program, values: &Values, warnings: &mut Vec<Warning>) {
    let runs_python = values.get("python").is_some_and(|(_, place)| *place != Place::Default);
    let without_effect = |argument: &&Argument| !(runs_python && argument.ineffective == Some(PYTHON));
    for argument in arguments(program).filter(without_effect) {
        let Some((value, place)) = values.get(argument.name) else { continue };
        let is_said = *place != Place::Default && *value != Value::Bool(false);
        if let Some(why) = argument.ineffective.filter(|_| is_said) {
            warnings.push(Warning::NoEffect { place: place.clone(), why });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn env(variables: &[(&str, &str)]) -> Environment {
        variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn the_strongest_layer_wins_whole() {
        let layer = |name, value: Value, place: &str| {
            Values::from([(name, (value, Place::Argument(place.to_owned())))])
        };
        let graph = json!({"z": ["b"], "a": []});
        let mut file = layer("graph-description", json!({"x": ["y"]}), "file");
        file.extend(layer("prefetch", json!(5), "file"));
        let merged = merged([
            ("default", layer("prefetch", json!(1), "default")),
            ("file", file),
            ("environment", Values::new()),
            ("arguments", layer("graph-description", graph.clone(), "argument")),
        ]);
        assert_eq!(merged["prefetch"], (json!(5), Place::Argument("file".to_owned())));
        let (value, place) = &merged["graph-description"];
        assert_eq!((value.to_string(), place), (graph.to_string(), &Place::Argument("argument".to_owned())));
    }

    #[test]
    fn variables_set_arguments() {
        let (mut problems, mut warnings) = (Vec::new(), Vec::new());
        let env = env(&[
            ("FLOWGATE_PORT", "1,2"),
            ("FLOWGATE_MAX_BYTES", "1 furlong"),
            ("FLOWGATE_PREFECH", "1"),
            ("FLOWGATE_MAX_WAITING", "1"),
            ("FLOWGATE_PORT_80_TCP_ADDR", "10.0.0.1"),
            ("FLOWGATE_SERVICE_HOST", "10.0.0.1"),
            ("FLOWGATE_QUIET", ""),
        ]);
        let values = environment(Program::Gateway, &env, &mut problems, &mut warnings);
        assert_eq!(values.len(), 1);
        assert_eq!(values["port"].0, json!([1, 2]));
        assert_eq!(
            problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "environment variable FLOWGATE_MAX_BYTES: expected a size such as `64KiB` or `16MiB`, found `1 furlong`"
            ]
        );
        assert_eq!(
            warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["ignored unknown environment variable FLOWGATE_PREFECH, did you mean FLOWGATE_PREFETCH?"]
        );
    }

    #[test]
    fn a_kubernetes_service_called_flowgate_does_no_harm() {
        let (mut problems, mut warnings) = (Vec::new(), Vec::new());
        let env =
            env(&[("FLOWGATE_PORT", "tcp://10.0.0.1:80"), ("FLOWGATE_PORT_80_TCP", "tcp://10.0.0.1:80")]);
        assert!(environment(Program::Gateway, &env, &mut problems, &mut warnings).is_empty());
        assert!(problems.is_empty() && warnings.is_empty());
    }

    #[test]
    fn jinas_variables_are_defaults() {
        let mut problems = Vec::new();
        let values = defaults(Program::Gateway, &env(&[("JINA_DEFAULT_HOST", "127.0.0.1")]), &mut problems);
        assert_eq!(values["host"].0, json!("127.0.0.1"));
        assert_eq!(values["prefetch"], (json!(1000), Place::Default));
        assert!(problems.is_empty());
    }
}
