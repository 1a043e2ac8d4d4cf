//! What happens when an executor fails, and when it cannot be reached.

use std::time::Duration;

use super::support::{Act, Post, Sandbox, in_time};

const JOIN: &str = "start: a b; a: j; b: j; j: k; k: end";

fn post() -> Post {
    Post { docs: "1", ..Post::default() }
}

#[test]
fn a_failing_executor_stops_what_follows_it() {
    Sandbox::new("start: x; x: y; y: z; z: end").act("y", Act::Fail).check(
        "R30: the documents are those before it",
        post(),
        "ERROR 1:x{x} | gateway x y!",
    );
    let sandbox = Sandbox::new(JOIN).act("a", Act::Fail);
    sandbox.check("R32: the other branch still runs", post(), "ERROR 1:{} | gateway a! b");
    assert_eq!(sandbox.log.names(), "a b");
    Sandbox::new(JOIN)
        .act("a", Act::Wait(Duration::from_secs(1)))
        .act("a", Act::Fail)
        .act("b", Act::Fail)
        .check("of several the first in the graph is told", post(), "ERROR 1:{} | gateway a! b!");
    Sandbox::new(JOIN).act("j", Act::Fail).check("in the join", post(), "ERROR 1:b{a b} | gateway a j! b");
}

#[test]
fn the_first_failure_in_the_graph_is_the_answer() {
    let sandbox = Sandbox::new(JOIN).act("a", Act::Fail).act("b", Act::Fail);
    let answer = in_time(sandbox.post(post())).unwrap();
    let exception = answer.header.status.and_then(|status| status.exception).unwrap();
    assert_eq!(exception.executor, "a");
}

#[test]
fn a_failure_in_part_is_a_failure() {
    let sandbox = Sandbox::new("start: s; s: t; t: end").act("s", Act::FailInPart);
    sandbox.check("status", post(), "ERROR 1:s{s} | gateway s!");
    let answer = in_time(sandbox.post(post())).unwrap();
    assert_eq!(answer.header.status.unwrap().description, "executor `s` failed in part");
}

#[test]
fn an_executor_that_cannot_be_reached_fails_the_request() {
    Sandbox::new("start: x; x: y; y: end").act("y", Act::Down).check(
        "in a chain",
        post(),
        "Unavailable: y is down",
    );
    let sandbox = Sandbox::new(JOIN).act("a", Act::Hang).act("b", Act::Down);
    sandbox.check("at once, whatever the others do", post(), "Unavailable: b is down");
    assert!(!sandbox.log.of("a").finished);
}
