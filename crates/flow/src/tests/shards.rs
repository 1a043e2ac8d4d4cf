//! Executors in shards, which no head stands before.

use super::*;

/// Appends its name and the directory it keeps things in.
struct Note(String);

#[executor]
impl Note {
    fn new(_with: serde_json::Map<String, serde_json::Value>, setup: &Setup) -> Self {
        let kept = setup.workspace.file_name().unwrap_or_default().to_string_lossy();
        Self(format!("{} in {kept}", setup.name))
    }

    #[requests]
    fn note(&self, docs: &mut DocList<Text>) {
        for doc in docs {
            doc.text.get_or_insert_default().push_str(&format!("; {}", self.0));
        }
    }
}

async fn ask_on(running: &Running, endpoint: &str) -> Vec<String> {
    let answer = running.client().unwrap().post(endpoint).inputs([text("-")]).collect::<Text>().await;
    texts(&answer.unwrap()).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn shards_and_replicas_share_the_work() {
    let running = flow()
        .add(Deployment::new::<Name>().name("x").shards(2).replicas(2).polling(json!({"/all": "ALL"})))
        .start()
        .await
        .unwrap();
    assert_eq!(running.executor_addresses("x").count(), 4);
    let client = running.client().unwrap();
    let post = client.post("/any").inputs((0..40).map(|_| Text::default())).request_size(1);
    let answer = post.collect::<Text>().await.unwrap();
    let mut names = texts(&answer);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names, ["x/shard-0/rep-0", "x/shard-0/rep-1", "x/shard-1/rep-0", "x/shard-1/rep-1"]);
    for endpoint in ["/all", "/search"] {
        let [name] = &ask_on(&running, endpoint).await[..] else { panic!("one document") };
        assert!(name.starts_with("x/shard-1/"), "the last shard has its way: {name}");
    }
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_flow_file_says_what_stands_before_and_after_shards() {
    let (_folder, file) = file(
        "flow.yml",
        "jtype: Flow
gateway:
  host: 127.0.0.1
  port: 0
executors:
  - name: x
    uses: Note
    uses_with: {is: for the shards}
    shards: 2
    polling: {/all: ALL}
    uses_before: Add
    uses_after: Note
  - name: y
    uses: Note
    uses_before: Note
",
    );
    let plan = Flow::read(&file, Registry::new().with::<Note>().with::<Add>()).unwrap();
    let running = plan.start().await.unwrap();
    let y = "; y/uses-before in 0; y/rep-0 in 0";
    assert_eq!(
        ask_on(&running, "/all").await,
        [0, 1].map(|n| format!("-; x/shard-{n}/rep-0 in {n}; x/uses-after in 0{y}"))
    );
    assert_eq!(ask_on(&running, "/any").await, [format!("-; x/shard-0/rep-0 in 0; x/uses-after in 0{y}")]);
    running.stop().await.unwrap();
}
