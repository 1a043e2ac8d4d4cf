//! What a whole Flow takes and returns, put together from what its executors do.

use std::sync::Arc;

use arc_swap::ArcSwap;
use call::Parameters;
use serde_json::{Map, Value};

use super::{Discovery, EndpointSchema};

/// What a Flow says of itself at the moment. Clones are handles to the same; front ends read it, whoever
/// follows the executors' discovery sets it.
#[derive(Debug, Clone, Default)]
pub struct Catalog(Arc<ArcSwap<Discovery>>);

/// One executor of a Flow.
#[derive(Debug, Clone, Copy)]
pub struct Participant<'a> {
    /// What it says of itself.
    pub discovery: &'a Discovery,
    /// Whether what it returns may come back to the client: not so for floating executors.
    pub answers: bool,
}

impl Catalog {
    /// What the Flow says now.
    #[must_use]
    pub fn read(&self) -> Arc<Discovery> {
        self.0.load_full()
    }

    /// The Flow says something else from now on.
    pub fn set(&self, discovery: Discovery) {
        self.0.store(Arc::new(discovery));
    }
}

impl Discovery {
    /// Puts together what the executors of a Flow, in the order that requests reach them, make of each
    /// endpoint: what the first of them takes and what the last of them returns.
    #[must_use]
    pub fn of_flow(participants: &[Participant<'_>]) -> Self {
        let mut flow = Self::default();
        for Participant { discovery, .. } in participants {
            for endpoint in discovery.endpoints.keys() {
                flow.endpoints.entry(endpoint.clone()).or_default();
            }
            for endpoint in &discovery.write_endpoints {
                if !flow.write_endpoints.contains(endpoint) {
                    flow.write_endpoints.push(endpoint.clone());
                }
            }
        }
        for (endpoint, schema) in &mut flow.endpoints {
            for Participant { discovery, answers } in participants {
                let Some(step) = discovery.schema(endpoint) else { continue };
                match schema {
                    None => *schema = Some(step.clone()),
                    Some(whole) if *answers => {
                        whole.output = step.output.clone();
                        whole.parameters = step.parameters.clone();
                    }
                    Some(_) => {}
                }
            }
        }
        flow
    }

    /// The schemas as gateways tell them: without the names of the models, and without parameters.
    #[must_use]
    pub fn flow_schemas(&self) -> Parameters {
        let entries = self
            .endpoints
            .iter()
            .filter_map(|(endpoint, schema)| Some((endpoint.to_string(), schema.as_ref()?.to_flow_json())));
        Parameters::from_map(&entries.collect())
    }
}

impl EndpointSchema {
    fn to_flow_json(&self) -> Value {
        Value::Object(Map::from_iter([
            ("input".to_owned(), self.input.schema.clone()),
            ("output".to_owned(), self.output.schema.clone()),
            ("is_generator".to_owned(), self.is_generator.into()),
            ("is_singleton_doc".to_owned(), self.is_singleton_doc.into()),
        ]))
    }
}

#[cfg(test)]
mod tests {
    use bytestring::ByteString;
    use indexmap::IndexMap;
    use serde_json::json;

    use super::*;
    use crate::discovery::Model;

    fn model(name: &str) -> Model {
        Model { name: name.into(), schema: json!({"title": name, "properties": {}}) }
    }

    fn executor(endpoints: &[(&'static str, &str, &str)]) -> Discovery {
        let schema = |input, output| EndpointSchema {
            input: model(input),
            output: model(output),
            parameters: Some(model(output)),
            is_generator: false,
            is_singleton_doc: false,
        };
        let entry = |&(endpoint, input, output): &(&'static str, _, _)| {
            (ByteString::from_static(endpoint), Some(schema(input, output)))
        };
        Discovery { endpoints: endpoints.iter().map(entry).collect(), ..Discovery::default() }
    }

    #[track_caller]
    fn check(flow: &[(&Discovery, bool)], want: &[(&str, &str, &str)]) {
        let flow: Vec<_> =
            flow.iter().map(|(discovery, answers)| Participant { discovery, answers: *answers }).collect();
        let flow = Discovery::of_flow(&flow);
        let got: Vec<_> = flow
            .endpoints
            .iter()
            .map(|(endpoint, schema)| {
                let schema = schema.as_ref().unwrap();
                (&**endpoint, &*schema.input.name, &*schema.output.name)
            })
            .collect();
        assert_eq!(got, want);
    }

    #[test]
    fn a_flow_takes_what_its_first_executor_takes_and_returns_what_its_last_returns() {
        let encoder = executor(&[("/index", "Text", "Vector"), ("/search", "Text", "Vector")]);
        let ranker = executor(&[("/search", "Vector", "Hit"), ("/train", "Vector", "Vector")]);
        let fallback = executor(&[("/default", "Any", "Any")]);
        check(
            &[(&encoder, true), (&ranker, true)],
            &[("/index", "Text", "Vector"), ("/search", "Text", "Hit"), ("/train", "Vector", "Vector")],
        );
        check(
            &[(&encoder, true), (&fallback, true)],
            &[("/index", "Text", "Any"), ("/search", "Text", "Any"), ("/default", "Any", "Any")],
        );
        check(
            &[(&encoder, true), (&ranker, false)],
            &[("/index", "Text", "Vector"), ("/search", "Text", "Vector"), ("/train", "Vector", "Vector")],
        );
    }

    #[test]
    fn a_gateway_tells_schemas_without_names() {
        let flow = executor(&[("/search", "Text", "Hit")]);
        let map = flow.flow_schemas().to_map().unwrap();
        let want = json!({"input": model("Text").schema, "output": model("Hit").schema,
            "is_generator": false, "is_singleton_doc": false});
        assert_eq!(Value::Object(map), json!({"/search": want}));
    }

    #[test]
    fn an_endpoint_without_schemas_is_listed() {
        let unknown = Discovery::unknown();
        let flow = Discovery::of_flow(&[Participant { discovery: &unknown, answers: true }]);
        assert_eq!(flow.endpoints, IndexMap::from([("/default".into(), None)]));
    }

    #[test]
    fn handles_see_what_is_set() {
        let (catalog, flow) = (Catalog::default(), executor(&[("/search", "Text", "Hit")]));
        let reader = catalog.clone();
        assert!(reader.read().endpoints.is_empty());
        catalog.set(flow.clone());
        assert_eq!(*reader.read(), flow);
    }
}
