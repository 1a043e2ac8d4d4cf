//! Executors that peers in Python are tried with: `cargo run -p executor --example interop -- --uses Foo`.

use std::process::ExitCode;

use bytes::Bytes;
use docarray::documents::TextDoc;
use docarray::{Doc, DocList, Id, ImageUrl, NdArray};
use executor_runtime::{Context, Failure, Registry, executor, requests};
use futures_util::{Stream, stream};
use serde_json::{Map, Value, json};

/// Sets every text to `foo was called`.
#[derive(Default)]
struct Foo;

#[executor]
impl Foo {
    #[requests]
    fn foo(&self, docs: &mut DocList<TextDoc>) {
        docs.iter_mut().for_each(|doc| doc.text = Some("foo was called".to_owned()));
    }
}

/// A part of an article.
#[derive(Debug, Clone, Doc)]
struct Part {
    id: Id,
    #[document(default)]
    name: String,
    vector: Option<NdArray>,
}

/// Fields of every kind.
#[derive(Debug, Clone, Doc)]
struct Article {
    id: Id,
    title: String,
    #[document(default = 3)]
    views: i64,
    #[document(default = 0.5)]
    weight: f64,
    #[document(default)]
    draft: bool,
    lang: Option<String>,
    link: Option<ImageUrl>,
    raw: Option<Bytes>,
    embedding: Option<NdArray>,
    first: Option<Part>,
    parts: DocList<Part>,
    listed: Vec<Part>,
    words: Vec<String>,
    tags: Map<String, Value>,
}

#[derive(serde::Deserialize)]
struct Count {
    n: usize,
}

/// Answers in every way.
#[derive(Default)]
struct Typed;

#[executor]
impl Typed {
    #[requests(on = "/echo")]
    async fn echo(&self, docs: DocList<Article>) -> DocList<Article> {
        std::future::ready(docs).await
    }

    #[requests(on = "/fill")]
    fn fill(&self, docs: &mut DocList<Article>) {
        for doc in docs {
            doc.embedding = NdArray::of(vec![2, 2], &[1.0_f32, 2.0, 3.0, 4.0]).ok();
            doc.first = Some(Part { id: "first".into(), name: doc.title.clone(), vector: None });
            doc.parts.push(Part { id: "p".into(), name: "part".to_owned(), vector: doc.embedding.clone() });
            doc.listed.push(Part {
                id: "l".into(),
                name: "listed".to_owned(),
                vector: doc.embedding.clone(),
            });
            doc.words.push(doc.title.clone());
            doc.views += 1 << 40;
            doc.tags.insert("seen".to_owned(), json!({"deep": [1, 2.5, null, "x"]}));
        }
    }

    #[requests(on = "/count")]
    fn count(&self, docs: &DocList<Article>, parameters: &Count) -> Value {
        json!({"docs": docs.len(), "n": parameters.n})
    }

    #[requests(on = "/fail")]
    fn fail(&self, _docs: &DocList<Article>) -> Result<(), Failure> {
        Err(Failure::new("ValueError", "boom"))
    }

    #[requests(on = "/stream")]
    fn stream(&self, doc: TextDoc, context: &Context) -> impl Stream<Item = TextDoc> + Send + use<> {
        let text = format!("{} {}", doc.text.unwrap_or_default(), context.endpoint());
        stream::iter((0..3).map(move |n| TextDoc::new(format!("{text} {n}"))))
    }
}

fn main() -> ExitCode {
    executor::main(&Registry::new().with::<Foo>().with::<Typed>())
}
