//! How fast documents become JSON and JSON becomes documents, beside serde_json alone. One JSON object a line:
//!
//! `cargo run --release -p docarray --example codec_speed`
#![expect(clippy::print_stdout, reason = "the figures are the purpose")]

use std::time::Duration;

use docarray::codec::Codec;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

/// How long each figure is measured.
const TIME: Duration = Duration::from_millis(500);

fn main() {
    let tensor = json!({"type": "array", "items": {"type": "number"}, "tensor/array shape": "not specified"});
    let id = json!({"anyOf": [{"type": "string"}, {"type": "null"}]});
    let chunk = json!({"title": "Chunk", "type": "object", "properties": {
        "id": id, "text": {"type": "string"}, "offset": {"type": "integer", "default": 0.0}}, "required": ["text"]});
    let article = json!({"title": "Article", "type": "object", "properties": {
        "id": id, "title": {"type": "string"}, "lang": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "tags": {"type": "object"}, "weight": {"type": "number"}, "chunks": {"type": "array", "items": chunk}}});
    let vector = json!({"title": "Vector", "type": "object", "properties": {"id": id, "embedding": tensor}});
    let text =
        json!({"title": "Text", "type": "object", "properties": {"id": id, "text": {"type": "string"}}});

    let paragraph = "Über die Flüsse: where they begin, \"how\" they end.\n".repeat(100);
    let articles = docs(2_000, |n| {
        json!({"title": format!("On rivers {n}"), "lang": "en", "tags": {"year": 1900 + n % 100, "read": true},
            "weight": n as f64 / 7.0, "chunks": [{"id": "c", "text": "They flow into the sea.", "offset": n}]})
    });
    let vectors =
        docs(200, |n| json!({"embedding": (0..768).map(|i| ((n * i) as f64).sin()).collect::<Vec<_>>()}));
    let texts = docs(400, |_| json!({"text": paragraph}));

    measure("articles", &article, &articles);
    measure("embeddings", &vector, &vectors);
    measure("texts", &text, &texts);
}

fn docs(count: usize, doc: impl Fn(usize) -> Value) -> String {
    let with_id = |n| {
        let mut doc = doc(n);
        doc["id"] = format!("{n:032x}").into();
        doc
    };
    Value::from((0..count).map(with_id).collect::<Vec<_>>()).to_string()
}

fn measure(name: &str, schema: &Value, json: &str) {
    let codec = Codec::of(name, schema);
    let content = codec.read(json.as_bytes()).expect("the documents fit the schema");
    let tree: Value = serde_json::from_str(json).expect("the documents are JSON");
    let mut printed = Vec::new();
    codec.write(content.clone(), &mut printed).expect("what was read can be written");
    let again: Value = serde_json::from_slice(&printed).expect("what is written is JSON");
    assert_eq!(again, tree, "{name} do not come back as they were");

    let speed = |bytes: usize, work: &mut dyn FnMut()| {
        let (runs, time) = repeat(work);
        (bytes * runs) as f64 / time.as_secs_f64() / 1e6
    };
    let figures = json!({
        "documents": name,
        "json_bytes": json.len(),
        "encoded_bytes": content.len(),
        "mb_per_s": {
            "json_to_documents": speed(json.len(), &mut || drop(codec.read(json.as_bytes()))),
            "documents_to_json": speed(json.len(), &mut || {
                printed.clear();
                drop(codec.write(content.clone(), &mut printed));
            }),
            "serde_json_parse_only": speed(json.len(), &mut || {
                drop(serde_json::from_str::<IgnoredAny>(json));
            }),
            "serde_json_parse_to_tree": speed(json.len(), &mut || drop(serde_json::from_str::<Value>(json))),
            "serde_json_print_tree": speed(json.len(), &mut || drop(serde_json::to_vec(&tree))),
        },
    });
    println!("{figures}");
}

/// How often the work was done, and in what time of the processor, so that other programs matter little.
fn repeat(work: &mut dyn FnMut()) -> (usize, Duration) {
    work();
    let start = on_processor();
    let (mut runs, mut time) = (0, Duration::ZERO);
    while time < TIME {
        work();
        runs += 1;
        time = on_processor() - start;
    }
    (runs, time)
}

/// How long this thread has been running, as Linux counts it.
fn on_processor() -> Duration {
    let figures = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts");
    let nanos = figures.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("the first figure is a time"))
}
