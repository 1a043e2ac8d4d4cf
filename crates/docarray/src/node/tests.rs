//! Nodes survive the round trip, and documents read as they were written.

use proptest::prelude::*;

use super::*;
use crate::{Dtype, InvalidNdArray};

fn any_node() -> impl Strategy<Value = Node> {
    let nested = || prop::collection::vec(any::<u8>(), 0..20).prop_map(Payload::from);
    prop_oneof![
        Just(Node::Null),
        ".{0,8}".prop_map(|text| Node::Text(text.into())),
        any::<i32>().prop_map(Node::Integer),
        (-1e9..1e9_f64).prop_map(Node::Float),
        any::<bool>().prop_map(Node::Boolean),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| Node::Blob(bytes.into())),
        nested().prop_map(Node::NdArray),
        nested().prop_map(Node::Doc),
        nested().prop_map(Node::DocArray),
        nested().prop_map(Node::List),
        nested().prop_map(Node::Set),
        nested().prop_map(Node::Tuple),
        nested().prop_map(Node::Dict),
    ]
}

proptest! {
    #[test]
    fn a_document_survives(doc in prop::collection::vec((".{0,6}", any_node(), prop::option::of("[a-z]{1,5}")), 0..6)) {
        let mut wire = Vec::new();
        for (name, node, kind) in &doc {
            put_field(&mut wire, name, |to| node.write(kind.as_deref(), to));
        }
        let got: Vec<_> = fields(wire.into())
            .map(|field| {
                let (name, node) = field.unwrap();
                let (node, kind) = Node::read(node).unwrap();
                (name.to_string(), node, kind.map(|kind| kind.to_string()))
            })
            .collect();
        prop_assert_eq!(got, doc);
    }
}

#[test]
fn both_forms_of_a_list_are_read() {
    let docs = Payload::from(b"\x0a\x00\x0a\x00".to_vec());
    assert_eq!(doc_list(content(docs.clone())), Ok(docs.clone()));
    assert_eq!(items(docs.clone()).count(), 2);
    let mut as_bytes = Vec::new();
    wire::put_bytes(&mut as_bytes, 2, &docs.clone().into_bytes());
    assert_eq!(doc_list(as_bytes.into()), Ok(docs));
    assert_eq!(doc_list(Payload::new()), Ok(Payload::new()));
}

#[test]
fn a_tensor_survives() {
    let dtype = Dtype::try_from(ByteString::from("<f4")).unwrap();
    let array = NdArray::new(dtype, vec![2, 300], vec![1; 2400].into()).unwrap();
    let mut wire = Vec::new();
    put_ndarray(&mut wire, &array, "ndarray");
    let (node, kind) = Node::read(wire.into()).unwrap();
    assert_eq!(kind.as_deref(), Some("ndarray"));
    let Node::NdArray(inner) = node else { panic!("{node:?}") };
    assert_eq!(NdArray::read(inner), Ok(array));
}

#[test]
fn tensors_that_do_not_fit_are_refused() {
    let dtype = |name: &'static str| Dtype::try_from(ByteString::from_static(name));
    for good in ["<f4", ">f8", "<i8", "|u1", "|b1", "<c16", "<f2", "|i1"] {
        dtype(good).unwrap();
    }
    for bad in ["", "f4", "<f", "<O8", "|S3", "<f3", "<U1", "<c4", "<f44"] {
        assert_eq!(dtype(bad), Err(InvalidNdArray::Dtype { dtype: bad.to_owned() }));
    }
    let short = NdArray::new(dtype("<f4").unwrap(), vec![3], vec![0; 8].into());
    assert!(matches!(short, Err(InvalidNdArray::Size { wanted: 12, found: 8, .. })), "{short:?}");
    let huge = NdArray::new(dtype("<f8").unwrap(), vec![usize::MAX, 2], Bytes::new());
    assert!(matches!(huge, Err(InvalidNdArray::TooLarge { .. })), "{huge:?}");
}
