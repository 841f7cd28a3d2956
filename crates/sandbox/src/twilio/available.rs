//! `AvailablePhoneNumbers`: the numbers on offer.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{
    call::Call,
    errors::{Refusal, bad_request, coded, not_found},
    format,
};
use crate::{
    reply::Reply,
    stock::{self, Wanted},
};

/// Numbers in one answer, unless the call names a number.
const DEFAULT_SIZE: usize = 30;

/// The most numbers in one answer.
const MAX_SIZE: usize = 50;

/// Lists what is on offer at `AvailablePhoneNumbers/{country}/{kind}.json`.
pub(super) fn list(call: &Call<'_>, path: &str) -> Result<Response<Reply>, Refusal> {
    // parse
    let path = path.trim_end_matches(".json");
    let (country, kind) = path.split_once('/').ok_or_else(not_found)?;
    let of_kind = matches!((country, kind), ("US" | "CA", "Local") | ("AU", "Mobile"));
    let area = call.query.get("AreaCode");
    if area.is_some_and(|area| !stock::is_area(area)) {
        return Err(coded(21451));
    }
    let size = match call.query.get("PageSize") {
        None => DEFAULT_SIZE,
        Some(text) => text.parse().map_err(|_| bad_request("PageSize is not a number"))?,
    };

    // load
    let state = call.app.state();
    let wanted = Wanted { country, area, part: call.query.get("Contains") };
    let offered = stock::on_offer(&state, &wanted).filter(|_| of_kind).ok_or_else(not_found)?;
    let numbers: Vec<Value> =
        offered.take(size.clamp(1, MAX_SIZE)).map(|number| show(country, &number)).collect();

    // say
    let account = state.accounts.sid(call.account);
    let body = json!({
        "available_phone_numbers": numbers,
        "uri": format!("/2010-04-01/Accounts/{account}/AvailablePhoneNumbers/{path}.json"),
    });
    Ok(format::json(StatusCode::OK, &body))
}

fn show(country: &str, number: &str) -> Value {
    json!({
        "friendly_name": number,
        "phone_number": number,
        "lata": null,
        "locality": if country == "AU" { "Sydney" } else { "Springfield" },
        "rate_center": null,
        "latitude": null,
        "longitude": null,
        "region": if country == "AU" { "NSW" } else { "DC" },
        "postal_code": null,
        "iso_country": country,
        "address_requirements": "none",
        "beta": false,
        "capabilities": { "voice": false, "SMS": true, "MMS": true, "fax": false },
    })
}
