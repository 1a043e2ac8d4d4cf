//! Which executors are called, in which order, and what passes through untouched.

use std::time::Duration;

use call::{Kind, Payload, Request, Response};
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::time::Instant;
use tower::ServiceExt as _;

use super::support::{Act, Post, Sandbox, docs, in_time, request, show, show_docs};

const DIAMOND: &str = "start: p; p: a b; a: j; b: j; j: end";

fn post(docs: &'static str) -> Post {
    Post { docs, ..Post::default() }
}

#[test]
fn documents_follow_the_graph() {
    let check = |case: &str, graph: &str, want: &str| Sandbox::new(graph).check(case, post("1 2"), want);
    check("R1: no executor", "", "1:{} 2:{} | gateway");
    check("only the way past", "start: end", "1:{} 2:{} | gateway");
    check("one", "start: x; x: end", "1:x{x} 2:x{x} | gateway x");
    check("R2: a chain", "start: x1; x1: x2; x2: end", "1:x1.x2{x1 x2} 2:x1.x2{x1 x2} | gateway x1 x2");
    check("R3: routes go depth first", DIAMOND, "1:p.b.j{a b j p} 2:p.b.j{a b j p} | gateway p a j b");
    check("several origins", "start: a b; a: j; b: j; j: end", "1:b.j{a b j} 2:b.j{a b j} | gateway a j b");
    check(
        "a join of three, one from the gateway itself",
        "start: a b j; a: j; b: j; j: end",
        "1:b.j{a b j} 2:b.j{a b j} | gateway a j b",
    );
    check(
        "a join two steps deep",
        "start: p; p: a b; a: c; c: j; b: j; j: end",
        "1:p.b.j{a b c j p} 2:p.b.j{a b c j p} | gateway p a c j b",
    );
    check(
        "a leaf and an inner node both lead out: the first in the graph answers",
        "start: a; a: end b; b: end",
        "1:a{a} 2:a{a} | gateway a b",
    );
    check(
        "the one behind answers if it is listed first",
        "start: a; a: b end; b: end",
        "1:a.b{a b} 2:a.b{a b} | gateway a b",
    );
}

#[test]
fn branches_run_at_the_same_time() {
    let sandbox = Sandbox::new(DIAMOND)
        .act("a", Act::Wait(Duration::from_millis(500)))
        .act("b", Act::Wait(Duration::from_millis(400)));
    in_time(async {
        let start = Instant::now();
        let answer = sandbox.post(post("1")).await.unwrap();
        assert_eq!(start.elapsed(), Duration::from_millis(500), "R4");
        // The order of the graph decides who has the last word, not who is fast.
        assert_eq!(show(&answer), "1:p.b.j{a b j p} | gateway p a j b", "R5");
    });
    assert_eq!(sandbox.log.of("j").docs, "1:p.b{a b p}");
}

#[test]
fn each_node_is_called_once_however_many_paths_lead_to_it() {
    let mut ladder = String::from("start: a0 b0;");
    for n in 0..20 {
        ladder += &format!("a{n}: a{m} b{m}; b{n}: a{m} b{m};", m = n + 1);
    }
    let sandbox = Sandbox::new(&(ladder + "a20: j; b20: j; j: end"));
    let answer = in_time(sandbox.post(post("1"))).unwrap();
    assert_eq!(answer.routes.added.len(), 1 + 2 * 21 + 1);
    assert_eq!(sandbox.log.all().len(), 2 * 21 + 1);
}

#[test]
fn targets_select_by_the_start_of_the_name() {
    let check = |target: &'static str, want: &str| {
        let sandbox = Sandbox::new("start: foo; foo: foo2; foo2: bar; bar: end");
        sandbox.check(target, Post { docs: "1", target, ..Post::default() }, want);
        for call in sandbox.log.all() {
            assert_eq!(call.messages[0].header.target_executor.as_deref(), Some(""), "R19");
        }
    };
    check("", "1:foo.foo2.bar{bar foo foo2} | gateway foo foo2 bar");
    check("foo", "1:foo.foo2{foo foo2} | gateway foo foo2 bar?");
    check("foo$", "1:foo{foo} | gateway foo foo2? bar?");
    check("oo", "1:{} | gateway foo? foo2? bar?");
    check("bar|foo2", "1:foo2.bar{bar foo2} | gateway foo? foo2 bar");
    check("(?i)FOO2", "1:foo2{foo2} | gateway foo? foo2 bar?");
    check("zzz", "1:{} | gateway foo? foo2? bar?");
    check("[", "InvalidRequest: target_executor `[` is not a regular expression");
    check("(a{1000}){1000}", "InvalidRequest: target_executor `(a{1000}){1000}` is not a regular expression");
}

#[test]
fn executors_that_do_not_bind_the_endpoint_are_passed_by() {
    let check = |endpoint: &'static str, want: &str| {
        let sandbox = Sandbox::new("start: e1; e1: e2; e2: e3; e3: end")
            .binds("e1", &["/a", "_jina_dry_run_"])
            .binds("e2", &["/default", "_jina_dry_run_"])
            .binds("e3", &["_jina_dry_run_"]);
        sandbox.check(endpoint, Post { docs: "1", endpoint, ..Post::default() }, want);
    };
    check("/a", "1:e1.e2{e1 e2} | gateway e1 e2 e3?");
    check("/b", "1:e2{e2} | gateway e1? e2 e3?");
    check("/default", "1:e2{e2} | gateway e1? e2 e3?");
    check("", "1:e2{e2} | gateway e1? e2 e3?");
    check("_jina_dry_run_", "1:e1.e2.e3{e1 e2 e3} | gateway e1 e2 e3");
    let nobody = Sandbox::new("start: e1; e1: end").binds("e1", &["/a"]);
    nobody.check("R21", Post { docs: "1", endpoint: "/nope", ..Post::default() }, "1:{} | gateway e1?");
}

#[test]
fn conditions_choose_documents() {
    let all = post("a=0 b=1 c=2 d=3");
    Sandbox::new("start: x; x: end").when("x", json!({"n": {"$gte": 2}})).check(
        "R12",
        all.clone(),
        "c:x{x} d:x{x} | gateway x",
    );
    Sandbox::new("start: a b; a: j; b: j; j: end")
        .when("a", json!({"n": {"$gte": 2}}))
        .when("b", json!({"n": {"$lt": 2}}))
        .check("R13", all.clone(), "a:b.j{b j} b:b.j{b j} c:a.j{a j} d:a.j{a j} | gateway a j b");
    let never = Sandbox::new("start: x; x: end").when("x", json!({"n": {"$gt": 9}}));
    never.check("R14", all.clone(), " | gateway x");
    assert_eq!(never.log.names(), "x");
    Sandbox::new("start: x; x: end").when("x", json!({"n": {"$gte": 2}})).act("x", Act::Add("new")).check(
        "unknown ids come last",
        all.clone(),
        "c:x{x} d:x{x} new:x{x} | gateway x",
    );
    Sandbox::new("start: x; x: end").when("x", json!({"n": {"$gte": 2}})).binds("x", &["/other"]).check(
        "an executor that is passed by drops nothing",
        Post { endpoint: "/here", ..all },
        "a:{} b:{} c:{} d:{} | gateway x?",
    );
}

#[test]
fn documents_that_nobody_looks_into_need_not_be_valid() {
    let garbage = Payload::from(b"\xff\xfe not a message".to_vec());
    let through = |graph: &str, target| {
        let mut request = request(&Post { target, ..Post::default() });
        request.message.documents = Some(garbage.clone());
        let sandbox = Sandbox::new(graph).act("x", Act::Idle).act("y", Act::Idle);
        match in_time(sandbox.dispatch().oneshot(request)).unwrap() {
            Response::One(message) => message.documents,
            Response::Stream(_) => None,
        }
    };
    assert_eq!(through("start: x; x: y; y: end", "zzz"), Some(garbage.clone()));
    assert_eq!(
        through("start: a b; a: j; b: j; j: k; k: end", "zzz"),
        Some(garbage.clone()),
        "branches that brought nothing new are not merged"
    );
}

#[test]
fn the_clients_part_of_the_header_survives_executors() {
    let sandbox = Sandbox::new("start: x; x: y; y: end").act("x", Act::Forget);
    let post = Post { docs: "1", endpoint: "/e", parameters: Some(json!({"k": 1})), ..Post::default() };
    let answer = in_time(sandbox.post(post)).unwrap();
    assert_eq!(show(&answer), "1:x.y{x y} | gateway x y");
    assert_eq!(answer.header.endpoint.as_deref(), Some("/e"));
    assert_eq!(answer.parameters.to_map().unwrap(), *json!({"k": 1.0}).as_object().unwrap());
    let sent = &sandbox.log.of("y").messages[0];
    assert_eq!(sent.header.endpoint.as_deref(), Some("/e"));
    assert_eq!(sent.header.request_id, "id-1");
}

#[test]
fn streaming_calls_go_to_the_first_executor_alone() {
    let stream = |sandbox: &Sandbox, endpoint| {
        let request =
            request(&Post { docs: "1", endpoint, target: "y", parameters: Some(json!({"x__k": 1})) });
        let request = Request { kind: Kind::Stream, ..request };
        in_time(async {
            match sandbox.dispatch().oneshot(request).await {
                Ok(Response::Stream(parts)) => {
                    let parts: Vec<_> = parts.map(|part| part.unwrap()).collect().await;
                    Ok(parts)
                }
                Ok(Response::One(message)) => panic!("{message:?}"),
                Err(error) => Err(error.to_string()),
            }
        })
    };
    let sandbox = Sandbox::new("start: x; x: y; y: end").binds("x", &["/s"]).binds("y", &["/t"]);
    let parts = stream(&sandbox, "/s").unwrap();
    assert_eq!(parts.len(), 2);
    assert_eq!(parts[0].parameters.to_map().unwrap(), *json!({"k": 1.0}).as_object().unwrap());
    assert_eq!(parts[0].header.target_executor.as_deref(), Some(""));
    assert_eq!(parts[0].routes.added[0].executor, "gateway");
    assert_eq!(stream(&sandbox, "/t").unwrap_err(), "no executor serves endpoint `/t`");
    let echo = stream(&Sandbox::new(""), "/s").unwrap();
    assert_eq!(show_docs(&echo[0]), "1:{}");
    assert_eq!(echo[0].documents, Some(docs("1")));
}

#[test]
fn the_parts_of_a_join_are_not_for_gateways() {
    let sandbox = Sandbox::new("start: x; x: end");
    let mut request = request(&post("1"));
    request.parts.push(call::Message::default());
    let error = in_time(sandbox.dispatch().oneshot(request)).unwrap_err();
    assert_eq!(error.code, call::ErrorCode::Unimplemented);
}
