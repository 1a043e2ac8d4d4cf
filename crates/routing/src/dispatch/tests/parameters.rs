//! What executors see of the parameters, and what comes back.

use serde_json::{Value, json};

use super::support::{Act, Post, Sandbox, in_time};

fn post(parameters: Value) -> Post {
    Post { docs: "1", parameters: Some(parameters), ..Post::default() }
}

#[test]
fn parameters_come_back_as_the_client_sent_them() {
    let sandbox = Sandbox::new("start: x; x: y; y: end");
    let sent = json!({"k": 1.0, "x__k": 2.0, "y": {"z": 3.0}});
    let answer = in_time(sandbox.post(post(sent.clone()))).unwrap();
    assert_eq!(Value::Object(answer.parameters.to_map().unwrap()), sent, "R22");
    assert_eq!(sandbox.log.of("x").parameters(), json!({"k": 2.0, "y": {"z": 3.0}}));
    assert_eq!(sandbox.log.of("y").parameters(), json!({"k": 1.0, "y": {"z": 3.0}, "z": 3.0}), "R23");
}

#[test]
fn branches_have_their_own_parameters() {
    let sandbox = Sandbox::new("start: a b; a: j; b: j; j: end");
    let sent = json!({"k": 0.0, "a": {"k": 1.0}, "b": {"k": 2.0}});
    in_time(sandbox.post(post(sent))).unwrap();
    assert_eq!(sandbox.log.of("a").parameters()["k"], json!(1.0), "R24");
    assert_eq!(sandbox.log.of("b").parameters()["k"], json!(2.0));
    assert_eq!(sandbox.log.of("j").parameters()["k"], json!(0.0));
}

#[test]
fn results_are_collected() {
    let sandbox = Sandbox::new("start: a b; a: j; b: j; j: end")
        .act("a", Act::Return(json!({"a/rep-0": {"n": 1.0}, "both": 1.0})))
        .act("b", Act::Return(json!({})))
        .act("j", Act::Return(json!({"j/rep-0": {"n": 2.0}, "both": 2.0})));
    let answer = in_time(sandbox.post(post(json!({"k": 1.0, "__results__": {}})))).unwrap();
    let want = json!({"k": 1.0, "__results__": {"a/rep-0": {"n": 1.0}, "both": 2.0, "j/rep-0": {"n": 2.0}}});
    assert_eq!(Value::Object(answer.parameters.to_map().unwrap()), want, "R25");
    let seen = sandbox.log.of("j").parameters();
    assert_eq!(seen, json!({"k": 1.0, "__results__": {}}), "executors do not see each other's results");
}

#[test]
fn malformed_parameters_are_refused() {
    let sandbox = Sandbox::new("start: x; x: end");
    let mut request = super::support::request(&post(json!({})));
    request.message.parameters = call::Parameters::from_wire(bytes::Bytes::from_static(&[0xff]));
    let error = in_time(tower::ServiceExt::oneshot(sandbox.dispatch(), request)).unwrap_err();
    assert_eq!(error.code, call::ErrorCode::InvalidRequest);
    assert_eq!(error.to_string(), "the parameters of the request are malformed");
}
