//! How connections are made, kept alive and ended.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_pinged_and_given_up() {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let options = Options::default();
    let client = handshake(ours, Scheme::HTTP, "executor:80".parse().unwrap(), &options);
    let (client, server) = tokio::join!(client, h2::server::handshake(theirs));
    let ((connection, driver), mut server) = (client.unwrap(), server.unwrap());
    let mut driver = tokio::task::JoinSet::from_iter([driver]);
    // A server that is polled answers pings.
    let no_call = tokio::time::timeout(Duration::from_secs(60), server.accept()).await;
    assert!(no_call.is_err());
    assert!(!connection.is_closed());
    // One that is not polled does not. No frame came for two pings in a row: no more are sent on an idle
    // connection, so one call shows again that there is somebody.
    let call = connection.call(outgoing(path::CALL, &message("a", 1)));
    let answer = async {
        let (_, mut respond) = server.accept().await.unwrap().unwrap();
        respond.send_response(http::Response::new(()), true).unwrap();
        let _more = tokio::time::timeout(Duration::from_millis(1), server.accept()).await;
    };
    let (reply, ()) = tokio::join!(call, answer);
    drop(reply);
    assert_eq!(connection.end(), End::Open);
    driver.join_next().await.unwrap().unwrap();
    assert!(connection.is_closed());
    assert_eq!(connection.end(), End::Silent);
    let refused = connection.call(outgoing(path::CALL, &message("a", 1))).await;
    assert!(refused.is_err_and(|error| error.never_began()));
}

/// Accepts one connection and does `then` with it; returns how connecting to it went.
async fn connecting<F: Future<Output = ()>>(
    then: impl FnOnce(tokio::net::TcpStream) -> F,
) -> Result<(Connection, Driver), ConnectError> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let target = Target { authority: "executor:80".parse().unwrap(), tls: None };
    let options = Options { connect_timeout: Duration::from_millis(200), ..Options::default() };
    let serving = async { then(listener.accept().await.unwrap().0).await };
    tokio::select! {
        biased;
        connected = connect(address, &target, &options) => connected,
        never = async { serving.await; std::future::pending().await } => never,
    }
}

#[tokio::test]
async fn connecting_ends_when_the_peer_has_shown_that_it_speaks_http2() {
    let silent = connecting(|stream| async {
        let _open = stream;
        std::future::pending().await
    });
    let error = silent.await.unwrap_err();
    assert!(matches!(error, ConnectError::TimedOut { .. }), "{error}");
    let leaving = connecting(|stream| async { drop(stream) }).await.unwrap_err();
    assert!(matches!(leaving, ConnectError::Closed | ConnectError::Http2(_)), "{leaving}");
    let other = connecting(|mut stream| async move {
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        std::future::pending().await
    });
    let error = other.await.unwrap_err();
    assert!(matches!(error, ConnectError::Http2(_)), "{error}");
    let speaking = connecting(|stream| async {
        let mut server = h2::server::handshake(stream).await.unwrap();
        let _call = server.accept().await;
    });
    assert!(!speaking.await.unwrap().0.is_closed());
}

#[tokio::test]
async fn a_connection_tells_how_it_ended() {
    for (reason, want) in [
        (h2::Reason::ENHANCE_YOUR_CALM, End::TooManyPings),
        (h2::Reason::INTERNAL_ERROR, End::Lost),
        (h2::Reason::NO_ERROR, End::Closed),
    ] {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let options = Options::default();
        let client = handshake(ours, Scheme::HTTP, "executor:80".parse().unwrap(), &options);
        let (client, server) = tokio::join!(client, h2::server::handshake(theirs));
        let ((connection, driver), mut server) = (client.unwrap(), server.unwrap());
        server.abrupt_shutdown(reason);
        let ((), _closed) = tokio::join!(driver, server.accept());
        assert_eq!(connection.end(), want);
    }
}
