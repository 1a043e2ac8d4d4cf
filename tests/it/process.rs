//! The gateway as a process: arguments, signals, exit codes.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use call::{Request, Response};
use futures_util::future::join_all;
use server::Listener;
use tests::{Caller, Served, Stub, eventually, soon};
use tokio::process::{Child, Command};
use tonic::Code;

use crate::request;

fn gateway(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_gateway-under-test"))
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// How a process ends: its code and what it complained of.
async fn end(process: Child) -> (Option<i32>, String) {
    let output = soon("the process ends", process.wait_with_output()).await.unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

async fn terminate(process: &Child) {
    let process_id = process.id().unwrap().to_string();
    assert!(Command::new("kill").arg("-TERM").arg(process_id).status().await.unwrap().success());
}

/// Arguments for a gateway on `port` before one executor.
fn chain(port: u16, executor: SocketAddr) -> Vec<String> {
    [
        "--host",
        "127.0.0.1",
        "--port",
        &port.to_string(),
        "--graph-description",
        r#"{"start-gateway": ["encoder"], "encoder": ["end-gateway"]}"#,
        "--deployments-addresses",
        &format!(r#"{{"encoder": ["{executor}"]}}"#),
    ]
    .map(str::to_owned)
    .to_vec()
}

fn start(port: u16, executor: SocketAddr) -> Child {
    let arguments = chain(port, executor);
    gateway(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    Listener::bind("127.0.0.1", 0, 1).unwrap().address().port()
}

#[tokio::test]
async fn wrong_configuration_is_exit_code_2_and_told() {
    let cycle = r#"{"start-gateway": ["a"], "a": ["b"], "b": ["a"]}"#;
    let check = async |arguments: &[&str], mentions: &str| {
        let (code, complaint) = end(gateway(arguments)).await;
        assert_eq!(code, Some(2), "{arguments:?}: {complaint}");
        assert!(complaint.contains(mentions), "{arguments:?}: {complaint}");
    };
    check(&["--port", "many"], "--port").await;
    check(&["--graph-description", "{"], "--graph-description").await;
    check(
        &["--graph-description", cycle, "--deployments-addresses", r#"{"a": ["h:1"], "b": ["h:2"]}"#],
        "cycle",
    )
    .await;
}

#[tokio::test]
async fn an_occupied_port_is_exit_code_1() {
    let occupied = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = occupied.local_addr().unwrap();
    let (code, complaint) = end(start(address.port(), address)).await;
    assert_eq!(code, Some(1), "{complaint}");
    assert!(complaint.contains(&address.to_string()), "{complaint}");
}

#[tokio::test]
async fn sigterm_while_executors_are_missing_is_a_clean_end() {
    let nobody = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let process = start(free_port(), nobody);
    // Its signal handlers are there once it tries to reach the executor.
    let _executor_comes_up = tokio::net::TcpListener::bind(nobody).await.unwrap().accept().await.unwrap();
    terminate(&process).await;
    assert_eq!(end(process).await.0, Some(0));
}

/// Takes a moment for each request, and counts them.
fn slow() -> (Served, Arc<AtomicUsize>) {
    let answered = Arc::new(AtomicUsize::new(0));
    let count = answered.clone();
    let stub = Stub::new(&["/index"], move |request: Request| {
        let count = count.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            count.fetch_add(1, Ordering::SeqCst);
            Ok(Response::One(request.message))
        }
    });
    (stub.serve(), answered)
}

#[tokio::test]
async fn sigterm_under_load_loses_no_request() {
    let (executor, answered) = slow();
    let port = free_port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let process = start(port, executor.address());
    eventually("the gateway serves", async || Caller::try_connect(address).await.is_some()).await;

    let client = async || {
        let caller = Caller::connect(address).await;
        let mut good = 0_usize;
        loop {
            match caller.process(&request("/index")).await {
                Ok(_) => good += 1,
                Err(refused) => return (good, refused),
            }
        }
    };
    let clients = join_all((0..16).map(|_| client()));
    let terminating = async {
        eventually("the load is on", async || answered.load(Ordering::SeqCst) > 100).await;
        terminate(&process).await;
    };
    let (outcomes, ()) = soon("all clients are refused", async { tokio::join!(clients, terminating) }).await;
    assert_eq!(end(process).await.0, Some(0));
    let good: usize = outcomes.iter().map(|(good, _)| good).sum();
    assert_eq!(good, answered.load(Ordering::SeqCst), "every request that was worked on was answered");
    for (_, refused) in outcomes {
        assert_eq!(refused.code, Code::Unavailable, "{refused}");
        assert!(!refused.message.contains("lost"), "{refused}");
    }
}
