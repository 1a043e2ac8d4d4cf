//! What comes of a call that did not fail.

use bytestring::ByteString;
use call::wire::Malformed;
use call::{Message, Parameters, Payload, RESULTS_KEY, Route};
use docarray::node;
use serde_json::{Map, Value};

/// What an endpoint's code leaves behind.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// The documents of the answer, a `DataContentProto`; without them, those of the request.
    pub documents: Option<Payload>,
    /// An object for the caller beside the documents.
    pub results: Option<Map<String, Value>>,
}

/// Who answers, as answers tell it.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// The deployment, in routes.
    pub(crate) deployment: ByteString,
    /// The replica, in results.
    pub(crate) pod: String,
}

impl Outcome {
    /// Turns the request into its answer. `received` are the request's documents, those of all parts.
    pub(crate) fn answer(
        self,
        mut request: Message,
        received: Payload,
        identity: &Identity,
    ) -> Result<Message, Malformed> {
        request.documents = Some(self.documents.unwrap_or_else(|| node::content(received)));
        if let Some(results) = self.results {
            request.parameters = with_results(&request.parameters, identity, results)?;
        }
        request.routes.added.push(Route { executor: identity.deployment.clone(), ..Route::default() });
        Ok(request)
    }
}

/// Adds the results of this executor to those that are there.
fn with_results(
    parameters: &Parameters,
    identity: &Identity,
    results: Map<String, Value>,
) -> Result<Parameters, Malformed> {
    let mut parameters = parameters.to_map()?;
    let mut all = match parameters.remove(RESULTS_KEY) {
        Some(Value::Object(all)) => all,
        _ => Map::new(),
    };
    all.insert(identity.pod.clone(), Value::Object(results));
    parameters.insert(RESULTS_KEY.to_owned(), Value::Object(all));
    Ok(Parameters::from_map(&parameters))
}
