//! What a compiled schema is made of.

use indexmap::IndexMap;
use regex::Regex;
use serde_json::Value;

/// The shapes of a schema. They refer to each other by their place, so a class may contain itself.
#[derive(Debug)]
pub(super) struct Shapes {
    pub(super) all: Vec<Shape>,
    pub(super) classes: Vec<Class>,
    /// Whether the executor converts values more freely: pydantic 1 makes texts of numbers, and cuts fractions off.
    pub(super) is_lenient: bool,
    /// The class of the documents.
    pub(super) root: usize,
}

/// A place for a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    /// Which shape.
    pub(super) shape: usize,
    /// Whether null may stand in its place.
    pub(super) nullable: bool,
}

/// The shape of a value.
#[derive(Debug)]
pub(super) enum Shape {
    /// Anything, as it comes.
    Any,
    Boolean,
    Integer(Option<Box<Bounds>>),
    Number(Option<Box<Bounds>>),
    Text(Option<Box<TextRule>>),
    /// Bytes, in JSON the text that they hold.
    Blob,
    /// An array of numbers, of arrays of numbers, and so on.
    Tensor(Dimensions),
    /// One of these.
    Choice(Vec<Value>),
    List {
        items: Slot,
        len: Len,
    },
    /// A list whose items differ; those behind the named ones have the shape `rest`, or may not be.
    Tuple {
        items: Vec<Slot>,
        rest: Option<Slot>,
        len: Len,
    },
    /// An object of any keys.
    Dict(Slot),
    /// An object with the fields of this class.
    Class(usize),
    /// One of several shapes.
    Union(Vec<usize>),
    /// The shape at another place.
    Alias(usize),
}

/// A class of documents.
#[derive(Debug, Default)]
pub(super) struct Class {
    pub(super) name: String,
    /// `id` comes first.
    pub(super) fields: IndexMap<Box<str>, Property>,
    /// The shape of fields that are not named; `None` if they are left out.
    pub(super) open: Option<Slot>,
    /// Whether documents without an id are given one.
    pub(super) gives_id: bool,
    /// How many fields have to be there.
    pub(super) n_required: usize,
}

/// A field of a class.
#[derive(Debug)]
pub(super) struct Property {
    pub(super) slot: Slot,
    pub(super) required: bool,
    pub(super) null: Null,
    /// What the schema says, if it says something.
    pub(super) default: Option<Value>,
    /// The name as a key of a JSON object.
    pub(super) key: Vec<u8>,
    /// The JSON of a document that lacks the field.
    pub(super) absent: Vec<u8>,
}

/// What null means where a field's shape does not allow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Null {
    /// It is a value like others.
    Value,
    /// The same as if the field had not come.
    Absent,
    /// It is wrong.
    Wrong,
}

/// What a tensor has to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dimensions {
    /// The number of items, if the schema tells all dimensions.
    pub(super) n_items: Option<usize>,
}

/// How many items a list may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Len {
    pub(super) min: usize,
    pub(super) max: usize,
}

/// Which numbers are allowed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bounds {
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
    pub(super) above: Option<f64>,
    pub(super) below: Option<f64>,
    pub(super) multiple_of: Option<f64>,
}

/// Which texts are allowed.
#[derive(Debug)]
pub(super) struct TextRule {
    /// Characters.
    pub(super) len: Len,
    pub(super) pattern: Option<Regex>,
}

impl Slot {
    /// For anything; every schema has that shape at this place.
    pub(super) const ANY: Self = Self { shape: 0, nullable: true };
}

impl Len {
    pub(super) const ANY: Self = Self { min: 0, max: usize::MAX };
}

impl Shapes {
    pub(super) fn get(&self, mut shape: usize) -> &Shape {
        for _ in 0..MAX_ALIASES {
            match &self.all[shape] {
                Shape::Alias(other) => shape = *other,
                found => return found,
            }
        }
        &Shape::Any
    }

    pub(super) fn root(&self) -> &Class {
        &self.classes[self.root]
    }

    /// What values of this shape are called in errors.
    pub(super) fn expected(&self, shape: usize) -> String {
        match self.get(shape) {
            Shape::Any | Shape::Alias(_) => "anything".to_owned(),
            Shape::Boolean => "boolean".to_owned(),
            Shape::Integer(_) => "integer".to_owned(),
            Shape::Number(_) => "number".to_owned(),
            Shape::Text(_) | Shape::Blob => "string".to_owned(),
            Shape::Tensor(_) => "array of numbers".to_owned(),
            Shape::Choice(choices) => listing(choices.iter().map(spelled)),
            Shape::List { .. } | Shape::Tuple { .. } => "array".to_owned(),
            Shape::Dict(_) | Shape::Class(_) => "object".to_owned(),
            Shape::Union(options) => {
                let mut names: Vec<_> = options.iter().map(|option| self.flat(*option)).collect();
                names.dedup();
                listing(names.into_iter())
            }
        }
    }

    /// As [`Self::expected`], without going into unions: they may contain themselves.
    fn flat(&self, shape: usize) -> String {
        match self.get(shape) {
            Shape::Union(_) => "one of several".to_owned(),
            _ => self.expected(shape),
        }
    }
}

/// References to references to references end somewhere.
const MAX_ALIASES: usize = 16;

/// A value in the spelling of error messages.
fn spelled(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{text}'"),
        other => other.to_string(),
    }
}

/// `a, b or c`.
fn listing(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<_> = names.take(MAX_NAMES).collect();
    match names.pop() {
        Some(last) if names.is_empty() => last,
        Some(last) => format!("{} or {last}", names.join(", ")),
        None => "nothing".to_owned(),
    }
}

/// Longer lists help nobody.
const MAX_NAMES: usize = 20;
