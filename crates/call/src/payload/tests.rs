//! A payload reads as the bytes it was made of, however it was cut.

use proptest::prelude::*;

use super::*;

fn in_pieces(bytes: &[u8], cuts: &[usize]) -> Payload {
    let mut payload = Payload::new();
    let mut rest = Bytes::copy_from_slice(bytes);
    for cut in cuts {
        payload.push(rest.split_to((*cut).min(rest.len())));
    }
    payload.push(rest);
    payload
}

proptest! {
    #[test]
    fn cutting_never_changes_the_bytes(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        cuts in prop::collection::vec(0usize..40, 0..8),
        at in 0usize..200,
    ) {
        let mut tail = in_pieces(&bytes, &cuts);
        prop_assert_eq!(tail.len(), bytes.len());
        let at = at.min(bytes.len());
        let head = tail.split_to(at);
        prop_assert_eq!(&head.clone().into_bytes()[..], &bytes[..at]);
        prop_assert_eq!(&tail.clone().into_bytes()[..], &bytes[at..]);
        let mut joined = head;
        joined.append(tail);
        prop_assert_eq!(&joined, &Payload::from(bytes.clone()));
        prop_assert!(joined.pieces().all(|piece| !piece.is_empty()));
    }

    #[test]
    fn a_payload_reads_as_a_buffer(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        cuts in prop::collection::vec(0usize..40, 0..8),
        steps in prop::collection::vec(0usize..30, 0..20),
    ) {
        let mut payload = in_pieces(&bytes, &cuts);
        let mut plain = &bytes[..];
        for step in steps {
            let step = step.min(plain.len());
            prop_assert_eq!(payload.copy_to_bytes(step), plain.copy_to_bytes(step));
            let skip = (step / 2).min(plain.len());
            payload.advance(skip);
            plain.advance(skip);
        }
        prop_assert_eq!(payload.remaining(), plain.len());
    }
}

#[test]
fn cutting_moves_no_bytes() {
    let bytes = Bytes::from(vec![7; 64]);
    let mut payload = Payload::from(bytes.clone());
    payload.push(bytes.clone());
    let _first = payload.split_to(32);
    let second = payload.split_to(64);
    let starts: Vec<_> = second.pieces().map(|piece| piece.as_ptr()).collect();
    assert_eq!(starts, [bytes[32..].as_ptr(), bytes.as_ptr()]);
}
