//! A model of eight numbers, whose vectors numpy has computed (`tests/interop/make_tiny_model.py`).

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::*;

fn tiny() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tiny")
}

/// A copy of the model whose files may be changed.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("1_Pooling")).unwrap();
    for name in
        ["config.json", "modules.json", "1_Pooling/config.json", "tokenizer.json", "model.safetensors"]
    {
        fs::copy(tiny().join(name), folder.path().join(name)).unwrap();
    }
    folder
}

fn expected() -> BTreeMap<String, Vec<f32>> {
    serde_json::from_slice(&fs::read(tiny().join("expected.json")).unwrap()).unwrap()
}

#[track_caller]
fn assert_near(got: &[f32], want: &[f32]) {
    let far = got.iter().zip(want).map(|(got, want)| (got - want).abs()).fold(0.0, f32::max);
    assert!(got.len() == want.len() && far < 1e-4, "{far}: {got:?} instead of {want:?}");
}

#[test]
fn vectors_are_those_of_an_independent_computation() {
    let model = Model::load(&tiny(), 8192).unwrap();
    assert_eq!(model.dimension(), 8);
    for (text, want) in expected() {
        assert_near(&model.embed(&[&text]).unwrap()[0], &want);
    }
}

#[test]
fn neither_neighbours_nor_batches_change_a_vector() {
    let expected = expected();
    let texts: Vec<_> = expected.keys().map(String::as_str).collect();
    for batch_tokens in [1, 20, 8192] {
        let model = Model::load(&tiny(), batch_tokens).unwrap();
        let vectors = model.embed(&texts).unwrap();
        vectors.iter().zip(expected.values()).for_each(|(got, want)| assert_near(got, want));
    }
    assert!(Model::load(&tiny(), 1).unwrap().embed(&[]).unwrap().is_empty());
}

#[test]
fn without_the_step_that_says_so_vectors_have_their_own_length() {
    let folder = copy();
    let modules = fs::read_to_string(folder.path().join("modules.json")).unwrap();
    let mut modules: Vec<serde_json::Value> = serde_json::from_str(&modules).unwrap();
    modules.pop();
    fs::write(folder.path().join("modules.json"), serde_json::to_vec(&modules).unwrap()).unwrap();
    let vector = Model::load(folder.path(), 8192).unwrap().embed(&["Dogs"]).unwrap().remove(0);
    let length = vector.iter().map(|item| item * item).sum::<f32>().sqrt();
    assert!((length - 1.0).abs() > 1e-3, "{length}");
    let scaled: Vec<_> = vector.iter().map(|item| item / length).collect();
    assert_near(&scaled, &expected()["Dogs"]);
}

/// What is said of a model with one file that is different.
fn refused(name: &str, content: &str) -> String {
    let folder = copy();
    fs::write(folder.path().join(name), content).unwrap();
    let error = Model::load(folder.path(), 8192).unwrap_err();
    let said = error.to_string();
    said.replace(folder.path().to_str().unwrap(), "DIR")
}

#[test]
fn a_model_that_cannot_be_used_says_which_file_is_to_blame() {
    let missing = Model::load(Path::new("/no/such/model"), 8192).unwrap_err();
    assert_eq!(missing.to_string(), "the model's file /no/such/model/config.json cannot be read");
    assert_eq!(
        refused("config.json", r#"{"model_type": "gpt2"}"#),
        "DIR/config.json says `model_type: \"gpt2\"`; only `bert` can be computed here"
    );
    assert_eq!(
        refused("config.json", "{}"),
        "the model's file DIR/config.json is not as sentence-transformers writes it"
    );
    assert_eq!(
        refused("1_Pooling/config.json", r#"{"pooling_mode_max_tokens": true}"#),
        "DIR/1_Pooling/config.json says `pooling_mode_max_tokens: true`; only the mean of all tokens can be \
         computed here"
    );
    assert_eq!(
        refused("modules.json", r#"[{"path": "", "type": "models.Dense"}]"#),
        "DIR/modules.json says `type: \"models.Dense\"`; only `Transformer`, `Pooling` and `Normalize` can be \
         computed here"
    );
    assert_eq!(refused("tokenizer.json", "{}"), "the tokenizer in DIR/tokenizer.json cannot be used");
    let weights =
        "the weights in DIR/model.safetensors are not those of a BERT model as config.json describes it";
    assert_eq!(refused("model.safetensors", "no weights"), weights);
    let config = fs::read_to_string(tiny().join("config.json")).unwrap();
    assert_eq!(refused("config.json", &config.replace("\"hidden_size\": 8", "\"hidden_size\": 16")), weights);
}
