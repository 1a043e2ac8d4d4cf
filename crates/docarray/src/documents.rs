//! The predefined documents of DocArray that most Flows use.

use bytes::Bytes;

use crate::{Doc, Id, ImageUrl, NdArray, TextUrl};

/// Document for handling text.
#[derive(Debug, Clone, Default, PartialEq, Doc)]
pub struct TextDoc {
    /// The name of the document.
    pub id: Id,
    /// The text content stored in the document
    pub text: Option<String>,
    /// URL to a (potentially remote) text file that can be loaded
    pub url: Option<TextUrl>,
    /// Store an embedding: a vector representation of the text
    pub embedding: Option<NdArray>,
    /// Bytes representation of the text
    pub bytes_: Option<Bytes>,
}

/// Document for handling images.
#[derive(Debug, Clone, Default, PartialEq, Doc)]
pub struct ImageDoc {
    /// The name of the document.
    pub id: Id,
    /// URL to a (potentially remote) image file that needs to be loaded
    pub url: Option<ImageUrl>,
    /// Tensor object of the image
    pub tensor: Option<NdArray>,
    /// Store an embedding: a vector representation of the image.
    pub embedding: Option<NdArray>,
    /// Bytes object of the image
    pub bytes_: Option<Bytes>,
}

impl TextDoc {
    /// A document that holds `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }
}
