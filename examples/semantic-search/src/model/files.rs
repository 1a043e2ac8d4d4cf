//! The files of a model.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use candle_transformers::models::bert::Config;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokenizers::Tokenizer;

use super::Error;

/// How many tokens a text may have where the model does not say.
const MAX_LENGTH: usize = 512;

/// A directory with a model.
pub(super) struct Files<'a> {
    directory: &'a Path,
}

/// How tokens become a vector.
pub(super) struct Modules {
    /// Whether the vector is made to have length 1.
    pub(super) normalizes: bool,
}

/// A step of `modules.json`.
#[derive(Deserialize)]
struct Module {
    path: String,
    r#type: String,
}

#[derive(Deserialize)]
struct Lengths {
    max_seq_length: Option<usize>,
}

impl<'a> Files<'a> {
    pub(super) const fn of(directory: &'a Path) -> Self {
        Self { directory }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub(super) fn config(&self) -> Result<Config, Error> {
        let kinds: Map<String, Value> = self.json("config.json")?;
        if let Some(kind) = kinds.get("model_type").filter(|kind| *kind != "bert") {
            return Err(self.unsupported("config.json", "model_type", kind, "`bert`"));
        }
        self.json("config.json")
    }

    pub(super) fn tokenizer(&self) -> Result<Tokenizer, Error> {
        let bytes = self.read("tokenizer.json")?;
        Tokenizer::from_bytes(bytes)
            .map_err(|source| Error::Tokenizer { path: self.path("tokenizer.json"), source })
    }

    pub(super) fn weights(&self) -> Result<Vec<u8>, Error> {
        self.read("model.safetensors")
    }

    /// The most tokens of a text.
    pub(super) fn max_length(&self) -> Result<usize, Error> {
        let name = "sentence_bert_config.json";
        let lengths: Option<Lengths> = self.exists(name).then(|| self.json(name)).transpose()?;
        Ok(lengths.and_then(|lengths| lengths.max_seq_length).unwrap_or(MAX_LENGTH))
    }

    /// What follows the transformer. Without `modules.json` that is the mean of the tokens.
    pub(super) fn modules(&self) -> Result<Modules, Error> {
        let name = "modules.json";
        if !self.exists(name) {
            return Ok(Modules { normalizes: false });
        }
        let mut normalizes = false;
        for module in self.json::<Vec<Module>>(name)? {
            match module.r#type.rsplit('.').next() {
                Some("Transformer") => {}
                Some("Normalize") => normalizes = true,
                Some("Pooling") => self.check_pooling(&format!("{}/config.json", module.path))?,
                _ => {
                    let kind = Value::String(module.r#type);
                    let only = "`Transformer`, `Pooling` and `Normalize`";
                    return Err(self.unsupported(name, "type", &kind, only));
                }
            }
        }
        Ok(Modules { normalizes })
    }

    fn check_pooling(&self, name: &str) -> Result<(), Error> {
        let modes: Map<String, Value> = self.json(name)?;
        for (key, value) in modes.iter().filter(|(key, _)| key.starts_with("pooling_mode_")) {
            if *value != (key == "pooling_mode_mean_tokens") {
                return Err(self.unsupported(name, key, value, "the mean of all tokens"));
            }
        }
        Ok(())
    }

    fn unsupported(&self, name: &str, key: &str, value: &Value, only: &'static str) -> Error {
        Error::Unsupported { path: self.path(name), key: key.to_owned(), value: value.to_string(), only }
    }

    fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        serde_json::from_slice(&self.read(name)?)
            .map_err(|source| Error::Json { path: self.path(name), source })
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, Error> {
        fs::read(self.path(name)).map_err(|source: io::Error| Error::Read { path: self.path(name), source })
    }
}
