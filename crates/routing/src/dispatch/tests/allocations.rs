//! A request pays for the executors that it calls, not for what else the file of the graph holds.

use std::sync::Arc;

use call::{Answer, Error, Hop, HopInput, Request};
use docarray::discovery::Discovery;
use serde_json::json;
use tokio_util::task::TaskTracker;
use tower::{ServiceExt as _, service_fn};

use crate::{Dispatch, END, Endpoints, Graph, GraphSpec, START, Tasks};

/// How often memory is allocated for a request through two executors, between which there are so many that do not bind
/// the endpoint, each with a long condition.
fn allocations(passed_by: usize) -> u64 {
    let between = (0..passed_by).map(|n| format!("passed_by_{n}"));
    let names: Vec<String> =
        ["first".to_owned()].into_iter().chain(between).chain(["last".to_owned()]).collect();
    let mut spec = GraphSpec::default();
    let mut previous = START.to_owned();
    for name in names.iter().cloned().chain([END.to_owned()]) {
        spec.description.insert(previous, vec![name.clone()]);
        previous = name;
    }
    for name in &names[1..=passed_by] {
        let alternatives: Vec<_> = (0..50).map(|n| json!({"text": {"$eq": format!("text {n}")}})).collect();
        spec.conditions.insert(name.clone(), json!({ "$or": alternatives }));
    }
    let graph = Arc::new(Graph::check(&spec).unwrap());
    let endpoints = Endpoints::new(&graph);
    for (node, name) in graph.nodes() {
        let endpoint = if name.as_str().starts_with("passed_by") { "/other" } else { "/index" };
        let bound = [(endpoint.into(), None)].into_iter().collect();
        endpoints.set(node, Arc::new(Discovery { endpoints: bound, ..Discovery::default() }));
    }
    let echo = service_fn(async |hop: Hop| {
        let HopInput::One(message) = hop.input else { panic!("one message was due") };
        Ok::<_, Error>(Answer::One { message, failed: false })
    });
    let dispatch = Dispatch::new(graph, endpoints, echo, Tasks::from(TaskTracker::new()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ask = || {
        let mut request = Request::default();
        request.message.header.endpoint = Some("/index".into());
        runtime.block_on(dispatch.clone().oneshot(request)).unwrap()
    };
    // The first one fills what is kept for all.
    drop(ask());
    allocation_counter::measure(|| drop(ask())).count_total
}

#[test]
fn executors_that_are_passed_by_cost_no_memory_of_their_own() {
    let (alone, beside_many) = (allocations(0), allocations(100));
    // Lists of routes and slots grow, by doubling.
    assert!(
        beside_many <= alone + 10,
        "{alone} allocations without, {beside_many} with a hundred executors beside"
    );
}
