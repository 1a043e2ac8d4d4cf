//! The executor that hands documents through, and the endpoint that does nothing.

use std::sync::LazyLock;

use bytestring::ByteString;
use docarray::discovery::{EndpointSchema, Model};
use serde_json::{Map, Value};

use crate::endpoint::{Bound, Code};
use crate::{Authored, BuildError, Endpoint, Executor, Outcome, Run, Setup};

/// Hands every request through as it is, whatever its documents. What an executor without code is.
#[derive(Debug)]
pub struct PassThrough;

impl Executor for PassThrough {
    fn class() -> &'static str {
        "BaseExecutor"
    }

    fn build(_: Map<String, Value>, _: &Setup) -> Result<Self, BuildError> {
        Ok(Self)
    }

    fn endpoints() -> Vec<Endpoint<Self>> {
        vec![Endpoint {
            names: vec![call::DEFAULT_ENDPOINT],
            method: "pass_through",
            is_write: false,
            schema: any_document(),
            authored: Authored::default(),
            run: Run::Async(|_, _| Box::pin(async { Ok(Outcome::default()) })),
        }]
    }
}

/// The endpoint with which gateways try out a graph.
pub(crate) fn dry_run() -> Bound {
    Bound {
        method: ByteString::from_static("dry_run"),
        is_write: false,
        schema: any_document(),
        authored: Authored::default(),
        code: Code::Async(Box::new(|_| Box::pin(async { Ok(Outcome::default()) }))),
    }
}

/// The schema of executors that say nothing of their documents. Gateways in Python know it, and it has no
/// properties at its root, which they ask of the dry run's.
fn any_document() -> EndpointSchema {
    static LEGACY: LazyLock<Value> = LazyLock::new(|| {
        serde_json::from_str(include_str!("legacy_document.json")).expect("a test reads the file")
    });
    let model = Model { name: ByteString::from_static("LegacyDocumentJina"), schema: LEGACY.clone() };
    EndpointSchema {
        input: model.clone(),
        output: model,
        parameters: None,
        is_generator: false,
        is_singleton_doc: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_of_any_document_has_no_properties_at_its_root() {
        let schema = any_document();
        assert_eq!(schema.input.schema["$ref"], "#/$defs/LegacyDocumentJina");
        assert!(schema.input.schema.get("properties").is_none());
    }
}
