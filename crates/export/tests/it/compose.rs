//! docker-compose.

use std::fs;

use serde_json::{Value, json};

use crate::arguments::{Said, said, without_noise};
use crate::{asked, documents, examples, exported, flow, take, texts};

#[test]
fn services_mean_what_jinas_mean() {
    for example in examples() {
        let name = example.file_name().unwrap().to_string_lossy().into_owned();
        let source = example.join("source.yml");
        let files =
            export::export(&flow(&source), &asked(&["docker-compose", source.to_str().unwrap(), "out"]));
        let ours = documents(&files.unwrap()[0].content).remove(0);
        let theirs = documents(&fs::read_to_string(example.join("docker-compose.yml")).unwrap()).remove(0);
        assert_eq!(ours["networks"], theirs["networks"], "{name}");
        let names = |project: &Value| -> Vec<String> {
            project["services"].as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(names(&ours), names(&theirs), "{name}: the services and their order");
        for service in names(&ours) {
            let ours = of_ours(ours["services"][&service].clone());
            let theirs = as_meant(&service, theirs["services"][&service].clone());
            assert_eq!(pretty(&ours), pretty(&theirs), "{name}: {service}");
        }
    }
}

fn pretty(value: &Value) -> String {
    let mut value = value.clone();
    value.sort_all_objects();
    serde_json::to_string_pretty(&value).unwrap()
}

fn of_ours(mut service: Value) -> Value {
    assert_eq!(take(&mut service, "stop_grace_period"), "35s");
    let health = take(&mut service, "healthcheck");
    let test = texts(&health["test"]);
    assert_eq!(test[0], "CMD", "images without a shell can be asked");
    // Python takes seconds to ask, so that it is asked less often.
    let is_ours = service["image"] == crate::IMAGE;
    assert_eq!(health["interval"], if is_ours { "2s" } else { "10s" });
    service["health"] = json!({"test": test[1..].join(" "), "interval": "2s"});
    let command = take(&mut service, "command");
    let arguments: Vec<_> = texts(&command).iter().map(|argument| argument.replace("$$", "$")).collect();
    service["command"] = serde_json::to_value(said(&arguments)).unwrap();
    service
}

/// Jina draws ports from here.
const RANDOM: u64 = 49_153;

/// What Jina wrote, with the differences that are meant.
fn as_meant(name: &str, mut service: Value) -> Value {
    let mut arguments = said(&texts(&take(&mut service, "command")));
    let is_monitored = arguments.contains_key("monitoring");
    let monitoring = arguments["port-monitoring"][0].as_str().unwrap().to_owned();
    let mut health = take(&mut service, "healthcheck");
    if name == "gateway" {
        let ports = numbered(&mut arguments);
        let test = health["test"].as_str().unwrap().to_owned();
        // One way of asking, two names.
        let test = test.replace("websocket://", "http://");
        let (start, _) = test.rsplit_once(':').unwrap();
        // Ping knows TLS.
        let start = if arguments.contains_key("ssl-certfile") {
            start.replace("grpc://", "grpcs://")
        } else {
            start.to_owned()
        };
        health["test"] = json!(format!("{start}:{}", ports[0]));
        let is_drawn = monitoring.parse::<u64>().unwrap() >= RANDOM;
        let metrics = if is_drawn { "9090".to_owned() } else { monitoring };
        let mut published: Vec<u64> = ports;
        if is_monitored {
            arguments.insert("port-monitoring".to_owned(), json!([metrics]));
            published.push(metrics.parse().unwrap());
        }
        service["ports"] = published.iter().map(|port| format!("{port}:{port}")).collect();
        service["expose"] = json!(published);
    } else if is_monitored {
        // Replicas cannot share a port of the host, so that the engine picks one for each.
        arguments.insert("port-monitoring".to_owned(), json!(["9090"]));
        service["expose"] = json!([9090]);
        service["ports"] = json!(["9090"]);
    }
    let mut arguments = without_noise(arguments);
    // An executor that hands documents through keeps nothing.
    if name != "gateway" && !arguments.contains_key("uses") {
        take(&mut service, "volumes");
        arguments.remove("workspace");
    }
    // A Deployment's protocols are its gateway's, which calls the executor by gRPC.
    if name == "dep" {
        arguments.remove("protocol");
    }
    environment(name, &mut service);
    for volume in service.get_mut("volumes").and_then(Value::as_array_mut).into_iter().flatten() {
        // The home of whoever starts it, not of whoever exported it.
        *volume = json!(volume.as_str().unwrap().replace("/home/user", "~"));
    }
    service["command"] = serde_json::to_value(arguments).unwrap();
    service["health"] = health;
    service
}

/// The gateway's ports; those that were drawn are counted from 51000 instead.
fn numbered(arguments: &mut Said) -> Vec<u64> {
    let ports: Vec<u64> = texts(&arguments["port"]).iter().map(|port| port.parse().unwrap()).collect();
    let ports: Vec<u64> = if ports[0] >= RANDOM { (51_000..).take(ports.len()).collect() } else { ports };
    arguments.insert("port".to_owned(), ports.iter().map(u64::to_string).collect());
    ports
}

/// Jina forgets the level of executors with variables of their own, and secrets.
fn environment(name: &str, service: &mut Value) {
    let environment = service["environment"].as_array_mut().unwrap();
    if environment[0] != "JINA_LOG_LEVEL=INFO" {
        environment.insert(0, json!("JINA_LOG_LEVEL=INFO"));
    }
    if name == "ranker" {
        environment.push(json!("API_TOKEN"));
    }
    let gateway_of_13 = name == "gateway" && service["ports"][0] == "80:80";
    if gateway_of_13 {
        service["environment"].as_array_mut().unwrap().push(json!("GW_TOKEN"));
    }
}

#[test]
fn dollar_signs_are_no_variables_of_the_host() {
    let flow = "jtype: Flow\nexecutors:\n  - {name: a, uses: 'docker://a:1', when: {tags__x: {$eq: 1}}, env: {P: a$b}}\n";
    let files = exported(flow, &["docker-compose"]).unwrap();
    assert!(files[0].content.contains("$$eq") && files[0].content.contains("P=a$$b"), "{}", files[0].content);
}

#[test]
fn certificates_of_this_machine_are_mounted_where_that_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("flow.yml");
    let text = "jtype: Flow
gateway: {protocol: [grpc], port: [8080], ssl_certfile: /host/a.pem, ssl_keyfile: b.pem}
executors:
  - {name: plain, uses: docker://image}
  - {name: native, uses: Native, tls_certfile: /host/c.pem, tls_keyfile: /host/k.pem, tls_client_ca: /host/ca.pem}
";
    fs::write(&source, text).unwrap();
    let source = source.to_str().unwrap();
    let services = |more: &[&str]| {
        let line = [&["docker-compose", source, "out", "--executor-image", "image"], more].concat();
        let files = export::export(&flow(source.as_ref()), &asked(&line)).unwrap();
        documents(&files[0].content).remove(0)["services"].clone()
    };
    let mounted = services(&["--mount-certificates"]);
    let here = std::env::current_dir().unwrap().join("b.pem").display().to_string();
    let gateway = texts(&mounted["gateway"]["volumes"]);
    let wanted = [
        "/host/a.pem:/etc/flowgate/tls/ssl-certfile.pem:ro".to_owned(),
        format!("{here}:/etc/flowgate/tls/ssl-keyfile.pem:ro"),
    ];
    assert_eq!(gateway, wanted);
    let command = texts(&mounted["gateway"]["command"]).join(" ");
    assert!(command.contains("--ssl-certfile /etc/flowgate/tls/ssl-certfile.pem"), "{command}");
    assert!(command.contains("--ssl-keyfile /etc/flowgate/tls/ssl-keyfile.pem"), "{command}");
    let native = texts(&mounted["native"]["volumes"]);
    assert!(native.contains(&"/host/k.pem:/etc/flowgate/tls/tls-keyfile.pem:ro".to_owned()), "{native:?}");
    assert!(native.contains(&"/host/ca.pem:/etc/flowgate/tls/tls-client-ca.pem:ro".to_owned()), "{native:?}");
    let command = texts(&mounted["native"]["command"]).join(" ");
    assert!(!command.contains("/host/"), "{command}");
    assert!(!mounted["plain"].to_string().contains("/etc/flowgate/tls"), "{}", mounted["plain"]);
    let left = services(&[]);
    assert!(texts(&left["gateway"]["command"]).contains(&"/host/a.pem".to_owned()), "{}", left["gateway"]);
}

#[test]
fn a_deployment_without_a_gateway_is_its_executor_alone() {
    let services = |key: &str| {
        let file =
            format!("jtype: Deployment\nwith: {{name: a, uses: 'docker://a:1', protocol: [http]{key}}}\n");
        let files = exported(&file, &["docker-compose", "flow.yml", "out.yml"]).unwrap();
        let project = documents(&files[0].content).remove(0);
        project["services"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(services(", include_gateway: false"), ["a"]);
    assert_eq!(services(""), ["a", "gateway"]);
}

#[test]
fn all_processes_of_an_encrypted_deployment_in_shards_are_called_by_tls() {
    let flow = "jtype: Flow\nexecutors:\n  - {name: a, uses: 'docker://a:1', shards: 2, uses_before: 'docker://b:1', \
                tls_certfile: /c.pem, tls_keyfile: /k.pem}\n";
    let project = documents(&exported(flow, &["docker-compose"]).unwrap()[0].content).remove(0);
    let arguments = |service: &str| said(&texts(&project["services"][service]["command"]));
    let head = arguments("a-head");
    assert_eq!(head["connection-list"], json!([{"0": ["grpcs://a-0:8081"], "1": ["grpcs://a-1:8081"]}]));
    assert_eq!(head["uses-before-address"], json!(["grpcs://a-uses-before:8081"]));
    assert_eq!(arguments("gateway")["deployments-addresses"], json!([{"a": ["grpcs://a-head:8081"]}]));
    for service in ["a-head", "a-0", "a-1", "a-uses-before"] {
        assert_eq!(arguments(service)["tls-certfile"], json!(["/c.pem"]), "{service}");
        let health = texts(&project["services"][service]["healthcheck"]["test"]);
        assert_eq!(health.last().unwrap(), "grpcs://127.0.0.1:8081", "{service}");
    }
}
