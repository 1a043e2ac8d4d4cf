//! A field of each type; `types_executor.py` holds the same in Python.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use docarray::doc::Definitions;
use docarray::{AnyUrl, Depth, Doc, DocError, DocList, Field, Form, Id, ImageUrl, NdArray, Node, TextUrl};
use executor_runtime::{executor, requests};
use serde_json::{Map, Value, json};

/// Inner document.
#[derive(Debug, Clone, Default, Doc)]
struct Inner {
    id: Id,
    #[document(default = "inner")]
    name: String,
    #[document(default = 1)]
    n: i64,
}

/// One of some texts.
macro_rules! choice {
    ($(#[$doc:meta])* $choice:ident: $first:ident $first_text:literal, $second:ident $second_text:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        enum $choice {
            $first,
            $second,
        }

        impl Field for $choice {
            fn read_node(node: Node, depth: Depth) -> Result<Self, DocError> {
                match &*String::read_node(node, depth)? {
                    $first_text => Ok(Self::$first),
                    $second_text => Ok(Self::$second),
                    _ => Err(DocError::expected(concat!($first_text, " or ", $second_text), &Node::Null)),
                }
            }

            fn write_node(&self, to: &mut Vec<u8>, form: Form) {
                let text = match self {
                    Self::$first => $first_text,
                    Self::$second => $second_text,
                };
                text.to_owned().write_node(to, form);
            }

            fn schema_in(_: &mut Definitions) -> Value {
                json!({"enum": [$first_text, $second_text], "type": "string"})
            }

            fn as_default(&self) -> Option<Value> {
                Some(match self {
                    Self::$first => $first_text.into(),
                    Self::$second => $second_text.into(),
                })
            }
        }
    };
}

choice!(
    /// A choice.
    Color: Red "red", Blue "blue"
);
choice!(
    /// Another.
    Letter: A "a", B "b"
);

/// Documents with one field, and an executor that returns them as they come.
macro_rules! types {
    ($($endpoint:tt $name:tt $method:ident $document:ident: $field:ty $(= $default:tt)?;)*) => {
        $(
            /// Document with one field v.
            #[derive(Debug, Clone, Doc)]
            #[document(name = $name)]
            struct $document {
                id: Id,
                $(#[document(default = $default)])?
                v: $field,
            }
        )*

        /// Returns documents as they come.
        #[derive(Debug, Default)]
        pub(crate) struct Types;

        #[executor]
        impl Types {
            $(
                #[requests(on = $endpoint)]
                fn $method(&self, docs: DocList<$document>) -> DocList<$document> {
                    docs
                }
            )*
        }
    };
}

types! {
    "/str" "D_str" str Str: String;
    "/int" "D_int" int Int: i64 = 3;
    "/float" "D_float" float Float: f64 = 1.5;
    "/bool" "D_bool" bool Bool: bool = true;
    "/bytes" "D_bytes" bytes Blob: Bytes = "";
    "/optbytes" "D_optbytes" optbytes OptBytes: Option<Bytes>;
    "/optstr" "D_optstr" optstr OptStr: Option<String>;
    "/optint" "D_optint" optint OptInt: Option<i64>;
    "/optfloat" "D_optfloat" optfloat OptFloat: Option<f64>;
    "/unionintstr" "D_unionintstr" unionintstr UnionIntStr: Value = { json!(1) };
    "/anyurl" "D_anyurl" anyurl Url: AnyUrl = "http://a.b/c";
    "/optimgurl" "D_optimgurl" optimgurl OptImageUrl: Option<ImageUrl>;
    "/texturl" "D_texturl" texturl Text: TextUrl = "http://a.b/c.txt";
    "/ndarray" "D_ndarray" ndarray Tensor: NdArray;
    "/ndarray3" "D_ndarray3" ndarray3 Tensor3: NdArray;
    "/optndarray" "D_optndarray" optndarray OptTensor: Option<NdArray>;
    "/optanytensor" "D_optanytensor" optanytensor OptAnyTensor: Option<NdArray>;
    "/optanyembedding" "D_optanyembedding" optanyembedding OptAnyEmbedding: Option<NdArray>;
    "/imgndarray" "D_imgndarray" imgndarray ImageTensor: Option<NdArray>;
    "/imgbytes" "D_imgbytes" imgbytes ImageBytes: Option<Bytes>;
    "/nested" "D_nested" nested Nested: Inner = { inner("i0") };
    "/optnested" "D_optnested" optnested OptNested: Option<Inner>;
    "/listnested" "D_listnested" listnested ListNested: Vec<Inner> = { Vec::new() };
    "/optlistnested" "D_optlistnested" optlistnested OptListNested: Option<Vec<Inner>>;
    "/dictany" "D_dictany" dictany DictAny: Map<String, Value> = { Map::new() };
    "/dictbare" "D_dictbare" dictbare DictBare: Map<String, Value> = { Map::new() };
    "/dictstr" "D_dictstr" dictstr DictStr: BTreeMap<String, String> = { BTreeMap::new() };
    "/dictint" "D_dictint" dictint DictInt: BTreeMap<String, i64> = { BTreeMap::new() };
    "/dictfloat" "D_dictfloat" dictfloat DictFloat: BTreeMap<String, f64> = { BTreeMap::new() };
    "/dictnested" "D_dictnested" dictnested DictNested: BTreeMap<String, Inner> = { BTreeMap::new() };
    "/liststr" "D_liststr" liststr ListStr: Vec<String> = { Vec::new() };
    "/listint" "D_listint" listint ListInt: Vec<i64> = { Vec::new() };
    "/listfloat" "D_listfloat" listfloat ListFloat: Vec<f64> = { Vec::new() };
    "/listlistfloat" "D_listlistfloat" listlistfloat ListListFloat: Vec<Vec<f64>> = { Vec::new() };
    "/listany" "D_listany" listany ListAny: Vec<Value> = { Vec::new() };
    "/setstr" "D_setstr" setstr SetStr: BTreeSet<String> = { BTreeSet::new() };
    "/literal" "D_literal" literal Literal: Letter = { Letter::A };
    "/enum" "D_enum" choice Enum: Color = { Color::Red };
    "/strenum" "D_strenum" strenum StrEnum: Color = { Color::Red };
    "/optid" "D_optid" optid OptId: Option<Id>;
    "/any" "D_any" any Any: Value;
    "/uniondoc" "D_uniondoc" uniondoc UnionDoc: Value = "x";
    "/optdict" "D_optdict" optdict OptDict: Option<Map<String, Value>>;
}

fn inner(id: &str) -> Inner {
    Inner { id: id.into(), name: "inner".to_owned(), n: 1 }
}
