//! What Jina makes of the texts in a YAML file: numbers, switches and lists where they look like such.

use serde_json::{Number, Value};

/// How often a text is looked at again; each time may remove a layer of quotes.
const PASSES: usize = 4;

/// Converts every text in `value`, keys excepted.
pub(crate) fn tree(value: Value) -> Value {
    match value {
        Value::String(text) => scalar(&text),
        Value::Array(items) => Value::Array(items.into_iter().map(tree).collect()),
        Value::Object(entries) => {
            Value::Object(entries.into_iter().map(|(key, value)| (key, tree(value))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

/// Converts one text.
pub(crate) fn scalar(text: &str) -> Value {
    let mut text = text;
    for _ in 0..PASSES {
        match once(text) {
            Once::Value(value) => return value,
            Once::Unquoted(inner) => text = inner,
            Once::Same => break,
        }
    }
    Value::String(text.to_owned())
}

enum Once<'a> {
    Value(Value),
    Unquoted(&'a str),
    Same,
}

fn once(text: &str) -> Once<'_> {
    if text.is_empty() {
        return Once::Value(Value::Null);
    }
    if text.len() >= 2 && text.starts_with('[') && text.ends_with(']') {
        let items =
            text.split(',').map(|item| item.trim().trim_start_matches('[').trim_end_matches(']').trim());
        return Once::Value(Value::Array(items.filter(|item| !item.is_empty()).map(scalar).collect()));
    }
    if let Some(number) = number(text) {
        return Once::Value(number);
    }
    if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
        return Once::Value(Value::Bool(text.eq_ignore_ascii_case("true")));
    }
    for quote in ['\'', '"'] {
        if text.len() >= 2
            && let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote))
        {
            return Once::Unquoted(inner);
        }
    }
    Once::Same
}

/// Numbers as Python reads them: leading zeros and single underscores between digits are fine.
fn number(text: &str) -> Option<Value> {
    let text = text.trim();
    let digits = text.as_bytes();
    let between_digits = |idx: usize| {
        idx > 0 && digits[idx - 1].is_ascii_digit() && digits.get(idx + 1).is_some_and(u8::is_ascii_digit)
    };
    if !text.bytes().enumerate().all(|(idx, byte)| byte != b'_' || between_digits(idx)) {
        return None;
    }
    let plain = text.replace('_', "");
    if let Ok(number) = plain.parse::<i64>() {
        return Some(number.into());
    }
    // Infinities and NaN have no place in JSON; whoever wants them gets the text.
    let looks_numeric =
        plain.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    let float = plain.parse::<f64>().ok().filter(|_| looks_numeric)?;
    Number::from_f64(float).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_become_what_they_look_like() {
        let check = |text: &str, want: Value| assert_eq!(scalar(text), want, "{text}");
        check("", json!(null));
        check("[a, 1]", json!(["a", 1]));
        check("[[1,2],[3]]", json!([1, 2, 3]));
        check("007", json!(7));
        check("1_000", json!(1000));
        check("_1", json!("_1"));
        check("1e3", json!(1000.0));
        check("-2.5", json!(-2.5));
        check("TRUE", json!(true));
        check("'x'", json!("x"));
        check("\"'007'\"", json!(7));
        check("{\"a\": 1}", json!("{\"a\": 1}"));
        check("inf", json!("inf"));
        check("e", json!("e"));
        check("'", json!("'"));
        check("hello world", json!("hello world"));
        assert_eq!(tree(json!({"1": ["2", {"x": "yes"}]})), json!({"1": [2, {"x": "yes"}]}));
    }
}
