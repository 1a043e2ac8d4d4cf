//! Documents in the query of a URL.

use serde_json::{Map, Value};

/// A document whose fields are the texts of the query; a field that is there several times is a list. The schema
/// makes numbers of texts where it asks for them.
pub(crate) fn document(query: &str) -> Value {
    let mut fields = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = Value::String(value.into_owned());
        match fields.get_mut(&*name) {
            None => {
                fields.insert(name.into_owned(), value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_decoded_and_repeated_ones_are_lists() {
        let want = json!({"id": "a b", "words": ["x", "ü", "z"], "empty": ""});
        assert_eq!(document("id=a+b&words=x&words=%C3%BC&words=z&empty="), want);
    }
}
