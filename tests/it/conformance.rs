//! The same requests over every protocol: at a gateway on a port of its own and on the port that all share, and at the
//! executor itself.
//!
//! [`CASES`] is the table: what is asked, and what a client of each protocol learns. A protocol is a driver beside this
//! file and a column in the table; the next one goes into [`Protocol`] and [`Per`].

mod driver;
mod graphql;
mod grpc;
mod http;
mod probe;
mod websocket;

use std::time::Duration;

use executor_runtime::Entry;
use gateway::Port;
use server::Workers;
use tests::{Sandbox, eventually, executors};

use driver::{Documents, Outcome, Protocol, Sent};
use probe::Probe;

/// One row.
struct Case {
    name: &'static str,
    /// What the Flow is like.
    flow: Flow,
    endpoint: &'static str,
    documents: Documents,
    /// JSON.
    parameters: &'static str,
    streams: bool,
    want: Per,
}

/// What the Flow is like.
#[derive(Clone, Copy, PartialEq)]
enum Flow {
    /// Everybody is there and has time.
    Whole,
    /// The executor is gone.
    Broken,
    /// Requests may take a moment only.
    Hurried,
}

/// What clients of each protocol learn.
struct Per {
    grpc: Want,
    http: Want,
    bytes: Want,
    json: Want,
    graphql: Want,
}

/// What a client learns.
#[derive(Debug, Clone, Copy)]
enum Want {
    /// Documents of these texts.
    Texts(&'static [&'static str]),
    /// The results of an executor, as JSON.
    Results(&'static str),
    /// A failure: its code, and a part of what is said about it.
    Failure(&'static str, &'static str),
    /// Nothing: it leaves while the executor is at work, which ends then.
    Leaves,
}

use Want::{Failure, Leaves, Results, Texts};

/// Large enough for every case but one.
const MAX_MESSAGE: usize = 4000;

const fn alike(want: Want) -> Per {
    Per { grpc: want, http: want, bytes: want, json: want, graphql: want }
}

/// A request for `/upper`; rows say in what they differ from it.
const UPPER: Case = Case {
    name: "ok",
    flow: Flow::Whole,
    endpoint: "/upper",
    documents: Documents::Texts(&["one", "two"]),
    parameters: "{}",
    streams: false,
    want: alike(Texts(&["ONE", "TWO"])),
};

/// Over WebSocket failures that are no answers close the connection; see `docs/websocket.md`.
const CLOSED: &str = "1011";

/// In GraphQL what no endpoint takes is no valid query.
const INVALID_QUERY: &str = "GRAPHQL_VALIDATION_FAILED";

const CASES: &[Case] = &[
    UPPER,
    Case { name: "empty list", documents: Documents::Texts(&[]), want: alike(Texts(&[])), ..UPPER },
    Case {
        name: "unknown endpoint",
        endpoint: "/nobody",
        want: Per {
            http: Failure("404", "Not Found"),
            graphql: Failure(INVALID_QUERY, "nobody"),
            ..alike(Texts(&["one", "two"]))
        },
        ..UPPER
    },
    Case {
        name: "invalid document",
        documents: Documents::Wrong,
        want: Per {
            http: Failure("422", "text"),
            graphql: Failure(INVALID_QUERY, "text"),
            ..alike(Failure("ValidationError", "text"))
        },
        ..UPPER
    },
    Case {
        name: "executor exception",
        endpoint: "/fail",
        want: Per {
            http: Failure("500", "boom"),
            graphql: Failure("EXECUTOR_FAILED", "boom"),
            ..alike(Failure("ValueError", "boom"))
        },
        ..UPPER
    },
    Case {
        name: "executor gone",
        flow: Flow::Broken,
        want: Per {
            grpc: Failure("Unavailable", "probe"),
            http: Failure("503", "probe"),
            graphql: Failure("UNAVAILABLE", "probe"),
            ..alike(Failure(CLOSED, "probe"))
        },
        ..UPPER
    },
    Case {
        name: "deadline",
        flow: Flow::Hurried,
        endpoint: "/stuck",
        want: Per {
            grpc: Failure("DeadlineExceeded", "deadline"),
            http: Failure("504", "deadline"),
            graphql: Failure("DEADLINE_EXCEEDED", "deadline"),
            ..alike(Failure(CLOSED, "deadline"))
        },
        ..UPPER
    },
    Case {
        name: "cancelled caller",
        endpoint: "/stuck",
        documents: Documents::Name,
        want: alike(Leaves),
        ..UPPER
    },
    Case {
        name: "too large",
        documents: Documents::Large(MAX_MESSAGE + 1),
        want: Per {
            grpc: Failure("ResourceExhausted", "4000"),
            http: Failure("413", "4000"),
            graphql: Failure("413", "4000"),
            ..alike(Failure("1009", "4000"))
        },
        ..UPPER
    },
    Case {
        name: "parameters and results",
        endpoint: "/results",
        parameters: r#"{"lang": "en"}"#,
        want: alike(Results(r#"{"lang":"en"}"#)),
        ..UPPER
    },
    Case {
        name: "streaming",
        endpoint: "/tokens",
        documents: Documents::Texts(&["a"]),
        streams: true,
        want: alike(Texts(&["a 0", "a 1", "a 2"])),
        ..UPPER
    },
    Case {
        name: "exception in a stream",
        endpoint: "/broken-tokens",
        documents: Documents::Texts(&["a"]),
        streams: true,
        want: Per {
            http: Failure("error", "boom"),
            graphql: Failure("EXECUTOR_FAILED", "boom"),
            ..alike(Failure("ValueError", "boom"))
        },
        ..UPPER
    },
    Case {
        name: "stream from an executor that is gone",
        flow: Flow::Broken,
        endpoint: "/tokens",
        documents: Documents::Texts(&["a"]),
        streams: true,
        want: Per {
            grpc: Failure("Unavailable", "probe"),
            http: Failure("503", "probe"),
            graphql: Failure("UNAVAILABLE", "probe"),
            ..alike(Failure(CLOSED, "probe"))
        },
        ..UPPER
    },
    Case {
        name: "cancelled stream",
        endpoint: "/endless",
        documents: Documents::Name,
        streams: true,
        want: alike(Leaves),
        ..UPPER
    },
];

/// A gateway with a port for each protocol and one for all.
async fn start(flow: Flow) -> Sandbox {
    let mut sandbox = Sandbox::builder()
        .served("probe", executors::serve::<Probe>("probe"))
        .settings(|settings| {
            settings.ports = Protocol::PORTS.iter().map(|protocol| Port::of(&[*protocol])).collect();
            settings.ports.push(Port::of(&Protocol::PORTS));
            settings.graphql = Some(frontend_graphql::Settings::default());
            settings.calls.max_message = MAX_MESSAGE;
            settings.rest.max_body = MAX_MESSAGE;
            settings.client.retries = 0;
            settings.max_timeout = (flow == Flow::Hurried).then_some(Duration::from_millis(200));
        })
        .start()
        .await;
    if flow == Flow::Broken {
        sandbox.kill("probe");
    }
    sandbox
}

/// The executor with a port for each protocol, without a gateway.
async fn executor() -> executor::Running {
    let mut settings = executor::Settings::default();
    settings.serving.ports = PORTS_OF_EXECUTORS.map(executor::Port::of).to_vec();
    settings.executor.name = "probe/rep-0".to_owned();
    settings.executor.grpc.max_message = MAX_MESSAGE;
    settings.rest.max_body = MAX_MESSAGE;
    executor::start(settings, Entry::of::<Probe>(), Workers::current().into()).await.unwrap()
}

/// In the order of [`Protocol::PORTS`].
const PORTS_OF_EXECUTORS: [executor::Protocol; 3] =
    [executor::Protocol::Grpc, executor::Protocol::Http, executor::Protocol::WebSocket];

async fn check(protocol: Protocol) {
    for flow in [Flow::Whole, Flow::Broken, Flow::Hurried] {
        let sandbox = start(flow).await;
        let addresses = sandbox.gateway().addresses();
        let (own, shared) = (addresses[protocol.port()], addresses[Protocol::PORTS.len()]);
        // It cannot be gone before itself, and only callers set it a limit.
        let is_direct = flow == Flow::Whole && protocol.is_spoken_by_executors();
        let executor = if is_direct { Some(executor().await) } else { None };
        let direct = executor.as_ref().map(|executor| executor.addresses()[protocol.port()]);
        let ports = [("its own port", own), ("the shared port", shared)].into_iter();
        for (port, address) in ports.chain(direct.map(|address| ("the executor's port", address))) {
            for case in CASES.iter().filter(|case| case.flow == flow) {
                let name = format!("{} over {protocol:?} on {port}", case.name);
                let want = match protocol {
                    Protocol::Grpc => case.want.grpc,
                    Protocol::Http => case.want.http,
                    Protocol::Bytes => case.want.bytes,
                    Protocol::Json => case.want.json,
                    Protocol::GraphQl => case.want.graphql,
                };
                let sent = Sent {
                    endpoint: case.endpoint,
                    documents: case.documents.of(&name),
                    parameters: serde_json::from_str(case.parameters).unwrap(),
                    streams: case.streams,
                };
                let Some(learned) = learned(protocol, address, &sent, want, &name).await else { continue };
                compare(&name, &learned, want);
            }
        }
    }
}

/// What the client learns if it stays.
async fn learned(
    protocol: Protocol,
    address: std::net::SocketAddr,
    sent: &Sent,
    want: Want,
    name: &str,
) -> Option<Outcome> {
    if !matches!(want, Leaves) {
        return Some(protocol.ask(address, sent).await);
    }
    let begun = eventually("the executor is at work", async || probe::works_on(name));
    protocol.leave(address, sent, begun).await;
    eventually("the executor's work ends", async || !probe::works_on(name)).await;
    None
}

#[track_caller]
fn compare(name: &str, learned: &Outcome, want: Want) {
    let is_right = match (learned, want) {
        (Outcome::Answer { texts, .. }, Texts(want)) => texts == want,
        (Outcome::Answer { results, .. }, Results(want)) => results == want,
        (Outcome::Failure { code, says }, Failure(want, part)) => code == want && says.contains(part),
        _ => false,
    };
    assert!(is_right, "{name}: {learned:?}, expected {want:?}");
}

#[tokio::test]
async fn grpc_answers_as_the_table_says() {
    check(Protocol::Grpc).await;
}

#[tokio::test]
async fn http_answers_as_the_table_says() {
    check(Protocol::Http).await;
}

#[tokio::test]
async fn websocket_in_bytes_answers_as_the_table_says() {
    check(Protocol::Bytes).await;
}

#[tokio::test]
async fn websocket_in_json_answers_as_the_table_says() {
    check(Protocol::Json).await;
}

#[tokio::test]
async fn graphql_answers_as_the_table_says() {
    check(Protocol::GraphQl).await;
}
