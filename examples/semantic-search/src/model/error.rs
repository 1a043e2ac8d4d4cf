//! What can go wrong with a model.

use std::io;
use std::path::PathBuf;

/// Why a model cannot be loaded, or cannot compute.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file is not there, or may not be read.
    #[error("the model's file {} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What was in the way.
        source: io::Error,
    },
    /// A file does not say what it should.
    #[error("the model's file {} is not as sentence-transformers writes it", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The tokenizer cannot be made.
    #[error("the tokenizer in {} cannot be used", path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: tokenizers::Error,
    },
    /// The weights are not those of the configuration.
    #[error("the weights in {} are not those of a BERT model as config.json describes it", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong with them.
        source: candle_core::Error,
    },
    /// The model is of another kind.
    #[error("{} says `{key}: {value}`; only {only} can be computed here", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What says it.
        key: String,
        /// What it says.
        value: String,
        /// What it should say.
        only: &'static str,
    },
    /// A text has no tokens.
    #[error("a text cannot be cut into tokens")]
    Text {
        /// What was in the way.
        source: tokenizers::Error,
    },
    /// A vector cannot be computed.
    #[error("the model failed")]
    Compute {
        /// What was in the way.
        source: candle_core::Error,
    },
}
