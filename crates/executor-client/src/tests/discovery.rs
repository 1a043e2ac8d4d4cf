//! What executors say of themselves.

use std::sync::Arc;

use call::{Request, Response};
use docarray::discovery::Discovery;
use grpc::path;
use proto::jina::EndpointsProto;

use super::fake::{Fake, Plan};
use super::*;

fn endpoints(names: &[&str]) -> EndpointsProto {
    let endpoints = names.iter().map(|name| (*name).to_owned()).collect();
    EndpointsProto { endpoints, ..EndpointsProto::default() }
}

async fn discovery(way: &Way, is_it: impl Fn(&Discovery) -> bool) -> Arc<Discovery> {
    let mut discoveries = way.cluster.discoveries();
    let wanted = discoveries.wait_for(|all| all[0].as_deref().is_some_and(&is_it));
    let found = tokio::time::timeout(Duration::from_secs(10), wanted).await.unwrap().unwrap();
    found[0].clone().unwrap()
}

fn names(discovery: &Discovery) -> Vec<&str> {
    discovery.endpoints.keys().map(|name| &**name).collect()
}

#[tokio::test]
async fn an_executor_tells_its_endpoints_and_gets_the_metadata() {
    let plan = Plan { endpoints: endpoints(&["/a", "/b"]), ..Plan::saying("x") };
    let fake = Fake::start(plan).await;
    let way = Way::with_metadata(&[fake.address], Settings::default(), &[("authorization", "tok")]);
    assert_eq!(names(&*discovery(&way, |_| true).await), ["/a", "/b"]);
    assert_eq!(fake.paths(), [path::REFLECTION, path::ENDPOINT_DISCOVERY]);
    for path in [path::REFLECTION, path::ENDPOINT_DISCOVERY] {
        assert_eq!(fake.seen(path)[0].get("authorization").unwrap(), "tok");
    }
    let report = &way.cluster.report()[0];
    assert_eq!((report.answered, &report.failure), (true, &None));
}

#[tokio::test]
async fn an_executor_that_comes_late_or_comes_back_changed_is_asked_again() {
    let address = Fake::start(Plan::saying("x")).await.kill().await;
    let way = Way::to(&[address], Settings::default());
    until("it was tried", async || way.cluster.report()[0].failure.is_some()).await;
    assert!(way.cluster.discoveries().borrow()[0].is_none());
    let report = way.cluster.report()[0].to_string();
    assert!(report.starts_with("executor `ranker` has not answered yet: cannot connect to"), "{report}");

    let plan = Plan { endpoints: endpoints(&["/old"]), ..Plan::saying("x") };
    let fake = Fake::start_at(address, plan.clone()).await;
    assert_eq!(names(&*discovery(&way, |_| true).await), ["/old"]);
    let address = fake.kill().await;
    let _new = Fake::start_at(address, Plan { endpoints: endpoints(&["/new"]), ..plan }).await;
    let new = discovery(&way, |found| found.endpoints.contains_key("/new")).await;
    assert_eq!(names(&new), ["/new"]);
}

#[tokio::test]
async fn an_executor_without_discovery_binds_the_default_endpoint() {
    let services = Some(vec!["jina.JinaSingleDataRequestRPC"]);
    let fake = Fake::start(Plan { services, ..Plan::saying("x") }).await;
    let way = Way::to(&[fake.address], Settings::default());
    assert_eq!(names(&*discovery(&way, |_| true).await), ["/default"]);
    assert_eq!(fake.paths(), [path::REFLECTION]);
}

#[tokio::test]
async fn an_executor_without_reflection_is_asked_all_the_same() {
    let fake = Fake::start(Plan { services: None, ..Plan::saying("x") }).await;
    let way = Way::to(&[fake.address], Settings::default());
    assert_eq!(names(&*discovery(&way, |_| true).await), ["/search", "_jina_dry_run_"]);
}

#[tokio::test]
async fn an_executor_that_takes_streams_only_gets_one() {
    let echo = |request: Request| async { Ok(Response::One(request.message)) };
    let services = Some(vec!["jina.JinaRPC", "jina.JinaDiscoverEndpointsRPC"]);
    let fake = Fake::start(Plan { services, ..Plan::new(echo) }).await;
    let way = Way::to(&[fake.address], Settings::default());
    discovery(&way, |_| true).await;
    assert_eq!(way.ask("a").await.unwrap(), "sent");
    assert_eq!(fake.seen(path::CALL).len(), 1);
    assert_eq!(fake.n_calls(), 0);
}
