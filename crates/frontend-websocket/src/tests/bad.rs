//! Messages that are wrong.

use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::stage::{request, soon};
use super::*;

async fn check(stage: &Stage, mode: Option<&str>, message: Message, want: (u16, &str)) {
    use futures_util::SinkExt as _;
    let case = format!("{mode:?} {:.40}", format!("{message:?}"));
    let mut client = stage.client_of("/", mode).await;
    soon(client.0.send(message)).await.unwrap();
    let (code, reason) = client.closed().await;
    assert_eq!(code, want.0, "{case}: {reason}");
    assert!(reason.contains(want.1), "{case}: {reason}");
    assert!(reason.len() <= 123, "{case}: {reason}");
}

#[tokio::test]
async fn wrong_messages_are_told_by_the_close_code() {
    let stage = Stage::new();
    let bytes = Some("bytes");
    let binary = |bytes: &[u8]| Message::binary(bytes.to_vec());
    check(&stage, bytes, Message::text("{}"), (1003, "expected binary messages")).await;
    check(&stage, bytes, binary(&[0xff, 0xff, 0xff]), (1007, "not a valid request")).await;
    check(&stage, bytes, binary(&[]), (1007, "the message is empty")).await;
    let whole = request("r", "/echo", 50);
    check(&stage, bytes, binary(&whole[..whole.len() - 1]), (1007, "not a valid request")).await;
    check(&stage, None, binary(&whole), (1003, "expected text messages")).await;
    for other in ["json", "nonsense", "bytes,json", "bytes, json"] {
        check(&stage, Some(other), binary(&[0]), (1003, "expected text messages")).await;
    }
    for (text, why) in [
        ("", ""),
        ("xx", ""),
        (r#"{"data": ["#, ""),
        (r#"{"data": [NaN]}"#, ""),
        (r#"{"data": [{"id": "a", "text": "\ud800"}], "exec_endpoint": "/echo"}"#, ""),
    ] {
        check(&stage, None, Message::text(text), (1007, why)).await;
    }
    let nested = format!(r#"{{"data": {}"#, "[".repeat(1_000_000));
    check(&stage, None, Message::text(nested), (1007, "")).await;
    assert_eq!((stage.script.begun(), stage.admission.requests()), (0, 0));
}

/// What comes after these bytes.
async fn check_frames(stage: &Stage, bytes: &[u8], want: (u16, &str)) {
    let mut stream = stage.raw("/", None).await;
    stream.write_all(bytes).await.unwrap();
    let mut client = Client(WebSocketStream::from_raw_socket(stream, Role::Client, None).await);
    let (code, reason) = client.told().await;
    assert_eq!(code, want.0, "{bytes:?}: {reason}");
    assert!(reason.contains(want.1), "{bytes:?}: {reason}");
}

#[tokio::test]
async fn wrong_frames_are_told_by_the_close_code() {
    let stage = Stage::with(|options| options.settings.max_message = 1000);
    let mask = [0; 4];
    let frame = |head: &[u8], payload: &[u8]| [head, &mask, payload].concat();
    check_frames(&stage, &[0x81, 0x02, b'{', b'}'], (1002, "masked")).await;
    check_frames(&stage, &frame(&[0x83, 0x80], &[]), (1002, "")).await;
    check_frames(&stage, &frame(&[0xc1, 0x82], b"{}"), (1002, "")).await;
    check_frames(&stage, &frame(&[0x80, 0x80], &[]), (1002, "")).await;
    check_frames(&stage, &frame(&[0x09, 0x80], &[]), (1002, "")).await;
    check_frames(&stage, &frame(&[0x89, 0xfe, 0, 126], &[]), (1002, "126 bytes, the limit is 125")).await;
    check_frames(&stage, &frame(&[0x81, 0x82], &[0xc3, 0x28]), (1007, "")).await;
    let too_large = "1001 bytes or more, the limit is 1000";
    check_frames(&stage, &frame(&[0x81, 0xfe, 0x03, 0xe9], &[]), (1009, too_large)).await;
    let endless = [0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    check_frames(&stage, &frame(&endless, &[]), (1009, "the limit is 1000")).await;
    let parts = [frame(&[0x01, 0xfe, 0x03, 0xe8], &[b'x'; 1000]), frame(&[0x80, 0x81], b"x")].concat();
    check_frames(&stage, &parts, (1009, too_large)).await;
    assert_eq!((stage.admission.requests(), stage.admission.bytes()), (0, 0));
}

#[tokio::test]
async fn requests_before_a_wrong_message_are_answered() {
    let stage = Stage::new();
    let mut client = stage.client().await;
    client.send(request("right", "/hold", 1)).await;
    client.send(vec![0xff]).await;
    stage.script.gate.add_permits(1);
    assert_eq!(client.answer().await, "right");
    assert_eq!(client.closed().await.0, 1007);
}
