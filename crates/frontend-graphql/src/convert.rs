//! Values on their way in and out.

use async_graphql::dynamic::{FieldValue, TypeRef};
use async_graphql::{Name, Value};
use serde_json::Value as Json;

use crate::legacy::LEGACY_JSON;
use crate::shape::{Class, Kind, Slot};

/// What a client sent as the JSON that executors' schemas speak of.
pub(crate) fn to_json(value: Value, slot: &Slot, classes: &[Class]) -> Json {
    match (&slot.kind, value) {
        (Kind::Object(class), Value::Object(entries)) => {
            let fields = &classes[*class].fields;
            let mut object = serde_json::Map::with_capacity(entries.len());
            for (name, value) in entries {
                let Some(field) = fields.iter().find(|field| field.name == name.as_str()) else { continue };
                // Null in the place of a default means the default.
                if value == Value::Null && !field.slot.nullable && !field.required {
                    continue;
                }
                object.insert(field.key.clone(), to_json(value, &field.slot, classes));
            }
            Json::Object(object)
        }
        (Kind::List(items), Value::List(values)) => {
            Json::Array(values.into_iter().map(|value| to_json(value, items, classes)).collect())
        }
        (_, Value::Null) => Json::Null,
        (Kind::List(items), value) => Json::Array(vec![to_json(value, items, classes)]),
        (Kind::Scalar(LEGACY_JSON), Value::String(text)) => from_text(text),
        // Bytes are the only values that JSON does not have, and no syntax of GraphQL makes them.
        (_, value) => value.into_json().unwrap_or_default(),
    }
}

/// Clients of Jina send objects and lists as text that holds their JSON.
pub(crate) fn from_text(text: String) -> Json {
    match serde_json::from_str(&text) {
        Ok(json @ (Json::Object(_) | Json::Array(_))) => json,
        _ => Json::String(text),
    }
}

/// A part of an answer, which is not copied until it is written.
pub(crate) fn to_field<'a>(value: &'a Value, slot: &Slot) -> Option<FieldValue<'a>> {
    match (&slot.kind, value) {
        (_, Value::Null) => None,
        (Kind::Object(_), object) => Some(FieldValue::borrowed_any(object)),
        (Kind::List(items), Value::List(values)) if holds_objects(items) => {
            let values = values.iter().map(|value| to_field(value, items).unwrap_or(FieldValue::NULL));
            Some(FieldValue::list(values))
        }
        (Kind::Scalar(_) | Kind::Enum(_) | Kind::List(_), value) => Some(FieldValue::value(value.clone())),
    }
}

/// The field of an object that came as a part of an answer, or as the whole of it.
pub(crate) fn property<'a>(parent: &'a FieldValue<'a>, key: &str) -> Option<&'a Value> {
    let object = parent.downcast_ref::<Value>().or_else(|| parent.as_value())?;
    match object {
        Value::Object(entries) => entries.get(&Name::new(key)),
        _ => None,
    }
}

/// The type's notation. Where documents come from outside nothing but items of lists is promised to be there.
pub(crate) fn type_of(slot: &Slot, is_required: bool, classes: &[Class]) -> TypeRef {
    let kind = match &slot.kind {
        Kind::Scalar(name) => TypeRef::named(*name),
        Kind::Enum(name) => TypeRef::named(name.clone()),
        Kind::Object(class) => TypeRef::named(classes[*class].name.clone()),
        Kind::List(items) => TypeRef::List(Box::new(type_of(items, !items.nullable, classes))),
    };
    if is_required { TypeRef::NonNull(Box::new(kind)) } else { kind }
}

fn holds_objects(slot: &Slot) -> bool {
    match &slot.kind {
        Kind::Object(_) => true,
        Kind::List(items) => holds_objects(items),
        Kind::Scalar(_) | Kind::Enum(_) => false,
    }
}
