//! The documents of the Flow, as they travel.

use docarray::{Doc, Id};

use crate::index;
use crate::segment::{self, Format, MaxBytes};

/// A text to keep. What `/index` takes.
#[derive(Debug, Clone, Default, PartialEq, Doc)]
pub struct Document {
    /// Its name: another one of the same name takes its place.
    pub id: Id,
    /// Where it comes from. The ending of its name tells how the text is written.
    pub uri: Option<String>,
    /// What it is called; by default as its first heading or its file.
    pub title: Option<String>,
    /// The text; taken away when it has been cut.
    pub text: Option<String>,
    /// Its passages.
    pub chunks: Vec<Chunk>,
}

/// A passage of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Doc)]
pub struct Chunk {
    /// Its name: that of the document and its number.
    pub id: Id,
    /// The headings above it, `outer > inner`.
    pub heading: String,
    /// The passage.
    pub text: String,
    /// Where it begins in the text, in bytes.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
}

/// What has become of a document. What `/index` and `/delete` answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Doc)]
pub struct Kept {
    /// The document.
    pub id: Id,
    /// Where it comes from.
    pub uri: Option<String>,
    /// What it is called.
    pub title: Option<String>,
    /// How many passages were kept, or removed.
    pub passages: u64,
}

/// What to search for. What `/search` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Doc)]
pub struct Query {
    /// Tells the answers to several queries apart.
    pub id: Id,
    /// The query.
    pub text: String,
}

/// What `/delete` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Doc)]
pub struct Reference {
    /// The document to remove.
    pub id: Id,
}

/// The answer to a query. What `/search` answers.
#[derive(Debug, Clone, Default, PartialEq, Doc)]
pub struct Found {
    /// That of the query.
    pub id: Id,
    /// The query.
    pub text: String,
    /// How many passages there are, with those not shown.
    pub total: u64,
    /// The best first.
    pub matches: Vec<Match>,
}

/// A passage that was found.
#[derive(Debug, Clone, Default, PartialEq, Doc)]
pub struct Match {
    /// The passage.
    pub id: Id,
    /// Its document.
    pub document: String,
    /// Where the document comes from.
    pub uri: Option<String>,
    /// What the document is called.
    pub title: Option<String>,
    /// The headings above the passage.
    pub heading: String,
    /// How well it fits.
    pub score: f64,
    /// The whole passage.
    pub text: String,
    /// Where it begins in the document's text, in bytes.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// The best part of it as HTML, with the words of the query in `<mark>`.
    pub highlight: String,
    /// Where the words of the query are in `text`, in bytes of UTF-8: start, end, start, end, …
    pub marks: Vec<u64>,
}

// === impl Document ===

impl Document {
    /// Cuts the text, which goes: passages hold all of it that can be found.
    pub fn segment(&mut self, format: Option<Format>, max: MaxBytes) {
        let text = self.text.take().unwrap_or_default();
        let uri = self.uri.as_deref().unwrap_or_default();
        let segments = segment::segment(&text, format.unwrap_or_else(|| Format::of_file(uri)), max);
        if is_blank(self.title.as_deref()) {
            self.title = segments.title.or_else(|| file_name(uri));
        }
        let chunks = segments.passages.into_iter().enumerate().map(|(position, passage)| Chunk {
            id: segment::passage_id(&self.id, position).into(),
            heading: passage.heading.join(" > "),
            text: text[passage.range.clone()].to_owned(),
            start: passage.range.start as u64,
            end: passage.range.end as u64,
        });
        self.chunks = chunks.collect();
    }
}

impl From<Document> for index::Document {
    /// A document that nobody has cut is one passage; so is one that has a title only, which can be found, too.
    fn from(document: Document) -> Self {
        let Document { id, uri, title, text, chunks } = document;
        let mut passages: Vec<_> = chunks.into_iter().map(index::Passage::from).collect();
        if passages.is_empty() && !(is_blank(title.as_deref()) && is_blank(text.as_deref())) {
            let text = text.unwrap_or_default();
            let end = text.len() as u64;
            let id = segment::passage_id(&id, 0);
            passages.push(index::Passage { id, heading: String::new(), text, start: 0, end });
        }
        Self { id: id.to_string(), uri, title, passages }
    }
}

impl From<Chunk> for index::Passage {
    fn from(chunk: Chunk) -> Self {
        let Chunk { id, heading, text, start, end } = chunk;
        Self { id: id.to_string(), heading, text, start, end }
    }
}

// === impl Match ===

impl From<index::Hit> for Match {
    fn from(hit: index::Hit) -> Self {
        Self {
            id: hit.id.into(),
            document: hit.document,
            uri: hit.uri,
            title: hit.title,
            heading: hit.heading,
            score: hit.score.into(),
            text: hit.text,
            start: hit.start,
            end: hit.end,
            highlight: hit.excerpt,
            marks: hit.marks.iter().flat_map(|mark| [mark.start as u64, mark.end as u64]).collect(),
        }
    }
}

fn is_blank(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}

fn file_name(uri: &str) -> Option<String> {
    let name = uri.rsplit('/').next()?;
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document {
            id: "d".into(),
            uri: Some("file:///a/b.md".to_owned()),
            text: Some(text.to_owned()),
            ..Document::default()
        }
    }

    #[test]
    fn a_cut_document_has_its_text_in_passages() {
        let text = "# Guide\n\nHello.\n\n## Use\n\nRun it.";
        let mut cut = document(text);
        cut.segment(None, MaxBytes::default());
        assert_eq!((cut.title.as_deref(), cut.text.as_deref()), (Some("Guide"), None));
        let chunks: Vec<_> = cut
            .chunks
            .iter()
            .map(|chunk| (&*chunk.id, chunk.heading.as_str(), chunk.text.as_str()))
            .collect();
        assert_eq!(chunks, [("d#0", "Guide", "Hello."), ("d#1", "Guide > Use", "Run it.")]);
        for chunk in &cut.chunks {
            let (start, end) = (usize::try_from(chunk.start).unwrap(), usize::try_from(chunk.end).unwrap());
            assert_eq!(&text[start..end], chunk.text);
        }
        let mut again = document(text);
        again.segment(None, MaxBytes::default());
        assert_eq!(again, cut);
    }

    #[test]
    fn a_title_comes_from_where_there_is_one() {
        let title = |title: &str, uri: &str, text: &str| {
            let mut document =
                Document { title: Some(title.to_owned()), uri: Some(uri.to_owned()), ..document(text) };
            document.segment(None, MaxBytes::default());
            document.title
        };
        assert_eq!(title("Given", "a.md", "# Heading").as_deref(), Some("Given"));
        assert_eq!(title(" ", "a.md", "# Heading").as_deref(), Some("Heading"));
        assert_eq!(title("", "x/a.txt", "# Heading").as_deref(), Some("a.txt"));
        assert_eq!(title("", "", "text"), None);
    }

    #[test]
    fn an_uncut_document_is_one_passage() {
        let kept = index::Document::from(document("whole"));
        assert_eq!(kept.passages.len(), 1);
        assert_eq!(
            (kept.passages[0].id.as_str(), kept.passages[0].text.as_str(), kept.passages[0].end),
            ("d#0", "whole", 5)
        );
        assert!(index::Document::from(document(" ")).passages.is_empty());
        let titled = Document { title: Some("Only".to_owned()), ..document("") };
        assert_eq!(index::Document::from(titled).passages.len(), 1);
    }
}
