//! Deployments without a gateway.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

const ALONE: &str = "jtype: Deployment
with:
  uses: Add
  uses_with: {add: '!'}
  include_gateway: false
  host: 127.0.0.1
  protocol: [GRPC, HTTP]
  uvicorn_kwargs: {root_path: /api, headers: [[x-team, search]], timeout_graceful_shutdown: 3}
";

#[tokio::test]
async fn a_deployment_without_a_gateway_is_its_executor() {
    let (_folder, file) = file("deployment.yml", ALONE);
    let plan = Flow::read(&file, Registry::new().with::<Add>()).unwrap();
    assert!(plan.to_string().contains("gateway: none, clients call the executor"), "{plan}");
    let running = plan.start().await.unwrap();
    let doors: Vec<_> = running.addresses().collect();
    assert_eq!(
        doors.iter().map(|(protocol, _)| *protocol).collect::<Vec<_>>(),
        [Protocol::Grpc, Protocol::Http]
    );
    assert_eq!(texts(&ask(&running, vec![text("a")]).await), ["a!"]);
    let client = running.client().unwrap();
    // Only gateways make dry runs.
    assert!(client.dry_run().await.is_err());
    let status = get(doors[1].1, "/api/status").await;
    assert!(status.starts_with("HTTP/1.1 200 ") && status.contains("x-team: search\r\n"), "{status}");
    assert_eq!(running.stop().await.unwrap(), server::Outcome::Clean);
}

/// The answer over HTTP, its head included.
async fn get(address: std::net::SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn its_replicas_have_a_port_each() {
    let (_folder, file) = file(
        "deployment.yml",
        "jtype: Deployment
with: {uses: Name, name: name, include_gateway: false, host: 127.0.0.1, replicas: 2}
",
    );
    let running = Flow::read(&file, Registry::new().with::<Name>()).unwrap().start().await.unwrap();
    let mut names = Vec::new();
    for (_, address) in running.addresses() {
        let client = client::Client::new(&format!("grpc://{address}"), client::Settings::default()).unwrap();
        names.extend(client.post("/").inputs([Text::default()]).collect::<Text>().await.unwrap());
    }
    assert_eq!(
        names.iter().filter_map(|doc| doc.text.as_deref()).collect::<Vec<_>>(),
        ["name/rep-0", "name/rep-1"]
    );
}

#[test]
fn shards_need_a_gateway_or_a_head() {
    let (_folder, file) = file(
        "deployment.yml",
        "jtype: Deployment
with: {uses: Add, include_gateway: false, shards: 2}
",
    );
    let wrong = Flow::read(&file, Registry::new().with::<Add>()).unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "executor `executor`: shards without a gateway before them is not supported by this version"
    );
}
