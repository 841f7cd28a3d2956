//! `IncomingPhoneNumbers`: the numbers that an account has and where their inbound texts go.

use std::sync::Arc;

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{
    call::Call,
    callback::API_VERSION,
    draft::is_callback,
    errors::{Refusal, bad_request, coded, not_found},
    format::{self, date},
    paging::Page,
};
use crate::{
    app::{Number, State},
    clock::machine_now,
    phone::Phone,
    reply::{Answer, Cut, Reply, whole},
    stock::{self, Wanted},
};

/// Takes an order for a number, and answers it unless the faults want it lost.
pub(super) fn order(call: &Call<'_>) -> Answer {
    let made = create(call);
    let (faults, number) = (call.app.faults(), call.form.get("PhoneNumber").unwrap_or_default());
    if made.is_ok() && stock::loses_answer(call.app, &faults, &mut call.app.state(), number) {
        return Err(Cut::Close);
    }
    Ok(made.unwrap_or_else(|refusal| refusal.response()))
}

/// Registers a number, or the first on offer of an area code. As with Twilio, one that anybody has
/// already is not available.
fn create(call: &Call<'_>) -> Result<Response<Reply>, Refusal> {
    let picked = match (call.form.get("PhoneNumber"), call.form.get("AreaCode")) {
        (None, Some(area)) => Some(first_of(call, area)?),
        (_, _) => None,
    };
    let phone = call.form.get("PhoneNumber").or(picked.as_deref()).ok_or_else(|| coded(21421))?;
    match phone {
        "+15005550000" => return Err(coded(21422)),
        "+15005550001" => return Err(coded(21421)),
        _ => {}
    }
    Phone::parse(phone).ok_or_else(|| coded(21421))?;

    let mut state = call.app.state();
    if stock::is_taken(&state, phone) {
        return Err(coded(21422));
    }
    if stock::is_sold_out(&state) {
        return Err(coded(21404));
    }

    let now = machine_now();
    let mut number = Number {
        sid: state.ledger.fresh_id(),
        account: call.account,
        friendly_name: phone.into(),
        sms_url: None,
        status_callback: "".into(),
        created_at: now,
        updated_at: now,
    };
    change(&mut number, call)?;

    let phone: Arc<str> = phone.into();
    let body = show(&state, &phone, &number);
    state.accounts.numbers.insert(phone, number);
    Ok(format::json(StatusCode::CREATED, &body))
}

/// The first number on offer of an area code.
fn first_of(call: &Call<'_>, area: &str) -> Result<String, Refusal> {
    if !stock::is_area(area) {
        return Err(coded(21451));
    }
    let state = call.app.state();
    let wanted = Wanted { country: "US", area: Some(area), part: None };
    // 533 has none in Twilio's test credentials.
    let mut offered = stock::on_offer(&state, &wanted).into_iter().flatten();
    let first = offered.next().filter(|_| area != "533");
    first.ok_or_else(|| coded(21452))
}

pub(super) fn update(call: &Call<'_>, id: u128) -> Result<Response<Reply>, Refusal> {
    let mut state = call.app.state();
    let phone = find(call, &state, id)?;
    let number = state.accounts.numbers.get_mut(&phone).ok_or_else(not_found)?;
    change(number, call)?;
    number.updated_at = machine_now();

    let number = state.accounts.numbers.get(&phone).ok_or_else(not_found)?;
    Ok(format::json(StatusCode::OK, &show(&state, &phone, number)))
}

/// Applies the fields of a form, all or none.
fn change(number: &mut Number, call: &Call<'_>) -> Result<(), Refusal> {
    if call.form.get("SmsMethod").is_some_and(|method| method != "POST") {
        return Err(bad_request("SmsMethod must be POST"));
    }
    let url = call.form.raw("SmsUrl");
    if url.is_some_and(|url| !url.is_empty() && !is_callback(url)) {
        return Err(bad_request("SmsUrl is not a valid URL"));
    }

    if let Some(url) = url {
        number.sms_url = (!url.is_empty()).then(|| url.into());
    }
    if let Some(name) = call.form.get("FriendlyName") {
        number.friendly_name = name.into();
    }
    if let Some(url) = call.form.raw("StatusCallback") {
        number.status_callback = url.into();
    }
    Ok(())
}

pub(super) fn fetch(call: &Call<'_>, id: u128) -> Result<Response<Reply>, Refusal> {
    let state = call.app.state();
    let phone = find(call, &state, id)?;
    let number = state.accounts.numbers.get(&phone).ok_or_else(not_found)?;
    Ok(format::json(StatusCode::OK, &show(&state, &phone, number)))
}

pub(super) fn delete(call: &Call<'_>, id: u128) -> Result<Response<Reply>, Refusal> {
    let mut state = call.app.state();
    let phone = find(call, &state, id)?;
    state.accounts.numbers.remove(&phone);
    Ok(whole(StatusCode::NO_CONTENT, "application/json", bytes::Bytes::new()))
}

/// In the order of the digits, with the filters `PhoneNumber` (a part of it will do) and
/// `FriendlyName`.
pub(super) fn list(call: &Call<'_>) -> Result<Response<Reply>, Refusal> {
    let page = Page::read(call)?;
    let part = call.query.get("PhoneNumber");
    let name = call.query.get("FriendlyName");
    let wanted = |(phone, number): &(&Arc<str>, &Number)| {
        part.is_none_or(|part| phone.contains(part))
            && name.is_none_or(|name| *number.friendly_name == *name)
    };

    let (records, last) = {
        let state = call.app.state();
        let numbers = state.accounts.numbers_of(call.account);
        let (numbers, last) = page.cut(numbers, |(_, number)| number.sid, wanted);
        let records = numbers.into_iter().map(|(phone, number)| show(&state, phone, number));
        (records.collect(), last)
    };

    let records = ("incoming_phone_numbers", records);
    let body = page.envelope(call, "IncomingPhoneNumbers", records, last);
    Ok(format::json(StatusCode::OK, &body))
}

/// The text of a number of this account.
fn find(call: &Call<'_>, state: &State, id: u128) -> Result<Arc<str>, Refusal> {
    let mut mine = state.accounts.numbers_of(call.account);
    let found = mine.find(|(_, number)| number.sid == id);
    found.map(|(phone, _)| phone.clone()).ok_or_else(not_found)
}

/// A number as the API shows it.
fn show(state: &State, phone: &str, number: &Number) -> Value {
    let account = state.accounts.sid(number.account);
    let sid = format!("PN{:032x}", number.sid);

    json!({
        "sid": sid,
        "account_sid": account,
        "friendly_name": number.friendly_name,
        "phone_number": phone,
        "capabilities": { "voice": false, "sms": true, "mms": true, "fax": false },
        "sms_url": number.sms_url.as_deref().unwrap_or(""),
        "sms_method": "POST",
        "sms_fallback_url": "",
        "sms_fallback_method": "POST",
        "sms_application_sid": "",
        "status_callback": number.status_callback,
        "status_callback_method": "POST",
        "address_requirements": "none",
        "beta": false,
        "origin": "twilio",
        "status": "in-use",
        "type": "local",
        "api_version": API_VERSION,
        "date_created": date(number.created_at),
        "date_updated": date(number.updated_at),
        "uri": format!("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{sid}.json"),
    })
}
