//! `POST messages`: faults, checks, acceptance, and the answer or the lack of one.

use std::sync::Arc;

use http::{Response, StatusCode};
use serde_json::json;

use super::{
    call::Call,
    draft::{self, Request},
    errors::{self, Refusal, coded},
};
use crate::{
    app::State,
    attempt::{Accepted, Attempt, Busy},
    clock::machine_now,
    job::{NextStep, Step},
    ledger::{Carrier, Draft, Index, Status, Text},
    receipts,
    reply::{self, Answer, Cut, Reply},
};

/// Decides about a request to send from a number, then answers it as the faults want.
pub(super) async fn create(call: &Call<'_>, from: Arc<str>) -> Answer {
    let faults = call.app.faults();
    let (to, text) = draft::about(call.body);
    let dice = call.app.dice(&faults, &[&to, &text], faults.count_attempts());
    let latency = faults.latency(&call.business);
    let attempt = Attempt { app: call.app, faults: &faults, dice, latency };
    if attempt.is_reset().await {
        return Err(Cut::Reset);
    }

    let decided =
        decide(call, from, &attempt).map_err(|refusal| (refusal.code, refusal.response()));
    attempt.answer(decided, || errors::internal().response()).await
}

/// The faults before acceptance, the checks, then acceptance itself.
fn decide(call: &Call<'_>, from: Arc<str>, attempt: &Attempt<'_>) -> Result<Accepted, Refusal> {
    match attempt.busy() {
        Some(Busy::TooMany(wait)) => return Err(errors::too_many(wait)),
        Some(Busy::Unavailable) => return Err(errors::unavailable()),
        None => {}
    }
    if let Some(code) = attempt.refusal() {
        return Err(coded(code));
    }
    accept(call, from, attempt)
}

/// Checks the message, writes it into the ledger and sets it on its way.
fn accept(call: &Call<'_>, from: Arc<str>, attempt: &Attempt<'_>) -> Result<Accepted, Refusal> {
    let (index, generation, answer) = {
        let mut state = call.app.state();
        let index = record(call, from, &mut state)?;
        let text = state.ledger.get(index).ok_or_else(errors::internal)?;
        (index, state.ledger.generation(), taken(text))
    };

    let next = NextStep { index, generation, dice: attempt.dice, step: Step::Send };
    Ok(Accepted { answer, receipt_first: receipts::start(call.app, attempt.faults, next) })
}

/// Writes the message into the ledger, unless its account or the ledger itself is against it. A
/// free one needs a window that the person has opened.
fn record(call: &Call<'_>, from: Arc<str>, state: &mut State) -> Result<Index, Refusal> {
    let now = machine_now();
    let at = call.app.clock.business(now);
    let business = state.businesses.get(&call.business).ok_or_else(errors::unauthorized)?;
    let request: Request = draft::read(call.body, business)?;
    let callback = business.callback_url.clone();

    let is_free = &*request.category == "service";
    if is_free && !state.businesses.is_open(&from, request.to, at) {
        return Err(coded(131_047));
    }
    let is_marketing = &*request.category == "marketing";
    if is_marketing && !state.businesses.takes_marketing(&from, request.to) {
        return Err(coded(131_050));
    }
    if state.ledger.is_full() {
        return Err(errors::unavailable());
    }

    Ok(state.ledger.accept(Draft {
        carrier: Carrier::Whatsapp,
        account: call.account,
        to: request.to,
        from,
        body: request.text,
        segments: 1,
        media: request.media,
        // The account's id and what the message is charged as: both come back with its statuses.
        service: Some(format!("{}/{}", call.business, request.category).into()),
        callback: Some(callback),
        reference: request.reference,
        tag: request.tag,
        trace: call.trace.map(Box::from),
        status: Status::Queued,
        at,
        received_at: now,
    }))
}

/// The answer to a message that was taken.
fn taken(text: &Text) -> Response<Reply> {
    let to = text.to.number().to_string();
    let body = json!({
        "messaging_product": "whatsapp",
        "contacts": [{ "input": to, "wa_id": to }],
        "messages": [{ "id": text.sid_text(), "message_status": "accepted" }],
    });
    reply::json(StatusCode::OK, &body)
}
