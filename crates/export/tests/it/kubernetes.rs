//! Kubernetes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use walk::files_below;

use crate::arguments::{said, without_noise};
use crate::{asked, documents, examples, exported, flow, take, texts};

/// File and kind and name → the object.
type Objects = BTreeMap<(String, String, String), Value>;

#[test]
fn manifests_mean_what_jinas_mean() {
    for example in examples() {
        let name = example.file_name().unwrap().to_string_lossy().into_owned();
        let namespace = if name.starts_with("00") { &["--k8s-namespace", "shop-ns"][..] } else { &[] };
        let source = example.join("source.yml");
        let line = [&["kubernetes", source.to_str().unwrap(), ""], namespace].concat();
        let files = export::export(&flow(&source), &asked(&line)).unwrap();
        let mut ours = Objects::new();
        for file in &files {
            collect(&mut ours, &file.path.to_string_lossy(), &file.content);
        }
        let mut theirs = Objects::new();
        let directory = example.join("kubernetes");
        for file in files_below(&directory) {
            let path = file.strip_prefix(&directory).unwrap().to_string_lossy().into_owned();
            collect(&mut theirs, &path, &fs::read_to_string(&file).unwrap());
        }
        let theirs: Objects = theirs.into_iter().map(|(key, object)| as_meant(key, object)).collect();
        let ours: Objects = ours.into_iter().map(|(key, object)| (key, common(object))).collect();
        assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{name}: the objects");
        for (key, ours) in &ours {
            assert_eq!(pretty(ours), pretty(&theirs[key]), "{name}: {key:?}");
        }
    }
}

mod walk {
    use std::fs;
    use std::path::{Path, PathBuf};

    pub(super) fn files_below(directory: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        let files = entries.map(|path| if path.is_dir() { files_below(&path) } else { vec![path] });
        files.flatten().collect()
    }
}

fn pretty(value: &Value) -> String {
    let mut value = value.clone();
    value.sort_all_objects();
    serde_json::to_string_pretty(&value).unwrap()
}

fn collect(objects: &mut Objects, file: &str, text: &str) {
    for object in documents(text) {
        let key = |value: &Value| value.as_str().unwrap().to_owned();
        let key = (file.to_owned(), key(&object["kind"]), key(&object["metadata"]["name"]));
        assert!(objects.insert(key.clone(), object).is_none(), "{key:?} is there twice");
    }
}

/// What Jina wrote, with the differences that are meant.
fn as_meant(key: (String, String, String), mut object: Value) -> ((String, String, String), Value) {
    let (file, mut kind, name) = key;
    match kind.as_str() {
        "ConfigMap" => {
            // Nothing reads these: variables are in capitals, and the workers are of another server.
            take(&mut object["data"], "pythonunbuffered");
            take(&mut object["data"], "worker_class");
        }
        // The gateway chooses among the pods of an executor itself.
        "Service" if !name.starts_with("gateway") => object["spec"]["clusterIP"] = json!("None"),
        "StatefulSet" => {
            // A field of Deployments.
            take(&mut object["spec"], "strategy");
            if name.ends_with("-head") {
                // Heads keep nothing.
                "Deployment".clone_into(&mut kind);
                object["kind"] = json!("Deployment");
                object["spec"]["strategy"] =
                    json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}});
                take(&mut object["spec"], "volumeClaimTemplates");
                let container = &mut object["spec"]["template"]["spec"]["containers"][0];
                take(container, "volumeMounts");
                container["env"][2]["name"] = json!("K8S_DEPLOYMENT_NAME");
            } else {
                object["spec"]["serviceName"] = json!(name);
                for mount in mounts(&mut object) {
                    // `host:container` is no path in a pod.
                    let path = mount["mountPath"].as_str().unwrap();
                    mount["mountPath"] = json!(path.rsplit(':').next().unwrap());
                }
            }
        }
        _ => {}
    }
    ((file, kind, name), common(object))
}

fn mounts(object: &mut Value) -> impl Iterator<Item = &mut Value> {
    let container = &mut object["spec"]["template"]["spec"]["containers"][0];
    container["volumeMounts"].as_array_mut().into_iter().flatten()
}

/// What is compared of an object; the rest is checked here.
fn common(mut object: Value) -> Value {
    // Kubernetes knows what a claim is.
    let claims = object.pointer_mut("/spec/volumeClaimTemplates").and_then(Value::as_array_mut);
    for claim in claims.into_iter().flatten() {
        take(claim, "apiVersion");
        take(claim, "kind");
    }
    let Some(pod) = object.pointer_mut("/spec/template/spec") else { return object };
    let is_ours = pod.get("terminationGracePeriodSeconds").is_some();
    for key in [
        "automountServiceAccountToken",
        "enableServiceLinks",
        "securityContext",
        "terminationGracePeriodSeconds",
    ] {
        take(pod, key);
    }
    for container in pod["containers"].as_array_mut().unwrap() {
        let arguments = without_noise(said(&texts(&take(container, "args"))));
        let ports: Vec<&Value> = container["ports"].as_array().unwrap().iter().collect();
        let probed = probe(container);
        // The first port is the one that is asked; Jina leaves out further ones of executors, and that of metrics.
        let first = ports[0]["containerPort"].clone();
        for key in ["ports", "startupProbe", "livenessProbe", "readinessProbe", "securityContext"] {
            take(container, key);
        }
        let resources = take(container, "resources");
        let lifecycle = take(container, "lifecycle");
        let command = texts(&lifecycle["preStop"]["exec"]["command"]);
        assert!(command[2].starts_with("sleep "), "{command:?}");
        if is_ours {
            assert_eq!(
                resources.get("requests").is_some(),
                container["image"] == json!(crate::IMAGE),
                "only of our image it is known what it needs"
            );
        }
        container["args"] = serde_json::to_value(arguments).unwrap();
        container["limits"] = resources.get("limits").cloned().unwrap_or_default();
        container["first port"] = first;
        container["probe"] = probed;
    }
    object
}

/// How long a container may take to start, and where it is asked.
fn probe(container: &Value) -> Value {
    let probe = &container["startupProbe"];
    let port = if let Some(port) = probe.pointer("/grpc/port").or(probe.pointer("/httpGet/port")) {
        assert!(container["readinessProbe"].is_object() && container["livenessProbe"].is_object());
        port.clone()
    } else {
        let address = probe["exec"]["command"][3].as_str().unwrap();
        match address.rsplit(':').next().unwrap() {
            // Jina forgets to fill it in.
            "{port_uses}" => json!(8080),
            port => json!(port.parse::<u16>().unwrap()),
        }
    };
    json!({"port": port, "failureThreshold": probe["failureThreshold"]})
}

const FLOW: &str = "jtype: Flow
with: {name: Shop_1, protocol: [grpc, http], ssl_certfile: a.pem, ssl_keyfile: b.pem}
executors:
  - {name: a, uses: 'docker://a:1', replicas: 2}
  - {name: b, uses: Native, uses_with: {x: 1}, tls_certfile: c.pem, tls_keyfile: k.pem}
";

fn one(line: &[&str], path: &str) -> Vec<Value> {
    let files = exported(FLOW, line).unwrap();
    let file = files.iter().find(|file| file.path == Path::new(path));
    documents(&file.unwrap_or_else(|| panic!("no {path}")).content)
}

#[test]
fn budgets_autoscalers_and_needs_are_written_on_request() {
    let asked = [
        "kubernetes",
        "--executor-image=native:1",
        "--disruption-budgets",
        "--autoscale",
        "gateway=2-10",
        "--requests",
        "a=1500m/2Gi",
    ];
    let gateway = one(&asked, "out/gateway/gateway.yml");
    let kinds: Vec<_> = gateway.iter().map(|object| object["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["ConfigMap", "Service", "Service", "Deployment", "PodDisruptionBudget", "HorizontalPodAutoscaler"]
    );
    assert_eq!(gateway[3]["spec"].get("replicas"), None, "the autoscaler has the say");
    assert_eq!(gateway[4]["spec"]["selector"]["matchLabels"], json!({"app": "gateway"}));
    assert_eq!(gateway[5]["spec"]["minReplicas"], 2);
    assert_eq!(gateway[5]["spec"]["scaleTargetRef"]["name"], "gateway");
    let a = one(&asked, "out/a/a.yml");
    let container = &a[2]["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["resources"]["requests"], json!({"cpu": "1500m", "memory": "2Gi"}));
    assert_eq!(a[3]["kind"], "PodDisruptionBudget", "it has two replicas");
    assert_eq!(one(&asked, "out/b/b.yml").len(), 3, "it has one");
}

#[test]
fn an_image_of_rust_executors_runs_them_by_name() {
    let asked = ["kubernetes", "--executor-image=native:1", "--services=cluster-ip"];
    let b = one(&asked, "out/b/b.yml");
    let container = &b[2]["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], "native:1");
    assert_eq!(said(&texts(&container["args"]))["uses"], json!(["Native"]));
    assert_eq!(b[1]["spec"].get("clusterIP"), None);
    assert_eq!(b[1]["metadata"]["namespace"], "shop-1");
    let gateway = one(&asked, "out/gateway/gateway.yml");
    let arguments = said(&texts(&gateway[3]["spec"]["template"]["spec"]["containers"][0]["args"]));
    assert_eq!(
        arguments["deployments-addresses"],
        json!([{"a": ["grpc://a.shop-1.svc:8080"], "b": ["grpcs://b.shop-1.svc:8080"]}])
    );
}

#[test]
fn a_gateway_with_tls_is_asked_with_tls_and_takes_its_certificate_from_a_secret() {
    let asked = ["kubernetes", "--executor-image=native:1", "--tls-secret=cert"];
    let gateway = one(&asked, "out/gateway/gateway.yml");
    let pod = &gateway[3]["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let question = ["jina", "ping", "gateway", "grpcs://127.0.0.1:8080"];
    assert_eq!(container["readinessProbe"]["exec"]["command"], json!(question), "gRPC probes know no TLS");
    assert_eq!(said(&texts(&container["args"]))["ssl-keyfile"], json!(["/etc/flowgate/tls/tls.key"]));
    assert_eq!(pod["volumes"][0]["secret"]["secretName"], "cert");
    assert_eq!(container["volumeMounts"][0]["mountPath"], "/etc/flowgate/tls");
}

#[test]
fn executors_take_their_certificates_from_secrets_and_callers_trust_them_by_another() {
    let flow = "jtype: Flow\nexecutors:\n  - {name: a, uses: 'docker://a:1', shards: 2, uses_before: 'docker://b:1'}\n  \
                - {name: b, uses: 'docker://b:1', protocol: [http, grpc], tls_certfile: /c.pem, tls_keyfile: /k.pem}\n  \
                - {name: c, uses: 'docker://c:1'}\n";
    let asked = ["kubernetes", "--executor-tls-secrets", "a=a-tls", "b=b-tls", "--executors-ca-secret=ca"];
    let files = exported(flow, &asked).unwrap();
    let pod = |name: &str| {
        let file = files.iter().find(|file| file.path.ends_with(format!("{name}.yml"))).unwrap();
        let objects = documents(&file.content);
        let keeps = |object: &&Value| object["kind"] == "Deployment";
        objects.iter().find(keeps).unwrap()["spec"]["template"]["spec"].clone()
    };
    let container = |pod: &Value, idx: usize| {
        let container = &pod["containers"][idx];
        let mounts = container["volumeMounts"].as_array().into_iter().flatten();
        let mounts: Vec<_> = mounts.map(|mount| mount["mountPath"].as_str().unwrap().to_owned()).collect();
        (said(&texts(&container["args"])), container["readinessProbe"].clone(), mounts)
    };
    const TLS: &str = "/etc/flowgate/tls";
    const CA: &str = "/etc/flowgate/executors";
    let ping = |address: &str| json!(["jina", "ping", "executor", address]);

    let shard = pod("a-1");
    let (arguments, probe, mounts) = container(&shard, 0);
    assert_eq!(arguments["tls-certfile"], json!([format!("{TLS}/tls.crt")]));
    assert_eq!(arguments["tls-keyfile"], json!([format!("{TLS}/tls.key")]));
    assert_eq!(probe["exec"]["command"], ping("grpcs://127.0.0.1:8080"));
    assert_eq!(
        (mounts, &shard["volumes"][0]["secret"]["secretName"]),
        (vec![TLS.to_owned()], &json!("a-tls"))
    );

    let head = pod("a-head");
    let (arguments, probe, mounts) = container(&head, 0);
    assert_eq!(arguments["executors-ca"], json!([format!("{CA}/ca.crt")]));
    let shards = json!([{"0": "grpcs://a-0.default.svc:8080", "1": "grpcs://a-1.default.svc:8080"}]);
    assert_eq!(arguments["connection-list"], shards);
    assert_eq!(probe["exec"]["command"], ping("grpcs://127.0.0.1:8080"));
    assert_eq!(mounts, [TLS, CA]);
    let (arguments, probe, mounts) = container(&head, 1);
    assert_eq!(
        (arguments.get("tls-certfile"), &probe["grpc"]["port"]),
        (None, &json!(8078)),
        "beside its head"
    );
    assert_eq!(mounts, [""; 0]);

    let (arguments, probe, _) = container(&pod("b"), 0);
    assert_eq!(arguments["tls-keyfile"], json!([format!("{TLS}/tls.key")]), "not the file in the image");
    assert_eq!(probe["httpGet"]["scheme"], "HTTPS");
    let (arguments, probe, mounts) = container(&pod("c"), 0);
    assert_eq!((arguments.get("tls-certfile"), mounts), (None, Vec::new()));
    assert_eq!(probe["grpc"]["port"], 8080);

    let gateway = pod("gateway");
    let (arguments, _, mounts) = container(&gateway, 0);
    let secure = |name: &str| format!("grpcs://{name}.default.svc");
    let addresses = json!([{"a": [secure("a-head") + ":8080"], "b": [secure("b") + ":8081"], "c": ["grpc://c.default.svc:8080"]}]);
    assert_eq!(arguments["deployments-addresses"], addresses);
    assert_eq!(
        (arguments["executors-ca"].clone(), mounts),
        (json!([format!("{CA}/ca.crt")]), vec![CA.to_owned()])
    );
    let volume = json!([{"name": "executors-ca", "secret": {"secretName": "ca", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}]);
    assert_eq!(gateway["volumes"], volume, "no key of an executor is mounted there");
}

#[test]
fn clusters_without_grpc_probes_run_a_command() {
    let a = one(&["kubernetes", "--executor-image=native:1", "--probes=exec"], "out/a/a.yml");
    let container = &a[2]["spec"]["template"]["spec"]["containers"][0];
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        let command = ["jina", "ping", "executor", "grpc://127.0.0.1:8080"];
        assert_eq!(container[probe]["exec"]["command"], json!(command), "{probe}");
    }
}

#[test]
fn an_executor_of_several_protocols_has_a_service_for_each() {
    let flow = "jtype: Flow\nexecutors:\n  - {name: a, uses: 'docker://a:1', protocol: [http, grpc]}\n";
    let files = exported(flow, &["kubernetes"]).unwrap();
    let [a, gateway] = &files[..] else { panic!("{files:?}") };
    let a = documents(&a.content);
    assert_eq!((&a[1]["metadata"]["name"], &a[2]["metadata"]["name"]), (&json!("a"), &json!("a-1-grpc")));
    assert!(gateway.content.contains("grpc://a.default.svc:8081"), "{}", gateway.content);
}
