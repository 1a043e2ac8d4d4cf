//! gRPC.

use std::net::SocketAddr;

use tests::{Caller, Exchange};
use tonic::Code;

use super::driver::{Outcome, Sent};

async fn call(caller: &Caller, sent: &Sent) -> Exchange {
    let (path, message) = if sent.streams {
        (::grpc::path::STREAM_DOC, sent.single())
    } else {
        (::grpc::path::PROCESS_SINGLE_DATA, sent.message())
    };
    caller.call(path, [proto::message::write(&message)]).await
}

pub(super) async fn ask(address: SocketAddr, sent: &Sent) -> Outcome {
    let exchange = call(&Caller::connect(address).await, sent).await;
    let mut messages = exchange.messages().into_iter();
    match &exchange.status {
        // Streams fail with a status, after what came before.
        Err(status) if status.code != Code::Ok => {
            Outcome::Failure { code: format!("{:?}", status.code), says: status.message.to_string() }
        }
        _ if sent.streams => Outcome::all(messages.map(Outcome::of_part)),
        _ => Outcome::of_message(messages.next().unwrap()),
    }
}

pub(super) async fn leave(address: SocketAddr, sent: &Sent, begun: impl Future<Output = ()>) {
    let caller = Caller::connect(address).await;
    tokio::select! {
        exchange = call(&caller, sent) => panic!("it is answered: {exchange:?}"),
        () = begun => {}
    }
}
