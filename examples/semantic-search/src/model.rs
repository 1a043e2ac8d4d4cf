//! Sentence embeddings by a BERT model in the layout of sentence-transformers: `config.json`, `tokenizer.json`,
//! `model.safetensors`, and the files that say how tokens become one vector.

mod error;
mod files;
#[cfg(test)]
mod tests;

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::BertModel;
use tokenizers::{Encoding, PaddingParams, Tokenizer, TruncationParams};

pub use error::Error;
use files::Files;

/// A model in memory, on the processor.
pub struct Model {
    bert: BertModel,
    tokenizer: Tokenizer,
    normalizes: bool,
    dimension: usize,
    /// The most tokens, padding included, that are computed at once.
    batch_tokens: usize,
}

impl Model {
    /// Loads the model of a directory. `batch_tokens` bounds what is computed at once, and with it the memory that it
    /// takes.
    ///
    /// # Errors
    ///
    /// If a file is missing or damaged, or if the model is of another kind.
    pub fn load(directory: &Path, batch_tokens: usize) -> Result<Self, Error> {
        let files = Files::of(directory);
        let config = files.config()?;
        let modules = files.modules()?;
        let mut tokenizer = files.tokenizer()?;
        let max_length = files.max_length()?.min(config.max_position_embeddings);
        let invalid = |source| Error::Tokenizer { path: files.path("tokenizer.json"), source };
        // The tokenizer's own limits are those of its training.
        let truncation = TruncationParams { max_length, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(invalid)?;
        tokenizer.with_padding(Some(PaddingParams::default()));
        let weights = files.weights()?;
        let unfit = |source| Error::Weights { path: files.path("model.safetensors"), source };
        let weights =
            VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu).map_err(unfit)?;
        let bert = BertModel::load(weights, &config).map_err(unfit)?;
        let dimension = config.hidden_size;
        Ok(Self { bert, tokenizer, normalizes: modules.normalizes, dimension, batch_tokens })
    }

    /// How many numbers a vector has.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The vector of each text, in the order of the texts. What goes beyond the model's length is left out.
    ///
    /// # Errors
    ///
    /// If the computation fails.
    pub fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, Error> {
        let mut encodings = Vec::with_capacity(texts.len());
        for (place, text) in texts.iter().enumerate() {
            let encoding = self.tokenizer.encode(*text, true).map_err(|source| Error::Text { source })?;
            encodings.push((place, encoding));
        }
        // Texts of about one length have little padding.
        encodings.sort_by_key(|(_, encoding)| encoding.len());
        let mut vectors = vec![Vec::new(); texts.len()];
        let mut rest = &encodings[..];
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(self.batch_length(rest));
            rest = later;
            let embedded = self.compute(batch).map_err(|source| Error::Compute { source })?;
            for ((place, _), vector) in batch.iter().zip(embedded) {
                vectors[*place] = vector;
            }
        }
        Ok(vectors)
    }

    /// How many of the encodings, which get longer, are computed at once; at least one. None of them is half padding.
    fn batch_length(&self, encodings: &[(usize, Encoding)]) -> usize {
        let longest = encodings.first().map_or(0, |(_, shortest)| 2 * shortest.len());
        let fits = |(n, (_, encoding)): &(usize, &(usize, Encoding))| {
            encoding.len() <= longest && (n + 1) * encoding.len() <= self.batch_tokens
        };
        encodings.iter().enumerate().take_while(fits).count().max(1)
    }

    fn compute(&self, batch: &[(usize, Encoding)]) -> candle_core::Result<Vec<Vec<f32>>> {
        let width = batch.iter().map(|(_, encoding)| encoding.len()).max().unwrap_or(0);
        let padded = |of: fn(&Encoding) -> &[u32]| {
            let mut items = Vec::with_capacity(batch.len() * width);
            for (_, encoding) in batch {
                items.extend_from_slice(of(encoding));
                items.resize(items.len() + width - encoding.len(), 0);
            }
            Tensor::from_vec(items, (batch.len(), width), &Device::Cpu)
        };
        let (ids, mask) = (padded(Encoding::get_ids)?, padded(Encoding::get_attention_mask)?);
        let tokens = self.bert.forward(&ids, &padded(Encoding::get_type_ids)?, Some(&mask))?;
        // The mean of the tokens that are none of the padding.
        let mask = mask.to_dtype(DType::F32)?.unsqueeze(2)?;
        let sums = tokens.broadcast_mul(&mask)?.sum(1)?;
        let mut vectors = sums.broadcast_div(&mask.sum(1)?.clamp(1e-9, f64::from(f32::MAX))?)?;
        if self.normalizes {
            let lengths = vectors.sqr()?.sum_keepdim(1)?.sqrt()?.clamp(1e-12, f64::from(f32::MAX))?;
            vectors = vectors.broadcast_div(&lengths)?;
        }
        vectors.to_vec2()
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("dimension", &self.dimension).finish_non_exhaustive()
    }
}
