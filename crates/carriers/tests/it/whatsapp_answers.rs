//! Every kind of reply of the Cloud API to a send: one labelled case each.

use std::time::Duration;

use carriers::{
    CarrierReply, Doubt, Refusal, Throttle, ThrottleScope,
    whatsapp::{CodeVerdict, MessageContent, answered},
};
use serde_json::json;

use crate::play::{Break, Breaker, Played, Server, WAMID, to_number, whatsapp};

async fn answer_to(label: &str, played: Played) -> CarrierReply {
    let server = Server::playing([played]).await;
    let answer = whatsapp(&server.url).send(&to_number(MessageContent::Text("Hi"))).await;
    assert_eq!(server.seen().len(), 1, "{label}: one call, whatever the answer");
    answer
}

/// An error in Meta's form.
fn error(status: u16, code: u32) -> Played {
    let body = json!({ "error": {
        "message": format!("(#{code}) words that may change"), "type": "OAuthException",
        "code": code, "error_data": { "messaging_product": "whatsapp", "details": "words" },
        "fbtrace_id": "A1",
    } });
    Played::new(status, &body.to_string())
}

#[tokio::test]
async fn a_readable_2xx_is_accepted_and_another_one_unknown() {
    let contacts = json!([{ "input": "16505551234", "wa_id": "16505551234" }]);
    for status in ["accepted", "held_for_quality_assessment", "new"] {
        let messages = json!([{ "id": WAMID, "message_status": status }]);
        let body =
            json!({ "messaging_product": "whatsapp", "contacts": contacts, "messages": messages });
        let answer = answer_to(status, Played::new(200, &body.to_string())).await;
        let want = CarrierReply::Accepted { sid: WAMID.to_owned(), segments: None };
        assert_eq!(answer, want, "{status}");
    }

    for body in [
        "",
        "<html>",
        "{}",
        r#"{"messages":[]}"#,
        r#"{"messages":[{"id":""}]}"#,
        r#"{"messages":[{"id":"a b"}]}"#,
        r#"{"messages":[{"id":"a"},{"id":"b"}]}"#,
    ] {
        let answer = answer_to(body, Played::new(200, body)).await;
        let want = CarrierReply::Unknown { why: Doubt::Unreadable { status: 200 } };
        assert_eq!(answer, want, "{body}");
    }
}

#[tokio::test]
async fn a_refusal_says_whose_fault_it_is_whatever_its_status() {
    for (code, reason) in [
        (131_026, Refusal::Recipient),
        (131_021, Refusal::Recipient),
        (131_049, Refusal::Recipient),
        (131_050, Refusal::Recipient),
        (130_472, Refusal::Recipient),
        (133_010, Refusal::Sender),
        (133_006, Refusal::Sender),
        (131_037, Refusal::Sender),
        (130_497, Refusal::Region),
        (131_047, Refusal::Content),
        (132_000, Refusal::Content),
        (132_001, Refusal::Content),
        (132_015, Refusal::Content),
        (132_018, Refusal::Content),
        (100, Refusal::Request),
        (131_008, Refusal::Request),
    ] {
        for status in [400, 403, 404, 500] {
            let answer = answer_to("a refusal", error(status, code)).await;
            assert_eq!(answer, CarrierReply::Refused { code, reason }, "{code} with {status}");
        }
    }

    let answer = answer_to("a new code", error(400, 131_999)).await;
    let want = CarrierReply::Refused { code: 131_999, reason: Refusal::Unlisted };
    assert_eq!(answer, want);
}

#[tokio::test]
async fn what_is_wrong_with_the_account_holds_its_messages() {
    for code in [0, 3, 10, 190, 200, 294, 368, 131_005, 131_031, 131_042] {
        let answer = answer_to("the account", error(401, code)).await;
        assert_eq!(answer, CarrierReply::AuthFailed { code }, "{code}");
    }
}

#[tokio::test]
async fn a_limit_slows_down_what_it_names() {
    for (code, scope, seconds) in [
        (4, ThrottleScope::Account, 60),
        (80_007, ThrottleScope::Account, 60),
        (130_429, ThrottleScope::Sender, 2),
        (131_048, ThrottleScope::Sender, 3_600),
        (131_064, ThrottleScope::Sender, 3_600),
        (133_016, ThrottleScope::Sender, 3_600),
        (131_056, ThrottleScope::Pair, 6),
    ] {
        for (played, seconds) in
            [(error(400, code), seconds), (error(429, code).header("retry-after", "9"), 9)]
        {
            let retry_after = Some(Duration::from_secs(seconds));
            let throttle = Some(Throttle { scope, retry_after });
            let want = CarrierReply::NotSent { code: Some(code), throttle };
            assert_eq!(answer_to("a limit", played).await, want, "{code}");
        }
    }

    for code in [131_016, 131_057] {
        let want = CarrierReply::NotSent { code: Some(code), throttle: None };
        assert_eq!(answer_to("not now", error(503, code)).await, want, "{code}");
    }
}

#[tokio::test]
async fn what_says_nothing_certain_is_unknown_and_not_tried_again() {
    for (status, code) in [(500, 131_000), (400, 131_000), (500, 1), (500, 2), (400, 135_000)] {
        let why = Doubt::Status { status, code: Some(code) };
        let answer = answer_to("an unexplained error", error(status, code)).await;
        assert_eq!(answer, CarrierReply::Unknown { why }, "{code} with {status}");
    }

    // A code that nobody knows, from something that may have taken the message first.
    let why = Doubt::Status { status: 500, code: Some(131_999) };
    assert_eq!(answer_to("new", error(500, 131_999)).await, CarrierReply::Unknown { why });

    for (status, body) in
        [(502, "<html>Bad gateway</html>"), (400, ""), (404, "{}"), (302, ""), (429, "slow")]
    {
        let why = Doubt::Unreadable { status };
        let answer = answer_to("not Meta's form", Played::new(status, body)).await;
        assert_eq!(answer, CarrierReply::Unknown { why }, "{status}");
    }

    let breaker = Breaker::that(Break::Reset).await;
    let client = whatsapp(&format!("http://{}", breaker.address));
    let answer = client.send(&to_number(MessageContent::Text("Hi"))).await;
    assert_eq!(answer, CarrierReply::Unknown { why: Doubt::Broken });
    assert_eq!(breaker.requests(), 1);
}

#[test]
fn every_code_is_read_by_the_table_and_no_other() {
    let doubtful = [1, 2, 131_000, 135_000];
    let uncertain: Vec<u32> =
        (0..140_000).filter(|code| answered(*code) == Some(CodeVerdict::Uncertain)).collect();
    assert_eq!(uncertain, doubtful);
    for unlisted in [5, 99, 300, 130_000, 131_001, 133_017, 140_000, u32::MAX] {
        assert_eq!(answered(unlisted), None, "{unlisted}");
    }
}
