//! What an executor says of itself: its endpoints and the schemas of what they take and return.
//!
//! What a whole Flow says of itself has the same form.

mod flow;

use bytestring::ByteString;
use call::Parameters;
use call::wire::Malformed;
use indexmap::IndexMap;
use serde_json::{Map, Value};

pub use flow::{Catalog, Participant};

/// The answer of an executor to discovery.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Discovery {
    /// The endpoints it binds, in its order; `None` where it tells no schemas.
    pub endpoints: IndexMap<ByteString, Option<EndpointSchema>>,
    /// Those that change its state.
    pub write_endpoints: Vec<ByteString>,
}

/// What one endpoint takes and returns.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointSchema {
    /// The documents it takes.
    pub input: Model,
    /// The documents it returns.
    pub output: Model,
    /// Its parameters, if they have a type.
    pub parameters: Option<Model>,
    /// Whether it streams documents.
    pub is_generator: bool,
    /// Whether its code takes one document at a time.
    pub is_singleton_doc: bool,
}

/// A named JSON schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The name of the class.
    pub name: ByteString,
    /// The schema.
    pub schema: Value,
}

/// A discovery answer that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDiscovery {
    /// The schemas are no valid encoding.
    #[error("the schemas are not a valid message")]
    Malformed(#[from] Malformed),
    /// An endpoint's entry lacks a part.
    #[error("the schemas of endpoint `{endpoint}` lack `{key}`")]
    Missing {
        /// The endpoint.
        endpoint: ByteString,
        /// What is missing or of another type.
        key: &'static str,
    },
}

impl Discovery {
    /// Reads the parts of an `EndpointsProto`. Gateways leave out the names of the models; those are taken
    /// from the schemas' titles.
    ///
    /// # Errors
    ///
    /// If an entry of the schemas is not as it should be.
    pub fn read(
        endpoints: impl IntoIterator<Item = ByteString>,
        write_endpoints: Vec<ByteString>,
        schemas: &Parameters,
    ) -> Result<Self, InvalidDiscovery> {
        let mut schemas = schemas.to_map()?;
        let mut read = IndexMap::new();
        for endpoint in endpoints {
            let schema = match schemas.remove(&*endpoint) {
                Some(entry) => Some(EndpointSchema::read(&endpoint, &entry)?),
                None => None,
            };
            read.insert(endpoint, schema);
        }
        Ok(Self { endpoints: read, write_endpoints })
    }

    /// What an executor binds that offers no discovery: the default endpoint, of no known schema.
    #[must_use]
    pub fn unknown() -> Self {
        let default = ByteString::from_static(call::DEFAULT_ENDPOINT);
        Self { endpoints: IndexMap::from([(default, None)]), write_endpoints: Vec::new() }
    }

    /// The name under which a request for `endpoint` is answered: its own or the default's; `None` if the
    /// executor passes such requests on unchanged.
    #[must_use]
    pub fn bound(&self, endpoint: &str) -> Option<&ByteString> {
        let own = self.endpoints.get_key_value(endpoint);
        own.or_else(|| self.endpoints.get_key_value(call::DEFAULT_ENDPOINT)).map(|(name, _)| name)
    }

    /// The schemas of the endpoint that answers requests for `endpoint`.
    #[must_use]
    pub fn schema(&self, endpoint: &str) -> Option<&EndpointSchema> {
        self.endpoints.get(self.bound(endpoint)?)?.as_ref()
    }

    /// The schemas as `EndpointsProto` carries them.
    #[must_use]
    pub fn schemas(&self) -> Parameters {
        let entries = self
            .endpoints
            .iter()
            .filter_map(|(endpoint, schema)| Some((endpoint.to_string(), schema.as_ref()?.to_json())));
        Parameters::from_map(&entries.collect())
    }
}

impl EndpointSchema {
    fn read(endpoint: &ByteString, entry: &Value) -> Result<Self, InvalidDiscovery> {
        let model = |key| {
            let model = entry.get(key).and_then(Model::read);
            model.ok_or(InvalidDiscovery::Missing { endpoint: endpoint.clone(), key })
        };
        let flag = |key| entry.get(key).and_then(Value::as_bool).unwrap_or(false);
        Ok(Self {
            input: model("input")?,
            output: model("output")?,
            parameters: entry.get("parameters").and_then(Model::read),
            is_generator: flag("is_generator"),
            is_singleton_doc: flag("is_singleton_doc"),
        })
    }

    /// The entry of the endpoint in the layout of executors.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let parameters = self.parameters.as_ref();
        let nothing = || {
            Value::Object(Map::from_iter([
                ("name".to_owned(), Value::Null),
                ("model".to_owned(), Value::Null),
            ]))
        };
        Value::Object(Map::from_iter([
            ("input".to_owned(), self.input.to_json()),
            ("output".to_owned(), self.output.to_json()),
            ("is_generator".to_owned(), self.is_generator.into()),
            ("is_singleton_doc".to_owned(), self.is_singleton_doc.into()),
            ("parameters".to_owned(), parameters.map_or_else(nothing, Model::to_json)),
        ]))
    }
}

impl Model {
    /// Reads `{name, model}`, or a bare schema.
    fn read(value: &Value) -> Option<Self> {
        let object = value.as_object()?;
        let (name, schema) = match (object.get("name"), object.get("model")) {
            (Some(Value::String(name)), Some(schema @ Value::Object(_))) => (name.as_str(), schema),
            (Some(Value::Null) | None, Some(Value::Null)) => return None,
            _ if object.is_empty() => return None,
            _ => (object.get("title").and_then(Value::as_str).unwrap_or_default(), value),
        };
        Some(Self { name: name.into(), schema: schema.clone() })
    }

    fn to_json(&self) -> Value {
        Value::Object(Map::from_iter([
            ("name".to_owned(), self.name.to_string().into()),
            ("model".to_owned(), self.schema.clone()),
        ]))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(name: &str) -> Model {
        let schema = json!({"title": name, "type": "object", "properties": {"text": {"type": "string"}}});
        Model { name: name.into(), schema }
    }

    fn schema(parameters: Option<Model>) -> EndpointSchema {
        EndpointSchema {
            input: text("In"),
            output: text("Out"),
            parameters,
            is_generator: true,
            is_singleton_doc: false,
        }
    }

    #[test]
    fn discovery_survives_the_round_trip() {
        let discovery = Discovery {
            endpoints: IndexMap::from([
                ("/a".into(), Some(schema(None))),
                ("/b".into(), Some(schema(Some(text("P"))))),
                ("/bare".into(), None),
            ]),
            write_endpoints: vec!["/a".into()],
        };
        let names: Vec<_> = discovery.endpoints.keys().cloned().collect();
        let read = Discovery::read(names, vec!["/a".into()], &discovery.schemas()).unwrap();
        assert_eq!(read, discovery);
    }

    #[test]
    fn the_layout_of_gateways_is_understood() {
        let entry = json!({"/a": {"input": text("In").schema, "output": text("Out").schema,
            "is_generator": true, "is_singleton_doc": false}});
        let schemas = Parameters::from_map(entry.as_object().unwrap());
        let read = Discovery::read(["/a".into()], Vec::new(), &schemas).unwrap();
        assert_eq!(read.schema("/a"), Some(&schema(None)));
    }

    #[test]
    fn what_is_missing_is_named() {
        let entry = json!({"/a": {"input": text("In").schema}});
        let schemas = Parameters::from_map(entry.as_object().unwrap());
        let error = Discovery::read(["/a".into()], Vec::new(), &schemas).unwrap_err();
        assert_eq!(error, InvalidDiscovery::Missing { endpoint: "/a".into(), key: "output" });
    }

    #[test]
    fn requests_find_their_endpoint_or_the_default() {
        let check = |endpoints: &[&str], endpoint: &str, want: Option<&str>| {
            let endpoints = endpoints.iter().map(|name| ((*name).into(), None)).collect();
            let discovery = Discovery { endpoints, write_endpoints: Vec::new() };
            assert_eq!(discovery.bound(endpoint).map(|name| &**name), want, "{endpoint}");
        };
        check(&["/a", "/default"], "/a", Some("/a"));
        check(&["/a", "/default"], "/b", Some("/default"));
        check(&["/a"], "/b", None);
        check(&[], "", None);
    }
}
