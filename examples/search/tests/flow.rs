//! The whole Flow: gateway, executors, client, over real sockets.

#![cfg(test)]

use std::path::Path;
use std::process::Command;

use client::{Client, Error};
use flow::{Deployment, Flow, Plan, Running};
use search::documents::{Document, Found, Kept, Query, Reference};
use search::{Indexer, Segmenter};
use serde_json::json;

async fn start(workspace: &Path) -> Running {
    let flow = Flow::new()
        .config_gateway(|gateway| gateway.host("127.0.0.1").port(0))
        .add(Deployment::new::<Segmenter>().name("segmenter").uses_with(json!({"passage_bytes": 200})))
        .add(
            Deployment::new::<Indexer>()
                .name("indexer")
                .uses_with(json!({"writer_heap": "16MiB"}))
                .workspace(workspace)
                .option("allow_concurrent", true),
        );
    flow.start().await.unwrap()
}

fn document(id: &str, text: &str) -> Document {
    Document {
        id: id.into(),
        uri: Some(format!("file:///{id}")),
        text: Some(text.to_owned()),
        ..Document::default()
    }
}

async fn index(client: &Client, documents: Vec<Document>) -> Vec<Kept> {
    client.post("/index").inputs(documents).in_order(true).collect().await.unwrap().into()
}

async fn find(client: &Client, queries: &[&str]) -> Result<Vec<Found>, Error> {
    let queries: Vec<_> =
        queries.iter().map(|query| Query { text: (*query).to_owned(), ..Query::default() }).collect();
    let parameters = json!({"limit": 3, "operator": "and"});
    client.post("/search").inputs(queries).parameters(parameters).collect().await.map(Vec::from)
}

const GUIDE: &str = "# Guide\n\nHow to use *it* & more.\n\n## Install\n\nRun the installer, then restart.\n";

#[tokio::test]
async fn documents_are_indexed_found_replaced_and_deleted() {
    let workspace = tempfile::tempdir().unwrap();
    let running = start(workspace.path()).await;
    let client = running.client().unwrap();

    let kept =
        index(&client, vec![document("guide.md", GUIDE), document("notes.txt", "Notes on installers.")])
            .await;
    let seen: Vec<_> = kept.iter().map(|kept| (&*kept.id, kept.title.as_deref(), kept.passages)).collect();
    assert_eq!(seen, [("guide.md", Some("Guide"), 2), ("notes.txt", Some("notes.txt"), 1)]);

    let found = find(&client, &["installer", "nothing"]).await.unwrap();
    assert_eq!(found.iter().map(|found| found.total).collect::<Vec<_>>(), [2, 0]);
    let best = found[0].matches.iter().find(|passage| passage.document == "guide.md").unwrap();
    assert_eq!((&*best.id, best.heading.as_str()), ("guide.md#1", "Guide > Install"));
    assert_eq!(best.highlight, "Run the <mark>installer</mark>, then restart.");
    assert_eq!(best.marks, [8, 17]);
    let (start_at, end) = (usize::try_from(best.start).unwrap(), usize::try_from(best.end).unwrap());
    assert_eq!(&GUIDE[start_at..end], best.text);
    assert!(best.score > 0.0);

    index(&client, vec![document("guide.md", "# Guide\n\nNothing of it is left.")]).await;
    assert_eq!(find(&client, &["installer"]).await.unwrap()[0].total, 1);

    let references = ["notes.txt", "gone"].map(|id| Reference { id: id.into() });
    let removed = client.post("/delete").inputs(references).collect::<Kept>().await.unwrap();
    assert_eq!(removed.iter().map(|kept| kept.passages).collect::<Vec<_>>(), [1, 0]);
    assert_eq!(find(&client, &["installer"]).await.unwrap()[0].total, 0);

    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_index_is_there_after_a_restart() {
    let workspace = tempfile::tempdir().unwrap();
    let running = start(workspace.path()).await;
    index(&running.client().unwrap(), vec![document("guide.md", GUIDE)]).await;
    running.stop().await.unwrap();

    let running = start(workspace.path()).await;
    let found = find(&running.client().unwrap(), &["restart"]).await.unwrap();
    assert_eq!(&*found[0].matches[0].id, "guide.md#1");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn many_documents_come_through_in_parallel_requests() {
    let workspace = tempfile::tempdir().unwrap();
    let running = start(workspace.path()).await;
    let client = running.client().unwrap();
    let documents =
        (0..500).map(|n| document(&format!("{n}.md"), &format!("# Number {n}\n\ncommon word{n}\n")));
    let kept =
        client.post("/index").inputs(documents).request_size(20).prefetch(8).collect::<Kept>().await.unwrap();
    assert_eq!(kept.len(), 500);
    let found = find(&client, &["common", "word123"]).await.unwrap();
    assert_eq!((found[0].total, found[0].matches.len()), (500, 3));
    assert_eq!(found[1].matches[0].document, "123.md");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_wrong_query_is_the_executors_answer() {
    let workspace = tempfile::tempdir().unwrap();
    let running = start(workspace.path()).await;
    let client = running.client().unwrap();
    let Err(Error::Executor(error)) = find(&client, &["tokio::spawn"]).await else {
        panic!("the query is wrong");
    };
    assert!(error.args[0].contains("there is no field `tokio`"), "{error:?}");
    assert_eq!(&*error.executor, "Indexer");
    assert_eq!(find(&client, &["\"tokio::spawn\""]).await.unwrap()[0].total, 0, "and the Flow goes on");
    running.stop().await.unwrap();
}

/// What the client program prints, and whether it is content.
async fn program(address: &str, arguments: &[&str]) -> (String, bool) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_search-client"));
    command.args(["--address", address]).args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (String::from_utf8(printed).unwrap(), output.status.success())
}

#[tokio::test]
async fn the_client_program_indexes_a_folder_searches_and_deletes() {
    let workspace = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let running = start(workspace.path()).await;
    let (_, socket) = running.addresses().next().unwrap();
    let address = format!("grpc://{socket}");
    std::fs::write(folder.path().join("guide.md"), GUIDE).unwrap();
    std::fs::write(folder.path().join("data.txt"), b"\0\xff").unwrap();
    let (place, guide) = (folder.path().to_str().unwrap(), folder.path().join("guide.md"));

    let (printed, content) = program(&address, &["index", place]).await;
    assert!(
        content && printed.contains("indexed 1 documents") && printed.contains("1 not text"),
        "{printed}"
    );
    let (printed, content) = program(&address, &["search", "installer", "restart"]).await;
    assert!(content && printed.contains("**installer**, then **restart**."), "{printed}");
    assert!(printed.contains("Guide > Install") && printed.ends_with("1 to 1 of 1 passages\n"), "{printed}");
    let (printed, content) = program(&address, &["delete", guide.to_str().unwrap()]).await;
    assert!(content && printed.ends_with(": 2 passages\n"), "{printed}");
    let (printed, content) = program(&address, &["search", "installer"]).await;
    assert!(content && printed == "nothing found (0 in all)\n", "{printed}");
    let (printed, content) = program(&address, &["search", "tokio::spawn"]).await;
    assert!(!content && printed.contains("there is no field `tokio`"), "{printed}");

    running.stop().await.unwrap();
    let (printed, content) = program(&address, &["search", "installer"]).await;
    assert!(!content && printed.contains("is it running?"), "{printed}");
}

#[test]
fn the_flow_file_is_right() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("flow.yml");
    let plan: Plan = Flow::read(&file, search::registry()).unwrap();
    assert!(plan.warnings().is_empty(), "{:?}", plan.warnings());
    let text = plan.to_string();
    assert!(text.contains("segmenter > indexer"), "{text}");
    assert!(text.contains("segmenter: Segmenter, in this process"), "{text}");
}
