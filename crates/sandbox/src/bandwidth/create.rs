//! `POST messages`: faults, checks, acceptance, and the answer or the lack of one.

use std::time::Duration;

use http::{Response, StatusCode};
use serde_json::json;
use tokio::sync::oneshot;

use super::{
    call::Call,
    draft::{self, Request},
    errors::{self, Refusal},
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

/// Decides about a request to send, then answers it as the faults want.
pub(super) async fn create(call: &Call<'_>) -> Answer {
    let faults = call.app.faults();
    let (to, text) = draft::about(call.body);
    let dice = call.app.dice(&faults, &[&to, &text], faults.count_attempts());

    // decide and record
    let accepted = match decide(call, &faults, dice) {
        Decision::Reset => {
            call.app.state().stats.fault("reset_before");
            pause(call, &faults, dice).await;
            return Err(Cut::Reset);
        }
        Decision::Refused(refusal) => {
            call.app.state().stats.refused(refusal.status.into());
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

    let request = match draft::read(call.body) {
        Ok(request) => request,
        Err(refusal) => return Decision::Refused(refusal),
    };
    if let Some(code) = faults.refuse.draw(dice.text("refuse")) {
        return Decision::Refused(errors::coded(code));
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
    let (index, generation, answer) = {
        let mut state = call.app.state();
        let index = record(call, &mut state, request)?;
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
