//! `POST messages`: faults, checks, acceptance, and the answer or the lack of one.

use http::{Response, StatusCode};
use serde_json::json;

use super::{
    call::Call,
    draft::{self, Request},
    errors::{self, Refusal},
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

/// Decides about a request to send, then answers it as the faults want.
pub(super) async fn create(call: &Call<'_>) -> Answer {
    let faults = call.app.faults();
    let (to, text) = draft::about(call.body);
    let dice = call.app.dice(&faults, &[&to, &text], faults.count_attempts());
    let latency = faults.latency(call.app.state().accounts.sid(call.account));
    let attempt = Attempt { app: call.app, faults: &faults, dice, latency };
    if attempt.is_reset().await {
        return Err(Cut::Reset);
    }

    let decided =
        decide(call, &attempt).map_err(|refusal| (refusal.status.into(), refusal.response()));
    attempt.answer(decided, || errors::internal().response()).await
}

/// The faults before acceptance, the checks, then acceptance itself.
fn decide(call: &Call<'_>, attempt: &Attempt<'_>) -> Result<Accepted, Refusal> {
    match attempt.busy() {
        Some(Busy::TooMany(wait)) => return Err(errors::too_many(wait)),
        Some(Busy::Unavailable) => return Err(errors::unavailable()),
        None => {}
    }

    let request = draft::read(call.body)?;
    if let Some(code) = attempt.refusal() {
        return Err(errors::coded(code));
    }
    accept(call, attempt, request)
}

/// Writes the text into the ledger and sets it on its way.
fn accept(call: &Call<'_>, attempt: &Attempt<'_>, request: Request) -> Result<Accepted, Refusal> {
    let (index, generation, answer) = {
        let mut state = call.app.state();
        let index = record(call, &mut state, request)?;
        let text = state.ledger.get(index).ok_or_else(errors::internal)?;
        (index, state.ledger.generation(), taken(text))
    };

    let next = NextStep { index, generation, dice: attempt.dice, step: Step::Send };
    Ok(Accepted { answer, receipt_first: receipts::start(call.app, attempt.faults, next) })
}

/// Writes the text into the ledger, unless its application or the ledger itself is against it.
fn record(call: &Call<'_>, state: &mut State, request: Request) -> Result<Index, Refusal> {
    let application = state.applications.get(&request.application);
    let mine = application.filter(|of| *of.account == *state.accounts.sid(call.account));
    let Some(application) = mine else {
        return Err(errors::invalid("applicationId", "is not an application of the account"));
    };
    let callback = application.callback_url.clone();
    if state.ledger.is_full() {
        return Err(errors::unavailable());
    }

    let now = machine_now();
    Ok(state.ledger.accept(Draft {
        carrier: Carrier::Bandwidth,
        account: call.account,
        to: request.to,
        from: request.from,
        body: request.text,
        segments: request.segments,
        media: request.media,
        service: Some(request.application),
        callback: Some(callback),
        reference: request.reference,
        tag: request.tag,
        trace: call.trace.map(Box::from),
        status: Status::Queued,
        at: call.app.clock.business(now),
        received_at: now,
    }))
}

/// The answer to a text that was taken.
fn taken(text: &Text) -> Response<Reply> {
    let body = json!({
        "id": text.sid_text(),
        "owner": &*text.from,
        "applicationId": text.service,
        "time": text.received_at,
        "segmentCount": text.segments,
        "direction": "out",
        "to": [text.to.to_string()],
        "from": &*text.from,
        "text": &*text.body,
        "tag": text.tag,
        "priority": "default",
    });
    reply::json(StatusCode::ACCEPTED, &body)
}
