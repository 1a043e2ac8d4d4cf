//! The two encodings of JSON-like values that are written.
//!
//! `docarray.NodeProto` and `google.protobuf.Value` are built alike: an object is a message whose field 1 is a
//! map from text to value, a list is a message whose field 1 repeats values. Only the numbers of the fields
//! that hold the values differ, so one writer serves documents and parameters.

use crate::node::field;

/// The field numbers of one of the encodings.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) text: u32,
    pub(super) boolean: u32,
    /// Holds a double.
    pub(super) float: u32,
    /// Holds an `int32`; `None` if all numbers are doubles.
    pub(super) integer: Option<u32>,
    /// Says null; `None` if a value without content does.
    pub(super) null: Option<u32>,
    pub(super) list: u32,
    pub(super) object: u32,
    /// Whether there are fields for bytes and tensors.
    pub(super) is_node: bool,
}

/// `docarray.NodeProto`, the values of documents.
pub(super) const NODE: Layout = Layout {
    text: field::TEXT,
    boolean: field::BOOLEAN,
    float: field::FLOAT,
    integer: Some(field::INTEGER),
    null: None,
    list: field::LIST,
    object: field::DICT,
    is_node: true,
};

/// `google.protobuf.Value`, the values of parameters.
pub(super) const VALUE: Layout = Layout {
    text: 3,
    boolean: 4,
    float: 2,
    integer: None,
    null: Some(1),
    list: 6,
    object: 5,
    is_node: false,
};
