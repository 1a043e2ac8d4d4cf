//! The only place that knows which library reads YAML.

use std::path::Path;

use serde_json::{Map, Number, Value};
use serde_yaml::Value as Yaml;

use crate::{Place, Problem, Reason};

/// The document and the name of the tag before it, if there is one.
pub(super) fn read(path: &Path, text: &str) -> Result<(Option<String>, Value), Problem> {
    let broken = |line: Option<usize>, message: String| {
        let place = Place::File { path: path.to_owned(), line, key: String::new() };
        Problem::new(place, Reason::Yaml { message })
    };
    let failed = |error: serde_yaml::Error| {
        let line = error.location().map(|location| location.line());
        let text = error.to_string();
        broken(line, text.split(" at line ").next().unwrap_or(&text).to_owned())
    };
    let mut document: Yaml = serde_yaml::from_str(text).map_err(failed)?;
    document.apply_merge().map_err(failed)?;
    let (tag, document) = match document {
        Yaml::Tagged(tagged) => {
            (Some(tagged.tag.to_string().trim_start_matches('!').to_owned()), tagged.value)
        }
        other => (None, other),
    };
    let value = json(document).map_err(|tag| {
        let line = text.lines().position(|line| line.contains(&tag)).map(|idx| idx + 1);
        broken(line, format!("the tag `{tag}` has no meaning here"))
    })?;
    Ok((tag, value))
}

/// Fails at a tag, naming it.
fn json(value: Yaml) -> Result<Value, String> {
    Ok(match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(on) => Value::Bool(on),
        Yaml::Number(number) => self::number(&number),
        Yaml::String(text) => Value::String(text),
        Yaml::Sequence(items) => Value::Array(items.into_iter().map(json).collect::<Result<_, _>>()?),
        Yaml::Mapping(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                object.insert(self::key(&key)?, json(value)?);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tagged) => return Err(tagged.tag.to_string()),
    })
}

/// Infinities and NaN have no place in JSON.
fn number(number: &serde_yaml::Number) -> Value {
    if let Some(number) = number.as_i64() {
        return number.into();
    }
    if let Some(number) = number.as_u64() {
        return number.into();
    }
    let float = number.as_f64().and_then(Number::from_f64);
    float.map_or_else(|| Value::String(number.to_string()), Value::Number)
}

fn key(key: &Yaml) -> Result<String, String> {
    match key {
        Yaml::String(text) => Ok(text.clone()),
        Yaml::Number(number) => Ok(number.to_string()),
        Yaml::Bool(on) => Ok(on.to_string()),
        Yaml::Null => Ok(String::new()),
        Yaml::Tagged(tagged) => Err(tagged.tag.to_string()),
        Yaml::Sequence(_) | Yaml::Mapping(_) => Ok(serde_yaml::to_string(key).unwrap_or_default()),
    }
}
