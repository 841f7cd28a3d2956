//! Fetching and listing what Bandwidth has on record.

use carriers::{Doubt, MessageRecord, ReadError, ReportedStatus, Throttle, ThrottleScope};

use crate::play::{Break, Breaker, MESSAGE_ID, Played, Server, bandwidth};

fn wire(id: &str, status: &str, more: &str) -> String {
    format!(
        r#"{{"messageId":"{id}","accountId":"9900000","sourceTn":"+12345678901",
        "destinationTn":"+12345678902","messageStatus":"{status}","messageDirection":"OUTBOUND",
        "messageType":"sms","segmentCount":2,"receiveTime":"2026-06-10T16:00:01.5Z",
        "carrierName":"other"{more}}}"#
    )
}

fn record(id: &str, status: ReportedStatus) -> MessageRecord {
    MessageRecord {
        sid: id.to_owned(),
        status,
        to: "+12345678902".to_owned(),
        from: Some("+12345678901".to_owned()),
        body: String::new(),
        created_at: Some("2026-06-10T16:00:01.5Z".parse().expect("a time")),
        sent_at: None,
        segments: Some(2),
    }
}

fn page(messages: &[String], token: Option<&str>) -> Played {
    let messages = messages.join(",");
    let token = token.map_or(String::new(), |token| format!(r#""nextPageToken":"{token}""#));
    Played::new(
        200,
        &format!(r#"{{"totalCount":1,"pageInfo":{{{token}}},"messages":[{messages}]}}"#),
    )
}

#[tokio::test]
async fn every_status_of_a_record_has_its_meaning() {
    use ReportedStatus as S;
    for (word, more, status) in [
        ("RECEIVED", "", S::Pending),
        ("QUEUED", "", S::Pending),
        ("SENDING", "", S::Pending),
        ("ACCEPTED", "", S::Pending),
        ("SENT", "", S::Sent),
        ("DELIVERED", "", S::Delivered),
        ("FAILED", r#","errorCode":4720"#, S::Failed(Some(4720))),
        ("FAILED", r#","errorCode":"4720""#, S::Failed(Some(4720))),
        ("FAILED", r#","errorCode":null"#, S::Failed(None)),
        ("UNDELIVERED", r#","errorCode":4702"#, S::Undelivered(Some(4702))),
        ("FAILED", r#","errorCode":9902"#, S::Sent),
    ] {
        let server = Server::playing([page(&[wire(MESSAGE_ID, word, more)], None)]).await;
        let fetched = bandwidth(&server.url).fetch(MESSAGE_ID).await;
        assert_eq!(fetched, Ok(Some(record(MESSAGE_ID, status))), "{word} {more}");
    }
}

#[tokio::test]
async fn a_list_is_read_to_its_last_page_and_holds_no_text_of_a_person() {
    let inbound = wire("in1", "RECEIVED", "").replace("OUTBOUND", "INBOUND");
    let first = page(&[wire("a1", "DELIVERED", ""), inbound], Some("gdEewhcJLQRB5"));
    let server = Server::playing([first, page(&[wire("b2", "QUEUED", "")], None)]).await;

    let listed = bandwidth(&server.url).list("+12345678902", "+12345678901", None).await;

    let want = [record("a1", ReportedStatus::Delivered), record("b2", ReportedStatus::Pending)];
    assert_eq!(listed, Ok(want.to_vec()));
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen[1].uri.query().expect("a query").ends_with("&pageToken=gdEewhcJLQRB5"));
}

#[tokio::test]
async fn a_partial_list_is_an_error_and_not_an_answer() {
    let unreadable = ReadError::Unavailable(Doubt::Unreadable { status: 200 });
    let one = [wire("a1", "SENT", "")];
    let failed = Played::new(500, r#"{"type":"internal-server-error","description":"x"}"#);
    let slow = Played::new(429, r#"{"type":"too-many-requests","description":"x"}"#);
    let throttled = Throttle {
        scope: ThrottleScope::Account,
        retry_after: Some(std::time::Duration::from_secs(9)),
    };
    let status = |status, code| ReadError::Unavailable(Doubt::Status { status, code });

    let cases = [
        ("the second page fails", vec![page(&one, Some("t")), failed], status(500, Some(500))),
        ("pages without end", vec![page(&one, Some("t"))], ReadError::TooMany(4_000)),
        ("a new status", vec![page(&[wire("a1", "TELEPORTED", "")], None)], unreadable.clone()),
        ("an id that is none", vec![page(&[wire("a b", "SENT", "")], None)], unreadable.clone()),
        ("no list", vec![Played::new(200, "{}")], unreadable),
        ("not there", vec![Played::new(404, "<html>")], status(404, None)),
        ("throttled", vec![slow.header("retry-after", "9")], ReadError::Throttled(throttled)),
        ("stopped", vec![Played::new(401, "")], ReadError::Stopped { status: 401 }),
    ];

    for (label, answers, want) in cases {
        let server = Server::playing(answers).await;
        assert_eq!(bandwidth(&server.url).list("+1", "+2", None).await, Err(want), "{label}");
    }
    let breaker = Breaker::that(Break::Reset).await;
    let fetched = bandwidth(&format!("http://{}", breaker.address)).fetch(MESSAGE_ID).await;
    assert_eq!(fetched, Err(ReadError::Unavailable(Doubt::Broken)));
}
