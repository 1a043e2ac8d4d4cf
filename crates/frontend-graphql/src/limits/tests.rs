//! What is counted, and what becomes of too much.

use async_graphql::parser::parse_query;

use super::*;

fn settings() -> Settings {
    Settings { max_depth: 3, max_complexity: 10, max_calls: 4, max_tokens: 100, ..Settings::default() }
}

#[track_caller]
fn check(query: &str, want: &Result<(), Excess>) {
    let got = check_text(query, &settings());
    let got = got.and_then(|()| check_document(&parse_query(query).expect("a query"), &settings()));
    assert_eq!(&got, want, "{query}");
}

#[test]
fn fields_count_as_often_as_they_are_asked_for() {
    check("{ a { b { c } } }", &Ok(()));
    check("{ a { b { c { d } } } }", &Err(Excess::Depth { limit: 3 }));
    check("{ a { b c d e f g h i j } }", &Ok(()));
    check("{ a { b c d e f g h i j k } }", &Err(Excess::Complexity { found: 11, limit: 10 }));
    let twice = "query { a { ...F ...F } } fragment F on T { b c d e f }";
    check(twice, &Err(Excess::Complexity { found: 11, limit: 10 }));
    let apart = "query A { a { b c d e f } } query B { a { b c d e } }";
    check(apart, &Err(Excess::Complexity { found: 11, limit: 10 }));
}

#[test]
fn calls_count_under_whatever_name_and_those_for_the_schema_do_not() {
    check("{ a: x b: x c: x d: x __typename __schema { types { name } } }", &Ok(()));
    check("{ a: x b: x c: x d: x e: x }", &Err(Excess::Calls { found: 5, limit: 4 }));
    let spread = "{ ...F ... on Query { d: x e: x } } fragment F on Query { a: x b: x c: x }";
    check(spread, &Err(Excess::Calls { found: 5, limit: 4 }));
}

#[test]
fn fragments_are_counted_in_no_time_however_often_they_are_used() {
    let settings = Settings::default();
    let mut query = "{ ...F0 } fragment F30 on Query { a }".to_owned();
    for n in 0..30 {
        let next = n + 1;
        query.push_str(&format!(" fragment F{n} on Query {{ ...F{next} ...F{next} ...F{next} }}"));
    }
    let refused = check_document(&parse_query(&query).unwrap(), &settings);
    assert!(matches!(refused, Err(Excess::Complexity { limit: 1000, .. })), "{refused:?}");
}

#[test]
fn fragments_in_fragments_end_somewhere() {
    let itself = Excess::Endless { fragment: "A".to_owned() };
    check("{ ...A } fragment A on T { a ...A }", &Err(itself.clone()));
    check("fragment A on T { a { ... { ...A } } } query { b }", &Err(itself));
    let cycle = parse_query("{ ...A } fragment A on T { a ...B } fragment B on T { b ...A }").unwrap();
    assert!(matches!(check_document(&cycle, &settings()), Err(Excess::Endless { .. })));
    let chain = "{ ...A } fragment A on T { ...B } fragment B on T { ...C } fragment C on T { ...D }
        fragment D on T { ...E } fragment E on T { ...F } fragment F on T { ... { f } }";
    check(chain, &Err(Excess::Fragments { limit: 6 }));
    check("{ ...Nobody }", &Ok(()));
}

#[test]
fn text_is_counted_by_tokens_whatever_is_in_its_strings() {
    let counted = |query: &str, max_tokens: usize| {
        check_text(query, &Settings { max_tokens, ..Settings::default() }).is_ok()
    };
    for (query, n_tokens) in [
        ("{ a(b: \"{[(\\\" # {\") , c } # {{{", 9),
        ("{ a(b: \"\"\"x \\\"\"\" \" { y\"\"\") }", 8),
        ("query($a: [Int!] = [1, -2.5e+3]) { ...F }", 18),
        ("\"never closed { { {", 1),
    ] {
        assert!(counted(query, n_tokens) && !counted(query, n_tokens - 1), "{query}");
    }
}

#[test]
fn text_is_no_longer_than_it_may_be() {
    let settings = Settings { max_query: 20, ..Settings::default() };
    let refused = check_text("{ a(b: \"long text\") }", &settings);
    assert_eq!(refused, Err(Excess::Text { limit: 20 }));
    assert_eq!(check_text("{ a(b: \"text\") }", &settings), Ok(()));
}

#[test]
fn brackets_are_counted_before_a_parser_sees_them() {
    for bracket in ["{ a ", "[", "(a: {", "{ a(b: [", "query($a: ["] {
        let refused = check_text(&bracket.repeat(20_000), &Settings { max_tokens: usize::MAX, ..settings() });
        assert_eq!(refused, Err(Excess::Brackets { limit: 100 }), "{bracket}");
    }
}
