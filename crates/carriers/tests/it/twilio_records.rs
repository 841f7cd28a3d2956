//! Fetching and listing what Twilio has on record.

use carriers::{Doubt, MessageRecord, ReadError, ReportedStatus, Throttle, ThrottleScope};

use crate::play::{ACCOUNT, Break, Breaker, Played, SID, Server, twilio};

fn wire(sid: &str, status: &str, direction: &str) -> String {
    format!(
        r#"{{"account_sid":"{ACCOUNT}","api_version":"2010-04-01","body":"hi",
        "direction":"{direction}",
        "date_created":"Thu, 24 Aug 2023 05:01:45 +0000","date_sent":null,
        "date_updated":"Thu, 24 Aug 2023 05:01:45 +0000","error_code":null,"error_message":null,
        "from":"+15005550006","messaging_service_sid":null,"num_media":"0","num_segments":"1",
        "price":null,"price_unit":"USD","sid":"{sid}","status":"{status}",
        "subresource_uris":{{"media":"/x"}},"to":"+14155550100","uri":"/x"}}"#
    )
}

fn record(sid: &str, status: ReportedStatus) -> MessageRecord {
    MessageRecord {
        sid: sid.to_owned(),
        status,
        to: "+14155550100".to_owned(),
        from: Some("+15005550006".to_owned()),
        body: "hi".to_owned(),
        created_at: Some("2023-08-24T05:01:45Z".parse().expect("a time")),
        sent_at: None,
        segments: Some(1),
    }
}

fn page(messages: &[String], next: Option<&str>) -> Played {
    let next = next.map_or("null".to_owned(), |uri| format!("\"{uri}\""));
    let messages = messages.join(",");
    Played::new(200, &format!(r#"{{"messages":[{messages}],"next_page_uri":{next},"page":0}}"#))
}

#[tokio::test]
async fn one_text_is_fetched_by_its_id() {
    let server = Server::playing([Played::new(200, &wire(SID, "delivered", "outbound-api"))]).await;
    let fetched = twilio(&server.url).fetch(SID).await;
    assert_eq!(fetched, Ok(Some(record(SID, ReportedStatus::Delivered))));
    let seen = &server.seen()[0];
    assert_eq!(seen.method, "GET");
    assert_eq!(seen.uri.path(), format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/{SID}.json"));
    assert!(seen.header("authorization").is_some());
}

#[tokio::test]
async fn only_a_404_of_twilio_itself_says_that_a_text_is_not_there() {
    let server = Server::playing([Played::twilio_error(404, 20404)]).await;
    assert_eq!(twilio(&server.url).fetch(SID).await, Ok(None));
    assert_eq!(twilio(&server.url).fetch("../../Accounts").await, Ok(None));
    assert_eq!(server.seen().len(), 1, "a malformed id is not asked for");
    let server = Server::playing([Played::new(404, "<html>")]).await;
    let error = ReadError::Unavailable(Doubt::Status { status: 404, code: None });
    assert_eq!(twilio(&server.url).fetch(SID).await, Err(error));
}

#[tokio::test]
async fn a_list_follows_every_page_and_leaves_inbound_texts_out() {
    let next = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json?Page=1&PageToken=PASM1");
    let first = [wire("SM01", "sent", "outbound-api"), wire("SM02", "received", "inbound")];
    let second = [wire("SM03", "queued", "outbound-api")];
    let server = Server::playing([page(&first, Some(&next)), page(&second, None)]).await;
    let listed = twilio(&server.url).list("+14155550100", "+15005550006", None).await;
    let want = vec![record("SM01", ReportedStatus::Sent), record("SM03", ReportedStatus::Pending)];
    assert_eq!(listed, Ok(want));
    let seen = server.seen();
    assert_eq!(seen[0].uri.query(), Some("To=%2B14155550100&From=%2B15005550006&PageSize=200"));
    assert_eq!(seen[1].uri.to_string(), next);
}

#[tokio::test]
async fn the_texts_of_a_messaging_service_are_found_whatever_number_it_picked() {
    const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";
    let of_service = |sid| {
        let service = format!(r#""messaging_service_sid":"{SERVICE}""#);
        wire(sid, "sent", "outbound-api").replace(r#""messaging_service_sid":null"#, &service)
    };
    let texts = [of_service("SM01"), wire("SM02", "sent", "outbound-api")];
    let server = Server::playing([page(&texts, None)]).await;

    let listed = twilio(&server.url).list("+14155550100", SERVICE, None).await;
    assert_eq!(listed, Ok(vec![record("SM01", ReportedStatus::Sent)]));
    assert_eq!(server.seen()[0].uri.query(), Some("To=%2B14155550100&PageSize=200"));
}

#[tokio::test]
async fn a_list_from_a_day_on_has_what_the_filter_leaves_out_because_it_is_not_sent_yet() {
    let filtered = [wire("SM01", "sent", "outbound-api")];
    let older = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json?Page=1&PageToken=PASM1");
    let newest = [wire("SM02", "queued", "outbound-api"), wire("SM01", "sent", "outbound-api")];
    let server = Server::playing([page(&filtered, None), page(&newest, Some(&older))]).await;

    let since = "2023-08-24T00:03:00Z".parse().expect("an instant");
    let listed = twilio(&server.url).list("+14155550100", "+15005550006", Some(since)).await;

    let want = vec![record("SM01", ReportedStatus::Sent), record("SM02", ReportedStatus::Pending)];
    assert_eq!(listed, Ok(want));
    let queries: Vec<_> =
        server.seen().iter().map(|one| one.uri.query().map(str::to_owned)).collect();
    let of = |filter| Some(format!("To=%2B14155550100&From=%2B15005550006{filter}&PageSize=200"));
    assert_eq!(queries, [of("&DateSent%3E=2023-08-24"), of("")]);
}

#[tokio::test]
async fn a_partial_list_is_an_error_and_not_an_answer() {
    let own = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json?Page=1");
    let unreadable = ReadError::Unavailable(Doubt::Unreadable { status: 200 });
    let one = [wire("SM01", "sent", "outbound-api")];

    let cases = [
        (
            "the second page fails",
            vec![page(&one, Some(&own)), Played::twilio_error(500, 20500)],
            ReadError::Unavailable(Doubt::Status { status: 500, code: Some(20500) }),
        ),
        ("pages without end", vec![page(&one, Some(&own))], ReadError::TooMany(4_000)),
        ("a page elsewhere", vec![page(&one, Some("https://evil.test/x"))], unreadable.clone()),
        ("a page by authority", vec![page(&one, Some("@evil.test/x"))], unreadable.clone()),
        (
            "a status that is not known",
            vec![page(&[wire("SM01", "teleported", "outbound-api")], None)],
            unreadable.clone(),
        ),
        ("no list", vec![Played::new(200, "{}")], unreadable),
        (
            "throttled",
            vec![Played::twilio_error(429, 20429)],
            ReadError::Throttled(Throttle { scope: ThrottleScope::Account, retry_after: None }),
        ),
        ("stopped", vec![Played::twilio_error(401, 20003)], ReadError::Stopped { status: 401 }),
    ];

    for (label, answers, want) in cases {
        let server = Server::playing(answers).await;
        let listed = twilio(&server.url).list("+1", "+2", None).await;
        assert_eq!(listed, Err(want), "{label}");
    }
}

#[tokio::test]
async fn a_read_that_breaks_says_nothing_about_the_text() {
    let breaker = Breaker::that(Break::Reset).await;
    let fetched = twilio(&format!("http://{}", breaker.address)).fetch(SID).await;
    assert_eq!(fetched, Err(ReadError::Unavailable(Doubt::Broken)));
}
