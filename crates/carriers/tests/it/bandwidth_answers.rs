//! Every kind of reply to a send, by HTTP: one labelled case each.

use std::time::Duration;

use carriers::{CarrierReply, Doubt, Refusal, Throttle, ThrottleScope};

use crate::play::{Break, Breaker, MESSAGE_ID, Played, Server, bandwidth, message};

async fn answer_to(label: &str, played: Played) -> CarrierReply {
    let server = Server::playing([played]).await;
    let answer = bandwidth(&server.url).send(&message()).await;
    assert_eq!(server.seen().len(), 1, "{label}: one call, whatever the answer");
    answer
}

fn error(status: u16, kind: &str) -> Played {
    Played::new(status, &format!(r#"{{"type":"{kind}","description":"words that may change"}}"#))
}

fn field(name: &str) -> Played {
    let body = format!(
        r#"{{"type":"request-validation","description":"Your request could not be accepted",
            "fieldErrors":[{{"fieldName":"other","description":"x"}},
            {{"fieldName":"{name}","description":"'+1invalid' must be replaced"}}]}}"#
    );
    Played::new(400, &body)
}

fn refused(code: u32, reason: Refusal) -> CarrierReply {
    CarrierReply::Refused { code, reason }
}

fn unknown(why: Doubt) -> CarrierReply {
    CarrierReply::Unknown { why }
}

#[tokio::test]
async fn a_readable_2xx_is_accepted_and_another_one_unknown() {
    let full = format!(
        r#"{{"id":"{MESSAGE_ID}","owner":"+12345678901","applicationId":"93de","time":
            "2021-07-21T21:00:45.179Z","segmentCount":2,"direction":"out","to":["+12345678902"],
            "from":"+12345678901","text":"Hi","tag":"t","priority":"default","new":[1]}}"#
    );
    let short = |count: &str| format!(r#"{{"id":"{MESSAGE_ID}","segmentCount":{count}}}"#);
    for (label, status, body, segments) in [
        ("202 as documented", 202, full.clone(), Some(2)),
        ("200 is as good", 200, full, Some(2)),
        ("a text", 202, short(r#""3""#), Some(3)),
        ("not counted", 202, short("0"), None),
        ("an unexpected kind", 202, short("[]"), None),
        ("no count", 202, format!(r#"{{"id":"{MESSAGE_ID}"}}"#), None),
    ] {
        let answer = answer_to(label, Played::new(status, &body)).await;
        let want = CarrierReply::Accepted { sid: MESSAGE_ID.to_owned(), segments };
        assert_eq!(answer, want, "{label}");
    }

    for body in ["", "<html>", r#"{"id":""}"#, r#"{"id":null}"#, r#"{"id":"a b"}"#, r#"{"x":1}"#] {
        let answer = answer_to(body, Played::new(202, body)).await;
        assert_eq!(answer, unknown(Doubt::Unreadable { status: 202 }), "{body}");
    }
}

#[tokio::test]
async fn a_refusal_says_whose_fault_it_is() {
    let cases = [
        ("the recipient", field("to"), refused(4303, Refusal::Recipient)),
        ("an element of the recipients", field("to[0]"), refused(4303, Refusal::Recipient)),
        ("the sender", field("from"), refused(4302, Refusal::Sender)),
        ("the text", field("text"), refused(4301, Refusal::Content)),
        ("the application", field("applicationId"), refused(400, Refusal::Request)),
        ("no field", error(400, "request-validation"), refused(400, Refusal::Request)),
        ("the method", error(405, "method-not-allowed"), refused(405, Refusal::Request)),
        ("the accepted form", error(406, "not-acceptable"), refused(406, Refusal::Request)),
        ("our form", error(415, "unsupported-content-type"), refused(415, Refusal::Request)),
        ("something new", error(422, "new-kind"), refused(422, Refusal::Unlisted)),
        ("the credentials", error(401, "unauthorized"), CarrierReply::AuthFailed { code: 401 }),
        ("the permissions", error(403, "forbidden"), CarrierReply::AuthFailed { code: 403 }),
        ("the account", error(404, "not-found"), CarrierReply::AuthFailed { code: 404 }),
    ];

    for (label, played, want) in cases {
        assert_eq!(answer_to(label, played).await, want, "{label}");
    }
}

#[tokio::test]
async fn a_full_queue_is_not_sent_and_slows_the_account_down() {
    let kind = "max-message-queue-size-exceeded";
    for (label, played, retry_after) in [
        ("without a wish", error(429, kind), None),
        ("with one", error(429, kind).header("retry-after", "7"), Some(Duration::from_secs(7))),
    ] {
        let throttle = Some(Throttle { scope: ThrottleScope::Account, retry_after });
        let want = CarrierReply::NotSent { code: Some(429), throttle };
        assert_eq!(answer_to(label, played).await, want, "{label}");
    }
}

#[tokio::test]
async fn what_says_nothing_certain_is_unknown_and_not_tried_again() {
    for status in [300, 302, 408, 409, 500, 502, 503, 504] {
        let answer = answer_to("status", error(status, "internal-server-error")).await;
        assert_eq!(answer, unknown(Doubt::Status { status, code: None }), "{status}");
    }
    // What is not in Bandwidth's form did not surely come from there.
    for status in [400, 401, 403, 404, 415, 429] {
        for body in ["", "<html>Bad Request</html>", "{}", "[]", r#"{"type":"unauthorized"}"#] {
            let answer = answer_to("form", Played::new(status, body)).await;
            assert_eq!(answer, unknown(Doubt::Unreadable { status }), "{status} {body}");
        }
    }

    for (breaks, why) in [
        (Break::Reset, Doubt::Broken),
        (Break::Close, Doubt::Broken),
        (Break::Garbage, Doubt::Broken),
        (Break::HalfBody, Doubt::Broken),
        (Break::StalledBody, Doubt::TimedOut),
    ] {
        let breaker = Breaker::that(breaks).await;
        let client = bandwidth(&format!("http://{}", breaker.address));
        let client = client.with_timeout(Duration::from_millis(500));
        assert_eq!(client.send(&message()).await, unknown(why), "{breaks:?}");
        assert_eq!(breaker.requests(), 1, "{breaks:?}");
    }

    let unreachable = bandwidth("http://carrier.invalid").send(&message()).await;
    assert_eq!(unreachable, CarrierReply::NotSent { code: None, throttle: None });
}
