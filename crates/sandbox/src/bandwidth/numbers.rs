//! The account API, in XML: numbers on offer, orders, disconnections, and what an account has.
//! Locations are not played: what is ordered goes to the account's first application.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header::AUTHORIZATION, request::Parts};

use crate::{
    app::App,
    clock::machine_now,
    phone::Phone,
    reply::{Answer, Cut, Form, Reply, whole},
    stock::{self, Wanted},
};

/// The most numbers in one answer.
const MAX_SIZE: usize = 1_000;

/// The sites of every account.
const SITES: &str = "<SitesResponse><Sites><Site><Id>1</Id><Name>main</Name></Site></Sites>\
    </SitesResponse>";

/// Answers a request whose path goes on with `rest` after `/api/accounts/`.
pub(crate) fn answer(app: &Arc<App>, head: &Parts, rest: &str, body: &[u8]) -> Answer {
    let Some((id, resource)) = rest.split_once('/') else {
        return Ok(refused(StatusCode::NOT_FOUND, "there is no such path"));
    };
    if let Some(status) = app.faults().outage(id, app.clock.business(machine_now())) {
        app.state().stats.fault("account_outage");
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        return Ok(refused(status, "the account is out of order"));
    }
    let header = head.headers.get(AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
    if app.state().accounts.enter(id, header).is_none() {
        return Ok(refused(StatusCode::UNAUTHORIZED, "the credentials are not the account's"));
    }
    let Some(query) = Form::parse(head.uri.query().unwrap_or("").as_bytes()) else {
        return Ok(refused(StatusCode::BAD_REQUEST, "the query cannot be read"));
    };

    let text = String::from_utf8_lossy(body);
    Ok(match (resource, &head.method) {
        ("sites", &Method::GET) => xml(StatusCode::OK, SITES),
        ("availableNumbers", &Method::GET) => available(app, &query),
        ("inserviceNumbers", &Method::GET) => in_service(app, id, &query),
        ("orders", &Method::POST) => return order(app, id, &text),
        ("disconnects", &Method::POST) => disconnect(app, id, &text),
        (path, &Method::GET) => match path.strip_prefix("orders/") {
            Some(order) => show_order(app, id, order),
            None => refused(StatusCode::NOT_FOUND, "there is no such path"),
        },
        _ => refused(StatusCode::NOT_FOUND, "there is no such path"),
    })
}

fn available(app: &App, query: &Form) -> Response<Reply> {
    let (area, part) = (query.get("areaCode"), query.get("localVanity"));
    if area.is_none() && part.is_none() {
        return refused(StatusCode::BAD_REQUEST, "name an area code or digits");
    }
    if area.is_some_and(|area| !stock::is_area(area)) {
        return refused(StatusCode::BAD_REQUEST, "the area code is not valid");
    }

    let quantity = query.get("quantity").and_then(|text| text.parse().ok()).unwrap_or(10);
    let state = app.state();
    let offered = stock::on_offer(&state, &Wanted { country: "US", area, part });
    let numbers: Vec<String> =
        offered.into_iter().flatten().take(usize::clamp(quantity, 1, MAX_SIZE)).collect();
    let list: String = numbers.iter().map(|number| tag(number)).collect();
    let count = numbers.len();
    xml(
        StatusCode::OK,
        &format!(
            "<SearchResult><ResultCount>{count}</ResultCount>\
             <TelephoneNumberList>{list}</TelephoneNumberList></SearchResult>"
        ),
    )
}

fn in_service(app: &App, account: &str, query: &Form) -> Response<Reply> {
    let number = |name, default: usize| {
        query.get(name).and_then(|text| text.parse::<usize>().ok()).unwrap_or(default)
    };
    let (page, size) = (number("page", 1).max(1), number("size", 500).clamp(1, MAX_SIZE));
    let state = app.state();
    let all = state.applications.numbers_of(account);
    let (total, skipped) = (all.len(), (page - 1).saturating_mul(size));
    let listed: Vec<String> =
        all.into_iter().skip(skipped).take(size).map(|number| tag(&number)).collect();

    let (count, list) = (listed.len(), listed.concat());
    xml(
        StatusCode::OK,
        &format!(
            "<TNs><TotalCount>{total}</TotalCount><TelephoneNumbers><Count>{count}</Count>{list}\
             </TelephoneNumbers></TNs>"
        ),
    )
}

/// Takes an order for one number. It is carried out at once, and said to be under way,
/// as orders are.
fn order(app: &App, account: &str, body: &str) -> Answer {
    let Some(number) = ordered(body) else {
        return Ok(refused(StatusCode::BAD_REQUEST, "the order names no number of ten digits"));
    };
    if !body.contains("<SiteId>") {
        return Ok(refused(StatusCode::BAD_REQUEST, "the order names no site"));
    }

    let faults = app.faults();
    let mut state = app.state();
    let free = !stock::is_taken(&state, &number) && !stock::is_sold_out(&state);
    if free {
        state.applications.give(account, &number);
    }
    let id = format!("{:032x}", state.ledger.fresh_id());
    state.applications.note_order(&id, account, free);

    if stock::loses_answer(app, &faults, &mut state, &number) {
        return Err(Cut::Close);
    }
    drop(state);
    Ok(xml(StatusCode::CREATED, &order_response(&id, "RECEIVED")))
}

fn show_order(app: &App, account: &str, id: &str) -> Response<Reply> {
    match app.state().applications.order(id, account) {
        Some(true) => xml(StatusCode::OK, &order_response(id, "COMPLETE")),
        Some(false) => xml(StatusCode::OK, &order_response(id, "FAILED")),
        None => refused(StatusCode::NOT_FOUND, "there is no such order"),
    }
}

fn order_response(id: &str, status: &str) -> String {
    // A simulated order fails for one reason alone.
    let why = match status {
        "FAILED" => {
            "<ErrorList><Error><Code>5005</Code><Description>somebody else has it</Description>\
             </Error></ErrorList>"
        }
        _ => "",
    };
    format!(
        "<OrderResponse>{why}<Order><id>{id}</id></Order><OrderStatus>{status}</OrderStatus>\
         </OrderResponse>"
    )
}

fn disconnect(app: &App, account: &str, body: &str) -> Response<Reply> {
    let Some(number) = ordered(body) else {
        return refused(StatusCode::BAD_REQUEST, "the order names no number of ten digits");
    };
    if !app.state().applications.take(account, &number) {
        return refused(StatusCode::NOT_FOUND, "the account has no such number");
    }
    let body = "<DisconnectTelephoneNumberOrderResponse><OrderStatus>RECEIVED</OrderStatus>\
                </DisconnectTelephoneNumberOrderResponse>";
    xml(StatusCode::CREATED, body)
}

/// The number that an order names.
fn ordered(body: &str) -> Option<String> {
    let (_, after) = body.split_once("<TelephoneNumber>")?;
    let (digits, _) = after.split_once("</TelephoneNumber>")?;
    let number = format!("+1{}", digits.trim());
    (digits.trim().len() == 10 && Phone::parse(&number).is_some()).then_some(number)
}

/// A number as the account API names it: ten digits.
fn tag(number: &str) -> String {
    format!("<TelephoneNumber>{}</TelephoneNumber>", number.trim_start_matches("+1"))
}

fn refused(status: StatusCode, why: &str) -> Response<Reply> {
    let code = 5_000 + u32::from(status.as_u16());
    let error = format!("<Error><Code>{code}</Code><Description>{why}</Description></Error>");
    xml(status, &error)
}

fn xml(status: StatusCode, body: &str) -> Response<Reply> {
    let head = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
    whole(status, "application/xml", Bytes::from(format!("{head}{body}")))
}
