//! Graphs as written, and what becomes of them.

use std::sync::Arc;

use bytestring::ByteString;
use call::NodeIndex;
use docarray::discovery::{Discovery, EndpointSchema, Model};
use serde_json::{Value, json};

use super::*;

/// `a: b c; ...` with the gateway's names in full.
fn spec(graph: &str) -> GraphSpec {
    let mut spec = GraphSpec::default();
    for line in graph.split(';').map(str::trim).filter(|line| !line.is_empty()) {
        let (node, successors) = line.split_once(':').unwrap();
        let successors = successors.split_whitespace().map(str::to_owned).collect();
        spec.description.insert(node.trim().to_owned(), successors);
    }
    spec
}

fn graph(graph: &str) -> Graph {
    Graph::check(&spec(graph)).unwrap()
}

fn lines(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn check(case: &str, description: &str, want: Result<&str, &[&str]>) {
    let got = Graph::check(&spec(description)).map(|graph| graph.to_string());
    let got = got.map_err(|problems| lines(&problems));
    let want = want.map(str::to_owned).map_err(|lines| lines.iter().map(|&line| line.to_owned()).collect());
    assert_eq!(got, want, "{case}: `{description}`");
}

#[test]
fn stages_follow_the_graph() {
    check("1: linear", "x1: x2; start-gateway: x1; x2: end-gateway", Ok("x1 > x2"));
    check("2: branch and join", "p: a b; start-gateway: p; a: j; b: j; j: end-gateway", Ok("p > a+b > j"));
    check(
        "3: floating in the middle",
        "x1: fl x2; start-gateway: x1; fl: ; x2: end-gateway",
        Ok("x1 > (fl)+x2"),
    );
    check("4: floating only", "fl: ; start-gateway: fl", Ok("(fl)"));
    check("5: hanging", "a: b; start-gateway: a h; h: ; b: end-gateway", Ok("a+(h) > b"));
    check("6: several origins", "a: j; start-gateway: a b; b: j; j: end-gateway", Ok("a+b > j"));
    check("13: empty", "", Ok(""));
    check(
        "14: inspect",
        "a: ins _aux_ins; start-gateway: a; ins: gather_inspect; _aux_ins: b; b: gather_inspect; \
         gather_inspect: end-gateway",
        Ok("a > ins+_aux_ins > b > gather_inspect"),
    );
    check(
        "a join of unequal branches",
        "start-gateway: a b; a: c; c: j; b: j; j: end-gateway",
        Ok("a+b > c > j"),
    );
}

#[test]
fn all_problems_are_told_at_once() {
    check(
        "cycle",
        "start-gateway: a; a: b; b: c end-gateway; c: a",
        Err(&["the graph has a cycle: a -> b -> c -> a"]),
    );
    check("itself", "start-gateway: a; a: a end-gateway", Err(&["the graph has a cycle: a -> a"]));
    check(
        "12: an unknown need",
        "a: end-gateway; zzz: a",
        Err(&[
            "executor `a` cannot be reached from `start-gateway`",
            "executor `zzz` cannot be reached from `start-gateway`",
        ]),
    );
    check(
        "everything at once",
        "start-gateway: a; a: b b start-gateway; b: end-gateway; end-gateway: c; c: d; d: c",
        Err(&[
            "`a` lists `b` 2 times",
            "executor `a` leads to `start-gateway`, which is the entry of the graph",
            "`end-gateway` is the exit of the graph: nothing can follow it, but `c` does",
            "the graph has a cycle: c -> d -> c",
            "executor `c` cannot be reached from `start-gateway`",
            "executor `d` cannot be reached from `start-gateway`",
        ]),
    );
    let mut spec = spec("start-gateway: a; a: end-gateway");
    spec.description["start-gateway"].push("two words".to_owned());
    spec.conditions.insert("a".to_owned(), json!({"n": {"$ne": 1}}));
    spec.conditions.insert("x".to_owned(), json!({"n": 3}));
    spec.no_reduce = vec!["a".to_owned(), "y".to_owned()];
    let problems = Graph::check(&spec).unwrap_err();
    let nodes: Vec<_> =
        lines(&problems).into_iter().map(|line| line.split(':').next().unwrap().to_owned()).collect();
    assert_eq!(
        nodes,
        [
            "`two words` cannot name an executor",
            "the condition of `a` is wrong at `n.$ne`",
            "there is a condition for `x`, which is not in the graph",
            "the condition of `x` is wrong at `n`",
            "`y` is listed under no_reduce, but is not in the graph",
        ]
    );
}

#[test]
fn nodes_are_numbered_depth_first() {
    let graph = graph("j: end-gateway; b: j; start-gateway: p; p: a b f; a: j; f: ");
    let names: Vec<_> = graph.nodes().map(|(_, name)| name.to_string()).collect();
    assert_eq!(names, ["p", "a", "j", "b", "f"]);
    assert_eq!((graph.index("b"), graph.index("zzz")), (Some(NodeIndex(3)), None));
    assert_eq!((graph.first(), graph.len(), graph.is_empty()), (Some(NodeIndex(0)), 5, false));
    assert!(graph.is_floating(NodeIndex(4)) && !graph.is_floating(NodeIndex(1)));
}

#[test]
fn long_chains_and_wide_joins_are_fine() {
    let n = 20_000;
    let mut chain = String::from("start-gateway: x0;");
    for node in 1..n {
        chain += &format!("x{}: x{node};", node - 1);
    }
    assert_eq!(graph(&(chain + &format!("x{}: end-gateway", n - 1))).len(), n);
    let names: Vec<_> = (0..n).map(|node| format!("x{node}")).collect();
    let mut wide = format!("start-gateway: {};", names.join(" "));
    for name in &names {
        wide += &format!("{name}: j;");
    }
    assert_eq!(graph(&(wide + "j: end-gateway")).len(), n + 1);
}

#[test]
fn mermaid_draws_it() {
    let mut spec = spec("start-gateway: p; p: a f; a: end-gateway; f: ");
    spec.description["p"].push("<\"#\">".to_owned());
    spec.conditions.insert("a".to_owned(), json!({"n": {"$gt": 1}}));
    let want = "\
flowchart LR
    entry([gateway])
    exit([gateway])
    n0[\"p\"]
    n1[\"a\"]
    n2[\"f\"]:::floating
    n3[\"#lt;#quot;#35;#quot;#gt;\"]:::floating
    n0 -->|when| n1
    n0 -.-> n2
    n0 -.-> n3
    n1 --> exit
    entry --> n0
    classDef floating stroke-dasharray: 5 5
";
    assert_eq!(Graph::check(&spec).unwrap().to_mermaid(), want);
    assert_eq!(
        graph("").to_mermaid(),
        "flowchart LR\n    entry([gateway])\n    exit([gateway])\n    entry --> exit\n"
    );
}

// === Neighbours ===

fn says(endpoints: &[(&'static str, Value, Value)]) -> Option<Arc<Discovery>> {
    let model = |schema: &Value| Model { name: "Doc".into(), schema: schema.clone() };
    let mut discovery = Discovery::default();
    for (endpoint, input, output) in endpoints {
        let schema = EndpointSchema {
            input: model(input),
            output: model(output),
            parameters: None,
            is_generator: false,
            is_singleton_doc: false,
        };
        discovery.endpoints.insert(ByteString::from_static(endpoint), Some(schema));
    }
    Some(Arc::new(discovery))
}

#[test]
fn neighbours_must_fit_on_every_branch() {
    let graph = graph("start-gateway: encode; encode: keep index; keep: end-gateway; index: end-gateway");
    let text = json!({"properties": {"id": {"anyOf": []}, "text": {"type": "string"}}});
    let embedded = json!({"properties": {"id": {"anyOf": []}, "embedding": {"type": "array"}}, "required": ["embedding"]});
    let ranked =
        json!({"properties": {"id": {"anyOf": []}, "text": {"type": "string"}, "rank": {"type": "integer"}}});
    let number = json!({"properties": {"id": {"anyOf": []}, "text": {"type": "number"}}});
    let legacy = json!({"$ref": "#/$defs/LegacyDocument"});
    let check = |case: &str, index: Option<Arc<Discovery>>, want: &[&str]| {
        let encode = says(&[
            ("/index", text.clone(), text.clone()),
            ("/default", text.clone(), text.clone()),
            ("_jina_dry_run_", legacy.clone(), legacy.clone()),
        ]);
        let problems =
            graph.check_schemas(&[encode, says(&[("/default", number.clone(), number.clone())]), index]);
        // The first branch answers by its default endpoint, and there the types differ.
        let (first, rest): (Vec<_>, Vec<_>) =
            lines(&problems).into_iter().partition(|line| line.starts_with("encode -> keep"));
        assert_eq!(
            first,
            ["encode -> keep: field `text` is string but must be number at `/default`"],
            "{case}"
        );
        assert_eq!(rest, want, "{case}");
    };
    check("nothing known", None, &[]);
    check(
        "same",
        says(&[("/index", text.clone(), text.clone()), ("/default", text.clone(), text.clone())]),
        &[],
    );
    check("unions match unions", says(&[("/index", text.clone(), embedded.clone())]), &[]);
    check("the legacy document takes anything", says(&[("/index", legacy.clone(), legacy.clone())]), &[]);
    check(
        "other fields",
        says(&[("/index", embedded.clone(), embedded.clone())]),
        &[
            "encode -> index: field `embedding` missing at `/index`",
            "encode -> index: field `text` unknown at `/index`",
        ],
    );
    check("a field with a default may be missing", says(&[("/index", ranked.clone(), ranked.clone())]), &[]);
    check(
        "another endpoint, and no default one",
        says(&[("/search", text.clone(), text.clone())]),
        &["encode -> index: endpoint `/index` missing"],
    );
}

#[test]
fn a_field_is_missing_before_a_join_only_if_no_branch_brings_it() {
    let required = |fields: &[&str]| {
        let properties: serde_json::Map<_, _> =
            fields.iter().map(|field| ((*field).to_owned(), json!({"type": "string"}))).collect();
        json!({"properties": properties, "required": fields})
    };
    let (text, both) = (required(&["text"]), required(&["text", "caption"]));
    let takes = |schema: &Value| says(&[("/index", schema.clone(), schema.clone())]);
    let of = |reduces: bool, caption: Option<Arc<Discovery>>| {
        let mut spec =
            spec("start-gateway: encode caption; encode: index; caption: index; index: end-gateway");
        if !reduces {
            spec.no_reduce.push("index".to_owned());
        }
        let graph = Graph::check(&spec).unwrap();
        lines(&graph.check_schemas(&[takes(&text), takes(&both), caption]))
    };
    let missing = "encode -> index: field `caption` missing at `/index`";
    assert_eq!(of(true, takes(&both)), [""; 0], "the other branch brings it");
    assert_eq!(of(true, None), [""; 0], "nobody knows what the other branch brings");
    assert_eq!(of(true, takes(&text)), [missing, "caption -> index: field `caption` missing at `/index`"]);
    assert_eq!(of(false, takes(&both)), [missing], "the parts are not merged");
}
