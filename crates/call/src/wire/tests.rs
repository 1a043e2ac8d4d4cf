//! Fields survive the way through the encoding, and hostile bytes end in an error.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u64>().prop_map(Value::Varint),
        any::<u64>().prop_map(Value::Fixed64),
        any::<u32>().prop_map(Value::Fixed32),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(|bytes| Value::Bytes(bytes.into())),
    ]
}

proptest! {
    #[test]
    fn fields_survive_the_round_trip(
        fields in prop::collection::vec((1_u32..1 << 29, any_value()), 0..10),
        cut in 0usize..100,
    ) {
        let fields: Vec<_> = fields.into_iter().map(|(number, value)| Field { number, value }).collect();
        let mut wire = Payload::new();
        for field in &fields {
            wire.append(field.clone().into_wire());
        }
        let head = wire.split_to(cut.min(wire.len()));
        let mut reader = Reader::new([head.into_bytes(), wire.into_bytes()].into_iter().collect::<Payload>());
        let mut got = Vec::new();
        while let Some(field) = reader.next().unwrap() {
            got.push(field);
        }
        prop_assert_eq!(got, fields);
    }

    #[test]
    fn any_bytes_end_in_fields_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let mut reader = Reader::new(bytes);
        while let Ok(Some(_)) = reader.next() {}
    }

    #[test]
    fn the_length_of_an_integer_is_known_beforehand(value in any::<u64>()) {
        let mut wire = Vec::new();
        put_varint(&mut wire, value);
        prop_assert_eq!(wire.len(), varint_len(value));
        prop_assert_eq!(get_varint(&mut &wire[..]), Ok(value));
    }
}

#[track_caller]
fn check(case: &str, bytes: &'static [u8], want: Malformed) {
    let mut reader = Reader::new(Bytes::from_static(bytes));
    let got = loop {
        match reader.next() {
            Ok(Some(_)) => {}
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    assert_eq!(got, Some(want), "{case}");
}

#[test]
fn malformed_messages_are_refused() {
    check("a length beyond the end", b"\x0a\x05abc", Malformed::Truncated);
    check("a huge length", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", Malformed::Truncated);
    check("a key without a value", b"\x08", Malformed::Truncated);
    check("half a double", b"\x09\x00\x00", Malformed::Truncated);
    check("an endless integer", b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", Malformed::Varint);
    check("field zero", b"\x02\x00", Malformed::FieldNumber(0));
    check("a group", b"\x0b", Malformed::WireType { field: 1, wire_type: 3 });
}

#[test]
fn a_message_of_unknown_size_gets_its_length() {
    for n in [0, 1, 127, 128, 20_000] {
        let mut wire = Vec::new();
        put_message(&mut wire, 7, |inner| inner.extend(std::iter::repeat_n(1, n)));
        let field = Reader::new(wire).next().unwrap().unwrap();
        assert_eq!((field.number, field.bytes().unwrap().len()), (7, n));
    }
}
