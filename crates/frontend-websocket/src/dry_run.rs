//! Dry runs: whether every executor of the Flow can be reached.

use std::time::Duration;

use call::{Admission, Context, Deadline, Error, ErrorCode, Handler, Request, Status};
use docarray::envelope;
use futures_util::SinkExt as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::{WebSocketStream, tungstenite};
use tower::ServiceExt as _;

use crate::close::Ending;
use crate::conversation::close;
use crate::meter::Meter;
use crate::mode::{Mode, Outgoing};

/// Nobody who asks whether a Flow can be reached waits longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends a document that nobody does anything with through the whole Flow.
pub(crate) async fn run(handler: Handler, admission: &Admission) -> Result<(), Error> {
    let _admitted = admission.admit()?;
    let context = Context { deadline: Deadline::after(PATIENCE), ..Context::default() };
    let deadline = context.deadline;
    let request = Request { message: docarray::dry_run(), context, ..Request::default() };
    let answer = deadline.bound(handler.oneshot(request)).await;
    answer.ok_or_else(|| Error::new(ErrorCode::DeadlineExceeded, TooLate))?.map(drop)
}

#[derive(Debug, thiserror::Error)]
#[error("the dry run was not over within {PATIENCE:?}")]
struct TooLate;

/// Makes one, says how it went and closes. Nothing that the client sends is waited for.
pub(crate) async fn tell<T>(
    mut socket: WebSocketStream<Meter<T>>,
    mode: &Mode,
    handler: Handler,
    admission: &Admission,
) where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let outcome = run(handler, admission).await;
    let ending = match outcome {
        Err(error) if is_of_network(error.code) => Ending::Failed(error),
        outcome => {
            let status = outcome.err().map(|error| Status::from(&error));
            match send(&mut socket, message(mode, status.as_ref())).await {
                Ok(()) => Ending::Done,
                Err(_) => Ending::Lost("nothing can be sent any more"),
            }
        }
    };
    close(socket, &ending).await;
}

/// Success is a message without content, in either mode.
fn message(mode: &Mode, status: Option<&Status>) -> Outgoing {
    match (mode, status) {
        (Mode::Bytes(_), status) => {
            let status = status.map(proto::message::write_status).unwrap_or_default();
            Outgoing::binary(status.into())
        }
        (Mode::Json(_), None) => Outgoing::text(b"{}".to_vec()),
        (Mode::Json(_), Some(status)) => {
            let mut text = Vec::new();
            envelope::put_status(status, &mut text);
            Outgoing::text(text)
        }
    }
}

async fn send<T>(
    socket: &mut WebSocketStream<Meter<T>>,
    mut message: Outgoing,
) -> Result<(), tungstenite::Error>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        let (frame, is_last) = message.next_frame();
        socket.feed(frame).await?;
        if is_last {
            return socket.flush().await;
        }
    }
}

/// Failures that clients are told by how the connection ends.
const fn is_of_network(code: ErrorCode) -> bool {
    match code {
        ErrorCode::Unavailable | ErrorCode::DeadlineExceeded | ErrorCode::NotFound => true,
        ErrorCode::InvalidRequest
        | ErrorCode::Unimplemented
        | ErrorCode::Cancelled
        | ErrorCode::Overloaded
        | ErrorCode::Internal => false,
    }
}
