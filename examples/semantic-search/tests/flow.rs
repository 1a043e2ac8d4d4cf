//! The whole Flow with a model of eight numbers: gateway, executors, client, over real sockets.

#![cfg(test)]

use std::path::Path;

use client::{Client, Error};
use flow::{Deployment, Flow, Running};
use search::documents::{Document, Query, Reference};
use search::{Indexer, Segmenter};
use semantic_search::documents::{Kept, Ranked};
use semantic_search::{Encoder, Ranker, VectorIndex};
use serde_json::json;

async fn start(workspace: &Path) -> Running {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tiny");
    let flow = Flow::new()
        .config_gateway(|gateway| gateway.host("127.0.0.1").port(0))
        .add(Deployment::new::<Segmenter>().name("segmenter").uses_with(json!({"passage_bytes": 200})))
        .add(Deployment::new::<Encoder>().name("encoder").uses_with(json!({"model_dir": model})))
        .add(Deployment::new::<VectorIndex>().name("vectors").workspace(workspace))
        .add(
            Deployment::new::<Indexer>()
                .name("indexer")
                .needs(["segmenter"])
                .uses_with(json!({"writer_heap": "16MiB", "syntax": "words"}))
                .workspace(workspace),
        )
        .add(Deployment::new::<Ranker>().name("ranker").needs(["vectors", "indexer"]));
    flow.start().await.unwrap()
}

fn document(id: &str, text: &str) -> Document {
    Document { id: id.into(), text: Some(text.to_owned()), ..Document::default() }
}

async fn find(client: &Client, text: &str, limit: usize) -> Result<Ranked, Error> {
    let query = Query { text: text.to_owned(), ..Query::default() };
    let request = client.post("/search").inputs([query]).parameters(json!({"limit": limit}));
    Ok(request.collect::<Ranked>().await?.into_iter().next().unwrap())
}

#[tokio::test]
async fn passages_are_found_by_words_and_by_meaning_and_kept_over_a_restart() {
    let workspace = tempfile::tempdir().unwrap();
    let running = start(workspace.path()).await;
    let client = running.client().unwrap();
    let documents = [
        document("pets", "# Pets\n\nThe cat sat.\n\n# More\n\nDogs."),
        document("stop", "how do I stop the server?"),
        document("empty", ""),
    ];
    let kept = client.post("/index").inputs(documents).in_order(true).collect::<Kept>().await.unwrap();
    let kept: Vec<_> = kept.iter().map(|kept| (&*kept.id, kept.passages, kept.vectors)).collect();
    assert_eq!(kept, [("pets", 2, 2), ("stop", 1, 1), ("empty", 0, 0)]);

    let found = find(&client, "how do I stop the server?", 10).await.unwrap();
    let best = &found.matches[0];
    assert_eq!((&*best.id, best.word_rank, best.meaning_rank), ("stop#0", Some(1), Some(1)));
    assert!((best.similarity.unwrap() - 1.0).abs() < 1e-4, "{best:?}");
    assert_eq!((found.matches.len(), found.total), (3, 3));
    // No passage has these words, and yet some mean about that.
    let found = find(&client, "unheard", 2).await.unwrap();
    let ranks: Vec<_> = found.matches.iter().map(|found| (found.word_rank, found.meaning_rank)).collect();
    assert_eq!(ranks, [(None, Some(1)), (None, Some(2))]);

    let references = ["pets", "gone"].map(|id| Reference { id: id.into() });
    let removed = client.post("/delete").inputs(references).in_order(true).collect::<Kept>().await.unwrap();
    let removed: Vec<_> = removed.iter().map(|kept| (&*kept.id, kept.passages, kept.vectors)).collect();
    assert_eq!(removed, [("pets", 2, 2), ("gone", 0, 0)]);
    running.stop().await.unwrap();

    let running = start(workspace.path()).await;
    let client = running.client().unwrap();
    let found = find(&client, "cat", 10).await.unwrap();
    assert_eq!(found.matches.iter().map(|found| &*found.id).collect::<Vec<_>>(), ["stop#0"]);
    let refused = find(&client, "cat", 1001).await.unwrap_err();
    assert!(refused.to_string().contains("reach beyond the first 1000 passages"), "{refused}");
    running.stop().await.unwrap();
}
