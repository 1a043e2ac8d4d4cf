//! The program as its users run it.

#![expect(clippy::unwrap_used, reason = "what fails fails the test")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const FLOWGATE: &str = env!("CARGO_BIN_EXE_flowgate");

fn flowgate(arguments: &[&str]) -> Output {
    Command::new(FLOWGATE).args(arguments).output().unwrap()
}

#[track_caller]
fn check(arguments: &[&str], code: i32, out: &str, err: &str) {
    let output = flowgate(arguments);
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{stdout}\n{stderr}");
    assert!(stdout.contains(out), "{arguments:?}: `{out}` is not in\n{stdout}");
    assert!(stderr.contains(err), "{arguments:?}: `{err}` is not in\n{stderr}");
}

/// A file in a folder of its own.
fn file(content: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flow.yml");
    fs::write(&file, content).unwrap();
    (folder, file)
}

const FLOW: &str = "jtype: Flow
gateway:
  host: 127.0.0.1
  port: 0
executors:
  - name: one
  - name: two
    needs: gateway
  - name: both
    method: needs
    needs: [one, two]
";

#[test]
fn commands_are_explained() {
    check(&["help"], 0, "flow", "");
    check(&["flow", "--help"], 0, "--uses", "");
    check(&["--version"], 0, "", "");
    check(&["no-such-command"], 2, "", "no-such-command");
}

#[test]
fn a_file_is_checked() {
    let (_folder, good) = file(FLOW);
    let good = good.to_str().unwrap();
    check(&["check", good], 0, "one+two > both", "");
    check(&["check", good], 0, "flowchart LR", "");
    let (_folder, bad) = file(
        "jtype: Flow\nexecutors:\n  - {name: a, uses: 'jinaai://Indexer'}\n  - {name: b, uses: 'jinahub://Indexer'}\n",
    );
    let bad = bad.to_str().unwrap();
    check(&["check", bad], 2, "", "executor `a`: an executor from the Hub is not supported by this version");
    check(&["check", bad], 2, "", "executor `b`: an executor from the Hub is not supported by this version");
    check(&["check", "/no/such/file.yml"], 2, "", "/no/such/file.yml");
}

#[test]
fn a_flow_is_exported() {
    let (folder, file) = file(FLOW);
    let (file, out) = (file.to_str().unwrap(), folder.path().join("out"));
    let manifests = out.join("kubernetes");
    let said = flowgate(&["export", "kubernetes", file, manifests.to_str().unwrap()]);
    assert!(said.status.success(), "{said:?}");
    for name in ["one/one.yml", "two/two.yml", "both/both.yml", "gateway/gateway.yml"] {
        assert!(String::from_utf8_lossy(&said.stdout).contains(name), "{said:?}");
        assert!(fs::read_to_string(manifests.join(name)).unwrap().contains("kind: Deployment"), "{name}");
    }
    let compose = out.join("docker-compose.yml");
    check(&["export", "docker-compose", file, compose.to_str().unwrap()], 0, "docker-compose.yml", "");
    assert!(fs::read_to_string(compose).unwrap().contains("services:"));
    let (_folder, bad) = self::file(
        "jtype: Flow
executors:
  - {name: a, uses: MyExecutor}
",
    );
    check(&["export", "kubernetes", bad.to_str().unwrap(), "out"], 2, "", "--executor-image");
    check(&["export", "kubernetes", file, file], 1, "", "cannot write");
}

#[test]
fn a_flow_runs_until_it_is_told_to_stop() {
    let (folder, file) = file(FLOW);
    // Called as `jina` it is the same program.
    let jina = folder.path().join("jina");
    std::os::unix::fs::symlink(FLOWGATE, &jina).unwrap();
    let mut command = Command::new(jina);
    command.args(["flow", "--uses"]).arg(&file).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    // `cargo xtask up` waits for this line.
    let address = lines.find_map(|line| line.strip_prefix("the Flow is ready: GRPC at ").map(str::to_owned));
    let address = address.unwrap();
    check(&["ping", "gateway", &address], 0, "", "");
    check(&["ping", "flow", &format!("grpc://{address}")], 0, "", "");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    // It may have more to say, and must not wait for a reader.
    lines.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    check(&["ping", "gateway", &address], 1, "", &address);
}

/// Ends at once with exit code 2 and exactly these lines on standard error, each by its beginning.
#[track_caller]
fn check_wrong(arguments: &[&str], want: &[&str]) {
    // A process that serves instead of complaining is ended.
    let mut child = Command::new(FLOWGATE);
    let mut child = child.args(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(child.wait().unwrap().code(), Some(2), "{arguments:?}: {stderr:#?}");
    assert_eq!(stderr.len(), want.len(), "{arguments:?}: one message for each mistake: {stderr:#?}");
    for (line, want) in stderr.iter().zip(want) {
        assert!(line.contains(want), "{arguments:?}: `{want}` is not in\n{line}");
    }
}

#[test]
fn what_is_wrong_is_told_at_once() {
    let graph = r#"{"start-gateway": ["a"], "a": ["end-gateway"]}"#;
    check_wrong(&["gateway", "--protocol", "tcp"], &["--protocol: expected"]);
    check_wrong(&["gateway", "--compression", "gzip"], &["--compression: expected"]);
    check_wrong(
        &["gateway", "--port", "1", "2", "3", "--protocol", "GRPC", "HTTP"],
        &["--port: expected one port for each protocol"],
    );
    check_wrong(
        &["gateway", "--ssl-certfile", "/no/cert.pem", "--ssl-keyfile", "/no/key.pem"],
        &["/no/cert.pem", "/no/key.pem"],
    );
    check_wrong(&["gateway", "--ssl-certfile", "Cargo.toml"], &["a certificate needs its key"]);
    check_wrong(&["gateway", "--graph-description", "{\"a\": ["], &["--graph-description: this is no JSON"]);
    let cycle = r#"{"start-gateway": ["a"], "a": ["b"], "b": ["a", "end-gateway"]}"#;
    let addresses = r#"{"a": ["h:1"], "b": ["h:2"]}"#;
    check_wrong(
        &["gateway", "--graph-description", cycle, "--deployments-addresses", addresses],
        &["gateway: the graph is wrong:", "cycle"],
    );
    let portless = r#"{"a": ["host"]}"#;
    check_wrong(
        &["gateway", "--graph-description", graph, "--deployments-addresses", portless],
        &["`host` has no port"],
    );
    check_wrong(&["gateway", "--log-config", "loud"], &["--log-config: expected default, plain"]);
    check_wrong(
        &["executor", "--port", "many", "--shards", "x", "--provider", "y"],
        &["--port", "--shards", "--provider"],
    );
}

#[test]
fn ten_mistakes_are_ten_messages() {
    let (_folder, wrong) = file(
        "jtype: Flow
version: 7
gateway:
  port: many
  protocol: [tcp]
  compression: gzip
  prefetchh: 4
executors:
  - name: a-b
    replicas: none
  - name: c
    needs: nobody
    when: [1]
  - name: d
    external: true
    host: ''
    timeout_send: fast
    shards: {}
",
    );
    let path = wrong.to_str().unwrap();
    let output = flowgate(&["flow", "--uses", path]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    let lines: Vec<_> = stderr.lines().collect();
    assert!(lines.len() >= 10, "{stderr}");
    // Each names the file, the line and the key.
    for (line, at) in [
        (2, "version"),
        (4, "gateway.port"),
        (5, "gateway.protocol"),
        (6, "gateway.compression"),
        (7, "gateway.prefetchh"),
        (10, "executors[0].replicas"),
        (17, "executors[2].timeout_send"),
        (18, "executors[2].shards"),
    ] {
        let want = format!("{path}:{line}: {at}");
        assert!(lines.iter().any(|message| message.contains(&want)), "`{want}` is not in\n{stderr}");
    }
}
