//! Parameters for one executor, and results of all.

use serde_json::{Value, json};

use super::*;
use crate::GraphSpec;

fn parameters(value: &Value) -> Parameters {
    Parameters::from_map(value.as_object().unwrap())
}

fn graph() -> Graph {
    let description = [("start-gateway", "x"), ("x", "y"), ("y", "ab"), ("ab", "end-gateway")];
    let description = description.map(|(node, next)| (node.to_owned(), vec![next.to_owned()]));
    Graph::check(&GraphSpec { description: description.into(), ..GraphSpec::default() }).unwrap()
}

#[track_caller]
fn check(case: &str, given: &Value, for_x: Option<&Value>) {
    let scoped = Scoped::of(&parameters(given), &graph()).unwrap();
    let got = scoped.map(|scoped| Value::Object(scoped.for_executor("x").unwrap().to_map().unwrap()));
    assert_eq!(got.as_ref(), for_x, "{case}: {given}");
}

#[test]
fn each_executor_gets_its_own_parameters() {
    check("none", &json!({}), None);
    check("plain ones", &json!({"k": 1, "o": {"x": 1}, "a_b": 1}), None);
    check("keys that only look specific", &json!({"__k": 1, "k__": 1, "__results__": {}, "__": 1}), None);
    check("for it", &json!({"x__k": 5.0, "l": true}), Some(&json!({"l": true, "k": 5.0})));
    check("for another one", &json!({"y__k": 5.0, "l": true}), Some(&json!({"l": true})));
    check("for nobody", &json!({"zzz__k": 5.0}), Some(&json!({})));
    check("specific before common", &json!({"x__k": 1.0, "k": 2.0}), Some(&json!({"k": 1.0})));
    check("an object", &json!({"k": 0.0, "x": {"k": 5.0}}), Some(&json!({"k": 5.0, "x": {"k": 5.0}})));
    check(
        "an object before specific",
        &json!({"x__k": 1.0, "x": {"k": 2.0}}),
        Some(&json!({"k": 2.0, "x": {"k": 2.0}})),
    );
    check("the object of another one", &json!({"y": {"k": 5.0}}), Some(&json!({"y": {"k": 5.0}})));
    check("a value that is no object", &json!({"x": 5.0}), Some(&json!({"x": 5.0})));
    check("three underscores", &json!({"x___k": 1.0}), Some(&json!({"_k": 1.0})));
    let scoped = Scoped::of(&parameters(&json!({"a__b__k": 1.0})), &graph()).unwrap().unwrap();
    let for_ab = scoped.for_executor("ab").unwrap().to_map().unwrap();
    assert_eq!(Value::Object(for_ab), json!({"k": 1.0}), "several separators");
}

#[test]
fn results_are_what_executors_add() {
    let check = |returned: Value, want: Option<Value>| {
        let got = results(&parameters(&returned), &parameters(&json!({"k": 1.0})));
        let got = got.unwrap().map(|results| Value::Object(results.to_map().unwrap()));
        assert_eq!(got, want, "{returned}");
    };
    check(json!({"k": 1.0}), None);
    check(json!({}), None);
    check(json!({"__results__": {}}), None);
    check(json!({"__results__": 5}), None);
    check(json!({"k": 1.0, "__results__": {"x/rep-0": {"n": 1.0}}}), Some(json!({"x/rep-0": {"n": 1.0}})));
    let all = [json!({"a": 1.0, "b": 1.0}), json!({"b": 2.0})].map(|one| parameters(&one));
    let client = parameters(&json!({"__results__": {"old": 1.0}, "k": 1.0}));
    assert_eq!(with_results(&client, [].iter()), Ok(client.clone()));
    let merged = with_results(&client, all.iter()).unwrap().to_map().unwrap();
    assert_eq!(Value::Object(merged), json!({"k": 1.0, "__results__": {"a": 1.0, "b": 2.0}}));
    assert_eq!(with_place_for_results(&client), Ok(client));
    let empty = with_place_for_results(&Parameters::default()).unwrap().to_map().unwrap();
    assert_eq!(Value::Object(empty), json!({"__results__": {}}));
}
