//! Every kind of complete reply to a send, by HTTP: one labelled case each.

use std::time::Duration;

use carriers::{CarrierReply, Doubt, Refusal, Throttle, ThrottleScope};

use crate::play::{Played, SID, Server, text, twilio};

async fn answer_to(label: &str, played: Played) -> CarrierReply {
    let server = Server::playing([played]).await;
    let answer = twilio(&server.url).send(&text()).await;
    assert_eq!(server.seen().len(), 1, "{label}: one call, whatever the answer");
    answer
}

fn status(status: u16, code: Option<u32>) -> CarrierReply {
    CarrierReply::Unknown { why: Doubt::Status { status, code } }
}

fn unreadable(status: u16) -> CarrierReply {
    CarrierReply::Unknown { why: Doubt::Unreadable { status } }
}

fn throttled(code: u32, scope: ThrottleScope, seconds: Option<u64>) -> CarrierReply {
    let retry_after = seconds.map(Duration::from_secs);
    CarrierReply::NotSent { code: Some(code), throttle: Some(Throttle { scope, retry_after }) }
}

#[tokio::test]
async fn a_readable_2xx_is_accepted() {
    let full = format!(
        r#"{{"account_sid":"AC1","body":"x","sid":"{SID}","status":"queued","error_code":null,
            "num_segments":"2","price":null,"to":"+1","from":"+2","uri":"/x","new_field":[1]}}"#
    );
    let short = |segments: &str| format!(r#"{{"sid":"{SID}","num_segments":{segments}}}"#);
    for (label, code, body, segments) in [
        ("201 as documented", 201, full.clone(), Some(2)),
        ("200 is as good", 200, full, Some(2)),
        ("not counted yet", 201, short(r#""0""#), None),
        ("a number", 201, short("3"), Some(3)),
        ("null", 201, short("null"), None),
        ("an unexpected kind", 201, short(r#"{"a":1}"#), None),
        ("no count", 201, format!(r#"{{"sid":"{SID}"}}"#), None),
    ] {
        let answer = answer_to(label, Played::new(code, &body)).await;
        assert_eq!(answer, CarrierReply::Accepted { sid: SID.to_owned(), segments }, "{label}");
    }
}

#[tokio::test]
async fn a_2xx_without_a_readable_id_is_unknown() {
    for (label, code, body) in [
        ("empty", 201, ""),
        ("204", 204, ""),
        ("html", 200, "<html>Welcome to the hotel's wifi</html>"),
        ("cut", 201, r#"{"sid":"SM0000"#),
        ("no id", 201, r#"{"status":"queued"}"#),
        ("null id", 201, r#"{"sid":null}"#),
        ("empty id", 201, r#"{"sid":""}"#),
        ("an id that is none", 201, r#"{"sid":"SM1 or so"}"#),
        ("an error in a 2xx", 200, r#"{"code":21211,"message":"m","status":400}"#),
    ] {
        assert_eq!(answer_to(label, Played::new(code, body)).await, unreadable(code), "{label}");
    }
}

#[tokio::test]
async fn listed_refusals_are_final_and_say_whose_fault_it_is() {
    use Refusal::{Content, OptedOut, Recipient, Region, Request, Sender, Unlisted};
    for (reason, status, codes) in [
        (OptedOut, 400, &[21610][..]),
        (Recipient, 400, &[21211, 21604, 21608, 21612, 21614]),
        (Sender, 400, &[21212, 21603, 21606, 21703, 21704, 21705]),
        (Sender, 404, &[21701]),
        (Region, 400, &[21408]),
        (Content, 400, &[21602, 21617, 21620, 21623, 21654, 21655, 21656]),
        (Request, 400, &[20001, 21609, 21624, 90007]),
        (Unlisted, 400, &[63003, 14107, 99999]),
        (Unlisted, 403, &[12345]),
    ] {
        for &code in codes {
            let answer = answer_to("refused", Played::twilio_error(status, code)).await;
            assert_eq!(answer, CarrierReply::Refused { code, reason }, "{status} {code}");
        }
    }
}

#[tokio::test]
async fn a_stopped_account_is_no_refusal_of_the_message() {
    for (status, code) in [
        (401, 20003),
        (403, 20003),
        (403, 20005),
        (403, 20006),
        (403, 20403),
        (404, 20404),
        (401, 70051),
    ] {
        let answer = answer_to("stopped", Played::twilio_error(status, code)).await;
        assert_eq!(answer, CarrierReply::AuthFailed { code }, "{status} {code}");
    }
}

#[tokio::test]
async fn throttle_answers_are_surely_not_sent_and_name_what_to_slow() {
    let busy = || Played::twilio_error(429, 20429);
    let date = "Fri, 20 Nov 2026 08:00:00 GMT";
    let until = "Fri, 20 Nov 2026 08:01:30 GMT";

    let cases = [
        ("429 alone", busy(), throttled(20429, ThrottleScope::Account, None)),
        (
            "429 with seconds",
            busy().header("retry-after", "7"),
            throttled(20429, ThrottleScope::Account, Some(7)),
        ),
        (
            "429 with a date",
            busy().header("retry-after", until).header("date", date),
            throttled(20429, ThrottleScope::Account, Some(90)),
        ),
        (
            "429 with nonsense",
            busy().header("retry-after", "soon"),
            throttled(20429, ThrottleScope::Account, None),
        ),
        (
            "the sender's queue is full",
            Played::twilio_error(400, 21611),
            throttled(21611, ThrottleScope::Sender, Some(60)),
        ),
    ];

    for (label, played, want) in cases {
        assert_eq!(answer_to(label, played).await, want, "{label}");
    }
}

#[tokio::test]
async fn everything_ambiguous_is_unknown() {
    let html = |code| Played::new(code, "<html>oops</html>");
    for (label, played, want) in [
        ("500 in form", Played::twilio_error(500, 20500), status(500, Some(20500))),
        ("503 in form", Played::twilio_error(503, 20503), status(503, Some(20503))),
        ("500 of an edge", html(500), status(500, None)),
        ("502 of an edge", html(502), status(502, None)),
        ("503 of an edge", html(503).header("retry-after", "1"), status(503, None)),
        ("504 of an edge", html(504), status(504, None)),
        ("500 with a refusal's code", Played::twilio_error(500, 21211), status(500, Some(21211))),
        ("503 with the throttle code", Played::twilio_error(503, 20429), status(503, Some(20429))),
        ("408", Played::twilio_error(408, 20408), status(408, Some(20408))),
        ("409 conflict", Played::twilio_error(409, 20409), status(409, Some(20409))),
        ("429 of an edge", html(429).header("retry-after", "1"), unreadable(429)),
        ("429 with another code", Played::twilio_error(429, 63018), status(429, Some(63018))),
        ("400 of an edge", html(400), unreadable(400)),
        ("401 of a proxy", html(401), unreadable(401)),
        ("403 of a firewall", html(403), unreadable(403)),
        ("404 of another server", html(404), unreadable(404)),
    ] {
        assert_eq!(answer_to(label, played).await, want, "{label}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for code in [301, 302, 303, 307, 308] {
        let target = Server::playing([Played::new(201, &format!(r#"{{"sid":"{SID}"}}"#))]).await;
        let location: &'static str = Box::leak(target.url.clone().into_boxed_str());
        let played = Played::new(code, "").header("location", location);
        assert_eq!(answer_to("redirect", played).await, status(code, None), "{code}");
        assert_eq!(target.seen().len(), 0, "{code}");
    }
}

#[tokio::test]
async fn the_newer_error_form_is_read_too() {
    let body = r#"{"type":"https://www.twilio.com/docs/api/errors/21610","title":"Opted out",
                   "status":400,"code":21610,"detail":"..."}"#;
    let answer = answer_to("RFC 9457", Played::new(400, body)).await;
    assert_eq!(answer, CarrierReply::Refused { code: 21610, reason: Refusal::OptedOut });
}
