//! The kinds of values, and reading them from text, JSON or YAML into one canonical JSON form.

mod key_value;
mod peer_ports;

use serde_json::{Map, Number, Value};

use crate::{Reason, units};

/// What values an argument takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// On or off. No value on the command line.
    Flag,
    /// Any text.
    Text,
    /// Several texts.
    Texts,
    /// Several host names, also joined by commas.
    Hosts,
    /// A whole number.
    Integer,
    /// A whole number, 0 or more.
    Count,
    /// A whole number, 1 or more.
    Positive,
    /// A port; 0 means any that is free.
    Port,
    /// Several ports, also joined by commas.
    Ports,
    /// The ports of replicas: a list, or an object with a list for each shard.
    PeerPorts,
    /// A duration; a bare number counts milliseconds.
    Milliseconds,
    /// A number of bytes.
    Size,
    /// One of these.
    Choice {
        /// The canonical spellings.
        of: &'static [&'static str],
        /// Whether upper and lower case differ.
        exact: bool,
    },
    /// Several of these, in any case.
    Choices {
        /// The canonical spellings.
        of: &'static [&'static str],
    },
    /// Any number of `key=value`, `key: value` or JSON objects.
    KeyValue,
    /// JSON.
    Json,
    /// JSON, or else a text.
    JsonOrText,
}

/// How many elements of the command line an argument takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arity {
    None,
    One,
    AtLeastOne,
    Any,
}

pub(crate) const PROTOCOLS: &[&str] = &["GRPC", "HTTP", "WEBSOCKET"];
pub(crate) const PROVIDERS: &[&str] = &["NONE", "SAGEMAKER", "AZURE"];
pub(crate) const ROLES: &[&str] = &["HEAD", "WORKER", "GATEWAY"];
pub(crate) const NETWORK_MODES: &[&str] = &["AUTO", "HOST", "BRIDGE", "NONE"];
pub(crate) const COMPRESSIONS: &[&str] = &["NoCompression", "Deflate", "Gzip", "Zstd"];
pub(crate) const BALANCES: &[&str] = &["least-loaded", "round-robin"];
pub(crate) const METHODS: &[&str] = &["add", "needs", "needs_all", "inspect", "gather_inspect"];

impl Form {
    pub(crate) const fn arity(self) -> Arity {
        match self {
            Self::Flag => Arity::None,
            Self::Hosts | Self::Ports | Self::PeerPorts | Self::Choices { .. } => Arity::AtLeastOne,
            Self::Texts | Self::KeyValue => Arity::Any,
            Self::Text
            | Self::Integer
            | Self::Count
            | Self::Positive
            | Self::Port
            | Self::Milliseconds
            | Self::Size
            | Self::Choice { .. }
            | Self::Json
            | Self::JsonOrText => Arity::One,
        }
    }

    /// Brings a value into its canonical form: a text from the command line or the environment, or any value
    /// from a file.
    pub(crate) fn read(self, value: &Value) -> Result<Value, Reason> {
        match self {
            Self::Flag => flag(value),
            Self::Text => text(value).ok_or_else(|| expected("a text", value)).map(Value::String),
            Self::Texts => list(value, false, |item| text(item).map(Value::String), "a list of texts"),
            Self::Hosts => list(value, true, |item| text(item).map(Value::String), "a list of host names"),
            Self::Integer => {
                integer(value, i64::MIN, i64::MAX).ok_or_else(|| expected("a whole number", value))
            }
            Self::Count => {
                integer(value, 0, i64::MAX).ok_or_else(|| expected("a whole number from 0", value))
            }
            Self::Positive => {
                integer(value, 1, i64::MAX).ok_or_else(|| expected("a whole number from 1", value))
            }
            Self::Port => integer(value, 0, 65535).ok_or_else(|| expected("a port from 0 to 65535", value)),
            Self::Ports => list(value, true, |item| integer(item, 0, 65535), "ports from 0 to 65535"),
            Self::PeerPorts => peer_ports::read(value),
            Self::Milliseconds => quantity(value, units::milliseconds)
                .ok_or_else(|| expected("a duration such as `250ms` or `10s`", value)),
            Self::Size => quantity(value, units::bytes)
                .filter(|bytes| bytes.as_i64().is_some_and(|bytes| bytes > 0))
                .ok_or_else(|| expected("a size such as `64KiB` or `16MiB`", value)),
            Self::Choice { of, exact } => {
                choice(value, of, exact).ok_or_else(|| expected(&one_of(of), value))
            }
            Self::Choices { of } => list(value, true, |item| choice(item, of, false), &one_of(of)),
            Self::KeyValue => key_value::read(value),
            Self::Json => json(value),
            Self::JsonOrText => Ok(json(value).unwrap_or_else(|_| value.clone())),
        }
    }

    /// How the value is shown in `--help`.
    pub(crate) fn placeholder(self) -> String {
        match self {
            Self::Flag => String::new(),
            Self::Text => "TEXT".to_owned(),
            Self::Texts => "TEXT...".to_owned(),
            Self::Hosts => "HOST...".to_owned(),
            Self::Integer | Self::Count | Self::Positive => "N".to_owned(),
            Self::Port => "PORT".to_owned(),
            Self::Ports => "PORT...".to_owned(),
            Self::PeerPorts => "PORT...|JSON".to_owned(),
            Self::Milliseconds => "DURATION".to_owned(),
            Self::Size => "SIZE".to_owned(),
            Self::Choice { of, .. } => of.join("|"),
            Self::Choices { of } => format!("{}...", of.join("|")),
            Self::KeyValue => "KEY=VALUE...".to_owned(),
            Self::Json => "JSON".to_owned(),
            Self::JsonOrText => "TEXT|JSON".to_owned(),
        }
    }
}

pub(crate) fn expected(what: &str, found: &Value) -> Reason {
    let found = match found {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            found.to_string()
        }
    };
    Reason::Expected { expected: what.to_owned(), found: crate::problem::shortened(&found) }
}

fn one_of(of: &[&str]) -> String {
    format!("one of {}", of.join(", "))
}

fn flag(value: &Value) -> Result<Value, Reason> {
    let on = match value {
        Value::Bool(on) => Some(*on),
        Value::Number(number) => number.as_i64().and_then(|number| match number {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    on.map(Value::Bool).ok_or_else(|| expected("true or false", value))
}

/// YAML makes numbers of texts that look like one, so these are texts here.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(on) => Some(on.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn integer(value: &Value, min: i64, max: i64) -> Option<Value> {
    let number = match value {
        Value::Number(number) => number.as_i64()?,
        Value::String(text) => text.trim().parse().ok()?,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (min..=max).contains(&number).then(|| Value::Number(Number::from(number)))
}

fn quantity(value: &Value, parse: fn(&str) -> Option<i64>) -> Option<Value> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => parse(text),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
    .map(Value::from)
}

fn choice(value: &Value, of: &[&str], exact: bool) -> Option<Value> {
    let Value::String(text) = value else { return None };
    let same = |name: &&&str| if exact { **name == text.as_str() } else { name.eq_ignore_ascii_case(text) };
    // Exported files and Python write `LEAST_LOADED` where a name has a hyphen.
    let hyphens = text.replace('_', "-");
    let found =
        of.iter().find(same).or_else(|| of.iter().find(|name| !exact && name.eq_ignore_ascii_case(&hyphens)));
    found.map(|name| Value::String((*name).to_owned()))
}

/// Reads each item; a text may hold several, joined by commas if `commas`.
fn list(
    value: &Value,
    commas: bool,
    read: impl Fn(&Value) -> Option<Value>,
    what: &str,
) -> Result<Value, Reason> {
    let items = match value {
        Value::Array(items) => items.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            vec![value.clone()]
        }
    };
    let mut read_items = Vec::with_capacity(items.len());
    for item in &items {
        let parts = match item {
            Value::String(text) if commas => text.split(',').map(|part| part.trim().into()).collect(),
            other => vec![other.clone()],
        };
        for part in parts.iter().filter(|part| part.as_str() != Some("")) {
            read_items.push(read(part).ok_or_else(|| expected(what, part))?);
        }
    }
    Ok(Value::Array(read_items))
}

fn json(value: &Value) -> Result<Value, Reason> {
    let Value::String(text) = value else { return Ok(value.clone()) };
    serde_json::from_str(text).map_err(|error| Reason::Json {
        line: error.line(),
        column: error.column(),
        message: message(&error),
    })
}

/// The parser's message without the position, which we give ourselves.
fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

/// An object with text keys, as key/value arguments have them.
pub(crate) type Object = Map<String, Value>;

#[cfg(test)]
mod tests;
