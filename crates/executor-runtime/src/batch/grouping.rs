//! Which requests may share a batch: those with equal parameters.

use call::wire::Malformed;
use call::{Parameters, RESULTS_KEY};
use serde_json::{Map, Value};

/// A text that is equal for equal parameters, in whatever order their keys came. The results of executors before
/// this one are no parameters of it.
pub(super) fn key(parameters: &Parameters) -> Result<String, Malformed> {
    let mut only_results = true;
    for entry in parameters.entries() {
        only_results &= entry?.key == RESULTS_KEY;
    }
    if only_results {
        return Ok(String::new());
    }
    let mut map = parameters.to_map()?;
    map.remove(RESULTS_KEY);
    Ok(Value::Object(sorted(map)).to_string())
}

fn sorted(map: Map<String, Value>) -> Map<String, Value> {
    let mut entries: Vec<_> = map.into_iter().map(|(key, value)| (key, sorted_value(value))).collect();
    entries.sort_by(|(left, _), (right, _)| left.cmp(right));
    entries.into_iter().collect()
}

fn sorted_value(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(sorted(map)),
        Value::Array(items) => Value::Array(items.into_iter().map(sorted_value).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(left: &Value, right: &Value, want: bool) {
        let key = |value: &Value| key(&Parameters::from_map(value.as_object().unwrap())).unwrap();
        assert_eq!(key(left) == key(right), want, "{left} and {right}");
    }

    #[test]
    fn equal_parameters_make_one_group() {
        check(&json!({}), &json!({"__results__": {"a/rep-0": {"x": 1}}}), true);
        check(&json!({"x": 1}), &json!({"x": 1.0, "__results__": {}}), true);
        check(
            &json!({"a": 1, "b": {"c": 2, "d": [{"e": 3, "f": 4}]}}),
            &json!({"b": {"d": [{"f": 4, "e": 3}], "c": 2}, "a": 1}),
            true,
        );
        check(&json!({"x": 1}), &json!({"x": 2}), false);
        check(&json!({"x": 1}), &json!({"x": "1"}), false);
        check(&json!({"x": [1, 2]}), &json!({"x": [2, 1]}), false);
        check(&json!({}), &json!({"x": null}), false);
    }

    #[test]
    fn what_is_no_parameters_is_refused() {
        assert!(key(&Parameters::from_wire(vec![0x0a, 0xff].into())).is_err());
    }
}
