//! What Jina does not have.

use super::Argument;
use super::build::{BOTH, EXECUTOR, GATEWAY, PROCESS, row};
use crate::form::{BALANCES, Form};

pub(super) const ROWS: &[Argument] = &[
    row(GATEWAY, "flow", Form::Text, "Take gateway and graph from this Flow file").own(),
    row(GATEWAY, "single-port", Form::Flag, "Serve all protocols on one port").or("false").own(),
    row(
        GATEWAY,
        "ssl-client-ca",
        Form::Text,
        "Let in only clients with a certificate of these authorities, PEM",
    )
    .own(),
    row(EXECUTOR, "tls-certfile", Form::Text, "Certificate chain for callers, PEM; needs --tls-keyfile")
        .own(),
    row(EXECUTOR, "tls-keyfile", Form::Text, "Private key of the certificate, PEM; needs --tls-certfile")
        .own(),
    row(
        EXECUTOR,
        "tls-client-ca",
        Form::Text,
        "Let in only callers with a certificate of these authorities, PEM",
    )
    .own(),
    row(
        EXECUTOR,
        "max-running",
        Form::Positive,
        "Calls that run at the same time; of functions that are not async only with --allow-concurrent",
    )
    .or("1000")
    .own(),
    row(
        EXECUTOR,
        "max-call-time",
        Form::Milliseconds,
        "Limit for one call of the executor's code; it is given up then, and its Python worker killed",
    )
    .own(),
    row(
        EXECUTOR,
        "memory-limit",
        Form::Size,
        "Bytes of memory that the process may use; calls are ended and refused past it",
    )
    .own(),
    row(EXECUTOR, "max-waiting", Form::Count, "Calls that wait for the executor; more are refused")
        .or("1024")
        .own(),
    row(
        PROCESS,
        "python",
        Form::Text,
        "Executor file of a class in Python, which worker processes of this process run; in place of --uses",
    )
    .own(),
    row(
        PROCESS,
        "peers",
        Form::Hosts,
        "HOST:PORT of each replica of a stateful executor, in the order of their numbers",
    )
    .own(),
    row(
        EXECUTOR,
        "python-workers",
        Form::Positive,
        "Worker processes for --python, one if left out; in a Flow it runs a Python executor in such workers",
    )
    .own(),
    row(
        EXECUTOR,
        "python-interpreter",
        Form::Text,
        "The Python of workers; JINA_PYTHON, or python3 of the path, if left out",
    )
    .own(),
    row(
        EXECUTOR,
        "python-memory-limit",
        Form::Size,
        "Bytes of data that a Python worker may have; no limit if left out",
    )
    .own(),
    row(
        EXECUTOR,
        "python-start-limit",
        Form::Milliseconds,
        "The longest that a Python worker may take to load the executor",
    )
    .or("10m")
    .own(),
    row(
        BOTH,
        "forward-headers",
        Form::Texts,
        "Headers of requests that travel on to executors, beside those of traces",
    )
    .own(),
    row(
        BOTH,
        "executors-ca",
        Form::Text,
        "Authorities of executors behind grpcs://, PEM; those of the system if left out",
    )
    .own(),
    row(
        BOTH,
        "executors-certfile",
        Form::Text,
        "Certificate chain to show to executors, PEM; needs --executors-keyfile",
    )
    .own(),
    row(
        BOTH,
        "executors-keyfile",
        Form::Text,
        "Private key of the certificate, PEM; needs --executors-certfile",
    )
    .own(),
    row(BOTH, "connections-per-replica", Form::Positive, "Connections from each worker to each replica")
        .or("1")
        .own(),
    row(BOTH, "balance", Form::Choice { of: BALANCES, exact: false }, "Which replica gets a call")
        .or("least-loaded")
        .own(),
    row(BOTH, "connect-timeout", Form::Milliseconds, "Limit for connecting to an executor").or("5s").own(),
    row(
        BOTH,
        "resolve-every",
        Form::Milliseconds,
        "How often names of executors are resolved again; 0 means once",
    )
    .or("10s")
    .own(),
    row(BOTH, "max-requests", Form::Positive, "Requests in flight in the process; more are refused")
        .or("100000")
        .own(),
    row(BOTH, "max-bytes", Form::Size, "Bytes of requests in flight in the process; more are refused")
        .or("4GiB")
        .own(),
    row(BOTH, "max-message", Form::Size, "Bytes of one message; limited by --max-bytes alone if left out")
        .own(),
    row(GATEWAY, "graphql-max-depth", Form::Positive, "Fields inside fields of a GraphQL query, 64 at most")
        .or("24")
        .own(),
    row(
        GATEWAY,
        "graphql-max-complexity",
        Form::Positive,
        "Fields of a GraphQL query, each as often as it is asked for",
    )
    .or("1000")
    .own(),
    row(GATEWAY, "graphql-max-calls", Form::Positive, "Calls of endpoints in a GraphQL query").or("32").own(),
    row(GATEWAY, "graphql-max-query", Form::Size, "Bytes of the text of a GraphQL query").or("1MiB").own(),
    row(
        GATEWAY,
        "graphql-max-tokens",
        Form::Positive,
        "Names, values and punctuators in the text of a GraphQL query",
    )
    .or("15000")
    .own(),
    row(
        GATEWAY,
        "graphql-max-operations",
        Form::Positive,
        "GraphQL queries and subscriptions at once on a WebSocket connection",
    )
    .or("100")
    .own(),
    row(BOTH, "max-connections", Form::Positive, "Connections on each port; more wait").or("20000").own(),
    row(BOTH, "max-streams", Form::Positive, "HTTP/2 requests at once on a connection").or("10000").own(),
    row(BOTH, "max-header", Form::Size, "Bytes of the headers of a request").or("64KiB").own(),
    row(
        BOTH,
        "handshake-timeout",
        Form::Milliseconds,
        "Limit for TLS on a new connection, and for its first bytes",
    )
    .or("10s")
    .own(),
    row(
        BOTH,
        "header-timeout",
        Form::Milliseconds,
        "Limit for the head of an HTTP/1 request; idle connections live as long",
    )
    .or("60s")
    .own(),
    row(
        BOTH,
        "body-timeout",
        Form::Milliseconds,
        "How long a client may stop in the middle of a body or a message",
    )
    .or("60s")
    .own(),
    row(
        BOTH,
        "request-timeout",
        Form::Milliseconds,
        "The longest that a request may take; no limit if left out",
    )
    .own(),
    row(
        BOTH,
        "drain-linger",
        Form::Milliseconds,
        "From the end of readiness to the end of accepting connections",
    )
    .or("0s")
    .own(),
    row(BOTH, "drain-grace", Form::Milliseconds, "For requests in flight when the process ends")
        .or("25s")
        .own(),
    row(BOTH, "workers", Form::Count, "Threads that move data; 0 means one for each core").or("0").own(),
];
