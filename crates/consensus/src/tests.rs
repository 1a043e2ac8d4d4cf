//! Replicas in one process, each with its port.

mod cluster;

use std::time::Duration;

use call::{Deadline, ErrorCode};

use self::cluster::{Cluster, value};
use crate::WriteError;

/// No test waits longer for anything.
const LONG: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_write_sent_to_any_replica_is_there_on_all_when_it_is_answered() {
    let cluster = Cluster::start(3).await;
    for n in 0..30 {
        let to = n % 3;
        let answer = cluster.write(to, &format!("key{n}"), &format!("value{n}")).await.unwrap();
        assert_eq!(answer, format!("{} writes", n + 1));
        for replica in 0..3 {
            let found = cluster.read(replica, &format!("key{n}"));
            assert_eq!(found, Some(format!("value{n}")), "written to {to}, read from {replica}");
        }
    }
    for replica in 0..3 {
        assert!(cluster.directory(replica).join("logs.dat").is_file());
        assert!(cluster.directory(replica).join("stable.dat").is_file());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_at_the_same_time_are_made_once_each_and_in_one_order() {
    let cluster = Cluster::start(3).await;
    let writes = (0..300).map(|n| {
        let cluster = &cluster;
        async move { cluster.write(n % 3, "last", &n.to_string()).await.unwrap() }
    });
    let mut answers = futures_util::future::join_all(writes).await;
    answers.sort_by_key(|answer| answer.split(' ').next().unwrap().parse::<u32>().unwrap());
    let want: Vec<_> = (1..=300).map(|n| format!("{n} writes")).collect();
    assert_eq!(answers, want);
    let histories: Vec<_> = (0..3).map(|replica| cluster.history(replica)).collect();
    assert_eq!(histories[0].len(), 300);
    assert!(histories.iter().all(|history| *history == histories[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_leader_is_replaced_and_no_write_is_lost_or_made_twice() {
    let mut cluster = Cluster::start(3).await;
    let leader = cluster.leader();
    let others: Vec<_> = (0..3).filter(|replica| *replica != leader).collect();
    // Writes are under way while the leader goes.
    let writing = {
        let (node, n) = (cluster.node(others[0]), 200);
        async move {
            for n in 0..n {
                cluster::write(&node, &format!("key{n}"), "there").await.unwrap();
            }
        }
    };
    let mut writing = tokio::task::JoinSet::from_iter([writing]);
    cluster.wait_for_writes(others[0], 20).await;
    cluster.stop(leader).await;
    tokio::time::timeout(LONG, writing.join_next()).await.unwrap().unwrap().unwrap();
    for replica in &others {
        assert_eq!(cluster.history(*replica).len(), 200, "each write is made once");
    }
    // It comes back with an executor that knows nothing, and catches up.
    cluster.restart(leader).await;
    cluster.until_ready(leader).await;
    assert_eq!(cluster.history(leader), cluster.history(others[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_majority_writes_are_refused_and_say_why() {
    let mut cluster = Cluster::start(3).await;
    let leader = cluster.leader();
    cluster.write(leader, "before", "there").await.unwrap();
    for other in (0..3).filter(|replica| *replica != leader) {
        cluster.stop(other).await;
    }
    let soon = Deadline::after(Duration::from_millis(20));
    let late = cluster.node(leader).write(&value("alone", "late"), soon).await;
    assert!(matches!(late, Err(WriteError::TooLate)), "{late:?}");
    let error = cluster.write(leader, "alone", "lost").await.unwrap_err();
    assert!(matches!(error, WriteError::NoMajority { replicas: 3, .. }), "{error:?}");
    assert_eq!(error.code(), ErrorCode::DeadlineExceeded);
    let refused = cluster.write(leader, "alone", "refused").await.unwrap_err();
    assert!(matches!(refused, WriteError::NoLeader { .. }), "the leader knows by now: {refused:?}");
    assert_eq!(refused.code(), ErrorCode::Unavailable, "it was not begun");
    assert_eq!(cluster.read(leader, "before").as_deref(), Some("there"));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_replicas_start_again_where_they_ended() {
    let mut cluster = Cluster::start(3).await;
    for n in 0..10 {
        cluster.write(0, &n.to_string(), "there").await.unwrap();
    }
    for replica in 0..3 {
        cluster.stop(replica).await;
    }
    for replica in 0..3 {
        cluster.restart(replica).await;
    }
    for replica in 0..3 {
        cluster.until_ready(replica).await;
        assert_eq!(cluster.history(replica).len(), 10);
    }
    assert_eq!(cluster.write(2, "again", "there").await.unwrap(), "11 writes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_was_away_for_long_gets_the_state_as_a_whole() {
    let mut cluster = Cluster::with(3, |settings| {
        settings.snapshot_threshold = 20;
        settings.snapshot_interval = Duration::from_millis(50);
        settings.trailing_logs = 0;
    })
    .await;
    let leader = cluster.leader();
    let away = (leader + 1) % 3;
    cluster.stop(away).await;
    let mut n = 0;
    while !cluster.has_shortened_its_log(leader) {
        n += 1;
        cluster.write(leader, &format!("key{n}"), "there").await.unwrap();
    }
    cluster.restart(away).await;
    cluster.until_ready(away).await;
    assert_eq!(cluster.history(away), cluster.history(leader));
    assert!(cluster.restored(away) > 0, "its state came from a snapshot");
    // And from its own snapshot when it starts again.
    cluster.stop(away).await;
    cluster.restart(away).await;
    cluster.until_ready(away).await;
    assert_eq!(cluster.history(away), cluster.history(leader));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_executor_that_lost_its_state_makes_it_again() {
    let cluster = Cluster::start(3).await;
    for n in 0..10 {
        cluster.write(0, &n.to_string(), "there").await.unwrap();
    }
    cluster.lose_executor(1);
    cluster.write(0, "after", "there").await.unwrap();
    let mut next = cluster.node(1).next();
    let all = next.wait_for(|next| *next > 11);
    tokio::time::timeout(LONG, all).await.unwrap().unwrap();
    cluster.until_ready(1).await;
    assert_eq!(cluster.history(1), cluster.history(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_kills_the_executor_is_left_out_after_two_times() {
    let cluster = Cluster::start(3).await;
    cluster.write(0, "before", "there").await.unwrap();
    let killed = cluster.write(1, "kill", "").await.unwrap_err();
    assert!(killed.to_string().contains("left out"), "{killed}");
    assert_eq!(cluster.write(2, "after", "there").await.unwrap(), "2 writes");
    for replica in 0..3 {
        assert_eq!(cluster.history(replica).len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_larger_than_what_goes_between_two_signs_of_life_arrives() {
    // A sign comes every 200 ms; sending this takes longer, and nobody knows how long on a busy machine.
    let cluster = Cluster::with(3, |settings| {
        settings.heartbeat_timeout = Duration::from_secs(2);
        settings.election_timeout = Duration::from_secs(4);
    })
    .await;
    let large = "x".repeat(40 << 20);
    cluster.write(1, "large", &large).await.unwrap();
    for replica in 0..3 {
        cluster.until_it_has(replica, "large").await;
        assert_eq!(cluster.read(replica, "large").map(|value| value.len()), Some(large.len()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_replica_alone_needs_nobody() {
    let cluster = Cluster::start(1).await;
    assert_eq!(cluster.write(0, "key", "value").await.unwrap(), "1 writes");
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_are_added_by_the_configuration() {
    let mut cluster = Cluster::start(3).await;
    cluster.write(0, "key", "value").await.unwrap();
    for replica in 0..3 {
        cluster.stop(replica).await;
    }
    cluster.grow(5);
    for replica in 0..5 {
        cluster.restart(replica).await;
    }
    for replica in 0..5 {
        cluster.until_ready(replica).await;
        cluster.until_it_has(replica, "key").await;
    }
    cluster.until_voters(5).await;
    // Three of five are a majority.
    let leader = cluster.leader();
    let away: Vec<_> = (0..5).filter(|replica| *replica != leader).take(2).collect();
    for replica in away {
        cluster.stop(replica).await;
    }
    cluster.write(leader, "three", "there").await.unwrap();
}

#[tokio::test]
async fn files_of_others_are_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("logs.dat"), vec![7; 32768]).unwrap();
    let error = crate::log::Log::open(directory.path()).unwrap_err();
    assert!(matches!(error, crate::StartError::Foreign { .. }), "{error:?}");
    let directory = tempfile::tempdir().unwrap();
    let _held = crate::log::Log::open(directory.path()).unwrap();
    let error = crate::log::Log::open(directory.path()).unwrap_err();
    assert!(matches!(error, crate::StartError::InUse { .. }), "{error:?}");
}
