//! Flows whose executors run somewhere, and are asked.

use std::net::TcpListener;
use std::time::Duration;

use super::*;
use crate::{Live, Said};

const LONG: Duration = Duration::from_secs(20);

/// Executors that somebody else runs, one after the other.
fn chain(executors: &[(&str, &str)]) -> crate::Plan {
    let add =
        |flow: Flow, (name, address): &(&str, &str)| flow.add(Deployment::external([address]).name(name));
    executors.iter().fold(flow(), add).check().unwrap()
}

fn problems(live: &Live) -> Vec<String> {
    live.problems.iter().map(ToString::to_string).collect()
}

fn said(live: &Live) -> Vec<String> {
    live.nodes.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn executors_that_run_are_checked_by_what_they_say() {
    let encoder = flow().add(Deployment::new::<Foo>().name("foo")).start().await.unwrap();
    let index = flow().add(Deployment::new::<Index>().name("index")).start().await.unwrap();
    let foo = encoder.executor_addresses("foo").next().unwrap().to_string();
    let index = index.executor_addresses("index").next().unwrap().to_string();

    let live = chain(&[("encode", &foo), ("index", &index)]).ask(LONG).await.unwrap();
    assert_eq!(problems(&live), ["encode -> index: field `embedding` missing at `/default`"]);
    assert_eq!(
        said(&live),
        [
            "encode: runs, with the endpoints /default, _jina_dry_run_",
            "index: runs, with the endpoints /default, _jina_dry_run_"
        ]
    );
    let live = chain(&[("index", &index), ("again", &index)]).ask(LONG).await.unwrap();
    assert_eq!(problems(&live), Vec::<String>::new());

    // One of this program before one that runs.
    let mixed = flow().add(Deployment::new::<Foo>().name("encode"));
    let mixed = mixed.add(Deployment::external([&index]).name("index")).check().unwrap();
    let live = mixed.ask(LONG).await.unwrap();
    assert_eq!(problems(&live), ["encode -> index: field `embedding` missing at `/default`"]);
    assert_eq!(said(&live)[0], "encode: of this program, not asked");
}

#[tokio::test]
async fn who_does_not_answer_is_told_and_does_not_keep_the_others() {
    let runs = flow().add(Deployment::new::<Foo>().name("foo")).start().await.unwrap();
    let foo = runs.executor_addresses("foo").next().unwrap().to_string();
    // It is bound and never accepts, and one is not there at all.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let mute = mute.local_addr().unwrap().to_string();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();

    let plan = chain(&[("foo", &foo), ("mute", &mute), ("gone", &gone)]);
    let live = plan.ask(Duration::from_millis(500)).await.unwrap();
    assert!(matches!(live.nodes[0].said, Said::This(_)), "{:?}", live.nodes[0]);
    for (node, address) in live.nodes[1..].iter().zip([&mute, &gone]) {
        let Said::Nothing { why } = &node.said else { panic!("{node:?}") };
        assert!(why.contains(address) && why.contains(node.name.as_str()), "{why}");
    }
    assert!(live.nodes[2].to_string().contains("is not reached"), "{}", live.nodes[2]);
    assert_eq!(problems(&live), Vec::<String>::new());
}

#[tokio::test]
async fn a_port_of_a_flow_is_an_address_too() {
    let runs = flow().add(Deployment::new::<Index>().name("index")).start().await.unwrap();
    let address = runs.executor_addresses("index").next().unwrap();
    let plan = flow()
        .add(Deployment::new::<Foo>().name("encode"))
        .add(Deployment::uses("PythonExecutor").name("index").option("port", address.port))
        .add(Deployment::uses("PythonExecutor").name("anywhere"))
        .add(Deployment::pass_through().name("last"));
    let live = plan.check().unwrap().ask(LONG).await.unwrap();
    assert_eq!(problems(&live), ["encode -> index: field `embedding` missing at `/default`"]);
    assert_eq!(
        said(&live)[2..],
        [
            "anywhere: not asked, the Flow gives it neither an address nor a port",
            "last: of this program, not asked"
        ]
    );
}
