//! Command lines as argparse reads them.

use crate::table::{Program, arguments};

use super::*;

fn split(line: &str) -> Vec<String> {
    line.split(' ').filter(|element| !element.is_empty()).map(str::to_owned).collect()
}

fn read(program: Program, argv: &[String]) -> Result<Line, Vec<Problem>> {
    let known: Vec<_> = arguments(program).collect();
    parse(&known, argv)
}

/// Compares the values as one JSON text, or the problems joined by `; `.
#[track_caller]
fn check(case: &str, line: &str, want: Result<&str, &str>) {
    let got = read(Program::Gateway, &split(line));
    let got = got.map(|line| serde_json::to_string(&line.values).unwrap());
    let got = got.map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
    assert_eq!(got, want.map(str::to_owned).map_err(str::to_owned), "{case}: {line}");
}

#[test]
fn arguments_are_read_as_argparse_does() {
    check("separate", "--name x", Ok(r#"{"name":"x"}"#));
    check("attached", "--name=x=y", Ok(r#"{"name":"x=y"}"#));
    check("unique prefix", "--graph-desc {}", Ok(r#"{"graph-description":{}}"#));
    check("prefix of a name and its alias", "--deployments-no {}", Ok(r#"{"deployments-no-reduce":{}}"#));
    check(
        "ambiguous",
        "--graph {}",
        Err("argument --graph: may mean any of --graph-description, --graph-conditions"),
    );
    check("a prefix of ours does not disturb", "--flo", Ok(r#"{"floating":true}"#));
    check("the last counts", "--name a --name b", Ok(r#"{"name":"b"}"#));
    check("list", "--port 1 2 --cors", Ok(r#"{"port":[1,2],"cors":true}"#));
    check("commas", "--ports 1,2", Ok(r#"{"port":[1,2]}"#));
    check("attached list", "--port-expose=1 2", Ok(r#"{"port":[1]}"#));
    check("enums in any case", "--protocol grpc Http", Ok(r#"{"protocol":["GRPC","HTTP"]}"#));
    check("negative number", "--retries -1", Ok(r#"{"retries":-1}"#));
    check(
        "merged objects",
        r#"--uses-with {"a":1} b=2 --uses-with a:3"#,
        Ok(r#"{"uses-with":{"a":3,"b":2}}"#),
    );
    check("no elements", "--uses-with --cors", Ok(r#"{"uses-with":{},"cors":true}"#));
    check("stray positionals", "x y --cors z", Ok(r#"{"cors":true}"#));
    check("after a double dash", "--cors -- --quiet", Ok(r#"{"cors":true}"#));
    check("no value", "--name --cors", Err("argument --name: the value is missing"));
    check("no values", "--port", Err("argument --port: at least one value is missing"));
    check("a value for a flag", "--cors=true", Err("argument --cors: expected no value, found `true`"));
    check(
        "all problems at once",
        "--protocol tcp --compression gzip --prefetch many",
        Err("argument --protocol: expected one of GRPC, HTTP, WEBSOCKET, found `tcp`; \
             argument --compression: expected one of NoCompression, Deflate, Gzip, Zstd, found `gzip`; \
             argument --prefetch: expected a whole number, found `many`"),
    );
    check(
        "malformed graph",
        r#"--graph-description {"a":}"#,
        Err("argument --graph-description: this is no JSON: expected value (line 1, column 6)"),
    );
}

#[test]
fn unknown_arguments_are_dropped_with_a_hint() {
    let argv = split("--bogus 1 --prot grpc --nmae=x --no-debug-endpoints -z");
    let line = read(Program::Executor, &argv).unwrap();
    assert!(!line.values.contains_key("name"), "{line:?}");
    let warnings: Vec<_> = line.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "ignored unknown argument --bogus",
            "ignored unknown argument --nmae, did you mean --name?",
            "ignored unknown argument -z"
        ]
    );
    let line = read(Program::Executor, &split("--ssl-certfile x --no-debug-endpoints")).unwrap();
    assert!(line.warnings.is_empty() && line.values.is_empty(), "known elsewhere: {line:?}");
}

#[test]
fn an_element_with_a_blank_is_no_argument() {
    let argv = ["--timeout 9500".to_owned(), "--description".to_owned(), "-x y".to_owned()];
    let mut line = read(Program::Gateway, &argv).unwrap();
    assert_eq!(line.values["description"], "-x y");
    line.warn_joined();
    assert_eq!(line.warnings[0].to_string(), "ignored unknown argument --timeout 9500");
}

#[test]
fn every_exported_argument_list_is_read() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/exported/arguments.json");
    let examples: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut n_lists = 0;
    for argv in examples.as_array().unwrap() {
        let argv: Vec<String> =
            argv.as_array().unwrap().iter().map(|a| a.as_str().unwrap().to_owned()).collect();
        let program = match argv[1].as_str() {
            "gateway" => Program::Gateway,
            "executor" => Program::Executor,
            other => panic!("{other}"),
        };
        let line = read(program, &argv[2..]).unwrap();
        assert!(line.warnings.is_empty() && line.positionals.is_empty(), "{argv:?}: {line:?}");
        n_lists += 1;
    }
    assert!(n_lists > 70, "{n_lists}");
}
