//! Lists of documents.

use std::ops::{Deref, DerefMut};

use call::Payload;

use crate::node;
use crate::{Depth, Doc, DocError};

/// The documents of a request or an answer, or of a field. A `Vec` otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DocList<T>(Vec<T>);

impl<T> DocList<T> {
    /// A list of no documents.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The documents as a plain `Vec`.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T: Doc> DocList<T> {
    /// Reads the documents of a message, a `DataContentProto`.
    ///
    /// # Errors
    ///
    /// If a document is not of the type; the error says which and where.
    pub fn read(content: Payload) -> Result<Self, DocError> {
        let mut docs = Vec::new();
        for (index, doc) in node::items(node::doc_list(content)?).enumerate() {
            let doc = doc.map_err(DocError::from).and_then(|doc| T::read_fields(doc, Depth::START));
            docs.push(doc.map_err(|error| error.in_item(index).in_field("docs"))?);
        }
        Ok(Self(docs))
    }

    /// Writes the documents as a message carries them, a `DataContentProto`.
    #[must_use]
    pub fn write(&self) -> Payload {
        let mut docs = Vec::new();
        for doc in &self.0 {
            node::put_item(&mut docs, |to| doc.write(to));
        }
        node::content(docs.into())
    }
}

impl<T> Default for DocList<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Deref for DocList<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T> DerefMut for DocList<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

impl<T> From<Vec<T>> for DocList<T> {
    fn from(docs: Vec<T>) -> Self {
        Self(docs)
    }
}

impl<T, const N: usize> From<[T; N]> for DocList<T> {
    fn from(docs: [T; N]) -> Self {
        Self(docs.into())
    }
}

impl<T> From<DocList<T>> for Vec<T> {
    fn from(docs: DocList<T>) -> Self {
        docs.0
    }
}

impl<T> FromIterator<T> for DocList<T> {
    fn from_iter<I: IntoIterator<Item = T>>(docs: I) -> Self {
        Self(docs.into_iter().collect())
    }
}

impl<T> Extend<T> for DocList<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, docs: I) {
        self.0.extend(docs);
    }
}

impl<T> IntoIterator for DocList<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a DocList<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut DocList<T> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter_mut()
    }
}
