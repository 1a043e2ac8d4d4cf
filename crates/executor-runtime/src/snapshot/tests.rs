//! Snapshots as peers ask for them.

use std::sync::atomic::{AtomicU64, Ordering};

use docarray::DocList;
use docarray::documents::TextDoc;
use futures_util::FutureExt as _;
use tokio::sync::Notify;

use super::*;
use crate::{Entry, ExecutorSettings, Hosted, executor, host, requests};

/// Keeps a number.
#[derive(Default)]
struct Counter {
    number: AtomicU64,
}

#[executor]
impl Counter {
    #[requests(on = "/add", write)]
    async fn add(&self, docs: &DocList<TextDoc>) {
        let n = std::future::ready(docs.len() as u64).await;
        self.number.fetch_add(n, Ordering::SeqCst);
    }

    #[requests(on = "/tell")]
    fn tell(&self, docs: &mut DocList<TextDoc>) {
        for doc in docs {
            doc.text = Some(self.number.load(Ordering::SeqCst).to_string());
        }
    }

    fn snapshot(&self, file: &Path) -> io::Result<()> {
        std::fs::write(file, self.number.load(Ordering::SeqCst).to_string())
    }

    async fn restore(&self, file: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let kept = std::fs::read_to_string(file)?;
        self.number.store(std::future::ready(kept.parse()?).await, Ordering::SeqCst);
        Ok(())
    }
}

static BEGUN: Notify = Notify::const_new();
static GO: Notify = Notify::const_new();

/// Takes its time.
#[derive(Default)]
struct Slow;

#[executor]
impl Slow {
    #[requests(on = "/write", write)]
    async fn write(&self, _docs: &DocList<TextDoc>) {
        std::future::ready(()).await;
    }

    #[requests(on = "/read")]
    fn read(&self, _docs: &DocList<TextDoc>) {}

    async fn snapshot(&self, _file: &Path) {
        BEGUN.notify_one();
        GO.notified().await;
    }
}

/// Keeps nothing.
#[derive(Default)]
struct Stateless;

#[executor]
impl Stateless {
    #[requests]
    fn nothing(&self, _docs: &DocList<TextDoc>) {}
}

fn hosted<E: crate::Executor>() -> Hosted {
    host(&Entry::of::<E>(), ExecutorSettings::default()).unwrap()
}

async fn ask(hosted: &Hosted, endpoint: &str) -> DocList<TextDoc> {
    let docs = DocList::from([TextDoc::default()]);
    let mut message = call::Message { documents: Some(docs.write()), ..call::Message::default() };
    message.header.endpoint = Some(endpoint.into());
    let request = call::Request { message, ..call::Request::default() };
    let answer = tower::ServiceExt::oneshot(hosted.handler(), request).await.unwrap();
    let call::Response::One(answer) = answer else { panic!("{answer:?}") };
    DocList::read(answer.documents.unwrap()).unwrap()
}

async fn made(snapshots: &Snapshots, id: &SnapshotId) -> SnapshotStatus {
    let told = snapshots.snapshot_status(Request::new(id.clone())).await.unwrap().into_inner();
    assert_eq!(told.id.as_ref(), Some(id));
    told.status()
}

async fn restored(snapshots: &Snapshots, id: &RestoreId) -> RestoreStatus {
    snapshots.restore_status(Request::new(id.clone())).await.unwrap().into_inner().status()
}

/// Makes one and waits for its end.
async fn snapshot(snapshots: &Snapshots) -> (SnapshotStatus, SnapshotStatusProto) {
    let begun = snapshots.snapshot(Request::new(())).await.unwrap().into_inner();
    assert_eq!(begun.status(), SnapshotStatus::Running);
    let id = begun.id.clone().unwrap();
    loop {
        match made(snapshots, &id).await {
            SnapshotStatus::Running => tokio::task::yield_now().await,
            end => return (end, begun),
        }
    }
}

async fn restore(snapshots: &Snapshots, snapshot_file: String) -> RestoreStatus {
    let command = RestoreSnapshotCommand { snapshot_file };
    let begun = snapshots.restore(Request::new(command)).await.unwrap().into_inner();
    let id = begun.id.unwrap();
    loop {
        match restored(snapshots, &id).await {
            RestoreStatus::Running => tokio::task::yield_now().await,
            end => {
                assert_eq!(restored(snapshots, &id).await, end, "it can be asked again");
                return end;
            }
        }
    }
}

#[tokio::test]
async fn an_executor_goes_back_to_its_snapshot_and_the_file_is_removed() {
    let hosted = hosted::<Counter>();
    ask(&hosted, "/add").await;
    let (end, told) = snapshot(&hosted.snapshots).await;
    assert_eq!(end, SnapshotStatus::Succeeded);
    assert!(Path::new(&told.snapshot_file).exists(), "{told:?}");
    ask(&hosted, "/add").await;
    assert_eq!(ask(&hosted, "/tell").await[0].text.as_deref(), Some("2"));
    assert_eq!(restore(&hosted.snapshots, told.snapshot_file.clone()).await, RestoreStatus::Succeeded);
    assert_eq!(ask(&hosted, "/tell").await[0].text.as_deref(), Some("1"));
    assert!(!Path::new(&told.snapshot_file).parent().unwrap().exists(), "{told:?}");
    assert_eq!(made(&hosted.snapshots, &told.id.unwrap()).await, SnapshotStatus::Succeeded);
}

#[tokio::test]
async fn what_is_no_snapshot_is_not_removed() {
    let hosted = hosted::<Counter>();
    let directory = std::env::temp_dir().join(format!("flowgate-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&directory).unwrap();
    let file = directory.join(FILE);
    std::fs::write(&file, "x").unwrap();
    let end = restore(&hosted.snapshots, file.to_str().unwrap().to_owned()).await;
    assert_eq!(end, RestoreStatus::Failed);
    assert!(file.exists());
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn executors_without_the_functions_fail_and_unknown_ids_are_told() {
    let hosted = hosted::<Stateless>();
    let (end, told) = snapshot(&hosted.snapshots).await;
    assert_eq!(end, SnapshotStatus::Failed);
    assert!(!Path::new(&told.snapshot_file).parent().unwrap().exists(), "nothing is left of it");
    assert_eq!(restore(&hosted.snapshots, "nowhere".to_owned()).await, RestoreStatus::Failed);
    assert_eq!(
        made(&hosted.snapshots, &SnapshotId { value: "nope".to_owned() }).await,
        SnapshotStatus::NotFound
    );
    let nope = RestoreId { value: "nope".to_owned() };
    assert_eq!(restored(&hosted.snapshots, &nope).await, RestoreStatus::NotFound);
}

#[tokio::test]
async fn meanwhile_nothing_is_written_and_no_other_snapshot_is_made() {
    let hosted = hosted::<Slow>();
    let begun = hosted.snapshots.snapshot(Request::new(())).await.unwrap().into_inner();
    BEGUN.notified().await;
    let refused = hosted.snapshots.snapshot(Request::new(())).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unknown);
    ask(&hosted, "/read").await;
    let mut writing = Box::pin(ask(&hosted, "/write"));
    assert!(writing.as_mut().now_or_never().is_none(), "it waits");
    GO.notify_one();
    writing.await;
    std::fs::remove_dir(Path::new(&begun.snapshot_file).parent().unwrap()).unwrap();
}
