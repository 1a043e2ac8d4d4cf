//! What a gateway says of itself.

use call::Payload;
use info::{Credentials, Ping, PingError, Subject};
use prost::Message as _;
use proto::jina::{EndpointsProto, JinaInfoProto};
use tests::{Sandbox, Stub, eventually};

fn ping(sandbox: &Sandbox, subject: Subject) -> Ping {
    let address = sandbox.address().to_string().parse().unwrap();
    let credentials = Credentials::default();
    Ping { subject, address, allowed: tests::PATIENCE, attempts: 1, min_successful: 1, credentials }
}

#[tokio::test]
async fn pings_tell_the_process_from_the_flow() {
    let mut sandbox = Sandbox::builder().executor("encoder", Stub::echo(&["/index"])).start().await;
    info::ping(&ping(&sandbox, Subject::Process)).await.unwrap();
    info::ping(&ping(&sandbox, Subject::Flow)).await.unwrap();
    let _address = sandbox.kill("encoder");
    info::ping(&ping(&sandbox, Subject::Process)).await.unwrap();
    let failed = info::ping(&ping(&sandbox, Subject::Flow)).await;
    let Err(PingError::DryRun { description, .. }) = failed else { panic!("{failed:?}") };
    assert!(description.contains("encoder"), "{description}");
}

#[tokio::test]
async fn discovery_follows_executors_that_are_replaced() {
    let mut sandbox = Sandbox::builder().executor("encoder", Stub::echo(&["/index"])).start().await;
    let caller = sandbox.caller().await;
    let discover = async || {
        let exchange = caller.call(grpc::path::ENDPOINT_DISCOVERY, [Payload::new()]).await;
        EndpointsProto::decode(exchange.responses[0].clone()).unwrap().endpoints
    };
    assert_eq!(discover().await, ["/index", "_jina_dry_run_"]);
    let address = sandbox.kill("encoder");
    sandbox.revive("encoder", Stub::echo(&["/search"]), address);
    eventually("the new endpoints are known", async || discover().await == ["/search", "_jina_dry_run_"])
        .await;
}

#[tokio::test]
async fn the_status_shows_the_graph_and_no_secrets() {
    let sandbox = Sandbox::builder()
        .executor("encoder", Stub::echo(&["/index"]))
        .settings(|settings| {
            let secret = ("authorization".into(), "s3cret".into());
            settings.executors["encoder"].metadata = call::Metadata(vec![secret]);
        })
        .start()
        .await;
    let exchange = sandbox.caller().await.call(grpc::path::STATUS, [Payload::new()]).await;
    let info = JinaInfoProto::decode(exchange.responses[0].clone()).unwrap();
    let args: serde_json::Value = serde_json::from_str(&info.envs["JINA_STREAMER_ARGS"]).unwrap();
    assert_eq!(args["graph_representation"]["start-gateway"], serde_json::json!(["encoder"]));
    assert_eq!(args["deployments_metadata"]["encoder"]["authorization"], "***");
    assert_eq!(args["prefetch"], 1000);
}
