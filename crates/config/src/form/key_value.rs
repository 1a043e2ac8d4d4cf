//! `key=value`, `key: value` and JSON objects.

use serde_json::Value;

use super::{Object, expected};
use crate::{Reason, coerce};

const WHAT: &str = "`key=value`, `key: value` or a JSON object";

/// Merges all elements into one object, later ones over earlier ones.
pub(super) fn read(value: &Value) -> Result<Value, Reason> {
    let mut object = Object::new();
    match value {
        Value::Array(elements) => {
            for element in elements {
                merge(&mut object, element)?;
            }
        }
        Value::Null => {}
        other => merge(&mut object, other)?,
    }
    Ok(Value::Object(object))
}

fn merge(object: &mut Object, element: &Value) -> Result<(), Reason> {
    match element {
        Value::Object(more) => object.extend(more.clone()),
        Value::String(text) => {
            if let Ok(Value::Object(more)) = serde_json::from_str(text) {
                object.extend(more);
                return Ok(());
            }
            let separator = text.find(['=', ':']).ok_or_else(|| expected(WHAT, element))?;
            let (key, rest) = text.split_at(separator);
            if key.is_empty() {
                return Err(expected(WHAT, element));
            }
            object.insert(key.to_owned(), coerce::scalar(rest[1..].trim_start()));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            return Err(expected(WHAT, element));
        }
    }
    Ok(())
}
