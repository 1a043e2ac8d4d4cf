//! How branches come together.

use call::Payload;
use serde_json::json;

use super::support::{Act, Post, Sandbox, in_time, show};

const JOIN: &str = "start: a b; a: j; b: j; j: end";

fn post(docs: &'static str) -> Post {
    Post { docs, ..Post::default() }
}

#[test]
fn branches_are_merged_by_id() {
    Sandbox::new(JOIN).act("a", Act::Add("A")).act("b", Act::Add("B")).act("j", Act::Idle).check(
        "R6: known documents first, then new ones by branch",
        post("1 2"),
        "1:b{a b} 2:b{a b} A:a{a} B:b{b} | gateway a j b",
    );
    Sandbox::new(JOIN).act("a", Act::Add("X")).act("b", Act::Add("X")).check(
        "a new document of both is one",
        post("1"),
        "1:b.j{a b j} X:b.j{a b j} | gateway a j b",
    );
    Sandbox::new("start: x y; x: y; y: end").check(
        "R65: a branch that is the request itself",
        post("1"),
        "1:x.y{x y} | gateway x y",
    );
    Sandbox::new("start: y x; x: y; y: end").check(
        "the request comes before what executors made of it",
        post("1"),
        "1:x.y{x y} | gateway y x",
    );
    Sandbox::new(JOIN).act("a", Act::Wait(std::time::Duration::from_secs(1))).check(
        "the order of the graph decides, not that of arrival",
        post("1"),
        "1:b.j{a b j} | gateway a j b",
    );
    Sandbox::new("start: a b; a: c; b: c j; c: j; j: end").check(
        "who needs another one comes after it",
        post("1"),
        "1:b.c.j{a b c j} | gateway a c j b",
    );
}

#[test]
fn a_branch_that_is_passed_by_undoes_nothing() {
    let target = |target| Post { docs: "1", target, ..Post::default() };
    Sandbox::new(JOIN).check(
        "what the client sent is older than what an executor made of it",
        target("a|j"),
        "1:a.j{a j} | gateway a j b?",
    );
    Sandbox::new("start: p; p: a b; a: j; b: j; j: end").check(
        "so is what was there before the branches",
        target("p|a|j"),
        "1:p.a.j{a j p} | gateway p a j b?",
    );
    Sandbox::new("start: p; p: a b; a: c; c: j; b: j; j: end").check(
        "wherever it is passed by",
        target("p|a|j"),
        "1:p.a.j{a j p} | gateway p a c? j b?",
    );
}

#[test]
fn a_join_whose_executor_is_passed_by_is_merged_here() {
    let check = |case: &str, sandbox: Sandbox, post: Post, want: &str| sandbox.check(case, post, want);
    let target = Post { docs: "1", target: "a|b", ..Post::default() };
    check("by the target", Sandbox::new(JOIN), target.clone(), "1:b{a b} | gateway a j? b");
    check("also without reduce", Sandbox::new(JOIN).no_reduce("j"), target, "1:b{a b} | gateway a j? b");
    check(
        "by the endpoint",
        Sandbox::new(JOIN).binds("j", &["/other"]),
        Post { docs: "1", endpoint: "/e", ..Post::default() },
        "1:b{a b} | gateway a j? b",
    );
    check(
        "one branch is enough",
        Sandbox::new(JOIN),
        Post { docs: "1", target: "b", ..Post::default() },
        "1:b{b} | gateway a? j? b",
    );
    check(
        "nobody does anything",
        Sandbox::new(JOIN),
        Post { docs: "1", target: "zzz", ..Post::default() },
        "1:{} | gateway a? j? b?",
    );
}

#[test]
fn without_reduce_the_parts_stay_apart() {
    let sandbox = Sandbox::new(JOIN).no_reduce("j").no_reduce("a");
    sandbox.check("R11", post("1"), "1:a.j{a j} 1:b.j{b j} | gateway a j b");
    let call = sandbox.log.of("j");
    assert_eq!(call.docs, "1:a{a} + 1:b{b}");
    assert_eq!(call.messages.len(), 2);
    assert_eq!(sandbox.log.of("a").messages.len(), 1, "one part is one message");
    let sandbox = Sandbox::new(JOIN).no_reduce("j").when("j", json!({"n": {"$gt": 1}}));
    sandbox.check("with a condition", post("1=1 2=2"), "2:a.j{a j} 2:b.j{b j} | gateway a j b");
}

#[test]
fn a_merged_request_has_a_place_for_results() {
    let sandbox = Sandbox::new(JOIN);
    let answer = in_time(sandbox.post(post("1"))).unwrap();
    assert!(answer.parameters.is_empty(), "the client's own parameters come back");
    assert_eq!(sandbox.log.of("j").parameters(), json!({"__results__": {}}));
    assert_eq!(sandbox.log.of("a").parameters(), json!({}));
}

#[test]
fn documents_that_cannot_be_filtered_are_refused() {
    let sandbox = Sandbox::new("start: x; x: end").when("x", json!({"n": {"$gt": 1}}));
    let mut request = super::support::request(&post(""));
    request.message.documents = Some(Payload::from(vec![0xff, 0xff]));
    let error = in_time(tower::ServiceExt::oneshot(sandbox.dispatch(), request)).unwrap_err();
    assert_eq!(error.code, call::ErrorCode::InvalidRequest);
    assert_eq!(error.to_string(), "the documents of the request are malformed");
}

#[test]
fn empty_branches_say_nothing() {
    let sandbox = Sandbox::new(JOIN).when("a", json!({"n": {"$gt": 9}}));
    sandbox.check("one is empty", post("1=1 2=2"), "1:b.j{b j} 2:b.j{b j} | gateway a j b");
    let sandbox = Sandbox::new(JOIN).when("a", json!({"n": {"$gt": 9}})).when("b", json!({"n": {"$gt": 9}}));
    let answer = in_time(sandbox.post(post("1=1"))).unwrap();
    assert_eq!(show(&answer), " | gateway a j b");
}
