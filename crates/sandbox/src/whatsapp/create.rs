//! `POST messages`: faults, checks, acceptance, and the answer or the lack of one.

use std::{sync::Arc, time::Duration};

use http::{Response, StatusCode};
use serde_json::json;
use tokio::sync::oneshot;

use super::{
    call::Call,
    draft::{self, Request},
    errors::{self, Refusal, coded},
};
use crate::{
    app::State,
    clock::machine_now,
    dice::Dice,
    faults::Faults,
    job::{NextStep, Step},
    ledger::{Carrier, Draft, Index, Status, Text},
    receipts,
    reply::{self, Answer, Cut, Reply},
};

/// How long the answer waits for a receipt that is to come before it.
const BEFORE_RESPONSE: Duration = Duration::from_secs(2);

/// Decides about a request to send from a number, then answers it as the faults want.
pub(super) async fn create(call: &Call<'_>, from: Arc<str>) -> Answer {
    let faults = call.app.faults();
    let (to, text) = draft::about(call.body);
    let dice = call.app.dice(&faults, &[&to, &text], faults.count_attempts());

    // decide and record
    let accepted = match decide(call, from, &faults, dice) {
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

/// A message that is in the ledger.
struct Accepted {
    answer: Response<Reply>,
    /// Ends when the receipt that must come first has been made.
    receipt_first: Option<oneshot::Receiver<()>>,
}

/// The faults before acceptance, the checks, then acceptance itself.
fn decide(call: &Call<'_>, from: Arc<str>, faults: &Faults, dice: Dice) -> Decision {
    if dice.text("reset_before").hits(faults.reset_before) {
        return Decision::Reset;
    }
    if strikes(call, "http_429", faults.http_429.rate, dice) {
        return Decision::Refused(errors::too_many(faults.http_429.retry_after));
    }
    if strikes(call, "http_5xx_before", faults.http_5xx_before, dice) {
        return Decision::Refused(errors::unavailable());
    }
    if let Some(code) = faults.refuse.draw(dice.text("refuse")) {
        return Decision::Refused(coded(code));
    }

    match accept(call, from, faults, dice) {
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
    let range = faults.latency(&call.business);
    let ms = dice.text("latency").within(range);
    if ms > 0 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// Checks the message, writes it into the ledger and sets it on its way.
fn accept(
    call: &Call<'_>,
    from: Arc<str>,
    faults: &Faults,
    dice: Dice,
) -> Result<Accepted, Refusal> {
    let (index, generation, answer) = {
        let mut state = call.app.state();
        let index = record(call, from, &mut state)?;
        let text = state.ledger.get(index).ok_or_else(errors::internal)?;
        (index, state.ledger.generation(), taken(text))
    };

    let next = |step| NextStep { index, generation, dice, step };
    if receipts::comes_before_response(faults, dice) {
        let (ended, receipt_first) = oneshot::channel();
        receipts::send_now(call.app, next(Step::Send), ended);
        return Ok(Accepted { answer, receipt_first: Some(receipt_first) });
    }
    receipts::plan(call.app, faults.receipt_delay(dice) / 2, next(Step::Send));
    Ok(Accepted { answer, receipt_first: None })
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
