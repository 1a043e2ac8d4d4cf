//! Executors in shards without a head of their own: the gateway asks the shards itself.

use call::{Exception, Request, Response, Status};
use gateway::Shards;
use tests::{Sandbox, Served, Stub};
use tonic::Code;

use crate::heads::{ask, tag, tag_on};
use crate::{request, routes, texts};

fn shards(served: &[Served]) -> Shards {
    let address = |shard: &Served| vec![shard.address().to_string().parse().unwrap()];
    Shards { addresses: served.iter().map(address).collect(), ..Shards::default() }
}

#[tokio::test]
async fn the_gateway_asks_one_shard_or_all() {
    let served = [tag("s0").serve(), tag("s1").serve(), tag("s2").serve()];
    let sandbox = Sandbox::builder()
        .executor("first", tag("first"))
        .sharded("index", shards(&served))
        .executor("last", tag("last"))
        .start()
        .await;
    let caller = sandbox.caller().await;
    for want in ["s0", "s1", "s2", "s0"] {
        assert_eq!(ask(&caller, "/any").await, format!("one first {want} last"));
    }
    let answer = caller.process(&request("/search")).await.unwrap();
    assert_eq!(texts(&answer), [("a".to_owned(), "one first s2 last".to_owned())]);
    let names: Vec<_> = routes(&answer).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["gateway", "first", "index", "last"], "it is one node");
    assert!(answer.trailers.0.is_empty(), "clients are not told of shards");
}

#[tokio::test]
async fn shards_that_are_gone_are_left_out_until_all_are() {
    let served = [tag("s0").serve(), tag("s1").serve()];
    let sandbox = Sandbox::builder().sharded("index", shards(&served)).start().await;
    let caller = sandbox.caller().await;
    let [first, second] = served;
    drop(second);
    assert_eq!(ask(&caller, "/search").await, "one s0");
    drop(first);
    let status = caller.process(&request("/search")).await.unwrap_err();
    assert_eq!(status.code, Code::Unavailable);
    assert!(status.message.contains("|Gateway: deployment `index/shard-0`"), "{}", status.message);
}

#[tokio::test]
async fn a_shard_that_fails_stops_what_follows() {
    let failing = Stub::new(&["/search"], async |request: Request| {
        let mut message = request.message;
        message.header.status = Some(Box::new(Status {
            is_error: true,
            description: "ValueError('boom')".into(),
            exception: Some(Exception { name: "ValueError".into(), ..Exception::default() }),
        }));
        Ok(Response::One(message))
    });
    let served = [tag("s0").serve(), failing.serve()];
    let sandbox =
        Sandbox::builder().sharded("index", shards(&served)).executor("last", tag("last")).start().await;
    let answer = sandbox.caller().await.process(&request("/search")).await.unwrap();
    assert_eq!(answer.header.status.as_ref().unwrap().description, "ValueError('boom')");
    let names: Vec<_> = routes(&answer).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["gateway", "index"]);
}

#[tokio::test]
async fn executors_before_and_after_the_shards_are_called_where_they_bind_the_endpoint() {
    let served = [tag("s0").serve(), tag("s1").serve()];
    let before = tag_on(&["/search", "/only-before"], "before").serve();
    let after = tag("after").serve();
    let at = |served: &Served| served.address().to_string().parse().ok();
    let around = Shards { uses_before: at(&before), uses_after: at(&after), ..shards(&served) };
    let sandbox = Sandbox::builder().sharded("index", around).start().await;
    let caller = sandbox.caller().await;
    assert_eq!(ask(&caller, "/search").await, "one before s0 after2");
    assert_eq!(ask(&caller, "/any").await, "one s0 after");
    let catalog = sandbox.gateway().catalog().read();
    assert!(catalog.endpoints.contains_key("/only-before"), "{catalog:?}");
}
