//! `POST Messages.json`: faults, checks, acceptance, and the answer or the lack of one.

use std::{sync::Arc, time::Duration};

use http::{Response, StatusCode};
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
    clock::machine_now,
    dice::Dice,
    faults::Faults,
    job::{NextStep, Step},
    ledger::{Carrier, Draft, Index, Status},
    receipts,
    reply::{Answer, Cut, Reply},
};

/// How long the answer waits for a receipt that is to come before it.
const BEFORE_RESPONSE: Duration = Duration::from_secs(2);

/// Decides about a request to send, then answers it as the faults want.
pub(super) async fn create(call: &Call<'_>) -> Answer {
    let faults = call.app.faults();
    let text = |name| call.form.raw(name).unwrap_or("");
    let about = [text("To"), text("Body")];
    let dice = call.app.dice(&faults, &about, faults.count_attempts());

    // decide and record
    let accepted = match decide(call, &faults, dice) {
        Decision::Reset => {
            call.app.state().stats.fault("reset_before");
            pause(call, &faults, dice).await;
            return Err(Cut::Reset);
        }
        Decision::Refused(refusal) => {
            call.app.state().stats.refused(refusal.code);
            pause(call, &faults, dice).await;
            return Ok(refusal.response());
        }
        Decision::Accepted(accepted) => accepted,
    };

    // say, when the faults want it said
    if let Some(receipt) = accepted.receipt_first {
        // An error says that the receipt was dropped or took too long: the answer goes out.
        let _ = tokio::time::timeout(BEFORE_RESPONSE, receipt).await;
    }
    pause(call, &faults, dice).await;
    if strikes(call, "lost_response", faults.lost_response, dice) {
        Err(Cut::Close)
    } else if strikes(call, "http_5xx_after", faults.http_5xx_after, dice) {
        Ok(errors::internal().response())
    } else {
        Ok(accepted.answer)
    }
}

/// What becomes of a request.
enum Decision {
    /// Nothing is accepted, and the caller hears nothing.
    Reset,
    Refused(Refusal),
    Accepted(Accepted),
}

/// A text that is in the ledger.
struct Accepted {
    answer: Response<Reply>,
    /// Ends when the receipt that must come first has been made.
    receipt_first: Option<oneshot::Receiver<()>>,
}

/// The faults before acceptance, the checks, then acceptance itself.
fn decide(call: &Call<'_>, faults: &Faults, dice: Dice) -> Decision {
    if dice.text("reset_before").hits(faults.reset_before) {
        return Decision::Reset;
    }
    if strikes(call, "http_429", faults.http_429.rate, dice) {
        return Decision::Refused(errors::too_many(faults.http_429.retry_after));
    }
    if strikes(call, "http_5xx_before", faults.http_5xx_before, dice) {
        return Decision::Refused(errors::unavailable());
    }

    let request = match draft::read(call.form) {
        Ok(request) => request,
        Err(refusal) => return Decision::Refused(refusal),
    };
    if let Some(code) = faults.refuse.draw(dice.text("refuse")) {
        return Decision::Refused(coded(code));
    }

    match accept(call, faults, dice, request) {
        Ok(accepted) => Decision::Accepted(accepted),
        Err(refusal) => Decision::Refused(refusal),
    }
}

/// Whether a fault happens, counted when it does.
fn strikes(call: &Call<'_>, name: &'static str, rate: f64, dice: Dice) -> bool {
    let hit = dice.text(name).hits(rate);
    if hit {
        call.app.state().stats.fault(name);
    }
    hit
}

/// Waits for as long as the faults delay the answer.
async fn pause(call: &Call<'_>, faults: &Faults, dice: Dice) {
    let range = faults.latency(call.app.state().accounts.sid(call.account));
    let ms = dice.text("latency").within(range);
    if ms > 0 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// Writes the text into the ledger and sets it on its way.
fn accept(
    call: &Call<'_>,
    faults: &Faults,
    dice: Dice,
    request: Request,
) -> Result<Accepted, Refusal> {
    let (send_at, service) = (request.send_at, request.service.is_some());
    let (index, generation, answer) = {
        let mut state = call.app.state();
        let index = record(call, &mut state, request)?;
        let body = messages::view(&state, index).ok_or_else(errors::not_found)?;
        (index, state.ledger.generation(), format::json(StatusCode::CREATED, &body))
    };

    let start = Start { index, generation, dice, send_at, service };
    Ok(Accepted { answer, receipt_first: set_going(call, faults, start) })
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
    if receipts::comes_before_response(faults, dice) {
        let (ended, receipt_first) = oneshot::channel();
        receipts::send_now(call.app, next(Step::Send), ended);
        return Some(receipt_first);
    }

    let delay = faults.receipt_delay(dice) / 2;
    receipts::plan(call.app, delay, next(Step::Send));
    None
}
