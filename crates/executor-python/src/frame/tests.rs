//! Frames as workers write them, whole, in pieces and spoilt.

use super::*;

fn framed(kind: u8, number: u64, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.put_u32_le(u32::try_from(9 + body.len()).unwrap());
    frame.put_u8(kind);
    frame.put_u64_le(number);
    frame.extend(body);
    frame
}

fn stream() -> (Vec<u8>, Vec<(u64, FromWorker)>) {
    let bytes = Bytes::from_static;
    let frames = [
        (framed(1, 0, b"\x02\0\0\0{}pb"), (0, FromWorker::Hello(bytes(b"{}"), bytes(b"pb")))),
        (framed(3, 7, b"\0\0\0\0docs"), (7, FromWorker::Answer(Bytes::new(), bytes(b"docs")))),
        (framed(4, 8, b"status"), (8, FromWorker::Failure(bytes(b"status")))),
        (framed(5, u64::MAX, b"doc"), (u64::MAX, FromWorker::Item(bytes(b"doc")))),
        (framed(6, 9, b""), (9, FromWorker::ItemFailure(Bytes::new()))),
        (framed(7, 9, b""), (9, FromWorker::End)),
        (framed(2, 0, b"{}"), (0, FromWorker::Unfit(bytes(b"{}")))),
        (framed(8, 0, b""), (0, FromWorker::Closed(Bytes::new()))),
        (framed(9, 9, b"status"), (9, FromWorker::Unreadable(bytes(b"status")))),
    ];
    let (wire, read): (Vec<Vec<u8>>, _) = frames.into_iter().unzip();
    (wire.concat(), read)
}

#[test]
fn frames_are_read_however_they_are_cut() {
    let (wire, want) = stream();
    for size in 1..=wire.len() {
        let (mut received, mut read) = (BytesMut::new(), Vec::new());
        for piece in wire.chunks(size) {
            received.extend_from_slice(piece);
            while let Some(frame) = next(&mut received).unwrap() {
                read.push(frame);
            }
        }
        assert_eq!(read, want, "in pieces of {size}");
        assert!(received.is_empty());
    }
}

#[test]
fn a_frame_to_a_worker_has_its_head_and_its_body() {
    let frame = ToWorker::Call(Bytes::from_static(b"docs").into()).write(5).unwrap();
    assert_eq!(&frame.into_bytes()[..], framed(2, 5, b"docs"));
    assert_eq!(&ToWorker::Close.write(0).unwrap().into_bytes()[..], framed(6, 0, b""));
}

#[test]
fn spoilt_frames_are_refused() {
    let refused = |bytes: &[u8]| next(&mut BytesMut::from(bytes)).unwrap_err();
    assert_eq!(refused(&[8, 0, 0, 0]), Malformed::Length { length: 8 });
    assert_eq!(refused(&[0, 0, 0, 0x80]), Malformed::Length { length: 1 << 31 });
    assert_eq!(refused(&framed(99, 0, b"")), Malformed::Kind { kind: 99 });
    assert_eq!(refused(&framed(3, 0, b"\0\0\0")), Malformed::Short);
    assert_eq!(refused(&framed(3, 0, b"\x05\0\0\0abcd")), Malformed::Short);
}

#[test]
fn whatever_comes_is_read_or_refused_and_nothing_is_read_twice() {
    let (wire, _) = stream();
    let mut random = fastrand::Rng::with_seed(20);
    for _ in 0..20_000 {
        let mut spoilt = wire.clone();
        for _ in 0..random.usize(1..6) {
            let at = random.usize(..spoilt.len());
            spoilt[at] = random.u8(..);
        }
        spoilt.truncate(random.usize(..=wire.len()));
        let mut received = BytesMut::from(&spoilt[..]);
        let mut taken = 0;
        while let Ok(Some(_)) = next(&mut received) {
            taken += 1;
        }
        assert!(taken * HEAD <= spoilt.len(), "each frame takes its bytes");
    }
}
