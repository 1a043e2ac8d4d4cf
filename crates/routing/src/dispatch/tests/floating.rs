//! Executors that nobody waits for.

use std::time::Duration;

use tokio::time::Instant;

use super::support::{Act, Post, Sandbox, in_time, show};

fn post() -> Post {
    Post { docs: "1", ..Post::default() }
}

/// What the client gets, then what was called until all tasks are done.
async fn run(sandbox: &Sandbox) -> (String, String) {
    let answer = sandbox.post(post()).await.unwrap();
    sandbox.tracker.close();
    sandbox.tracker.wait().await;
    (show(&answer), sandbox.log.names())
}

#[test]
fn the_answer_does_not_wait_for_floating_executors() {
    let sandbox =
        Sandbox::new("start: x1; x1: fl x2; fl: ; x2: end").act("fl", Act::Wait(Duration::from_secs(1)));
    in_time(async {
        let start = Instant::now();
        let answer = sandbox.post(post()).await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO, "R26");
        assert_eq!(show(&answer), "1:x1.x2{x1 x2} | gateway x1 fl? x2");
        sandbox.tracker.close();
        sandbox.tracker.wait().await;
        let call = sandbox.log.of("fl");
        assert!(call.finished, "R27");
        assert_eq!(call.docs, "1:x1{x1}");
    });
}

#[test]
fn floating_executors_run_whatever_the_shape() {
    let check = |case: &str, graph: &str, want: &str, called: &str| {
        let sandbox = Sandbox::new(graph);
        let (answer, names) = in_time(run(&sandbox));
        let mut names: Vec<_> = names.split(' ').collect();
        names.sort_unstable();
        assert_eq!((&*answer, &*names.join(" ")), (want, called), "{case}");
    };
    check("R29: nothing else", "start: fl; fl: ", "1:{} | gateway fl?", "fl");
    check("hanging", "start: a h; a: b; h: ; b: end", "1:a.b{a b} | gateway a b h?", "a b h");
    check("a chain", "start: a f; a: end; f: g; g: ", "1:a{a} | gateway a f?", "a f g");
    check("after the last one", "start: a; a: f end; f: ", "1:a{a} | gateway a f?", "a f");
    check(
        "a floating join of the answer's branches",
        "start: a b; a: j f; b: j f; j: end; f: ",
        "1:b.j{a b j} | gateway a j f? b",
        "a b f j",
    );
    check(
        "two islands",
        "start: a f; a: end g; f: ; g: h i; h: j; i: j; j: ",
        "1:a{a} | gateway a g? f?",
        "a f g h i j",
    );
}

#[test]
fn a_floating_failure_stays_hidden() {
    for act in [Act::Fail, Act::Down] {
        let sandbox = Sandbox::new("start: a f; a: end; f: g; g: ").act("f", act);
        let (answer, names) = in_time(run(&sandbox));
        assert_eq!(answer, "1:a{a} | gateway a f?", "R28");
        assert_eq!(names.matches('g').count(), 0, "what follows the failure is not called");
    }
    let sandbox = Sandbox::new("start: a; a: end f; f: ").act("a", Act::Fail);
    let (answer, names) = in_time(run(&sandbox));
    assert_eq!((&*answer, &*names), ("ERROR 1:{} | gateway a!", "a"));
    let sandbox = Sandbox::new("start: f g; f: h; g: h; h: ").act("f", Act::Down);
    let (_, names) = in_time(run(&sandbox));
    assert!(names.contains('g'), "others on the island go on: {names}");
}

#[test]
fn too_many_floating_calls_are_refused_with_their_requests() {
    let sandbox = Sandbox::new("start: a f; a: end; f: ").act("f", Act::Hang).at_most_floating(1);
    in_time(async {
        assert!(sandbox.post(post()).await.is_ok());
        let error = sandbox.post(post()).await.unwrap_err();
        assert_eq!(error.code, call::ErrorCode::Overloaded);
        assert_eq!(error.to_string(), "too many floating calls in flight: the limit is 1");
        // A call that never ends is given up after its time; its place is free again.
        tokio::time::sleep(crate::Tasks::ALLOWED + Duration::from_secs(1)).await;
        assert!(sandbox.post(post()).await.is_ok());
    });
}
