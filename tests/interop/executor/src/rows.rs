//! An endpoint for each way in which executors are asked and answer; `rows.py` holds the same in Python.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use docarray::documents::{
    AudioDoc, ImageDoc, LegacyDocument, Mesh3D, PointCloud3D, PointsAndColors, TextDoc, VerticesAndFaces,
    VideoDoc,
};
use docarray::{Doc, DocList, Id};
use executor_runtime::{Failure, Setup, executor, requests};
use futures_util::{Stream, StreamExt as _, stream};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// A text.
#[derive(Debug, Clone, Default, Doc)]
struct Line {
    id: Id,
    text: Option<String>,
}

impl Line {
    fn new(id: String, text: impl Into<String>) -> Self {
        Self { id: id.into(), text: Some(text.into()) }
    }
}

/// What a search may be told.
#[derive(Debug, Deserialize, JsonSchema)]
struct Search {
    top_k: i64,
    #[serde(default = "english")]
    lang: String,
}

fn english() -> String {
    "en".to_owned()
}

#[derive(Debug, Deserialize)]
struct Own {
    k: i64,
}

/// What the executor is made with.
#[derive(Debug, Deserialize)]
#[serde(default)]
struct With {
    greeting: String,
}

impl Default for With {
    fn default() -> Self {
        Self { greeting: "hello".to_owned() }
    }
}

/// One endpoint for each row of the table in `test_executor.py`.
#[derive(Debug)]
pub(crate) struct Rows {
    greeting: String,
    setup: Setup,
    state: Mutex<String>,
}

/// How long a stream waits for its file.
const PATIENCE: Duration = Duration::from_secs(30);

fn write_all(docs: &mut DocList<Line>, text: &str) {
    docs.iter_mut().for_each(|doc| doc.text = Some(text.to_owned()));
}

#[executor]
impl Rows {
    fn new(with: With, setup: &Setup) -> Self {
        Self { greeting: with.greeting, setup: setup.clone(), state: Mutex::default() }
    }

    #[requests]
    fn default(&self, docs: &mut DocList<Line>) {
        write_all(docs, "default");
    }

    #[requests(on = ["/b", "/c"])]
    fn several(&self, docs: &mut DocList<Line>) {
        write_all(docs, "several");
    }

    #[requests(on = "noslash")]
    fn noslash(&self, docs: &mut DocList<Line>) {
        write_all(docs, "noslash");
    }

    #[requests(on = "/new")]
    fn renew(&self, docs: &DocList<Line>) -> DocList<Line> {
        (0..=docs.len()).map(|n| Line::new(format!("new-{n}"), "new")).collect()
    }

    #[requests(on = "/results")]
    fn results(&self, docs: &mut DocList<Line>) -> Value {
        write_all(docs, "counted");
        json!({"n": docs.len()})
    }

    #[requests(on = "/single")]
    fn single(&self, doc: &mut Line) -> Option<Line> {
        if doc.text.as_deref() == Some("keep") {
            doc.text = Some("kept".to_owned());
            return None;
        }
        Some(Line::new(format!("new-{}", doc.id), "new"))
    }

    #[requests(on = "/params")]
    fn params(&self, docs: &mut DocList<Line>, parameters: &Search) {
        write_all(docs, &format!("{} {}", parameters.top_k, parameters.lang));
    }

    #[requests(on = "/own")]
    fn own(&self, docs: &mut DocList<Line>, parameters: &Own) {
        write_all(docs, &parameters.k.to_string());
    }

    #[requests(on = "/fail")]
    fn fail(&self, _docs: &DocList<Line>) -> Result<(), Failure> {
        Err(Failure::new("ValueError", "boom").with_arguments([json!("boom"), json!(1)]))
    }

    #[requests(on = "/parts")]
    fn parts(
        &self,
        docs: &mut DocList<Line>,
        docs_matrix: &[DocList<Line>],
        docs_map: &HashMap<String, DocList<Line>>,
    ) {
        let ids = |part: &DocList<Line>| part.iter().map(|doc| doc.id.to_string()).collect::<Vec<_>>();
        let matrix: Vec<_> = docs_matrix.iter().map(ids).collect();
        let mut names: Vec<_> = docs_map.keys().collect();
        names.sort();
        // As Python writes it.
        let told = json!([matrix, names]).to_string().replace(',', ", ");
        write_all(docs, &told);
    }

    /// The second only when the file that the text names is there: whoever waits for it has the first by then.
    #[requests(on = "/stream")]
    fn stream(
        &self,
        doc: Line,
    ) -> impl Stream<Item = Result<Line, tokio::time::error::Elapsed>> + Send + use<> {
        let line = |id: &str, text: &str| Line::new(id.to_owned(), text);
        let (first, second) = (line("first", &self.greeting), line("second", &self.greeting));
        let second = async move {
            let file = doc.text.unwrap_or_default();
            let there = async {
                while !Path::new(&file).exists() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            tokio::time::timeout(PATIENCE, there).await.map(|()| second)
        };
        stream::iter([Ok(first)]).chain(stream::once(second))
    }

    #[requests(on = "/greet")]
    fn greet(&self, docs: &mut DocList<Line>) {
        write_all(docs, &self.greeting);
    }

    #[requests(on = "/workspace")]
    fn workspace(&self, docs: &mut DocList<Line>) -> io::Result<()> {
        write_all(docs, &self.setup.workspace()?.to_string_lossy());
        Ok(())
    }

    #[requests(on = "/env")]
    fn env(&self, docs: &mut DocList<Line>) {
        for doc in docs {
            let name = doc.text.take().unwrap_or_default();
            doc.text = Some(std::env::var(name).unwrap_or_default());
        }
    }

    #[requests(on = "/set", write)]
    fn set_state(&self, docs: &DocList<Line>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for doc in docs {
            *state = doc.text.clone().unwrap_or_default();
        }
    }

    #[requests(on = "/get")]
    fn get_state(&self, docs: &mut DocList<Line>) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner).clone();
        write_all(docs, &state);
    }

    fn snapshot(&self, file: &Path) -> io::Result<()> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner).clone();
        std::fs::write(file, state)
    }

    fn restore(&self, file: &Path) -> io::Result<()> {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = std::fs::read_to_string(file)?;
        Ok(())
    }
}

/// The documents that come with DocArray, each as it is.
#[derive(Debug, Default)]
pub(crate) struct Predefined;

#[executor]
impl Predefined {
    #[requests]
    fn legacy(&self, _docs: &DocList<LegacyDocument>) {}

    #[requests(on = "/text")]
    fn text(&self, _docs: &DocList<TextDoc>) {}

    #[requests(on = "/image")]
    fn image(&self, _docs: &DocList<ImageDoc>) {}

    #[requests(on = "/audio")]
    fn audio(&self, _docs: &DocList<AudioDoc>) {}

    #[requests(on = "/video")]
    fn video(&self, _docs: &DocList<VideoDoc>) {}

    #[requests(on = "/mesh")]
    fn mesh(&self, _docs: &DocList<Mesh3D>) {}

    #[requests(on = "/vertices")]
    fn vertices(&self, _docs: &DocList<VerticesAndFaces>) {}

    #[requests(on = "/cloud")]
    fn cloud(&self, _docs: &DocList<PointCloud3D>) {}

    #[requests(on = "/points")]
    fn points(&self, _docs: &DocList<PointsAndColors>) {}
}
