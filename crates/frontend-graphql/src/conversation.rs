//! Queries and subscriptions over one WebSocket connection: the protocol `graphql-transport-ws`.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Mutex;

use async_graphql::Response as Answer;
use async_graphql::parser::types::OperationType;
use call::Admission;
use futures_util::stream::{self, AbortHandle, BoxStream, SelectAll, abortable};
use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::answer::{GraphQl, operation};
use crate::ask::Asker;
use crate::read;
use crate::reply::{Refusal, is_refusal, to_json};

/// What a client says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    ConnectionInit {},
    Subscribe { id: String, payload: Map<String, Value> },
    Complete { id: String },
    Ping { payload: Option<Value> },
    Pong {},
}

/// Why a connection ends, with the code that the protocol has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Unreadable,
    NotBegun,
    TooLate,
    TakenId,
    BegunTwice,
    TooMany,
    TooLarge,
    Drained,
    Silent,
    /// The client said so.
    Left,
    /// The client is gone.
    Gone,
}

/// One connection.
pub(crate) struct Conversation {
    graphql: GraphQl,
    context: call::Context,
    /// The share of this connection.
    admission: Admission,
    is_begun: bool,
    /// What is in flight, by the ids of the client.
    operations: HashMap<String, Operation>,
    answers: SelectAll<BoxStream<'static, Event>>,
    n_operations: u64,
}

struct Operation {
    /// Tells it from an earlier one of the same id.
    number: u64,
    abort: AbortHandle,
}

/// What happens in an operation.
struct Event {
    id: String,
    number: u64,
    /// `None` when it is over.
    answer: Option<Answer>,
}

impl Conversation {
    pub(crate) fn new(graphql: GraphQl, context: call::Context, admission: Admission) -> Self {
        Self {
            graphql,
            context,
            admission,
            is_begun: false,
            operations: HashMap::new(),
            answers: SelectAll::new(),
            n_operations: 0,
        }
    }

    /// Talks until one side ends it.
    pub(crate) async fn hold<S>(mut self, mut socket: S)
    where
        S: Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Unpin,
    {
        let ending = self.talk(&mut socket).await;
        // What is in flight is cancelled before the goodbye, for which nobody waits long.
        let patience = self.graphql.shared.settings.patience;
        drop(self);
        let goodbye = async {
            let is_told = match ending.frame() {
                Some(frame) => socket.send(Message::Close(Some(frame))).await.is_ok(),
                None => ending == Ending::Left,
            };
            // What the client said last is answered by reading on.
            while is_told && let Some(Ok(_)) = socket.next().await {}
        };
        if tokio::time::timeout(patience, goodbye).await.is_err() {
            tracing::debug!("a client did not close its connection");
        }
    }

    async fn talk<S>(&mut self, socket: &mut S) -> Ending
    where
        S: Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Unpin,
    {
        let settings = self.graphql.shared.settings.clone();
        let begin_by = Instant::now() + settings.patience;
        let (mut heard, mut is_pinged) = (Instant::now(), false);
        loop {
            let quiet = heard + settings.keepalive * if is_pinged { 2 } else { 1 };
            let is_draining = settings.stop.is_cancelled();
            if is_draining && self.operations.is_empty() {
                return Ending::Drained;
            }
            // Nothing is lost when another branch is taken: streams keep what they have not given out.
            let said = tokio::select! {
                message = socket.next() => {
                    (heard, is_pinged) = (Instant::now(), false);
                    match message {
                        Some(Ok(Message::Text(text))) => self.hear(text.as_bytes()),
                        Some(Ok(Message::Binary(_))) => Err(Ending::Unreadable),
                        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(None),
                        Some(Err(Error::Capacity(_))) => Err(Ending::TooLarge),
                        Some(Ok(Message::Close(_))) => Err(Ending::Left),
                        Some(Err(_)) | None => Err(Ending::Gone),
                    }
                }
                Some(event) = self.answers.next() => Ok(self.tell(event)),
                () = settings.stop.cancelled(), if !is_draining => Ok(None),
                () = sleep_until(begin_by), if !self.is_begun => Err(Ending::TooLate),
                () = sleep_until(quiet) => match is_pinged {
                    true => Err(Ending::Silent),
                    false => {
                        is_pinged = true;
                        Ok(Some(json!({"type": "ping"})))
                    }
                },
            };
            match said {
                Ok(None) => {}
                Ok(Some(message)) => {
                    let sent = pin!(socket.send(Message::Text(message.to_string().into())));
                    // A client that takes nothing for so long is gone.
                    match tokio::time::timeout(settings.keepalive * 2, sent).await {
                        Ok(Ok(())) => {}
                        Ok(Err(_)) => return Ending::Gone,
                        Err(_) => return Ending::Silent,
                    }
                }
                Err(ending) => return ending,
            }
        }
    }

    /// What a message of the client is answered at once.
    fn hear(&mut self, message: &[u8]) -> Result<Option<Value>, Ending> {
        let said = serde_json::from_slice(message).map_err(|_| Ending::Unreadable)?;
        match said {
            Said::ConnectionInit {} if self.is_begun => Err(Ending::BegunTwice),
            Said::ConnectionInit {} => {
                self.is_begun = true;
                Ok(Some(json!({"type": "connection_ack"})))
            }
            Said::Ping { payload: Some(payload) } => Ok(Some(json!({"type": "pong", "payload": payload}))),
            Said::Ping { payload: None } => Ok(Some(json!({"type": "pong"}))),
            Said::Pong {} => Ok(None),
            Said::Complete { id } => {
                if let Some(operation) = self.operations.remove(&id) {
                    operation.abort.abort();
                }
                Ok(None)
            }
            Said::Subscribe { .. } if !self.is_begun => Err(Ending::NotBegun),
            Said::Subscribe { id, .. } if self.operations.contains_key(&id) => Err(Ending::TakenId),
            Said::Subscribe { .. } if self.graphql.shared.settings.stop.is_cancelled() => {
                Err(Ending::Drained)
            }
            Said::Subscribe { id, payload } => self.begin(id, payload),
        }
    }

    fn begin(&mut self, id: String, payload: Map<String, Value>) -> Result<Option<Value>, Ending> {
        if self.operations.len() >= self.graphql.shared.settings.max_operations {
            return Err(Ending::TooMany);
        }
        let answers = match self.answers(payload) {
            Ok(answers) => answers,
            Err(refusal) => {
                return Ok(Some(json!({"type": "error", "id": id, "payload": refusal.into_errors()})));
            }
        };
        self.n_operations += 1;
        let number = self.n_operations;
        let name = id.clone();
        let event = move |answer| Event { id: name.clone(), number, answer };
        let (events, abort) =
            abortable(answers.map(Some).chain(stream::once(async { None })).map(event).boxed());
        self.answers.push(events.boxed());
        self.operations.insert(id, Operation { number, abort });
        Ok(None)
    }

    fn answers(&self, payload: Map<String, Value>) -> Result<BoxStream<'static, Answer>, Refusal> {
        let mut query = read::query(payload)?;
        let operation = operation(&mut query, &self.graphql.shared.settings)?;
        let schema = self.graphql.schema()?;
        let asker = Asker {
            handler: self.graphql.handler.clone(),
            context: self.context.clone(),
            admission: self.admission.clone(),
            admitted: Mutex::new(None),
        };
        let query = query.data(asker);
        Ok(match operation.map(|operation| operation.kind) {
            Some(OperationType::Subscription) => schema.execute_stream(query),
            _ => stream::once(async move { schema.execute(query).await }).boxed(),
        })
    }

    /// What the client is told of an operation; nothing if it does not want it any more.
    fn tell(&mut self, event: Event) -> Option<Value> {
        let Event { id, number, answer } = event;
        let operation = self.operations.get(&id).filter(|operation| operation.number == number)?;
        match answer {
            // The query was not understood: that is the end of it.
            Some(answer) if is_refusal(&answer) => {
                operation.abort.abort();
                self.operations.remove(&id);
                Some(json!({"type": "error", "id": id, "payload": to_json(answer)["errors"]}))
            }
            Some(answer) => Some(json!({"type": "next", "id": id, "payload": to_json(answer)})),
            None => {
                self.operations.remove(&id);
                Some(json!({"type": "complete", "id": id}))
            }
        }
    }
}

impl Ending {
    fn frame(self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::Unreadable => (4400, "the message cannot be read"),
            Self::NotBegun => (4401, "Unauthorized"),
            Self::TooLate => (4408, "Connection initialisation timeout"),
            Self::TakenId => (4409, "Subscriber for this id already exists"),
            Self::BegunTwice => (4429, "Too many initialisation requests"),
            Self::TooMany => (1013, "too many operations at once"),
            Self::TooLarge => (1009, "the message is too large"),
            Self::Drained => (1001, "the server is shutting down"),
            Self::Silent | Self::Left | Self::Gone => return None,
        };
        Some(CloseFrame { code: CloseCode::from(code), reason: reason.into() })
    }
}
