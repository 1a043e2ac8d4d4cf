//! The executors of the recordings in `golden/`, in Rust.

#![expect(clippy::needless_pass_by_value, reason = "executors are handed their parameters")]

use bytes::Bytes;
use docarray::{AnyUrl, Doc, DocList, Id, NdArray};
use executor_runtime::{Entry, Executor, ExecutorSettings, Failure, executor, host, requests};
use serde_json::{Map, Value, json};

use crate::Served;

/// An article.
#[derive(Debug, Clone, Default, Doc)]
#[document(name = "ArticleDoc")]
pub struct Article {
    id: Id,
    title: String,
    #[document(default = 0)]
    views: i32,
    #[document(default = false)]
    draft: bool,
    lang: Option<String>,
    link: Option<AnyUrl>,
    vec: Option<NdArray>,
    raw: Option<Bytes>,
    #[document(default)]
    tags: Map<String, Value>,
    #[document(default)]
    words: Vec<String>,
    #[document(default = "news")]
    kind: String,
}

/// A search hit.
#[derive(Debug, Clone, Default, Doc)]
#[document(name = "HitDoc")]
pub struct Hit {
    id: Id,
    title: String,
    #[document(default = 0)]
    rank: i32,
    vec: Option<NdArray>,
    #[document(default)]
    tags: Map<String, Value>,
}

/// The first executor.
#[derive(Debug, Default)]
pub struct Encoder;

#[executor]
impl Encoder {
    #[requests(on = "/index")]
    fn index(&self, docs: &mut DocList<Article>) {
        for doc in docs {
            let len: f32 = u16::try_from(doc.title.len()).unwrap_or(u16::MAX).into();
            doc.vec = Some(NdArray::from(vec![1.0, 2.0, len]));
            doc.views += 1;
        }
    }

    #[requests(on = "/search")]
    fn search(&self, docs: &mut DocList<Article>, parameters: Map<String, Value>) {
        for doc in docs {
            doc.tags.insert("encoder_params".to_owned(), Value::Object(parameters.clone()));
        }
    }

    #[requests(on = "/fail")]
    fn fail(&self, _docs: &DocList<Article>) -> Result<(), Failure> {
        Err(Failure::new("ValueError", "boom"))
    }

    #[requests(on = "/slow")]
    fn slow(&self, _docs: &DocList<Article>) {}

    #[requests(on = "/results")]
    fn results(&self, docs: &DocList<Article>, parameters: Map<String, Value>) -> Map<String, Value> {
        let mut seen: Vec<_> = parameters.keys().filter(|key| *key != "__results__").collect();
        seen.sort();
        Map::from_iter([("n".to_owned(), docs.len().into()), ("seen".to_owned(), json!(seen))])
    }
}

/// The second executor.
#[derive(Debug, Default)]
pub struct Ranker;

#[executor]
impl Ranker {
    #[requests(on = "/index")]
    fn index(&self, docs: &mut DocList<Article>) {
        for doc in docs {
            doc.tags.insert("ranked".to_owned(), true.into());
        }
    }

    #[requests(on = "/search")]
    fn search(&self, docs: DocList<Article>) -> DocList<Hit> {
        let hit = |(rank, doc): (i32, Article)| Hit {
            id: format!("hit-{}", doc.id.as_str()).into(),
            title: doc.title,
            rank,
            vec: doc.vec,
            tags: doc.tags,
        };
        (0..).zip(docs).map(hit).collect()
    }

    #[requests(on = "/fail")]
    fn fail(&self, docs: &mut DocList<Article>) {
        for doc in docs {
            "ranker must not run".clone_into(&mut doc.title);
        }
    }

    #[requests(on = "/slow")]
    fn slow(&self, _docs: &DocList<Article>) {}

    #[requests(on = "/results")]
    fn results(&self, _docs: &DocList<Article>) -> Map<String, Value> {
        Map::from_iter([("ranker".to_owned(), "ok".into())])
    }

    #[requests(on = "/only_ranker")]
    fn only_ranker(&self, docs: &mut DocList<Article>) {
        for doc in docs {
            doc.title.push_str(" (ranker)");
        }
    }
}

/// Serves an executor as the first replica of a deployment.
///
/// # Panics
///
/// If the system refuses.
#[must_use]
pub fn serve<E: Executor>(deployment: &str) -> Served {
    serve_as::<E>(&format!("{deployment}/rep-0"))
}

/// Serves an executor under its full name.
///
/// # Panics
///
/// If the system refuses.
#[must_use]
pub fn serve_as<E: Executor>(name: &str) -> Served {
    let settings = ExecutorSettings { name: name.to_owned(), ..ExecutorSettings::default() };
    Served::hosted(host(&Entry::of::<E>(), settings).expect("an executor"))
}
