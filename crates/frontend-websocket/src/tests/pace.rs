//! Clients that are slow, silent or in a hurry.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use server::Outcome;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::Message;

use super::stage::{eventually, request, soon};
use super::*;

#[tokio::test]
async fn no_more_requests_than_allowed_are_in_flight() {
    let stage = Stage::with(|options| options.settings.prefetch = 3);
    let mut client = stage.client().await;
    for n in 0..20 {
        client.send(request(&n.to_string(), "/hold", 1)).await;
    }
    client.end().await;
    for answered in 0..20 {
        eventually(|| stage.script.begun() == (answered + 3).min(20)).await;
        stage.script.gate.add_permits(1);
        client.answer().await;
        assert!(stage.script.begun() <= answered + 4);
    }
    assert_eq!(client.closed().await.0, 1000);
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_up_only_itself() {
    const LEN: usize = 1 << 20;
    let stage = Stage::with(|options| options.settings.prefetch = 4);
    let lazy = stage.client().await;
    let (mut send, mut receive) = lazy.0.split();
    // A hundred times more than the sockets hold.
    let sending = async move {
        for n in 0..200 {
            soon(send.send(Message::Binary(request(&n.to_string(), "/echo", LEN)))).await.unwrap();
        }
        send
    };
    let meanwhile = async {
        // It comes to rest: what is answered stays in the sockets, what is not is bounded.
        let mut begun = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            if stage.script.begun() == begun && begun > 0 {
                break;
            }
            begun = stage.script.begun();
        }
        assert!(begun < 100, "{begun} of 200 requests were begun");
        assert!(stage.admission.bytes() <= 6 * (LEN + 100), "{}", stage.admission.bytes());
        let mut other = stage.client().await;
        other.send(request("other", "/echo", 10)).await;
        assert_eq!(other.answer().await, "other");
        let mut n = 0;
        while n < 200 {
            let message = soon(receive.next()).await.unwrap().unwrap();
            n += usize::from(message.is_binary());
        }
    };
    let (_send, ()) = tokio::join!(sending, meanwhile);
    assert_eq!(stage.script.begun(), 201);
    eventually(|| stage.admission.bytes() == 0).await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_at_all_is_given_up() {
    let stage = Stage::with(|options| options.settings.keepalive = Duration::from_millis(300));
    let mut client = stage.client().await;
    for n in 0..30 {
        // The sockets hold some of it.
        let sent = client.0.send(Message::Binary(request(&n.to_string(), "/echo", 1 << 20)));
        if tokio::time::timeout(Duration::from_millis(50), sent).await.is_err() {
            break;
        }
    }
    eventually(|| stage.admission.requests() == 0).await;
    assert_eq!(stage.stop().await, Outcome::Clean);
    drop(client);
}

#[tokio::test]
async fn pings_are_answered_and_sent() {
    let stage = Stage::with(|options| options.settings.keepalive = Duration::from_millis(50));
    let mut client = stage.client().await;
    soon(client.0.send(Message::Ping(vec![7].into()))).await.unwrap();
    let mut seen = (false, 0);
    while !seen.0 || seen.1 < 5 {
        match soon(client.0.next()).await.unwrap().unwrap() {
            Message::Pong(payload) => seen.0 = payload == [7][..],
            Message::Ping(_) => seen.1 += 1,
            other => panic!("{other:?}"),
        }
    }
    client.send(request("r", "/echo", 1)).await;
    assert_eq!(client.answer().await, "r", "a client that answers stays");
}

#[tokio::test]
async fn a_silent_client_is_given_up_in_the_middle_of_a_message_too() {
    let stage = Stage::with(|options| options.settings.keepalive = Duration::from_millis(100));
    for sent in [&[][..], &[0x82, 0xfe, 0x01, 0x00, 1, 2, 3, 4, 5]] {
        let mut stream = stage.raw("/", Some("bytes")).await;
        stream.write_all(sent).await.unwrap();
        let mut rest = Vec::new();
        soon(stream.read_to_end(&mut rest)).await.unwrap();
        assert_eq!(rest[..2], [0x89, 0], "it was pinged");
    }
    eventually(|| stage.admission.requests() == 0).await;
}

#[tokio::test]
async fn a_client_that_does_not_confirm_the_end_is_not_waited_for_long() {
    let stage = Stage::new();
    let mut stream = stage.raw("/", Some("bytes")).await;
    stream.write_all(&[0x82, 0x81, 0, 0, 0, 0, 0]).await.unwrap();
    let mut rest = Vec::new();
    soon(stream.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(rest, [0x88, 2, 0x03, 0xe8]);
    assert_eq!(stage.stop().await, Outcome::Clean);
}
