//! Files of every kind, right and wrong.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::{Command, DeploymentRole, Environment, FlowSpec, Port, Problem, Uses, Warning};

fn read(
    path: &std::path::Path,
    variables: &[(&str, &str)],
) -> Result<(FlowSpec, Vec<Warning>), Vec<Problem>> {
    let env = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    FlowSpec::read(path, &env)
}

/// A directory with a Flow file in it.
struct Files(tempfile::TempDir);

impl Files {
    fn new(flow: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("flow.yml"), flow).unwrap();
        Self(directory)
    }

    fn with(self, name: &str, text: &str) -> Self {
        std::fs::write(self.0.path().join(name), text).unwrap();
        self
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("flow.yml")
    }

    #[track_caller]
    fn read(&self) -> FlowSpec {
        read(&self.path(), &[]).unwrap_or_else(|problems| panic!("{problems:#?}")).0
    }

    /// The problems, without the directory.
    #[track_caller]
    fn refused(&self) -> Vec<String> {
        let problems = read(&self.path(), &[]).expect_err("a wrong file");
        let directory = format!("{}/", self.0.path().display());
        problems.iter().map(|problem| problem.to_string().replace(&directory, "")).collect()
    }
}

#[test]
fn the_context_is_what_the_command_line_gives() {
    let files =
        Files::new("jtype: Flow\nexecutors:\n- name: e\n  external: true\n  port: ${{ CONTEXT.port }}\n");
    let read = |given: &[(&str, &str)]| {
        let given = given.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        FlowSpec::read_given(&files.path(), &Environment::new(), &given)
    };
    let (spec, _) = read(&[("port", "8123"), ("other", "x")]).unwrap();
    let [address] = &spec.gateway.graph.addresses["e"][..] else { panic!("{:?}", spec.gateway.graph) };
    assert!(address.to_string().ends_with(":8123"), "{address}");
    let problems = read(&[]).unwrap_err();
    let said: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert!(said[0].contains("flow.yml:5: executors[0].port: nothing is given for `port`"), "{said:?}");
}

#[test]
fn executor_files_are_given_no_context() {
    let files = Files::new("jtype: Flow\nexecutors:\n- name: e\n  uses: e.yml\n")
        .with("e.yml", "jtype: Mine\nwith:\n  model: ${{ CONTEXT.model }}\n");
    let given = [("model".to_owned(), "small".to_owned())].into_iter().collect();
    let problems = FlowSpec::read_given(&files.path(), &Environment::new(), &given).unwrap_err();
    let said: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let wanted = "e.yml:3: with.model: this file is given no context: write `${{ ENV.model }}`";
    assert!(said[0].contains(wanted), "{said:?}");

    let file = files.path().with_file_name("e.yml").display().to_string();
    for argument in ["--uses", "--python"] {
        let line = ["executor", argument, &file].map(str::to_owned);
        let problems = crate::command(&line, &Environment::new()).unwrap_err();
        let said: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert!(said.len() == 1 && said[0].contains(wanted), "{argument}: {said:?}");
    }
}

#[test]
fn exported_flows_give_the_graphs_of_their_manifests() {
    let directory = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/exported"));
    let arguments: Vec<Vec<String>> =
        serde_json::from_str(include_str!("../../tests/exported/arguments.json")).unwrap();
    let mut n_flows = 0;
    for entry in std::fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "yml") {
            continue;
        }
        let (flow, _) =
            read(&path, &[]).unwrap_or_else(|problems| panic!("{}: {problems:#?}", path.display()));
        let description = json!(flow.gateway.graph.description);
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        // The export of this one fails in the original.
        if name != "07_executor_protocols" {
            let exported =
                arguments.iter().any(|argv| argv.iter().any(|argument| *argument == to_python(&description)));
            assert!(exported, "{name}: {description}");
        }
        n_flows += 1;
    }
    assert_eq!(n_flows, 17);
}

/// JSON as Python writes it.
fn to_python(value: &Value) -> String {
    value.to_string().replace("\":", "\": ").replace(",\"", ", \"")
}

#[test]
fn the_full_example_is_read() {
    let path =
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/exported/00_three_executors_full.yml"));
    let (flow, warnings) = read(&path, &[]).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(flow.name.as_deref(), Some("shop"));
    assert_eq!(flow.gateway_env["GW_KEY"], "gw-value");
    assert_eq!(flow.gateway.prefetch.map(std::num::NonZeroUsize::get), Some(500));
    assert_eq!(flow.gateway.graph.addresses["ext"][0].to_string(), "grpcs://remote.example:50051");
    assert_eq!(flow.gateway.graph.metadata["ext"]["authorization"], "secret-token");
    assert_eq!(flow.gateway.graph.no_reduce, ["ranker"]);
    let names: Vec<_> = flow.deployments.iter().map(|deployment| deployment.name.as_str()).collect();
    assert_eq!(names, ["encoder", "index_er", "ranker", "ext"]);
    let encoder = &flow.deployments[0];
    assert_eq!((encoder.executor.replicas, encoder.env["MODEL_DIR"].as_str()), (3, "/models"));
    assert_eq!(encoder.executor.uses, Uses::Image("registry.example/encoder:1.0".to_owned()));
    assert_eq!(encoder.executor.client.timeout_send, Some(std::time::Duration::from_secs(20)));
    let index = &flow.deployments[1];
    assert_eq!((index.executor.shards, index.needs.as_slice()), (2, &["encoder".to_owned()][..]));
    let before = index.uses_before.as_ref().unwrap();
    assert_eq!(before.uses, Uses::Image("registry.example/before:1.0".to_owned()));
    assert!(before.uses_requests.is_empty() && !index.executor.uses_requests.is_empty());
    assert_eq!(index.polling.rule("/search"), crate::PollingRule::All);
    assert!(flow.deployments[3].external.is_some());
}

#[test]
fn options_are_inherited_as_in_the_original() {
    let flow = Files::new(
        "jtype: Flow\nwith:\n  replicas: 2\n  port: 1234\n  timeout_send: 5\n  env: {A: 1}\n  quiet: true\n  \
         protocol: http\nexecutors:\n  - name: a\n  - name: b\n    replicas: 1\n    env: {B: 2}\n",
    )
    .read();
    assert_eq!(flow.gateway.server.listeners[0].port, Port::Fixed(1234));
    assert_eq!(flow.gateway_env["A"], "1");
    assert!(!flow.gateway.log.handlers.is_empty());
    let (a, b) = (&flow.deployments[0], &flow.deployments[1]);
    assert_eq!((a.executor.replicas, b.executor.replicas), (2, 1));
    assert_eq!(a.executor.server.listeners[0].port, Port::Free);
    assert_eq!(a.executor.client.timeout_send, Some(std::time::Duration::from_millis(5)));
    assert!(a.env.is_empty());
    assert_eq!(b.env["B"], "2");
}

#[test]
fn executor_and_deployment_files_are_found_beside_the_flow() {
    let flow =
        Files::new("jtype: Flow\nexecutors:\n  - uses: exec.yml\n    uses_with: {b: 3}\n  - dep.yml\n")
            .with("exec.yml", "jtype: Foo\nwith: {a: 1, b: 2}\npy_modules: [foo.py]\n")
            .with("dep.yml", "jtype: Deployment\nwith:\n  name: other\n  uses: Bar\n  replicas: 2\n")
            .read();
    let foo = &flow.deployments[0];
    assert!(
        matches!(&foo.executor.uses, Uses::File { name, .. } if name == "Foo"),
        "{:?}",
        foo.executor.uses
    );
    assert_eq!(Value::Object(foo.executor.uses_with.clone()), json!({"a": 1, "b": 3}));
    assert_eq!(foo.executor.py_modules, ["foo.py"]);
    let bar = &flow.deployments[1];
    assert_eq!((bar.name.as_str(), bar.executor.name.as_deref()), ("executor1", Some("other")));
    assert_eq!(bar.executor.replicas, 2);
}

#[test]
fn inspected_nodes_are_gathered_or_removed() {
    let text = "jtype: Flow\nwith: {inspect: WHAT}\nexecutors:\n  - name: a\n  - name: i\n    method: inspect\n  - name: b\n";
    let collected = Files::new(&text.replace("WHAT", "COLLECT")).read();
    let roles: Vec<_> = collected.deployments.iter().map(|deployment| deployment.role).collect();
    assert_eq!(
        roles,
        [
            DeploymentRole::Executor,
            DeploymentRole::Inspect,
            DeploymentRole::InspectPass,
            DeploymentRole::Executor,
            DeploymentRole::InspectJoin
        ]
    );
    let removed = Files::new(&text.replace("WHAT", "REMOVE")).read();
    assert_eq!(removed.deployments.len(), 2);
}

#[test]
fn every_mistake_of_a_file_is_reported_with_its_line() {
    let files = Files::new(
        "\
jtype: Flow
version: '2'
with:
  retires: 3
  timeout_send: soon
gateway:
  protocol: [grpc, tcp]
  ssl_certfile: cert.pem
  graph_description: {}
executers: []
executors:
  - name: my-name
  - name: b
    needs: nobody
    replicas: many
  - uses: missing.yml
    polling: SOME
  - name: c
    external: true
  - name: c2
    method: join
",
    );
    assert_eq!(
        files.refused(),
        [
            "flow.yml:10: executers: unknown key `executers`, did you mean `executors`?",
            "flow.yml:2: version: expected version 1, found `2`",
            "flow.yml:4: with.retires: unknown key `retires`, did you mean `retries`?",
            "flow.yml:9: gateway.graph_description: a Flow derives this from its executors",
            "flow.yml:5: with.timeout_send: expected a duration such as `250ms` or `10s`, found `soon`",
            "flow.yml:7: gateway.protocol: expected one of GRPC, HTTP, WEBSOCKET, found `tcp`",
            "flow.yml:15: executors[1].replicas: expected a whole number from 0, found `many`",
            "flow.yml:21: executors[4].method: expected one of add, needs, needs_all, inspect, gather_inspect, found `join`",
            "flow.yml:12: executors[0]: `my-name` cannot name an executor of a Flow: expected letters, digits and `_`, no digit first",
            "flow.yml:13: executors[1]: `b` needs `nobody`, which is not in the Flow",
            "flow.yml:16: executors[2].uses: cannot read `missing.yml`: No such file or directory (os error 2)",
            "flow.yml:17: executors[2].polling: expected ANY or ALL, or an object: endpoint to ANY or ALL, found `SOME`",
            "flow.yml:18: executors[3]: the port of the external executor at `127.0.0.1` is missing",
            "flow.yml:8: gateway.ssl_certfile: a certificate needs its key: --ssl-keyfile",
        ]
    );
}

#[test]
fn broken_files_are_refused() {
    let check = |text: &str, want: &str| assert_eq!(Files::new(text).refused(), [want], "{text}");
    check("executors: []\n", "flow.yml: `jtype`, such as `jtype: Flow`, is missing");
    check("- a\n", "flow.yml: expected a mapping, found `[\"a\"]`");
    check("jtype: Foo\n", "flow.yml:1: jtype: expected `jtype: Flow` or `jtype: Deployment`, found `Foo`");
    check("jtype: Deployment\n", "flow.yml: `with` is missing");
    check("jtype: Flow\nwith: {a: !x 1}\n", "flow.yml:2: this is no YAML: the tag `!x` has no meaning here");
    let problems = Files::new("jtype: Flow\nwith: [a\n").refused();
    assert!(problems[0].starts_with("flow.yml:3: this is no YAML: "), "{problems:?}");
}

#[test]
fn a_gateway_takes_its_part_of_a_flow() {
    let files = Files::new(
        "!Flow\ngateway:\n  port: [1, 2]\n  protocol: [grpc, http]\n  prefetch: 7\nexecutors:\n  - name: a\n    \
         port: 5000\n  - name: b\n    external: true\n    host: remote:6000\n",
    );
    let line = ["gateway", "--flow", files.path().to_str().unwrap(), "--prefetch", "9"].map(str::to_owned);
    let parsed = crate::command(&line, &Environment::new()).unwrap();
    let Command::Gateway(spec) = parsed.command else { panic!("{:?}", parsed.command) };
    assert_eq!(spec.prefetch.map(std::num::NonZeroUsize::get), Some(9));
    assert_eq!(spec.server.listeners.len(), 2);
    assert_eq!(spec.graph.addresses["a"][0].to_string(), "grpc://127.0.0.1:5000");
    assert_eq!(spec.graph.addresses["b"][0].to_string(), "grpc://remote:6000");
}

#[test]
fn a_gateway_has_a_file_of_its_own() {
    let files =
        Files::new("jtype: HTTPGateway\nprefetch: 3\nwith:\n  title: From file\n  cors: true\n  port: 81\n");
    let line = ["gateway", "--uses", files.path().to_str().unwrap(), "--title", "Said"].map(str::to_owned);
    let parsed = crate::command(&line, &Environment::new()).unwrap();
    let Command::Gateway(spec) = parsed.command else { panic!("{:?}", parsed.command) };
    assert_eq!(spec.server.listeners[0].protocols, [crate::Protocol::Http]);
    assert_eq!((spec.http.title.as_deref(), spec.http.cors), (Some("Said"), true));
    assert_eq!(spec.server.listeners[0].port, Port::Fixed(81));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

    /// Whatever a file holds, it is read or refused.
    #[test]
    fn no_file_is_too_odd(text in "(jtype: Flow\n)?(with|gateway|executors|- |  |: |\\[|\\{|\\$\\{\\{ ENV|\\}\\}|'|\"|\\||é|\n|a|1|!x|&b|\\*b){0,40}") {
        let files = Files::new(&text);
        let _either = read(&files.path(), &[]);
    }

    /// Whatever a command line holds, it is read or refused, and reading it starts nothing.
    #[test]
    fn no_command_line_is_too_odd(argv in proptest::collection::vec(
        "(gateway|executor|ping|--|-|--port|--protocol|--graph-description|--uses-with|=|\\{|\\}|\\[|:|,|é|1|grpc| ){0,4}", 0..6)
    ) {
        let _either = crate::command(&argv, &Environment::new());
    }
}
