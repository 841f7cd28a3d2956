//! `POST Messages.json`: faults, checks, acceptance, and the answer or the lack of one.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use jiff::Timestamp;
use tokio::sync::oneshot;

use super::{
    call::Call,
    draft::{self, Request},
    errors::{self, Refusal, coded},
    format, messages,
};
use crate::{
    app::State,
    attempt::{Accepted, Attempt, Busy},
    clock::machine_now,
    dice::Dice,
    faults::Faults,
    job::{NextStep, Step},
    ledger::{Carrier, Draft, Index, Status},
    receipts,
    reply::{Answer, Cut},
};

/// Decides about a request to send, then answers it as the faults want.
pub(super) async fn create(call: &Call<'_>) -> Answer {
    let faults = call.app.faults();
    let text = |name| call.form.raw(name).unwrap_or("");
    let about = [text("To"), text("Body")];
    let dice = call.app.dice(&faults, &about, faults.count_attempts());
    let latency = faults.latency(call.app.state().accounts.sid(call.account));
    let attempt = Attempt { app: call.app, faults: &faults, dice, latency };
    if attempt.is_reset().await {
        return Err(Cut::Reset);
    }

    let decided = decide(call, &attempt).map_err(|refusal| (refusal.code, refusal.response()));
    attempt.answer(decided, || errors::internal().response()).await
}

/// The faults before acceptance, the checks, then acceptance itself.
fn decide(call: &Call<'_>, attempt: &Attempt<'_>) -> Result<Accepted, Refusal> {
    match attempt.busy() {
        Some(Busy::TooMany(wait)) => return Err(errors::too_many(wait)),
        Some(Busy::Unavailable) => return Err(errors::unavailable()),
        None => {}
    }

    let request = draft::read(call.form)?;
    if let Some(code) = attempt.refusal() {
        return Err(coded(code));
    }
    accept(call, attempt, request)
}

/// Writes the text into the ledger and sets it on its way.
fn accept(call: &Call<'_>, attempt: &Attempt<'_>, request: Request) -> Result<Accepted, Refusal> {
    let (send_at, service) = (request.send_at, request.service.is_some());
    let (index, generation, answer) = {
        let mut state = call.app.state();
        let index = record(call, &mut state, request)?;
        let body = messages::view(&state, index).ok_or_else(errors::not_found)?;
        (index, state.ledger.generation(), format::json(StatusCode::CREATED, &body))
    };

    let start = Start { index, generation, dice: attempt.dice, send_at, service };
    Ok(Accepted { answer, receipt_first: set_going(call, attempt.faults, start) })
}

/// Writes the text into the ledger, unless its sender or the ledger itself is against it.
fn record(call: &Call<'_>, state: &mut State, request: Request) -> Result<Index, Refusal> {
    let from = sender(state, call.account, &request)?;
    if state.people.is_blocked(request.to, &from) {
        return Err(coded(21610));
    }
    if state.ledger.is_full() {
        return Err(errors::unavailable());
    }

    let status = match (&request.service, request.send_at) {
        (Some(_), Some(_)) => Status::Scheduled,
        (Some(_), None) => Status::Accepted,
        (None, _) => Status::Queued,
    };
    let now = machine_now();
    Ok(state.ledger.accept(Draft {
        carrier: Carrier::Twilio,
        account: call.account,
        to: request.to,
        from,
        body: request.body,
        segments: request.segments,
        media: request.media,
        service: request.service,
        callback: request.callback,
        reference: request.reference,
        tag: None,
        trace: call.trace.map(Box::from),
        status,
        at: call.app.clock.business(now),
        received_at: now,
    }))
}

/// The sender that was named, or one of the account's numbers, always the same for a recipient.
fn sender(state: &State, account: u16, request: &Request) -> Result<Arc<str>, Refusal> {
    if let Some(from) = &request.from {
        // One copy of each registered number's text is enough for all its messages.
        let known = state.accounts.numbers.get_key_value(from);
        return Ok(known.map_or_else(|| from.clone(), |(number, _)| number.clone()));
    }

    let pool: Vec<_> = state.accounts.numbers_of(account).map(|(number, _)| number).collect();
    if pool.is_empty() {
        return Err(coded(21704));
    }
    let index = Dice::new(0).number(request.to.number()).pick(pool.len());
    Ok(pool[index].clone())
}

/// A text at the start of its way.
struct Start {
    index: Index,
    generation: u32,
    dice: Dice,
    send_at: Option<Timestamp>,
    /// Whether a Messaging Service sends it.
    service: bool,
}

/// Plans the first step. Where a receipt must come before the answer, gives what tells of its end.
fn set_going(call: &Call<'_>, faults: &Faults, start: Start) -> Option<oneshot::Receiver<()>> {
    let Start { index, generation, dice, send_at, service } = start;
    let next = |step| NextStep { index, generation, dice, step };

    if let Some(send_at) = send_at {
        receipts::release(call.app, next(Step::Release { send_at }));
        return None;
    }
    if service {
        receipts::plan(call.app, Duration::ZERO, next(Step::Queue));
        return None;
    }
    receipts::start(call.app, faults, next(Step::Send))
}
