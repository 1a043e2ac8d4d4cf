//! JSON to documents and back, by schema.

mod matrix;
mod properties;
mod read;
mod write;

use serde_json::{Value, json};

use super::Codec;

/// A codec for documents with an id and a field `v`.
fn codec(v: &Value) -> Codec {
    let schema = json!({"title": "D", "properties": {
        "id": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "v": v,
    }, "required": ["v"]});
    Codec::of("D", &schema)
}

/// Reads documents and writes them again.
fn through(codec: &Codec, json: &str) -> Result<String, String> {
    let docs = codec.read(json.as_bytes()).map_err(|invalid| invalid.to_string())?;
    let mut text = Vec::new();
    codec.write(docs, &mut text).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(text).unwrap())
}

/// What becomes of the value of one field.
#[track_caller]
fn check(schema: &Value, v: &str, want: Result<&str, &str>) {
    let want = match want {
        Ok(v) => Ok(format!(r#"[{{"id":"a","v":{v}}}]"#)),
        Err(problem) => Err(problem.to_owned()),
    };
    assert_eq!(through(&codec(schema), &format!(r#"[{{"id":"a","v":{v}}}]"#)), want, "{schema}: {v}");
}
