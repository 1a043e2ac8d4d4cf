//! Compared with the schemas that executors in Python tell of these classes.

use serde_json::{Value, json};

use super::*;

/// Without what is prose, and without what ours repeats for Jina's sake.
fn bare(value: &Value, of_names: bool) -> Value {
    const PROSE: [&str; 3] = ["description", "example", "definitions"];
    match value {
        Value::Object(entries) => {
            let kept = entries.iter().filter(|(key, _)| of_names || !PROSE.contains(&key.as_str()));
            let kept =
                kept.map(|(key, value)| (key.clone(), bare(value, key == "properties" || key == "$defs")));
            Value::Object(kept.collect())
        }
        Value::Array(items) => items.iter().map(|item| bare(item, false)).collect(),
        other => other.clone(),
    }
}

fn check<T: Doc>() {
    let golden: Value =
        serde_json::from_str(include_str!("../../testdata/predefined_documents.json")).unwrap();
    let mut want = golden[T::name()].clone();
    if T::name() == "Mesh3D" {
        // There an example became the default.
        want["properties"]["embedding"]["default"] = json!(null);
    }
    assert_eq!(bare(&T::schema(), false), want, "{}", T::name());
}

#[test]
fn schemas_are_those_of_docarray() {
    check::<TextDoc>();
    check::<ImageDoc>();
    check::<AudioDoc>();
    check::<VideoDoc>();
    check::<VerticesAndFaces>();
    check::<Mesh3D>();
    check::<PointsAndColors>();
    check::<PointCloud3D>();
    check::<LegacyDocument>();
}

#[test]
fn documents_in_documents_survive_the_round_trip() {
    let points = NdArray::of(vec![1, 3], &[0.5_f64, 1.0, 2.0]).unwrap();
    let cloud = PointCloud3D {
        url: Some("cloud.ply".into()),
        tensors: Some(PointsAndColors { id: "p".into(), points: points.clone(), colors: None }),
        ..PointCloud3D::default()
    };
    let film = VideoDoc {
        audio: Some(AudioDoc { frame_rate: Some(44_100), ..AudioDoc::default() }),
        key_frame_indices: Some(points),
        ..VideoDoc::default()
    };
    let chunk = LegacyDocument { text: Some("part".to_owned()), ..LegacyDocument::default() };
    let legacy = LegacyDocument { chunks: Some(DocList::from([chunk])), ..LegacyDocument::default() };
    fn again<T: Doc>(doc: &T) -> T {
        let mut wire = Vec::new();
        doc.write(&mut wire);
        T::read(wire.into()).unwrap()
    }
    assert_eq!(again(&cloud), cloud);
    assert_eq!(again(&film), film);
    assert_eq!(again(&legacy), legacy);
}
