//! What a JSON schema says about merging.

use serde_json::Value;

/// The schema of one value, and the document that its references point into.
#[derive(Clone, Copy)]
pub(super) struct Shape<'a> {
    root: Option<&'a Value>,
    here: Option<&'a Value>,
}

/// References to references to references end somewhere.
const MAX_REFERENCES: usize = 32;

impl<'a> Shape<'a> {
    pub(super) fn of(schema: Option<&'a Value>) -> Self {
        Self { root: schema, here: schema }.resolved()
    }

    /// The schema of a field. A dictionary has one for all keys.
    pub(super) fn field(self, name: &str) -> Self {
        let here = self.here.and_then(|here| {
            here.get("properties")
                .and_then(|properties| properties.get(name))
                .or_else(|| here.get("additionalProperties"))
        });
        Self { here, ..self }.resolved()
    }

    /// The schema of a list's items.
    pub(super) fn items(self) -> Self {
        Self { here: self.here.and_then(|here| here.get("items")), ..self }.resolved()
    }

    /// Whether the value is a document rather than a dictionary.
    pub(super) fn is_document(self) -> bool {
        self.here.is_some_and(|here| here.get("properties").is_some())
    }

    /// Whether a dictionary is merged key by key: those with a declared type of value are, and those of the
    /// legacy document; others are replaced as a whole.
    pub(super) fn merges_keys(self) -> bool {
        let typed = self.here.and_then(|here| here.get("additionalProperties")).is_some_and(Value::is_object);
        let title = self.root.and_then(|root| root.get("title")).and_then(Value::as_str);
        typed || title == Some("LegacyDocument")
    }

    /// Follows references, and looks through what only says that the value may be null.
    fn resolved(mut self) -> Self {
        for _ in 0..MAX_REFERENCES {
            let Some(here) = self.here else { break };
            let inner = if let Some(reference) = here.get("$ref").and_then(Value::as_str) {
                self.root.and_then(|root| root.pointer(reference.strip_prefix('#')?))
            } else if let Some([only]) = here.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
                Some(only)
            } else if let Some(any) = here.get("anyOf").and_then(Value::as_array) {
                let mut some = any.iter().filter(|one| one.get("type").is_none_or(|kind| kind != "null"));
                some.next().filter(|_| some.next().is_none())
            } else {
                break;
            };
            self.here = inner;
        }
        self
    }
}
