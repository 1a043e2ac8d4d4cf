//! How far the other replicas are, as far as somebody wants to know.

use std::time::Duration;

use bytes::Bytes;
use call::Deadline;
use executor_client::Direct;
use http::uri::PathAndQuery;
use prost::Message as _;
use proto::consensus::Position;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a replica that did not answer is left alone.
const PAUSE: Duration = Duration::from_millis(100);

/// Another replica, as the leader sees it.
#[derive(Debug)]
pub(super) struct Follower {
    /// The last entry that somebody waits for, and one more.
    wanted: watch::Sender<u64>,
    known: watch::Receiver<Known>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// The number of the next entry that it will make.
    next: u64,
    /// Whether it did not answer when it was asked last.
    is_silent: bool,
}

impl Follower {
    pub(super) fn new(peer: Direct, allowed: Duration, tasks: &TaskTracker, stop: CancellationToken) -> Self {
        let (tell, known) = watch::channel(Known::default());
        let (wanted, wants) = watch::channel(0);
        tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = follow(&peer, allowed, wants, &tell) => {}
            }
        });
        Self { wanted, known }
    }

    /// Waits until the replica has made entry `index`, or does not answer.
    pub(super) async fn has(&self, index: u64) {
        self.wanted.send_if_modified(|wanted| {
            let is_new = *wanted <= index;
            *wanted = (index + 1).max(*wanted);
            is_new
        });
        let mut known = self.known.clone();
        // An error means that nobody follows it any more.
        let _ended = known.wait_for(|known| known.next > index || known.is_silent).await;
    }
}

async fn follow(
    peer: &Direct,
    allowed: Duration,
    mut wants: watch::Receiver<u64>,
    tell: &watch::Sender<Known>,
) {
    loop {
        let next = tell.borrow().next;
        let Ok(wanted) = wants.wait_for(|wanted| *wanted > next).await.map(|wanted| *wanted) else { return };
        let asked = Bytes::from(Position { index: wanted - 1 }.encode_to_vec());
        let path = PathAndQuery::from_static("/flowgate.consensus.Replica/wait");
        // Without a connection there is nothing to wait for.
        let answer = if peer.is_connected() {
            peer.call(path, Deadline::after(allowed), asked.into()).await.ok()
        } else {
            None
        };
        match answer.and_then(|wire| Position::decode(wire.into_bytes()).ok()) {
            Some(Position { index }) => {
                tell.send_replace(Known { next: index + 1, is_silent: false });
            }
            None => {
                tell.send_modify(|known| known.is_silent = true);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
