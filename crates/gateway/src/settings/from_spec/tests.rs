//! Command lines become settings.

use std::time::Duration;

use config::{Command, Parsed};
use grpc::Encoding;

use super::*;

fn settings(arguments: &[&str]) -> Result<Settings, InvalidSettings> {
    let argv: Vec<String> =
        ["gateway"].iter().chain(arguments).map(|&argument| argument.to_owned()).collect();
    let parsed = config::command(&argv, &config::Environment::new());
    let Ok(Parsed { command: Command::Gateway(spec), .. }) = parsed else { panic!("{parsed:?}") };
    Settings::try_from(*spec)
}

#[test]
fn defaults_are_those_of_the_parts() {
    let (got, own) = (settings(&["--port", "8080"]).unwrap(), Settings::default());
    let port =
        Port { protocols: vec![Protocol::Grpc], host: "0.0.0.0".to_owned(), number: PortNumber::Fixed(8080) };
    assert_eq!(got.ports, [port]);
    assert_eq!(got.name, "gateway");
    assert_eq!(got.calls.prefetch, own.calls.prefetch);
    assert_eq!(got.calls.max_message, own.calls.max_message);
    assert_eq!(got.client.retries, own.client.retries);
    assert_eq!(got.client.timeout_send, None);
    assert_eq!(got.client.encoding, Encoding::Identity);
    assert_eq!(got.client.options.keepalive, own.client.options.keepalive);
    assert_eq!(got.max_timeout, None);
}

#[test]
fn what_an_exported_manifest_says_arrives() {
    let got = settings(&[
        "--name",
        "gateway",
        "--port",
        "8080",
        "--protocol",
        "GRPC",
        "--graph-description",
        r#"{"start-gateway": ["encoder"], "encoder": ["end-gateway"]}"#,
        "--deployments-addresses",
        r#"{"encoder": ["grpcs://encoder.ns.svc:8081", "encoder-1.ns.svc:8081"]}"#,
        "--deployments-metadata",
        r#"{"encoder": {"Authorization": "s3cret"}}"#,
        "--deployments-no-reduce",
        r#"["encoder"]"#,
        "--timeout-send",
        "1500",
        "--retries",
        "2",
        "--compression",
        "Deflate",
        "--prefetch",
        "0",
        "--grpc-server-options",
        "grpc.max_receive_message_length=60",
        "--grpc-channel-options",
        "grpc.keepalive_time_ms=0",
    ]);
    let got = got.unwrap();
    let encoder = &got.executors["encoder"];
    let addresses: Vec<_> = encoder.addresses.iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["grpcs://encoder.ns.svc:8081", "encoder-1.ns.svc:8081"]);
    assert_eq!(encoder.metadata, Metadata(vec![("authorization".into(), "s3cret".into())]));
    assert_eq!(got.graph.description["encoder"], ["end-gateway"]);
    assert_eq!(got.graph.no_reduce, ["encoder"]);
    assert_eq!(got.client.timeout_send, Some(Duration::from_millis(1500)));
    assert_eq!(got.client.retries, 2);
    assert_eq!(got.client.encoding, Encoding::Deflate);
    assert_eq!(got.client.options.keepalive, None);
    assert_eq!(got.calls.prefetch, 0);
    assert_eq!(got.calls.max_message, 60);
    let args = got.streamer_args();
    assert_eq!(args.executor_addresses["encoder"][1], "grpc://encoder-1.ns.svc:8081");
    assert_eq!((args.timeout_send, args.compression.as_deref()), (Some(1.5), Some("Deflate")));
}

#[test]
fn a_port_speaks_its_protocol() {
    let protocols = ["GRPC", "HTTP", "WEBSOCKET"];
    let ports = ["8080", "8081", "8082"];
    let all = settings(&[&["--protocol"], &protocols[..], &["--port"], &ports].concat()).unwrap();
    let spoken: Vec<_> = all.ports.iter().map(|port| (port.protocols.clone(), port.number)).collect();
    let want = [(Protocol::Grpc, 8080), (Protocol::Http, 8081), (Protocol::WebSocket, 8082)];
    assert_eq!(spoken, want.map(|(protocol, port)| (vec![protocol], PortNumber::Fixed(port))));

    let one =
        settings(&[&["--single-port", "--port", "8080", "--protocol"], &protocols[..]].concat()).unwrap();
    assert_eq!(one.ports[0].protocols, [Protocol::Grpc, Protocol::Http, Protocol::WebSocket]);
    assert_eq!((one.ports.len(), one.ports[0].number), (1, PortNumber::Fixed(8080)));
}

#[test]
fn what_is_said_of_http_arrives() {
    let exposed = r#"{"/index": {"http_path": "put", "methods": ["put"], "summary": "Puts"}}"#;
    let got =
        settings(&["--protocol", "HTTP", "--cors", "--title", "T", "--expose-endpoints", exposed]).unwrap();
    assert_eq!((got.rest.cors, got.rest.title.as_str()), (true, "T"));
    let [exposed] = got.rest.exposed.as_slice() else { panic!("{:?}", got.rest.exposed) };
    assert_eq!((&*exposed.endpoint, exposed.path.as_str()), ("/index", "/put"));
    assert_eq!(exposed.methods, [http::Method::PUT]);
    assert_eq!(exposed.openapi["summary"], "Puts");
}
