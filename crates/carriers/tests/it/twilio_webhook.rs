//! Status reports and inbound texts, as forms.

use carriers::{
    ReportedStatus, WebhookError,
    twilio::webhook::{InboundMessage, OptOutType, StatusCallback, parse_inbound, parse_status},
};

use crate::play::{ACCOUNT, SID};

fn form(pairs: &[(&str, &str)]) -> Vec<u8> {
    serde_urlencoded::to_string(pairs).expect("pairs encode").into_bytes()
}

#[test]
fn a_status_report_is_read_and_unknown_parameters_are_ignored() {
    let body = form(&[
        ("SmsSid", SID),
        ("SmsStatus", "undelivered"),
        ("MessageStatus", "undelivered"),
        ("To", "+14155550100"),
        ("MessageSid", SID),
        ("AccountSid", ACCOUNT),
        ("From", "+15005550006"),
        ("RawDlrDoneDate", "2511201430"),
        ("ErrorCode", "30007"),
        ("SomethingNew", "x"),
    ]);
    let want = StatusCallback {
        sid: SID.to_owned(),
        account_sid: Some(ACCOUNT.to_owned()),
        status: ReportedStatus::Undelivered(Some(30007)),
        error_code: Some(30007),
        to: Some("+14155550100".to_owned()),
        from: Some("+15005550006".to_owned()),
    };
    assert_eq!(parse_status(&body), Ok(want));
}

#[test]
fn every_outbound_status_has_its_meaning() {
    use ReportedStatus as S;
    for (word, status) in [
        ("accepted", S::Pending),
        ("scheduled", S::Pending),
        ("queued", S::Pending),
        ("sending", S::Pending),
        ("sent", S::Sent),
        ("partially_delivered", S::Sent),
        ("delivered", S::Delivered),
        ("undelivered", S::Undelivered(None)),
        ("failed", S::Failed(None)),
        ("canceled", S::Failed(None)),
        ("read", S::Read),
    ] {
        let report = parse_status(&form(&[("MessageSid", SID), ("MessageStatus", word)]));
        assert_eq!(report.map(|report| report.status), Ok(status), "{word}");
    }
    let failed = form(&[("SmsSid", SID), ("SmsStatus", "failed"), ("ErrorCode", "30003")]);
    let report = parse_status(&failed).map(|report| report.status);
    assert_eq!(report, Ok(S::Failed(Some(30003))), "the older names alone are enough");
}

#[test]
fn a_status_report_that_says_nothing_usable_is_an_error() {
    let cases = [
        ("empty", form(&[]), WebhookError::Parameter("MessageSid")),
        ("no id", form(&[("MessageStatus", "sent")]), WebhookError::Parameter("MessageSid")),
        (
            "an id that is none",
            form(&[("MessageSid", "a.b*"), ("MessageStatus", "sent")]),
            WebhookError::Parameter("MessageSid"),
        ),
        ("no status", form(&[("MessageSid", SID)]), WebhookError::Parameter("MessageStatus")),
        (
            "a code that is none",
            form(&[("MessageSid", SID), ("MessageStatus", "failed"), ("ErrorCode", "x")]),
            WebhookError::Parameter("ErrorCode"),
        ),
        (
            "an inbound status",
            form(&[("MessageSid", SID), ("MessageStatus", "received")]),
            WebhookError::UnknownStatus,
        ),
        (
            "a new status",
            form(&[("MessageSid", SID), ("MessageStatus", "teleported")]),
            WebhookError::UnknownStatus,
        ),
    ];

    for (label, body, want) in cases {
        assert_eq!(parse_status(&body), Err(want), "{label}");
    }
}

#[test]
fn an_inbound_text_is_read_as_it_was_written() {
    let body = form(&[
        ("MessageSid", SID),
        ("AccountSid", ACCOUNT),
        ("MessagingServiceSid", "MG1"),
        ("From", "+34600000000"),
        ("To", "+15005550006"),
        ("Body", " Señor 😀\n& = + "),
        ("NumMedia", "2"),
        ("MediaUrl1", "https://api.twilio.com/y"),
        ("MediaUrl0", "https://api.twilio.com/x"),
        ("MediaUrl3", "https://api.twilio.com/what-comes-after-a-gap"),
        ("NumSegments", "2"),
        ("SmsStatus", "received"),
        ("OptOutType", "STOP"),
    ]);

    let want = InboundMessage {
        sid: SID.to_owned(),
        account_sid: Some(ACCOUNT.to_owned()),
        messaging_service_sid: Some("MG1".to_owned()),
        from: "+34600000000".to_owned(),
        to: "+15005550006".to_owned(),
        body: " Señor 😀\n& = + ".to_owned(),
        num_media: 2,
        media: ["https://api.twilio.com/x", "https://api.twilio.com/y"].map(Into::into).into(),
        num_segments: Some(2),
        opt_out_type: Some(OptOutType::Stop),
    };

    assert_eq!(parse_inbound(&body), Ok(want));
}

#[test]
fn json_says_the_same_as_a_form() {
    let pairs = [
        ("MessageSid", SID),
        ("MessageStatus", "undelivered"),
        ("From", "+34600000000"),
        ("To", "+15005550006"),
        ("Body", " Señor 😀\n& = + "),
        ("NumMedia", "1"),
        ("OptOutType", "STOP"),
        ("ErrorCode", "30007"),
    ];
    let mut json: serde_json::Map<String, serde_json::Value> =
        pairs.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect();
    json["NumMedia"] = 1.into();
    json["ErrorCode"] = 30007.into();
    json.insert("SomethingNew".to_owned(), serde_json::json!({ "nested": [] }));
    json.insert("MessagingServiceSid".to_owned(), serde_json::Value::Null);
    let json = serde_json::Value::Object(json).to_string().into_bytes();

    assert_eq!(parse_inbound(&json), parse_inbound(&form(&pairs)));
    assert_eq!(parse_status(&json), parse_status(&form(&pairs)));
    for broken in ["{", "{}", "[]", "\"MessageSid\""] {
        let missing = Err(WebhookError::Parameter("MessageSid"));
        assert_eq!(parse_inbound(broken.as_bytes()), missing, "{broken}");
    }
}

#[test]
fn an_inbound_text_needs_an_id_and_both_numbers_but_no_body() {
    let text = parse_inbound(&form(&[("MessageSid", SID), ("From", "+1"), ("To", "+2")]));
    let text = text.expect("media without a text");
    assert_eq!((text.body.as_str(), text.num_media, text.opt_out_type), ("", 0, None));
    for (pairs, missing) in [
        (vec![("From", "+1"), ("To", "+2")], "MessageSid"),
        (vec![("MessageSid", SID), ("To", "+2")], "From"),
        (vec![("MessageSid", SID), ("From", "+1"), ("To", "")], "To"),
        (vec![("MessageSid", SID), ("From", "+1"), ("To", "+2"), ("NumMedia", "x")], "NumMedia"),
    ] {
        assert_eq!(parse_inbound(&form(&pairs)), Err(WebhookError::Parameter(missing)));
    }
    assert_eq!(parse_inbound(b"\xff\xfe%%%&&=&"), Err(WebhookError::Parameter("MessageSid")));
}
