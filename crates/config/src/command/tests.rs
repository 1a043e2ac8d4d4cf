//! Whole command lines.

use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::{
    Compression, ExportFormat, GraphQl, Level, LineForm, PingTarget, PollingRule, Port, Probes, Protocol,
    Retries, Role, Services, Uses,
};

fn env(variables: &[(&str, &str)]) -> Environment {
    variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn run(line: &str) -> Result<Parsed, Vec<Problem>> {
    run_in(line, &[])
}

/// Elements are separated by blanks; `_` inside an element stands for a blank.
fn run_in(line: &str, variables: &[(&str, &str)]) -> Result<Parsed, Vec<Problem>> {
    let argv: Vec<String> = line.split_whitespace().map(|element| element.replace('\u{b7}', " ")).collect();
    command(&argv, &env(variables))
}

#[track_caller]
fn gateway(line: &str) -> (crate::GatewaySpec, Vec<String>) {
    let parsed = run(line).unwrap_or_else(|problems| panic!("{line}: {problems:?}"));
    let warnings = parsed.warnings.iter().map(ToString::to_string).collect();
    match parsed.command {
        Command::Gateway(spec) => (*spec, warnings),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn executor(line: &str) -> crate::ExecutorSpec {
    match run(line).unwrap_or_else(|problems| panic!("{line}: {problems:?}")).command {
        Command::Executor(spec) => *spec,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn refused(line: &str, want: &[&str]) {
    let problems = run(line).expect_err(line);
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems, want, "{line}");
}

#[test]
fn a_gateway_of_an_exported_manifest_is_understood() {
    let examples = include_str!("../../tests/exported/arguments.json");
    let examples: Vec<Vec<String>> = serde_json::from_str(examples).unwrap();
    let full = examples.iter().find(|argv| argv[1] == "gateway").unwrap();
    let parsed = command(&full[1..], &env(&[])).unwrap();
    let other =
        |warning: &&Warning| !warning.to_string().ends_with("metrics and traces are not sent to anybody yet");
    assert_eq!(parsed.warnings.iter().find(other), None);
    let Command::Gateway(spec) = parsed.command else { panic!("{:?}", parsed.command) };
    let listeners: Vec<_> = spec.server.listeners.iter().map(|l| (l.protocols[0].name(), l.port)).collect();
    assert_eq!(
        listeners,
        [("GRPC", Port::Fixed(8080)), ("HTTP", Port::Fixed(8081)), ("WEBSOCKET", Port::Fixed(8082))]
    );
    assert_eq!(spec.graph.addresses["ext"][0].to_string(), "grpcs://remote.example:50051");
    assert_eq!(spec.graph.metadata["ext"]["authorization"], "secret-token");
    assert_eq!(spec.graph.no_reduce, ["ranker"]);
    assert_eq!(spec.graph.description["encoder"], ["index_er", "ranker"]);
    assert_eq!(spec.graph.conditions["ranker"], serde_json::json!({"tags__lang": {"$eq": "en"}}));
    assert_eq!(spec.prefetch.map(std::num::NonZeroUsize::get), Some(500));
    assert_eq!(spec.client.retries, Retries::Times(2));
    assert_eq!(spec.client.compression, Compression::Gzip);
    assert_eq!(spec.client.timeout_send, Some(Duration::from_secs(20)));
    assert_eq!(spec.telemetry.monitoring, Some(Port::Fixed(9090)));
    assert_eq!(spec.telemetry.traces.unwrap().host.unwrap(), "otel-collector");
    assert_eq!(spec.http.web_server.keep_alive, Some(Duration::from_secs(30)));
    assert!(spec.http.cors);
}

#[test]
fn every_exported_process_of_ours_is_understood() {
    let examples = include_str!("../../tests/exported/arguments.json");
    let examples: Vec<Vec<String>> = serde_json::from_str(examples).unwrap();
    // Those with a file are of other images; the file is in these.
    let ours: Vec<_> = examples.iter().filter(|argv| !argv.contains(&"config.yml".to_owned())).collect();
    for argv in &ours {
        // Their certificates are in the container.
        let argv: Vec<String> =
            argv.iter().filter(|a| !a.ends_with(".pem") && !a.starts_with("--ssl")).cloned().collect();
        let parsed =
            command(&argv[1..], &env(&[])).unwrap_or_else(|problems| panic!("{argv:?}: {problems:?}"));
        if let Command::Executor(spec) = parsed.command {
            assert_eq!(spec.uses, Uses::PassThrough, "{argv:?}");
            let is_head = argv.contains(&"HEAD".to_owned());
            assert_eq!(matches!(spec.role, Role::Head(_)), is_head, "{argv:?}");
        }
    }
    assert!(ours.len() > 35, "{}", ours.len());
}

#[test]
fn calls_are_by_default_as_without_arguments() {
    let (spec, _) = gateway("gateway");
    assert_eq!(spec.client, crate::Client::default());
}

#[test]
fn ports_and_protocols_are_paired() {
    let check = |line: &str, want: &[(&str, u16)]| {
        let (spec, _) = gateway(line);
        let got: Vec<_> = spec
            .server
            .listeners
            .iter()
            .map(|listener| {
                let names: Vec<_> = listener.protocols.iter().map(|protocol| protocol.name()).collect();
                let port = match listener.port {
                    Port::Free => 0,
                    Port::Fixed(port) => port,
                };
                (names.join("+"), port)
            })
            .collect();
        let want: Vec<_> = want.iter().map(|(names, port)| ((*names).to_owned(), *port)).collect();
        assert_eq!(got, want, "{line}");
    };
    check("gateway", &[("GRPC", 0)]);
    check("gateway --port 8080", &[("GRPC", 8080)]);
    check("gateway --protocol http grpc", &[("HTTP", 0), ("GRPC", 0)]);
    check("gateway --protocol http grpc --port 1,2", &[("HTTP", 1), ("GRPC", 2)]);
    check("gateway --uses WebSocketGateway --protocol WEBSOCKET --port 5", &[("WEBSOCKET", 5)]);
    check("gateway --uses GRPCGateway --port 12345 12346 --protocol GRPC HTTP", &[("GRPC", 12345)]);
    check("gateway --protocol grpc http websocket --port 7 --single-port", &[("GRPC+HTTP+WEBSOCKET", 7)]);
    refused(
        "gateway --protocol grpc http --port 8080",
        &["argument --port: expected one port for each protocol, or --single-port: 2 (GRPC, HTTP), found 1"],
    );
    refused(
        "gateway --protocol grpc --port 1 2",
        &["argument --port: expected one port for each protocol: 1 (GRPC), found 2"],
    );
    refused("gateway --protocol grpc http --port 8080 8080", &["argument --port: port 8080 is listed twice"]);
    refused(
        "gateway --port 8080 --monitoring --port-monitoring 8080",
        &["argument --port-monitoring: port 8080 is already a protocol's"],
    );
}

#[test]
fn wrong_gateways_are_refused_with_every_reason() {
    refused(
        "gateway --ssl-certfile /no/cert.pem --uses MyGateway --uvicorn-kwargs {\"port\":1} --expose-endpoints [1]",
        &[
            "argument --uses: expected GRPCGateway, HTTPGateway, WebSocketGateway, CompositeGateway or a YAML file \
             (gateways of Python code cannot run here), found `MyGateway`",
            "argument --ssl-certfile: a certificate needs its key: --ssl-keyfile",
            "argument --expose-endpoints: expected an object: endpoint to its route, found `[1]`",
            "argument --uvicorn-kwargs at `port`: this is set by an argument of its own",
        ],
    );
    refused(
        "gateway --ssl-certfile /no/cert.pem --ssl-keyfile /no/key.pem",
        &[
            "argument --ssl-certfile: cannot read `/no/cert.pem`: No such file or directory (os error 2)",
            "argument --ssl-keyfile: cannot read `/no/key.pem`: No such file or directory (os error 2)",
        ],
    );
    refused(
        "gateway --graph-description {\"start-gateway\":[\"a\",\"b\"],\"a\":\"b\"} --deployments-addresses {\"a\":[\"a\"]}",
        &[
            "argument --graph-description at `a`: expected a list of names, found `b`",
            "argument --deployments-addresses at `a`: `a` has no port: an address is `host:port` or `scheme://host:port`",
            "argument --graph-description: node `b` has no address in --deployments-addresses",
        ],
    );
    refused(
        "gateway --flow /no/flow.yml",
        &["argument --flow: cannot read `/no/flow.yml`: No such file or directory (os error 2)"],
    );
    refused(
        "gatevay",
        &[
            "no command `gatevay`, did you mean `gateway`? (there are gateway, executor, flow, ping, export, check, help)",
        ],
    );
}

#[test]
fn settings_of_the_web_server_are_read() {
    let (spec, warnings) = gateway(
        "gateway --uvicorn-kwargs {\"root_path\":\"/api\",\"headers\":[[\"X-Team\",\"search\"],[\"x-n\",1]]} limit_concurrency:1",
    );
    let web = spec.http.web_server;
    assert_eq!((web.root_path.as_deref(), web.limit_concurrency), (Some("/api"), Some(1)));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(web.headers, [pair("x-team", "search"), pair("x-n", "1")]);
    let doubt = "argument --uvicorn-kwargs at `limit_concurrency`: every request is refused, because its own connection \
                 counts";
    assert_eq!(warnings, [doubt]);
    refused(
        "gateway --uvicorn-kwargs {\"root_path\":\"api\",\"headers\":[[\"a:b\",\"c\"],[\"Content-Length\",\"1\"],[\"a\"],[\"a\",\"\\n\"]]} \
         limit_concurrency:0",
        &[
            "argument --uvicorn-kwargs at `root_path`: expected a path such as `/api`, found `api`",
            "argument --uvicorn-kwargs at `headers` at `[0]`: expected the name of a header, found `a:b`",
            "argument --uvicorn-kwargs at `headers` at `[1]`: the header `content-length` belongs to a single answer",
            "argument --uvicorn-kwargs at `headers` at `[2]`: expected a pair such as `[x-name, value]`, found `[\"a\"]`",
            "argument --uvicorn-kwargs at `headers` at `[3]`: expected the value of a header, in ASCII, found `\n`",
            "argument --uvicorn-kwargs at `limit_concurrency`: expected a whole number from 1, found `0`",
        ],
    );
}

#[test]
fn limits_and_times_have_units() {
    let (spec, _) = gateway(
        "gateway --timeout-send 1500 --drain-grace 5s --max-bytes 1GiB --max-message 16MiB --prefetch 0",
    );
    assert_eq!(spec.client.timeout_send, Some(Duration::from_millis(1500)));
    assert_eq!(spec.server.drain_grace, Duration::from_secs(5));
    assert_eq!(spec.server.limits.bytes, 1 << 30);
    assert_eq!(spec.server.limits.message, Some(16 << 20));
    assert_eq!(spec.prefetch, None);
    let (spec, _) = gateway("gateway --timeout-send -1");
    assert_eq!((spec.client.timeout_send, spec.client.retries), (None, Retries::Auto));
    assert_eq!(spec.client.compression, Compression::None);
}

#[test]
fn graphql_is_served_within_limits_if_it_is_exposed() {
    assert_eq!(gateway("gateway --graphql-max-depth 7").0.http.graphql, None);
    let (spec, _) =
        gateway("gateway --expose-graphql-endpoint --graphql-max-depth 7 --graphql-max-query 2KiB");
    let want = GraphQl {
        max_depth: 7,
        max_complexity: 1000,
        max_calls: 32,
        max_query: 2048,
        max_tokens: 15_000,
        max_operations: 100,
    };
    assert_eq!(spec.http.graphql, Some(want));
    refused(
        "gateway --expose-graphql-endpoint --graphql-max-depth 65",
        &["argument --graphql-max-depth: expected a whole number from 1 to 64, found `65`"],
    );
}

#[test]
fn what_concerns_python_has_an_effect_where_there_is_python() {
    let warnings = |line: &str| run(line).unwrap().warnings;
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/interop/zoo.yml");
    assert_eq!(warnings(&format!("executor --python {file} --reload --py-modules a.py")), []);
    assert_eq!(warnings("executor --reload --py-modules a.py").len(), 2);
}

#[test]
fn who_asks_for_metrics_or_traces_is_told_that_there_are_none() {
    let warnings = run("executor --monitoring --tracing --metrics").unwrap().warnings;
    let said: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    let why = "has no effect here: metrics and traces are not sent to anybody yet";
    assert_eq!(said, ["monitoring", "tracing", "metrics"].map(|name| format!("argument --{name}: {why}")));
}

#[test]
fn what_has_no_effect_is_said_once() {
    let (_, warnings) = gateway(
        "gateway --py-modules a.py b.py --k8s-namespace x --reload --deployments-metadata {\"x\":{}} \
         --grpc-server-options {\"grpc.max_send_message_length\":1,\"grpc.odd\":2,\"grpc.http1.max_pings_without_data\":0}",
    );
    assert_eq!(
        warnings,
        [
            "argument --py-modules: has no effect here: it concerns Python code",
            "argument --reload: has no effect here: it concerns Python code",
            "argument --grpc-server-options at `grpc.odd`: has no effect here: this gRPC option has no counterpart",
            "argument --deployments-metadata: the graph has no node `x`",
        ]
    );
}

#[test]
fn heads_take_both_shapes_of_connection_lists() {
    let spec = executor(
        "executor --name s/head --pod-role HEAD --shards 2 --polling {\"/all\":\"ALL\",\"/search\":1} \
         --connection-list {\"1\":[\"b:1\",\"b:2\"],\"0\":\"a:1\"} --uses-before-address x:1",
    );
    let Role::Head(head) = spec.role else { panic!("{:?}", spec.role) };
    let shards: Vec<_> = head.shards.iter().map(|shard| (shard.id, shard.addresses.len())).collect();
    assert_eq!(shards, [(0, 1), (1, 2)]);
    assert_eq!(head.polling.rule("/all"), PollingRule::All);
    assert_eq!(head.polling.rule("/search"), PollingRule::Any);
    assert_eq!(head.polling.rule("/other"), PollingRule::Any);
    assert_eq!(head.uses_before.unwrap().to_string(), "grpc://x:1");
    assert_eq!(head.deployment, "worker");
    refused("executor --pod-role head", &["--connection-list, which a head needs, is missing"]);
}

#[test]
fn an_executor_file_is_completed_by_arguments() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("exec.yml");
    std::fs::write(
        &path,
        "jtype: Indexer\nwith:\n  a: 1\n  b: ${{ ENV.B }}\nrequests:\n  /x: fx\n\
         dynamic_batching:\n  /x: {preferred_batch_size: 8, timeout: 50}\nmetas:\n  name: my\n",
    )
    .unwrap();
    let line = format!(
        "executor --uses {} --uses-with a=2 --uses-dynamic-batching {{\"/x\":{{\"preferred_batch_size\":9}},\"/y\":{{}}}}",
        path.display()
    );
    let parsed = run_in(&line, &[("B", "bee")]).unwrap();
    let Command::Executor(spec) = parsed.command else { panic!("{:?}", parsed.command) };
    assert_eq!(spec.uses, Uses::File { path, name: "Indexer".to_owned() });
    assert_eq!(Value::Object(spec.uses_with), serde_json::json!({"a": 2, "b": "bee"}));
    assert_eq!(spec.uses_requests["/x"], "fx");
    let x = spec.uses_dynamic_batching["/x"];
    assert_eq!((x.preferred_batch_size, x.timeout), (Some(9), Some(Duration::from_millis(50))));
    assert_eq!(spec.uses_dynamic_batching["/y"], crate::Batching::default());
    refused(
        "executor --uses no.yml",
        &["argument --uses: cannot read `no.yml`: No such file or directory (os error 2)"],
    );
    assert_eq!(executor("executor --uses Foo").uses, Uses::Name("Foo".to_owned()));
    assert_eq!(executor("pod --uses docker://a:1").uses, Uses::Image("a:1".to_owned()));
}

#[test]
fn variables_of_jina_have_their_effects() {
    let log = |line: &str, variables: &[(&str, &str)]| match run_in(line, variables).unwrap().command {
        Command::Gateway(spec) => spec.log,
        other => panic!("{other:?}"),
    };
    let form = |log: crate::LogSpec| log.handlers.first().map(|handler| handler.form.clone());
    let is_plain = |form| matches!(form, Some(LineForm::Text { plain: true, .. }));
    assert_eq!(form(log("gateway --log-config json", &[])), Some(LineForm::Json));
    assert_eq!(form(log("gateway --log-config logging.json.yml", &[])), Some(LineForm::Json));
    assert!(is_plain(form(log("gateway --log-config json", &[("JINA_LOG_CONFIG", "plain")]))));
    assert_eq!(form(log("gateway --quiet", &[("JINA_LOG_CONFIG", "plain")])), None);
    assert_eq!(form(log("gateway --log-config json", &[("JINA_LOG_CONFIG", "QUIET")])), None);
    for (text, level) in [("success", Level::Success), ("DeBuG", Level::Debug), ("CRITICAL", Level::Critical)]
    {
        assert_eq!(log("gateway", &[("JINA_LOG_LEVEL", text)]).level, level);
    }
    assert!(!log("gateway", &[]).access && log("gateway", &[("JINA_LOG_LEVEL", "info")]).access);
    assert!(!log("gateway --uvicorn-kwargs access_log:false", &[("JINA_LOG_LEVEL", "info")]).access);
    assert_eq!(log("gateway --name front", &[]).name, "front");
    let problems =
        run_in("gateway", &[("JINA_LOG_LEVEL", "loud"), ("JINA_RANDOM_PORT_MIN", "x")]).unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[test]
fn pings_come_in_odd_shapes() {
    let ping = |line: &str| match run(line).unwrap().command {
        Command::Ping(ping) => ping,
        other => panic!("{other:?}"),
    };
    let probe = ping("ping gateway grpc://127.0.0.1:8080 --timeout\u{b7}9500");
    assert_eq!((probe.target, probe.protocol, probe.port), (PingTarget::Gateway, Protocol::Grpc, 8080));
    assert_eq!(probe.timeout, Some(Duration::from_secs(3)));
    let probe = ping("ping executor 127.0.0.1:8080\u{b7}-\u{b7}--timeout\u{b7}9500");
    assert_eq!((probe.host.as_str(), probe.port), ("127.0.0.1", 8080));
    let probe = ping("ping gateway websocket://h:1 --attempts 3 --min-successful-attempts=2 --timeout -1");
    assert_eq!((probe.protocol, probe.attempts, probe.min_successful_attempts), (Protocol::WebSocket, 3, 2));
    assert_eq!(probe.timeout, None);
    let probe = ping("ping flow grpcs://[::1]:9");
    assert_eq!((probe.secure, probe.host.as_str(), probe.port), (true, "[::1]", 9));
    let probe = ping("ping gateway https://h:1 --ca ca.pem --certfile c.pem --keyfile k.pem");
    assert_eq!(probe.authorities, Some("ca.pem".into()));
    assert_eq!(probe.identity, Some(("c.pem".into(), "k.pem".into())));
    refused(
        "ping gateway h:1 --ca ca.pem --keyfile k.pem",
        &[
            "argument --keyfile: --certfile is missing",
            "argument ADDRESS: certificates are for grpcs://, https:// and wss://",
        ],
    );
    refused(
        "ping executor 127.0.0.1:{port_uses}",
        &["argument ADDRESS: expected `host:port` or `scheme://host:port`, found `127.0.0.1:{port_uses}`"],
    );
    refused(
        "ping deployment --attempts 0",
        &[
            "argument TARGET: expected one of gateway, executor, flow, found `deployment`",
            "the address is missing",
            "argument --attempts: expected a whole number from 1, found `0`",
        ],
    );
}

#[test]
fn the_other_commands_take_files() {
    let parsed = |line: &str| run(line).unwrap().command;
    let flow = |context| Command::Flow(crate::FlowCommand { file: "f.yml".into(), context });
    assert_eq!(parsed("flow --uses f.yml"), flow(IndexMap::new()));
    let given = [("model", "small"), ("n", "3")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(parsed("flow --uses f.yml --context model=small n:3"), flow(IndexMap::from(given)));
    let check = |live| Command::Check(crate::Check { file: "f.yml".into(), context: IndexMap::new(), live });
    assert_eq!(parsed("check f.yml"), check(None));
    assert_eq!(parsed("check f.yml --live"), check(Some(Duration::from_secs(5))));
    assert_eq!(parsed("check --live --timeout 250ms f.yml"), check(Some(Duration::from_millis(250))));
    refused(
        "check --live --timeout 0",
        &["the file is missing", "argument --timeout: expected a time that is not 0, found `0`"],
    );
    let Command::Export(export) = parsed("export kubernetes f.yml out --k8s-namespace ns") else { panic!() };
    let ExportFormat::Kubernetes(cluster) = export.format else { panic!() };
    assert_eq!(cluster.namespace.as_deref(), Some("ns"));
    assert_eq!((cluster.probes, cluster.services), (Probes::Native, Services::Headless));
    let Command::Export(export) =
        parsed("export docker-compose f.yml out.yml --network_name n --mount-certificates")
    else {
        panic!()
    };
    let wanted = ExportFormat::DockerCompose { network: "n".to_owned(), mounts_certificates: true };
    assert_eq!(export.format, wanted);
    assert_eq!(parsed("-v"), Command::Version(Version::Short));
    let Command::Export(export) = parsed(
        "export kubernetes f.yml --outfile_path out --probes exec --services cluster-ip --tls-secret cert \
         --executor-tls-secrets a=a-cert b=b-cert --executors-ca-secret ca --autoscale gateway=2-10 a=1-3 --requests gateway=500m/256Mi --disruption-budgets --executor-image i:1",
    ) else {
        panic!()
    };
    assert_eq!((export.out.to_str(), export.executor_image.as_deref()), (Some("out"), Some("i:1")));
    let ExportFormat::Kubernetes(cluster) = export.format else { panic!() };
    assert_eq!((cluster.probes, cluster.services), (Probes::Exec, Services::ClusterIp));
    assert_eq!(cluster.autoscale["a"], crate::Replicas { least: 1, most: 3 });
    assert_eq!(cluster.requests["gateway"].memory, "256Mi");
    assert!(cluster.disruption_budgets);
    assert_eq!(
        (&*cluster.executor_tls_secrets["b"], cluster.executors_ca_secret.as_deref()),
        ("b-cert", Some("ca"))
    );
    refused(
        "export kubernetes f.yml out --autoscale a=3-1 b=2 --requests a=much",
        &[
            "argument --autoscale a: expected LEAST-MOST, such as 2-10, found `3-1`",
            "argument --autoscale b: expected LEAST-MOST, such as 2-10, found `2`",
            "argument --requests a: expected CPU/MEMORY, such as 500m/256Mi, found `much`",
        ],
    );
    refused(
        "export helm",
        &[
            "argument FORMAT: expected one of kubernetes, docker-compose, found `helm`",
            "the Flow file is missing",
            "where to write is missing",
        ],
    );
}

#[test]
fn help_lists_the_arguments() {
    let help = |line: &str| match run(line).unwrap().command {
        Command::Help(Help { text }) => text,
        other => panic!("{other:?}"),
    };
    assert_eq!(help("help"), help("--help"));
    assert_eq!(help("gateway --help"), help("help gateway"));
    insta::assert_snapshot!(help("help"));
    insta::assert_snapshot!(help("help ping"));
    insta::assert_snapshot!(help("help export"));
    let text = help("executor -h");
    assert!(text.contains("--max-waiting") && !text.contains("--docker-kwargs"), "{text}");
    let Command::Help(full) = run_in("executor -h", &[("JINA_FULL_CLI", "1")]).unwrap().command else {
        panic!()
    };
    assert!(full.text.contains("--docker-kwargs"), "{}", full.text);
}
