//! Numbers at Bandwidth: what is asked, and what the answers mean.

use carriers::{Carrier, Doubt, NumberQuery, NumberReply, ReadError};

use crate::play::{Break, Breaker, Played, Server, bandwidth};

const NUMBER: &str = "+19195550100";
const DIGITS: &str = "9195550100";
const SITES: &str = "<SitesResponse><Sites><Site><Id>461</Id></Site></Sites></SitesResponse>";
const ERROR: &str = "<Error><Code>5005</Code><Description>not available</Description></Error>";
const OTHER_ERROR: &str = "<Error><Code>1</Code><Description>something new</Description></Error>";

fn order(status: &str) -> String {
    format!(
        "<OrderResponse><Order><id>o-1</id></Order><OrderStatus>{status}</OrderStatus>\
         </OrderResponse>"
    )
}

fn listed(total: usize, numbers: impl IntoIterator<Item = String>) -> Played {
    let numbers: String = numbers
        .into_iter()
        .map(|digits| format!("<TelephoneNumber>{digits}</TelephoneNumber>"))
        .collect();
    let body = format!(
        "<TNs><TotalCount>{total}</TotalCount><TelephoneNumbers>{numbers}</TelephoneNumbers></TNs>"
    );
    Played::new(200, &body)
}

#[tokio::test]
async fn a_search_asks_the_account_api_for_ten_digits() {
    let found = format!(
        "<SearchResult><ResultCount>1</ResultCount><TelephoneNumberList><TelephoneNumber>{DIGITS}\
         </TelephoneNumber></TelephoneNumberList></SearchResult>"
    );
    let server = Server::playing([Played::new(200, &found)]).await;
    let query =
        NumberQuery { country: "US", area_code: Some("919"), contains: Some("01"), limit: 5 };
    let offered = bandwidth(&server.url).search_numbers(&query).await.expect("an answer");
    assert_eq!(offered.iter().map(|one| one.number.as_str()).collect::<Vec<_>>(), [NUMBER]);
    let seen = &server.seen()[0];
    assert_eq!(seen.uri.path(), "/api/accounts/9900000/availableNumbers");
    assert_eq!(seen.uri.query(), Some("areaCode=919&localVanity=01&quantity=5"));
    assert_eq!(seen.header("accept"), Some("application/xml"));
    assert_eq!(seen.header("authorization"), Some("Basic dTpw"));

    let abroad = NumberQuery { country: "AU", ..query };
    assert_eq!(bandwidth(&server.url).search_numbers(&abroad).await, Ok(Vec::new()));
    assert_eq!(server.seen().len(), 1, "it has none of other countries");

    let server = Server::playing([Played::new(400, ERROR)]).await;
    let why = Doubt::Status { status: 400, code: Some(5005) };
    let refused = bandwidth(&server.url).search_numbers(&query).await;
    assert_eq!(refused, Err(ReadError::Unavailable(why)));
}

#[tokio::test]
async fn an_order_names_a_site_and_is_done_refused_or_under_way() {
    let done = NumberReply::Done { id: DIGITS.to_owned() };
    for (progress, expected) in [
        (Played::new(200, &order("COMPLETE")), done.clone()),
        (Played::new(200, &order("RECEIVED")), NumberReply::Taken),
        (Played::new(500, ""), NumberReply::Taken),
        (Played::new(200, &order("FAILED")), NumberReply::Refused { code: 91 }),
        (
            Played::new(200, &format!("<R><ErrorList>{ERROR}</ErrorList>{}</R>", order("FAILED"))),
            NumberReply::Refused { code: 5005 },
        ),
    ] {
        let taken = Played::new(201, &order("RECEIVED"));
        let server = Server::playing([Played::new(200, SITES), taken, progress]).await;
        assert_eq!(bandwidth(&server.url).buy_number(NUMBER).await, expected);

        let seen = server.seen();
        let paths: Vec<&str> = seen.iter().map(|one| one.uri.path()).collect();
        let own = ["sites", "orders", "orders/o-1"].map(|of| format!("/api/accounts/9900000/{of}"));
        assert_eq!(paths, own);
        let body = String::from_utf8_lossy(&seen[1].body);
        assert!(body.contains("<SiteId>461</SiteId>"), "{body}");
        assert!(body.contains(&format!("<TelephoneNumber>{DIGITS}</TelephoneNumber>")), "{body}");
    }
    for code in [91, 5005] {
        assert!(Carrier::Bandwidth.cause(code).cause.contains("somebody else"), "{code}");
    }
}

#[tokio::test]
async fn without_a_site_or_credentials_nothing_is_ordered() {
    for (first, expected) in [
        (Played::new(200, "<SitesResponse/>"), NumberReply::Refused { code: 90 }),
        (Played::new(401, ""), NumberReply::Refused { code: 401 }),
        (Played::new(503, ""), NumberReply::NotAsked),
    ] {
        let server = Server::playing([first]).await;
        assert_eq!(bandwidth(&server.url).buy_number(NUMBER).await, expected);
        assert_eq!(server.seen().len(), 1);
    }
    let server = Server::playing([Played::new(200, SITES)]).await;
    let refused = NumberReply::Refused { code: 400 };
    assert_eq!(bandwidth(&server.url).buy_number("+61491570100").await, refused);
    assert_eq!(server.seen().len(), 0, "it has no such numbers");
}

#[tokio::test]
async fn a_release_is_done_when_it_is_taken_or_the_number_is_not_there() {
    for (answer, expected) in [
        (Played::new(201, &order("RECEIVED")), NumberReply::Done { id: DIGITS.to_owned() }),
        (Played::new(404, ERROR), NumberReply::Done { id: DIGITS.to_owned() }),
        (Played::new(400, ERROR), NumberReply::Refused { code: 5005 }),
        (Played::new(400, OTHER_ERROR), NumberReply::Refused { code: 400 }),
    ] {
        let server = Server::playing([answer]).await;
        assert_eq!(bandwidth(&server.url).release_number(DIGITS).await, expected);
        assert_eq!(server.seen()[0].uri.path(), "/api/accounts/9900000/disconnects");
    }

    let breaker = Breaker::that(Break::Reset).await;
    let reply = bandwidth(&format!("http://{}", breaker.address)).release_number(DIGITS).await;
    assert!(reply.is_open(), "{reply:?}");
}

#[tokio::test]
async fn the_list_of_an_account_is_read_to_its_end() {
    let digits = |n: usize| format!("919555{n:04}");
    let server = Server::playing([
        listed(501, (0..500).map(digits)),
        listed(501, [digits(500), "no number".to_owned()]),
    ])
    .await;
    let all = bandwidth(&server.url).owned_numbers().await.expect("the list");
    assert_eq!(all.len(), 501);
    assert_eq!((all[500].number.as_str(), all[500].id.as_str()), ("+19195550500", "9195550500"));
    let queries: Vec<_> =
        server.seen().iter().map(|one| one.uri.query().map(str::to_owned)).collect();
    assert_eq!(queries, [Some("page=1&size=500".to_owned()), Some("page=2&size=500".to_owned())]);

    let server = Server::playing([listed(9_999, (0..500).map(digits))]).await;
    let error = bandwidth(&server.url).owned_numbers().await;
    assert_eq!(error, Err(ReadError::TooMany(5_000)));
    // What is no list, or has less than it counts, is no whole list.
    for answer in [Played::new(200, "{}"), listed(501, (0..499).map(digits))] {
        let server = Server::playing([answer]).await;
        let error = ReadError::Unavailable(Doubt::Unreadable { status: 200 });
        assert_eq!(bandwidth(&server.url).owned_numbers().await, Err(error));
    }
}
