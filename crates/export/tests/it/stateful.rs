//! Executors whose replicas are kept consistent by consensus, which Jina's own exports cannot run.

use std::path::Path;

use config::{Command, Environment, Peers, Stateful};
use serde_json::{Value, json};

use crate::{documents, exported, refused, texts};

const FLOW: &str = "jtype: Flow
with: {name: shop}
executors:
  - {name: keep, uses: Keep, stateful: true, replicas: 3, workspace: /workspace, peer_ports: [1, 2, 3], raft_configuration: {snapshot_threshold: 100}}
";
const SHARDED: &str = "jtype: Flow
executors:
  - {name: keep, uses: Keep, stateful: true, replicas: 2, shards: 2, workspace: /data/keep, volumes: ['disk:/data'], uses_before: Clean}
";

fn kubernetes(flow: &str, more: &[&str], path: &str) -> Vec<Value> {
    let files = exported(flow, &[&["kubernetes", "--executor-image=rust:1"], more].concat()).unwrap();
    let file = files.iter().find(|file| file.path == Path::new(path));
    documents(&file.unwrap_or_else(|| panic!("no {path} in {files:?}")).content)
}

fn compose(flow: &str) -> Value {
    let files = exported(flow, &["docker-compose", "--executor-image=rust:1"]).unwrap();
    documents(&files[0].content).remove(0)
}

fn named<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let found = objects.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}"))
}

/// What a process that is started so takes itself for; and that it is told nothing that it refuses.
fn understood(arguments: &Value) -> Stateful {
    let parsed = config::command(&texts(arguments), &Environment::new()).unwrap();
    assert_eq!(parsed.warnings, []);
    match parsed.command {
        Command::Executor(spec) => spec.stateful.unwrap(),
        other => panic!("{other:?}"),
    }
}

fn addresses(stateful: &Stateful) -> Vec<String> {
    match &stateful.peers {
        Peers::Addresses(addresses) => addresses.iter().map(ToString::to_string).collect(),
        Peers::Ports(ports) => panic!("{ports:?}"),
    }
}

#[test]
fn pods_of_a_stateful_executor_start_together_and_know_each_other_by_name() {
    let objects = kubernetes(FLOW, &[], "out/keep/keep.yml");
    let set = &named(&objects, "StatefulSet", "keep")["spec"];
    assert_eq!((&set["replicas"], &set["podManagementPolicy"]), (&json!(3), &json!("Parallel")));
    assert_eq!(
        (&set["serviceName"], &set["updateStrategy"]["type"]),
        (&json!("keep-peers"), &json!("RollingUpdate"))
    );
    let container = &set["template"]["spec"]["containers"][0];
    let stateful = understood(&container["args"]);
    let want = [0, 1, 2].map(|n| format!("grpc://keep-{n}.keep-peers.shop.svc:8080"));
    assert_eq!(addresses(&stateful), want);
    assert_eq!(
        (stateful.replica, stateful.raft.snapshot_threshold),
        (None, 100),
        "the pod's name says which it is"
    );
    let peers = &named(&objects, "Service", "keep-peers")["spec"];
    assert_eq!((&peers["clusterIP"], &peers["publishNotReadyAddresses"]), (&json!("None"), &json!(true)));
    assert_eq!((&peers["selector"], &peers["ports"][0]["port"]), (&json!({"app": "keep"}), &json!(8080)));
    let callers = &named(&objects, "Service", "keep")["spec"];
    assert_eq!(callers.get("publishNotReadyAddresses"), None, "the gateway calls only those that are ready");
}

#[test]
fn a_stateful_executor_has_a_volume_for_its_workspace_that_it_may_write_on() {
    let objects = kubernetes(FLOW, &[], "out/keep/keep.yml");
    let set = &named(&objects, "StatefulSet", "keep")["spec"];
    let pod = &set["template"]["spec"];
    let mount = &pod["containers"][0]["volumeMounts"][0];
    assert_eq!(mount["mountPath"], "/workspace");
    assert_eq!(mount["name"], set["volumeClaimTemplates"][0]["metadata"]["name"]);
    assert_eq!(pod["securityContext"], json!({"fsGroup": 10001}));
    let services = compose(FLOW);
    for replica in 0..3 {
        let volume = format!("keep-rep-{replica}-state");
        let service = &services["services"][format!("keep-rep-{replica}")];
        assert_eq!(service["volumes"], json!([format!("{volume}:/workspace")]));
        assert_eq!(services["volumes"][&volume], json!({}));
    }
}

#[test]
fn services_of_a_stateful_executor_are_told_who_they_are() {
    let project = compose(FLOW);
    let want = [0, 1, 2].map(|n| format!("grpc://keep-rep-{n}:8081"));
    for replica in 0..3 {
        let stateful = understood(&project["services"][format!("keep-rep-{replica}")]["command"]);
        assert_eq!(addresses(&stateful), want);
        assert_eq!(stateful.replica, Some(replica));
    }
    let gateway = project["services"]["gateway"]["command"].to_string();
    assert!([0, 1, 2].iter().all(|n| gateway.contains(&format!("keep-rep-{n}:8081"))), "{gateway}");
    assert!(!gateway.contains("raft"), "{gateway}");
}

#[test]
fn each_shard_of_a_stateful_executor_has_peers_of_its_own_and_heads_have_none() {
    for shard in 0..2 {
        let objects = kubernetes(SHARDED, &["--disruption-budgets"], &format!("out/keep/keep-{shard}.yml"));
        let set = named(&objects, "StatefulSet", &format!("keep-{shard}"));
        let container = &set["spec"]["template"]["spec"]["containers"][0];
        let want = [0, 1].map(|n| format!("grpc://keep-{shard}-{n}.keep-{shard}-peers.default.svc:8080"));
        assert_eq!(addresses(&understood(&container["args"])), want);
        assert_eq!(container["volumeMounts"][0]["mountPath"], "/data", "the one that the Flow names");
        let budget = named(&objects, "PodDisruptionBudget", &format!("keep-{shard}"));
        assert_eq!(budget["spec"]["maxUnavailable"], 1);
    }
    let head = kubernetes(SHARDED, &[], "out/keep/keep-head.yml");
    let pod = &named(&head, "Deployment", "keep-head")["spec"]["template"]["spec"];
    for container in pod["containers"].as_array().unwrap() {
        assert!(!texts(&container["args"]).iter().any(|text| text == "--stateful"), "{container}");
    }
    let project = compose(SHARDED);
    let stateful = understood(&project["services"]["keep-1-rep-1"]["command"]);
    assert_eq!(addresses(&stateful), ["grpc://keep-1-rep-0:8081", "grpc://keep-1-rep-1:8081"]);
    assert_eq!(project["services"]["keep-1-rep-1"]["volumes"], json!(["disk:/data"]));
    assert_eq!(project.get("volumes"), None);
}

#[test]
fn replicas_with_certificates_call_each_other_with_tls() {
    let flow = FLOW.replace("uses: Keep", "uses: Keep, tls_certfile: /c.pem, tls_keyfile: /k.pem");
    let project = compose(&flow);
    let arguments = texts(&project["services"]["keep-rep-0"]["command"]);
    assert!(arguments.contains(&"grpcs://keep-rep-2:8081".to_owned()), "{arguments:?}");
    let objects = kubernetes(&flow, &[], "out/keep/keep.yml");
    let set = named(&objects, "StatefulSet", "keep");
    let arguments = texts(&set["spec"]["template"]["spec"]["containers"][0]["args"]);
    assert!(arguments.contains(&"grpcs://keep-2.keep-peers.shop.svc:8080".to_owned()), "{arguments:?}");
}

#[test]
fn stateful_executors_that_could_not_work_are_refused() {
    let flow = "jtype: Flow
executors:
  - {name: a, uses: 'docker://a:1', stateful: true, workspace: /w}
  - {name: b, stateful: true, workspace: /w}
  - {name: c, uses: Keep, stateful: true, workspace: here}
  - {name: d, uses: Keep, stateful: true, workspace: /w, volumes: ['/host:/other']}
";
    let want = [
        "executor `a` is stateful and runs in the image `a:1` of its own, where `jina executor` starts it: replicas of \
         Jina's cannot be joined in containers. Name the executor in `uses`, and with --executor-image an image of \
         Flowgate that knows it",
        "executor `b` is stateful and runs nothing: it has no state; leave out `stateful`",
        "the workspace `here` of stateful executor `c` is relative: in a container it must be absolute, such as \
         `/workspace`, so that a volume can be there",
        "the workspace `/w` of stateful executor `d` is on no volume: its state would be lost with its container. Name a \
         volume for it in `volumes`, or leave out `volumes` and `disable_auto_volume`",
    ];
    refused(flow, &["kubernetes", "--executor-image=rust:1"], &want);
    refused(flow, &["docker-compose", "--executor-image=rust:1"], &want);
    let off = FLOW.replace("uses: Keep", "uses: Keep, disable_auto_volume: true");
    let lost = want[3].replace("`/w`", "`/workspace`").replace("`d`", "`keep`");
    refused(&off, &["docker-compose", "--executor-image=rust:1"], &[&lost]);
}

#[test]
fn what_kubernetes_cannot_do_for_stateful_executors_is_refused() {
    let long = "k".repeat(53);
    let flow = format!(
        "jtype: Flow
executors:
  - {{name: keep, uses: Keep, stateful: true, workspace: /w}}
  - {{name: keep_peers, uses: Other}}
  - {{name: {long}, uses: Keep, stateful: true, workspace: /w}}
"
    );
    let want = [
        "--autoscale: executor `keep` is stateful: it has the replicas that the Flow says, which know each other",
        "`keep_peers` and the service between the replicas of `keep` would both be called `keep-peers`",
        &format!("`{long}` is too long for the StatefulSet of a stateful executor: at most 52 characters"),
    ];
    refused(&flow, &["kubernetes", "--executor-image=rust:1", "--autoscale", "keep=1-3"], &want);
    let deployment =
        "jtype: Deployment\nwith: {name: keep, uses: Keep, stateful: true, workspace: /w, protocol: http}\n";
    let want = "executor `keep` is stateful and does not speak GRPC, by which its replicas call each other";
    refused(deployment, &["kubernetes", "--executor-image=rust:1"], &[want]);
}

#[test]
fn replicas_with_certificates_of_secrets_trust_each_other_by_the_authorities_of_executors() {
    let more = ["--executor-tls-secrets", "keep=cert", "--executors-ca-secret=authorities"];
    let objects = kubernetes(FLOW, &more, "out/keep/keep.yml");
    let pod = &named(&objects, "StatefulSet", "keep")["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let arguments = texts(&container["args"]);
    assert!(arguments.contains(&"grpcs://keep-1.keep-peers.shop.svc:8080".to_owned()), "{arguments:?}");
    assert!(arguments.contains(&"--executors-ca".to_owned()), "{arguments:?}");
    let mounts = container["volumeMounts"].as_array().unwrap().iter();
    let mounted: Vec<_> = mounts.map(|mount| mount["mountPath"].as_str().unwrap()).collect();
    assert_eq!(mounted, ["/workspace", "/etc/flowgate/tls", "/etc/flowgate/executors"]);
}
