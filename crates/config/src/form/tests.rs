//! Values in all the forms that arguments take.

use serde_json::json;

use super::*;

#[track_caller]
fn check(form: Form, value: &Value, want: Result<Value, &str>) {
    let got = form.read(value).map_err(|reason| reason.to_string());
    assert_eq!(got, want.map_err(str::to_owned), "{form:?} of {value}");
}

#[test]
fn values_come_in_many_forms() {
    check(Form::Flag, &json!("Yes"), Ok(json!(true)));
    check(Form::Flag, &json!(0), Ok(json!(false)));
    check(Form::Flag, &json!("maybe"), Err("expected true or false, found `maybe`"));
    check(Form::Text, &json!(7), Ok(json!("7")));
    check(Form::Ports, &json!(["8080", "8081,8082", 8083]), Ok(json!([8080, 8081, 8082, 8083])));
    check(Form::Ports, &json!(80), Ok(json!([80])));
    check(Form::Ports, &json!("80,x"), Err("expected ports from 0 to 65535, found `x`"));
    check(Form::Ports, &json!("70000"), Err("expected ports from 0 to 65535, found `70000`"));
    check(Form::Texts, &json!(["a,b", 1]), Ok(json!(["a,b", "1"])));
    check(Form::Hosts, &json!("h1, h2"), Ok(json!(["h1", "h2"])));
    check(Form::Milliseconds, &json!(1500), Ok(json!(1500)));
    check(Form::Milliseconds, &json!("2s"), Ok(json!(2000)));
    check(
        Form::Milliseconds,
        &json!("soon"),
        Err("expected a duration such as `250ms` or `10s`, found `soon`"),
    );
    check(Form::Size, &json!("16MiB"), Ok(json!(16 << 20)));
    check(Form::Size, &json!(-1), Err("expected a size such as `64KiB` or `16MiB`, found `-1`"));
    check(Form::Json, &json!("{\"a\": [1]}"), Ok(json!({"a": [1]})));
    check(Form::Json, &json!("{\"a\": [1}"), Err("this is no JSON: expected `,` or `]` (line 1, column 9)"));
    check(Form::JsonOrText, &json!("ANY"), Ok(json!("ANY")));
    check(Form::JsonOrText, &json!("{\"*\": \"ALL\"}"), Ok(json!({"*": "ALL"})));
}

#[test]
fn case_counts_where_it_does_in_the_original() {
    let protocols = Form::Choices { of: PROTOCOLS };
    check(protocols, &json!(["grpc", "Http", "WEBSOCKET"]), Ok(json!(["GRPC", "HTTP", "WEBSOCKET"])));
    check(protocols, &json!("tcp"), Err("expected one of GRPC, HTTP, WEBSOCKET, found `tcp`"));
    let compression = Form::Choice { of: COMPRESSIONS, exact: true };
    check(compression, &json!("Gzip"), Ok(json!("Gzip")));
    check(
        compression,
        &json!("gzip"),
        Err("expected one of NoCompression, Deflate, Gzip, Zstd, found `gzip`"),
    );
    let balance = Form::Choice { of: BALANCES, exact: false };
    check(balance, &json!("ROUND_ROBIN"), Ok(json!("round-robin")));
}

#[test]
fn key_value_elements_are_merged() {
    let check = |value: &Value, want| check(Form::KeyValue, value, want);
    check(&json!([]), Ok(json!({})));
    check(&json!(["{\"a\": 1}", "b=2", "c: x", "a:3"]), Ok(json!({"a": 3, "b": 2, "c": "x"})));
    check(&json!(["grpc.max_receive_message_length=60"]), Ok(json!({"grpc.max_receive_message_length": 60})));
    check(&json!(["url=http://x:1"]), Ok(json!({"url": "http://x:1"})));
    check(&json!({"a": {"b": 1}}), Ok(json!({"a": {"b": 1}})));
    check(&json!(["alone"]), Err("expected `key=value`, `key: value` or a JSON object, found `alone`"));
    check(&json!(["=x"]), Err("expected `key=value`, `key: value` or a JSON object, found `=x`"));
}
