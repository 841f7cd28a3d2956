//! Numbers at Twilio: what is asked, and what the answers mean.

use carriers::{Doubt, NumberQuery, NumberReply, OfferedNumber, OwnedNumber, ReadError};
use serde_json::json;

use crate::play::{ACCOUNT, Break, Breaker, Played, Server, twilio};

const NUMBER: &str = "+12025550100";
const ID: &str = "PN00000000000000000000000000000003";

fn query() -> NumberQuery<'static> {
    NumberQuery { country: "US", area_code: Some("202"), contains: Some("5550"), limit: 20 }
}

fn owned(numbers: &[(&str, &str)], next: Option<&str>) -> Played {
    let numbers: Vec<_> =
        numbers.iter().map(|(id, number)| json!({ "sid": id, "phone_number": number })).collect();
    let page = json!({ "incoming_phone_numbers": numbers, "next_page_uri": next });
    Played::new(200, &page.to_string())
}

#[tokio::test]
async fn a_search_names_the_country_and_what_is_looked_for() {
    let offered = json!({
        "available_phone_numbers": [
            { "phone_number": NUMBER, "locality": "Washington", "region": "DC" },
            { "phone_number": "+12025550101", "locality": null },
            { "phone_number": "88202" },
        ],
        "uri": "/x",
    });
    let server = Server::playing([Played::new(200, &offered.to_string())]).await;
    let found = twilio(&server.url).search_numbers(&query()).await.expect("an answer");

    let plain =
        |number: &str| OfferedNumber { number: number.to_owned(), locality: None, region: None };
    let (locality, region) = (Some("Washington".to_owned()), Some("DC".to_owned()));
    let first = OfferedNumber { locality, region, ..plain(NUMBER) };
    assert_eq!(found, [first, plain("+12025550101")], "a short code is no number");
    let seen = &server.seen()[0];
    let path = format!("/2010-04-01/Accounts/{ACCOUNT}/AvailablePhoneNumbers/US/Local.json");
    assert_eq!(seen.uri.path(), path);
    let wanted = "SmsEnabled=true&AreaCode=202&Contains=5550&PageSize=20";
    assert_eq!((seen.method.as_str(), seen.uri.query()), ("GET", Some(wanted)));

    let abroad = NumberQuery { country: "AU", area_code: None, contains: None, limit: 900 };
    let server = Server::playing([Played::twilio_error(404, 20404)]).await;
    assert_eq!(twilio(&server.url).search_numbers(&abroad).await, Ok(Vec::new()));
    let seen = &server.seen()[0];
    assert!(seen.uri.path().ends_with("/AvailablePhoneNumbers/AU/Mobile.json"));
    assert_eq!(seen.uri.query(), Some("SmsEnabled=true&PageSize=50"));
}

#[tokio::test]
async fn a_search_that_is_refused_brings_its_code() {
    let server = Server::playing([Played::twilio_error(400, 21451)]).await;
    let why = Doubt::Status { status: 400, code: Some(21451) };
    let refused = twilio(&server.url).search_numbers(&query()).await;
    assert_eq!(refused, Err(ReadError::Unavailable(why)));
}

#[tokio::test]
async fn a_number_is_bought_pointed_and_given_back_by_one_call_each() {
    let bought = Played::new(201, &json!({ "sid": ID, "phone_number": NUMBER }).to_string());
    let changed = Played::new(200, &json!({ "sid": ID, "phone_number": NUMBER }).to_string());
    let server = Server::playing([bought, changed, Played::new(204, "")]).await;
    let client = twilio(&server.url);
    let done = NumberReply::Done { id: ID.to_owned() };
    assert_eq!(client.buy_number(NUMBER).await, done);
    assert_eq!(client.point_number(ID, "https://h.example/in").await, done);
    assert_eq!(client.release_number(ID).await, done);

    let seen = server.seen();
    let calls: Vec<_> =
        seen.iter().map(|one| format!("{} {}", one.method, one.uri.path())).collect();
    let own = format!("/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers");
    let one = format!("{own}/{ID}.json");
    assert_eq!(calls, [format!("POST {own}.json"), format!("POST {one}"), format!("DELETE {one}")]);
    assert_eq!(seen[0].form()["PhoneNumber"], NUMBER);
    assert_eq!(seen[1].form()["SmsUrl"], "https://h.example/in#rc=5&rp=all");
    assert_eq!(seen[1].form()["SmsMethod"], "POST");
}

#[tokio::test]
async fn what_is_not_there_is_given_back_and_what_is_taken_is_not_bought() {
    let server = Server::playing([Played::twilio_error(404, 20404)]).await;
    let done = NumberReply::Done { id: ID.to_owned() };
    assert_eq!(twilio(&server.url).release_number(ID).await, done);
    assert_eq!(
        twilio(&server.url).release_number("../Messages").await,
        NumberReply::Refused { code: 20404 }
    );
    assert_eq!(server.seen().len(), 1, "a malformed id is not asked for");

    let server = Server::playing([Played::twilio_error(400, 21422)]).await;
    let refused = NumberReply::Refused { code: 21422 };
    assert_eq!(twilio(&server.url).buy_number(NUMBER).await, refused);
}

#[tokio::test]
async fn an_order_without_an_answer_is_open_unless_it_never_left() {
    let breaker = Breaker::that(Break::Reset).await;
    let reply = twilio(&format!("http://{}", breaker.address)).buy_number(NUMBER).await;
    assert_eq!(reply, NumberReply::Unknown { why: Doubt::Broken });
    assert!(reply.is_open());
    assert_eq!(breaker.requests(), 1);

    let reply = twilio("http://127.0.0.1:1").buy_number(NUMBER).await;
    assert_eq!(reply, NumberReply::NotAsked);
    assert!(!reply.is_open());
}

#[tokio::test]
async fn the_list_of_an_account_is_whole_or_an_error() {
    let next = format!("/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers.json?Page=1");
    let first = owned(&[(ID, NUMBER), ("PN04", "88202")], Some(&next));
    let server = Server::playing([first, owned(&[("PN05", "+12025550105")], None)]).await;
    let own = |id: &str, number: &str| OwnedNumber { id: id.to_owned(), number: number.to_owned() };
    let all = twilio(&server.url).owned_numbers().await;
    assert_eq!(all, Ok(vec![own(ID, NUMBER), own("PN05", "+12025550105")]));
    assert_eq!(server.seen()[0].uri.query(), Some("PageSize=1000"));
    assert_eq!(server.seen()[1].uri.to_string(), next);

    let unreadable = ReadError::Unavailable(Doubt::Unreadable { status: 200 });
    for (answers, want) in [
        (vec![owned(&[(ID, NUMBER)], Some(&next))], ReadError::TooMany(5_000)),
        (vec![owned(&[(ID, NUMBER)], Some("https://evil.test/x"))], unreadable.clone()),
        (vec![Played::new(200, "{}")], unreadable),
        (vec![Played::twilio_error(401, 20003)], ReadError::Stopped { status: 401 }),
    ] {
        let server = Server::playing(answers).await;
        assert_eq!(twilio(&server.url).owned_numbers().await, Err(want));
    }
}
