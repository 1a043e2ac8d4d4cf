//! The pool against executors on real sockets.

mod calls;
mod connections;
mod discovery;
mod fake;
mod replicas;
mod streams;

use std::time::Duration;

use bytestring::ByteString;
use call::{Answer, Context, Deadline, ExecutorName, Hop, HopInput, Message, Metadata, NodeIndex};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::{Address, Cluster, Pool, Settings, Target};

/// One executor named `ranker` and the way to it.
struct Way {
    cluster: Cluster,
    pool: Pool,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Way {
    fn to(addresses: &[impl ToString], settings: Settings) -> Self {
        Self::with_metadata(addresses, settings, &[])
    }

    fn with_metadata(addresses: &[impl ToString], settings: Settings, metadata: &[(&str, &str)]) -> Self {
        let target = Target {
            name: ExecutorName::try_from("ranker").unwrap(),
            addresses: addresses.iter().map(|address| address.to_string().parse().unwrap()).collect(),
            metadata: pairs(metadata),
        };
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let cluster = Cluster::new(vec![target], settings, &stop, tasks.clone()).unwrap();
        let pool = cluster.pool(&Handle::current());
        Self { cluster, pool, stop, tasks }
    }

    async fn call(&self, hop: Hop) -> Result<Answer, call::Error> {
        self.pool.clone().oneshot(hop).await
    }

    /// The text of the documents that come back for a request with that id.
    async fn ask(&self, id: &str) -> Result<String, call::Error> {
        match self.call(hop(HopInput::One(message(id)))).await? {
            Answer::One { message, .. } => Ok(text(&message)),
            Answer::Stream(_) => unreachable!("a stream is not what was asked for"),
        }
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Metadata {
    let text = |text: &str| ByteString::from(text);
    Metadata(pairs.iter().map(|(name, value)| (text(name), text(value))).collect())
}

fn message(id: &str) -> Message {
    let mut message = Message { documents: Some(b"sent".to_vec().into()), ..Message::default() };
    message.header.request_id = id.into();
    message.header.endpoint = Some("/search".into());
    message
}

fn hop(input: HopInput) -> Hop {
    Hop { node: NodeIndex(0), input, context: Context::default() }
}

fn within(mut hop: Hop, allowed: Duration) -> Hop {
    hop.context.deadline = Deadline::after(allowed);
    hop
}

fn text(message: &Message) -> String {
    let documents = message.documents.clone().unwrap_or_default();
    String::from_utf8(documents.into_bytes().to_vec()).unwrap()
}

/// Waits for a state that comes about in the background.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "in vain waited until {what}");
}

#[test]
fn addresses_are_shown_as_they_can_be_read() {
    for text in ["a:1", "grpcs://a:1", "[::1]:1"] {
        assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
    }
}
