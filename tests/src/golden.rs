//! Exchanges that were recorded with the reference implementation, see `golden/README.md`.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use call::{Error, ErrorCode, Message, Metadata, Parameters, Request, Response};
use docarray::discovery::Discovery;
use prost::Message as _;
use proto::docarray::node_proto::Content;
use proto::jina::data_request_proto::data_content_proto::Documents;
use proto::jina::{DataRequestListProto, DataRequestProto, EndpointsProto};
use serde::Deserialize;
use serde_json::Value;

use crate::Stub;

/// One recorded call.
#[derive(Debug, Clone, Deserialize)]
pub struct Call {
    /// Its name, where it is a case of its own.
    #[serde(default)]
    pub name: String,
    /// Between whom, such as `gateway->encoder`.
    #[serde(default)]
    pub hop: String,
    /// Its full path.
    pub rpc: String,
    /// Headers of the request.
    pub request_metadata: Vec<(String, String)>,
    /// Messages of the request.
    pub requests: Vec<Recorded>,
    /// Messages of the answer.
    pub responses: Vec<Recorded>,
    /// Trailers of the answer.
    #[serde(default)]
    pub trailing_metadata: Vec<(String, String)>,
    /// How it ended.
    pub code: String,
    /// Calls that were made for it.
    #[serde(default)]
    pub downstream: Vec<Call>,
}

/// One recorded message.
#[derive(Debug, Clone, Deserialize)]
pub struct Recorded {
    base64: String,
}

impl Recorded {
    /// The message.
    ///
    /// # Panics
    ///
    /// If the recording is broken.
    #[must_use]
    pub fn wire(&self) -> Bytes {
        BASE64_STANDARD.decode(&self.base64).expect("base64").into()
    }
}

/// Reads a recording.
///
/// # Panics
///
/// If it is broken.
#[must_use]
pub fn load(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Reads the calls of a recording.
///
/// # Panics
///
/// If they are none.
#[must_use]
pub fn calls(recording: &Value) -> Vec<Call> {
    Vec::deserialize(recording).expect("recorded calls")
}

/// What an executor said of itself when `startup` was recorded; only `endpoints` of it, if there are any.
///
/// # Panics
///
/// If it said nothing.
#[must_use]
pub fn discovery(startup: &Value, executor: &str, endpoints: &[&str]) -> Discovery {
    let hop = format!("gateway->{executor}");
    let calls = calls(&startup["calls"]);
    let answer = calls
        .iter()
        .find(|call| call.hop == hop && call.rpc == grpc::path::ENDPOINT_DISCOVERY)
        .expect("a recorded discovery");
    let mut discovery = read_discovery(&answer.responses[0]);
    let wanted = |name: &str| endpoints.is_empty() || endpoints.contains(&name);
    discovery.endpoints.retain(|name, _| wanted(name) || name == call::DRY_RUN_ENDPOINT);
    discovery
}

/// What somebody said of itself on discovery.
///
/// # Panics
///
/// If the recording is broken.
#[must_use]
pub fn read_discovery(answer: &Recorded) -> Discovery {
    let answer = EndpointsProto::decode(answer.wire()).expect("an answer");
    let schemas = Parameters::from_wire(answer.schemas.unwrap_or_default().encode_to_vec().into());
    let names = answer.endpoints.into_iter().map(Into::into);
    Discovery::read(names, Vec::new(), &schemas).expect("schemas")
}

/// What of a data request counts in comparisons: everything but times, and the ids that gateways make up for dry
/// runs. Ids in documents may or may not bear their type.
///
/// # Panics
///
/// If it is none.
#[must_use]
pub fn masked(wire: Bytes) -> DataRequestProto {
    let mut request = DataRequestProto::decode(wire).expect("a data request");
    for route in &mut request.routes {
        for time in [&mut route.start_time, &mut route.end_time].into_iter().flatten() {
            *time = prost_types::Timestamp::default();
        }
    }
    let dry = request.header.as_ref().is_some_and(|header| header.exec_endpoint() == call::DRY_RUN_ENDPOINT);
    if let Some(header) = request.header.as_mut().filter(|_| dry) {
        header.request_id.clear();
    }
    let documents = request.data.as_mut().and_then(|data| data.documents.as_mut());
    if let Some(Documents::Docs(list)) = documents {
        for id in list.docs.iter_mut().filter_map(|doc| doc.data.get_mut("id")) {
            id.docarray_type = None;
            if let Some(Content::Text(text)) = id.content.as_mut().filter(|_| dry) {
                text.clear();
            }
        }
    }
    request
}

/// Answers the calls of one hop as they were answered when they were recorded.
#[derive(Debug, Clone)]
pub struct Replay {
    executor: String,
    ignores_routes: bool,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    expected: Vec<Call>,
    unexpected: Vec<String>,
}

/// Headers that are compared.
const HEADERS: [&str; 2] = ["endpoint", "x-static"];

impl Replay {
    /// Knows no call yet.
    #[must_use]
    pub fn new(executor: &str) -> Self {
        Self { executor: executor.to_owned(), ignores_routes: false, state: Arc::default() }
    }

    /// Does not compare routes: where the recording shows them as they were later, for instance.
    #[must_use]
    pub const fn ignoring_routes(mut self) -> Self {
        self.ignores_routes = true;
        self
    }

    /// The executor that replays.
    #[must_use]
    pub fn stub(&self, discovery: Discovery) -> Stub {
        let replay = self.clone();
        let answer = move |request: Request| std::future::ready(replay.answer(&request));
        Stub::with_discovery(discovery, answer).showing(&HEADERS)
    }

    /// Expects those of `calls` that were made to this executor.
    ///
    /// # Panics
    ///
    /// If another test panicked meanwhile.
    pub fn expect(&self, calls: &[Call]) {
        let hop = format!("gateway->{}", self.executor);
        let calls = calls.iter().filter(|call| call.hop == hop).cloned();
        self.state.lock().expect("no panic").expected.extend(calls);
    }

    /// Whether all expected calls were made.
    ///
    /// # Panics
    ///
    /// If others were made, or another test panicked meanwhile.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let state = self.state.lock().expect("no panic");
        assert!(state.unexpected.is_empty(), "{}: {:#?}", self.executor, state);
        state.expected.is_empty()
    }

    fn answer(&self, request: &Request) -> Result<Response, Error> {
        let mut state =
            self.state.lock().map_err(|_| Error::new(ErrorCode::Internal, "another call panicked"))?;
        let messages = [&request.message].into_iter().chain(&request.parts).map(mask);
        let asked = self.comparable((messages.collect(), shown(&request.context.metadata)));
        let found = state.expected.iter().position(|call| self.comparable(recorded(call)) == asked);
        let Some(found) = found else {
            state.unexpected.push(format!("{asked:#?}"));
            return Err(Error::new(ErrorCode::InvalidRequest, "this call is not in the recording"));
        };
        let response = state.expected.remove(found).responses[0].wire();
        let message = proto::message::read(response.into());
        Ok(Response::One(message.map_err(|error| Error::new(ErrorCode::Internal, error))?))
    }

    fn comparable(&self, mut asked: Asked) -> Asked {
        if self.ignores_routes {
            asked.0.iter_mut().for_each(|message| message.routes.clear());
        }
        asked
    }
}

/// Messages and headers.
type Asked = (Vec<DataRequestProto>, Vec<(String, String)>);

/// The requests and the headers of a recorded call.
fn recorded(call: &Call) -> Asked {
    let wire = call.requests[0].wire();
    let messages = if call.rpc == grpc::path::PROCESS_DATA {
        let list = DataRequestListProto::decode(wire).expect("a list");
        list.requests.iter().map(|request| masked(request.encode_to_vec().into())).collect()
    } else {
        vec![masked(wire)]
    };
    let mut headers = call.request_metadata.clone();
    headers.retain(|(name, _)| HEADERS.contains(&name.as_str()));
    headers.sort();
    (messages, headers)
}

fn mask(message: &Message) -> DataRequestProto {
    masked(proto::message::write(message).into_bytes())
}

fn shown(metadata: &Metadata) -> Vec<(String, String)> {
    let mut headers: Vec<_> =
        metadata.0.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    headers.sort();
    headers
}
