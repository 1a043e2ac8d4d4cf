//! The executors of the interop suite in Rust; `executors.py` holds the same in Python.

mod rows;
mod types;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use docarray::{AnyUrl, Doc, DocList, Id, NdArray};
use executor_runtime::{Registry, Setup, executor, requests};
use futures_util::{Stream, StreamExt as _, stream};
use serde_json::{Map, Value};

/// A text.
#[derive(Debug, Clone, Default, Doc)]
struct Text {
    id: Id,
    text: Option<String>,
}

/// A part of a [`Mixed`].
#[derive(Debug, Clone, Default, Doc)]
struct Part {
    id: Id,
    text: String,
}

/// One field of each kind that schemas must keep.
#[derive(Debug, Clone, Default, Doc)]
struct Mixed {
    id: Id,
    text: String,
    #[document(default)]
    count: i64,
    note: Option<String>,
    vector: Option<NdArray>,
    part: Option<Part>,
    #[document(default)]
    parts: Vec<Part>,
}

/// A list of documents in a document, whose schema Python executors cannot tell.
#[derive(Debug, Clone, Default, Doc)]
struct Nested {
    id: Id,
    parts: DocList<Part>,
}

/// What schemas must keep and a Python gateway can tell again: it fails on documents in documents.
#[derive(Debug, Clone, Default, Doc)]
struct Plain {
    id: Id,
    text: String,
    #[document(default)]
    count: i64,
    #[document(default = 0.5)]
    score: f64,
    note: Option<String>,
    vector: Option<NdArray>,
    words: Vec<String>,
}

/// A field of each kind that a document can have.
#[derive(Debug, Clone, Default, Doc)]
struct Rich {
    id: Id,
    title: String,
    #[document(default = 0)]
    views: i32,
    #[document(default = 0.5)]
    score: f64,
    #[document(default = false)]
    draft: bool,
    lang: Option<String>,
    link: Option<AnyUrl>,
    raw: Option<Bytes>,
    vector: Option<NdArray>,
    #[document(default)]
    tags: Map<String, Value>,
    #[document(default)]
    words: Vec<String>,
    part: Option<Part>,
    #[document(default)]
    parts: DocList<Part>,
}

/// What a request for [`Typed`] may say.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(default)]
struct Options {
    limit: u32,
    loud: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { limit: 10, loud: false }
    }
}

/// Endpoints of every shape, over documents of every kind.
#[derive(Debug, Default)]
struct Typed;

#[executor]
impl Typed {
    #[requests(on = "/rich")]
    fn rich(&self, docs: DocList<Rich>) -> DocList<Rich> {
        docs
    }

    #[requests(on = "/limited")]
    fn limited(&self, docs: DocList<Rich>, parameters: Options) -> DocList<Text> {
        let text = |doc: Rich| {
            let text = if parameters.loud { doc.title.to_uppercase() } else { doc.title };
            Text { id: doc.id, text: Some(text) }
        };
        docs.into_iter().take(parameters.limit as usize).map(text).collect()
    }

    #[requests(on = "/results")]
    fn results(&self, docs: &DocList<Rich>) -> Map<String, Value> {
        Map::from_iter([("n".to_owned(), docs.len().into())])
    }

    #[requests(on = "/words")]
    fn words(&self, doc: Rich) -> impl Stream<Item = Text> + Send + use<> {
        stream::iter(doc.words).map(|word| Text { text: Some(word), ..Text::default() })
    }
}

/// Returns documents as they come.
#[derive(Debug, Default)]
struct Schemas;

#[executor]
impl Schemas {
    #[requests(on = "/plain")]
    fn plain(&self, docs: DocList<Plain>) -> DocList<Plain> {
        docs
    }

    #[requests(on = "/part")]
    fn part(&self, docs: DocList<Part>) -> DocList<Part> {
        docs
    }
}

/// Sets every document's text, whatever the endpoint.
#[derive(Debug, Default)]
struct FooExecutor;

#[executor]
impl FooExecutor {
    #[requests]
    fn foo(&self, docs: &mut DocList<Text>) {
        for doc in docs {
            doc.text = Some("foo was called".to_owned());
        }
    }
}

/// The executor of README.md.
#[derive(Debug, Default)]
struct Foo;

#[executor]
impl Foo {
    #[requests(on = "/foo")]
    fn foo(&self, docs: &mut DocList<Text>) {
        for doc in docs {
            doc.text = Some("foo was called".to_owned());
        }
    }
}

/// Writes its name into every document, whatever the endpoint.
#[derive(Debug)]
struct Named {
    name: String,
}

#[executor]
impl Named {
    fn new(setup: &Setup) -> Self {
        Self { name: setup.name.clone() }
    }

    #[requests]
    fn sign(&self, docs: &mut DocList<Text>) {
        for doc in docs {
            doc.text = Some(self.name.clone());
        }
    }
}

/// One endpoint for each thing that can be right or wrong.
#[derive(Debug, Default)]
struct Tools;

/// Where a request waits.
#[derive(Debug, serde::Deserialize)]
struct Hold {
    directory: PathBuf,
}

/// How long a request waits at most.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
#[error("boom")]
struct Boom;

#[executor]
impl Tools {
    #[requests(on = "/upper")]
    fn upper(&self, docs: &mut DocList<Text>) {
        for doc in docs {
            doc.text = doc.text.as_ref().map(|text| text.to_uppercase());
        }
    }

    #[requests(on = "/fail")]
    fn fail(&self, docs: &DocList<Text>) -> Result<(), Boom> {
        if docs.is_empty() { Ok(()) } else { Err(Boom) }
    }

    /// Its name is the key of what it returns.
    #[requests(on = "/whoami")]
    fn whoami(&self, docs: &DocList<Text>) -> Map<String, Value> {
        Map::from_iter([("n".to_owned(), docs.len().into())])
    }

    #[requests(on = "/tokens")]
    fn tokens(&self, doc: Text) -> impl Stream<Item = Text> + Send + use<> {
        let text = doc.text.unwrap_or_default();
        stream::iter(0..3).map(move |n| Text { id: n.to_string().into(), text: Some(format!("{text} {n}")) })
    }

    /// Leaves a file in the directory for each document, and waits until it holds one called `release`.
    #[requests(on = "/hold")]
    async fn hold(&self, docs: DocList<Text>, parameters: Hold) -> io::Result<DocList<Text>> {
        for doc in &docs {
            std::fs::write(parameters.directory.join(doc.id.as_str()), "")?;
        }
        let release = parameters.directory.join("release");
        let released = async {
            while !release.exists() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, released).await?;
        Ok(docs)
    }

    #[requests(on = "/nested")]
    fn nested(&self, docs: &mut DocList<Nested>) {
        for doc in docs {
            for part in &mut doc.parts {
                part.text = part.text.to_uppercase();
            }
        }
    }

    #[requests(on = "/mixed")]
    fn mixed(&self, docs: &mut DocList<Mixed>) {
        for doc in docs {
            doc.count += 1;
            doc.note = doc.note.take().or_else(|| Some("noted".to_owned()));
            doc.parts.push(Part { text: doc.text.clone(), ..Part::default() });
        }
    }
}

/// Writes into each document which documents it was called with.
#[derive(Debug, Default)]
struct Batcher;

#[derive(Debug, thiserror::Error)]
#[error("bad")]
struct Bad;

#[executor]
impl Batcher {
    #[requests(on = "/batch", dynamic_batching(preferred_batch_size = 4, timeout = 2000))]
    fn batch(&self, docs: &mut DocList<Text>) -> Result<(), Bad> {
        let texts: Vec<String> = docs.iter().filter_map(|doc| doc.text.clone()).collect();
        if texts.iter().any(|text| text == "bad") {
            return Err(Bad);
        }
        for doc in docs {
            doc.text = Some(texts.join(" "));
        }
        Ok(())
    }
}

/// Does not come back, or takes all the memory there is.
#[derive(Debug, Default)]
struct Runaway;

#[executor]
impl Runaway {
    #[requests(on = "/loop")]
    fn spin(&self, docs: &DocList<Text>) {
        while !docs.is_empty() {
            std::thread::yield_now();
        }
    }

    /// Gives way now and then, so that it can be stopped.
    #[requests(on = "/grow")]
    async fn grow(&self, docs: &DocList<Text>) {
        let mut held = Vec::new();
        while !docs.is_empty() {
            held.push(vec![1_u8; 4 << 20]);
            tokio::task::yield_now().await;
        }
    }

    /// Cannot be stopped.
    #[requests(on = "/grow_on")]
    fn grow_on(&self, docs: &DocList<Text>) {
        let mut held = Vec::new();
        while !docs.is_empty() {
            held.push(vec![1_u8; 4 << 20]);
        }
    }

    #[requests(on = "/upper")]
    fn upper(&self, docs: &mut DocList<Text>) {
        for doc in docs {
            doc.text = doc.text.as_ref().map(|text| text.to_uppercase());
        }
    }
}

fn main() -> ExitCode {
    let registry = Registry::new().with::<FooExecutor>().with::<Tools>().with::<Typed>();
    let registry = registry.with::<Schemas>().with::<Foo>().with::<Named>();
    let registry = registry.with::<Batcher>().with::<Runaway>();
    let registry = registry.with::<rows::Rows>().with::<rows::Predefined>();
    executor::main(&registry.with::<types::Types>())
}
