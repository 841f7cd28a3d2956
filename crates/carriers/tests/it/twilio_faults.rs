//! Calls that give no complete reply: sent or not, and never twice.

use std::time::Duration;

use carriers::{CarrierReply, Doubt};
use tokio::net::TcpListener;

use crate::play::{Break, Breaker, Played, SID, Server, text, twilio};

const NOT_SENT: CarrierReply = CarrierReply::NotSent { code: None, throttle: None };

fn unknown(why: Doubt) -> CarrierReply {
    CarrierReply::Unknown { why }
}

#[tokio::test]
async fn a_refused_connection_is_surely_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    assert_eq!(twilio(&format!("http://{address}")).send(&text()).await, NOT_SENT);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_surely_not_sent() {
    assert_eq!(twilio("http://carrier.invalid").send(&text()).await, NOT_SENT);
}

#[tokio::test]
async fn a_broken_tls_handshake_is_surely_not_sent() {
    let server = Server::playing([Played::new(201, "{}")]).await;
    let https = server.url.replace("http://", "https://");
    assert_eq!(twilio(&https).send(&text()).await, NOT_SENT);
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn a_handshake_that_does_not_end_within_the_connect_timeout_is_surely_not_sent() {
    let breaker = Breaker::that(Break::Silent).await;
    assert_eq!(twilio(&format!("https://{}", breaker.address)).send(&text()).await, NOT_SENT);
}

#[tokio::test]
async fn a_reply_that_does_not_come_in_time_is_unknown() {
    let server = Server::playing([Played { hang: true, ..Played::default() }]).await;
    let client = twilio(&server.url).with_timeout(Duration::from_millis(300));
    assert_eq!(client.send(&text()).await, unknown(Doubt::TimedOut));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_is_unknown_and_not_tried_again() {
    for (breaks, why) in [
        (Break::Reset, Doubt::Broken),
        (Break::Close, Doubt::Broken),
        (Break::Garbage, Doubt::Broken),
        (Break::HalfBody, Doubt::Broken),
        (Break::StalledBody, Doubt::TimedOut),
    ] {
        let breaker = Breaker::that(breaks).await;
        let client =
            twilio(&format!("http://{}", breaker.address)).with_timeout(Duration::from_millis(500));
        assert_eq!(client.send(&text()).await, unknown(why), "{breaks:?}");
        assert_eq!(breaker.requests(), 1, "{breaks:?}");
    }
}

#[tokio::test]
async fn a_reply_without_end_is_unknown() {
    let body = format!(r#"{{"sid":"{SID}","body":"{}"}}"#, "x".repeat(100_000));
    let server = Server::playing([Played::new(201, &body)]).await;
    assert_eq!(twilio(&server.url).send(&text()).await, unknown(Doubt::Broken));
}

#[tokio::test]
async fn two_hundred_and_fifty_six_calls_in_flight_all_get_their_own_answer() {
    let server = Server::playing([Played::new(201, &format!(r#"{{"sid":"{SID}"}}"#))]).await;
    let client = twilio(&server.url);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..256 {
        let client = client.clone();
        calls.spawn(async move { client.send(&text()).await });
    }
    while let Some(answer) = calls.join_next().await {
        let accepted = CarrierReply::Accepted { sid: SID.to_owned(), segments: None };
        assert_eq!(answer.expect("no panic"), accepted);
    }
    assert_eq!(server.seen().len(), 256);
}
