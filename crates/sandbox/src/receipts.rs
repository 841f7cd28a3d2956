//! The way of an accepted text: queued, sent, then delivered or not, with a receipt at each step,
//! and what the faults make of the receipts.

use std::{sync::Arc, time::Duration};

use tokio::sync::oneshot;

use crate::{
    app::{App, State},
    bandwidth::callback::status as bandwidth_receipt,
    clock::machine_now,
    delivery::Delivery,
    dice::Dice,
    faults::Faults,
    job::{Job, NextStep, Step},
    ledger::{Carrier, Index, Status},
    posting, reaction,
    stats::count,
    twilio::callback::status as twilio_receipt,
    whatsapp::callback::{read as read_receipt, status as whatsapp_receipt},
};

/// How often a scheduled text looks at the business clock.
const RELEASE_LOOK: Duration = Duration::from_millis(100);

/// How long after its text's last receipt a reordered `sent` comes.
const REORDERED: Duration = Duration::from_millis(25);

/// What becomes of a text. Its dice decide, so that each step of the text finds the same.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Delivered,
    /// The network did not deliver it.
    Undelivered(u32),
    /// It never left the carrier.
    Failed(u32),
}

impl Ending {
    fn of(faults: &Faults, dice: Dice) -> Self {
        match faults.undelivered.draw(dice.text("undelivered")) {
            None => Self::Delivered,
            // Queue overflow, account suspended, validity elapsed: these end in the queue.
            Some(code @ (30001 | 30002 | 30036)) => Self::Failed(code),
            Some(code) => Self::Undelivered(code),
        }
    }

    fn status(self) -> (Status, u32) {
        match self {
            Self::Delivered => (Status::Delivered, 0),
            Self::Undelivered(code) => (Status::Undelivered, code),
            Self::Failed(code) => (Status::Failed, code),
        }
    }
}

/// Plans a step.
pub(crate) fn plan(app: &App, after: Duration, next: NextStep) {
    app.later(after, Job::Step(next));
}

/// Whether this text's `sent` comes before the answer to its caller.
fn comes_before_response(faults: &Faults, dice: Dice) -> bool {
    faults.receipts.sent && dice.text("before_response").hits(faults.receipts.before_response)
}

/// Takes a step that is due.
pub(crate) fn take_step(app: &Arc<App>, next: NextStep) {
    match next.step {
        Step::Release { .. } => release(app, next),
        Step::Queue => queue(app, &next),
        Step::Send => send(app, &next, None),
        Step::End => end(app, &next),
    }
}

/// Plans the sending of a text. Where its receipt must come before the answer to its caller, gives
/// what tells that it has been made.
pub(crate) fn start(
    app: &Arc<App>,
    faults: &Faults,
    next: NextStep,
) -> Option<oneshot::Receiver<()>> {
    if comes_before_response(faults, next.dice) {
        let (ended, receipt_first) = oneshot::channel();
        app.state().stats.fault("before_response");
        send(app, &next, Some(ended));
        return Some(receipt_first);
    }

    plan(app, faults.receipt_delay(next.dice) / 2, next);
    None
}

/// Lets a scheduled text go when business time has reached its time, else looks again later.
pub(crate) fn release(app: &App, next: NextStep) {
    let Step::Release { send_at } = next.step else { return };
    let waits = {
        let state = app.state();
        let text = state.ledger.get(next.index);
        state.ledger.generation() == next.generation
            && text.is_some_and(|text| text.status == Status::Scheduled)
    };
    if !waits {
        return;
    }

    if app.clock.business(machine_now()) < send_at {
        plan(app, RELEASE_LOOK, next);
    } else {
        plan(app, Duration::ZERO, next.then(Step::Queue));
    }
}

/// A text of a service gets its sender.
fn queue(app: &Arc<App>, next: &NextStep) {
    let faults = app.faults();
    let from = [Status::Accepted, Status::Scheduled];
    let Some(delivery) = advance(app, next, &from, Status::Queued, 0) else { return };

    plan(app, faults.receipt_delay(next.dice) / 2, next.then(Step::Send));
    emit(app, &faults, next.dice, "queued", delivery);
}

/// The text goes to the phone's network, or fails before it does. `ended` is told when the receipt
/// has been made.
fn send(app: &Arc<App>, next: &NextStep, ended: Option<oneshot::Sender<()>>) {
    let faults = app.faults();
    let (status, error, ends) = match Ending::of(&faults, next.dice) {
        Ending::Failed(code) => (Status::Failed, code, true),
        Ending::Delivered | Ending::Undelivered(_) => (Status::Sent, 0, false),
    };
    let Some(delivery) = advance(app, next, &[Status::Queued], status, error) else { return };
    if ends {
        emit(app, &faults, next.dice, "failed", with_end(delivery, ended));
        return;
    }

    plan(app, faults.receipt_delay(next.dice) / 2, next.then(Step::End));
    let reordered = ended.is_none() && is_reordered(&faults, next.dice);
    if faults.receipts.sent && !reordered {
        emit(app, &faults, next.dice, "sent", with_end(delivery, ended));
    }
}

/// The network says what became of the text. A person may react to it.
fn end(app: &Arc<App>, next: &NextStep) {
    let faults = app.faults();
    let ending = Ending::of(&faults, next.dice);
    let (status, error) = ending.status();
    let reordered = is_reordered(&faults, next.dice) && !comes_before_response(&faults, next.dice);
    let Some(delivery) = advance(app, next, &[Status::Sent], status, error) else { return };

    let is_read = ending == Ending::Delivered && next.dice.text("read").hits(faults.receipts.read);
    let (late, read) = {
        let mut state = app.state();
        if state.ledger.generation() != next.generation {
            return;
        }
        let is_whatsapp =
            state.ledger.get(next.index).is_some_and(|text| text.carrier == Carrier::Whatsapp);
        let read = (is_read && is_whatsapp).then(|| read_receipt(&mut state, next.index));
        let late = reordered.then(|| call_back(&mut state, next.index, Status::Sent, 0));
        // No receipt follows: the URL's memory is given back.
        if let Some(text) = state.ledger.get_mut(next.index) {
            text.callback = None;
        }
        (late.flatten(), read.flatten())
    };

    if ending == Ending::Delivered {
        reaction::react(app, next.index);
    }
    emit(app, &faults, next.dice, "end", delivery);
    if let Some(late) = late {
        app.state().stats.fault("reorder");
        app.later(REORDERED, Job::Post(late));
    }
    if let Some(read) = read {
        app.later(REORDERED, Job::Post(read));
    }
}

fn is_reordered(faults: &Faults, dice: Dice) -> bool {
    faults.receipts.sent && dice.text("reorder").hits(faults.receipts.reorder)
}

/// Moves the text on, if it has one of the statuses `from`. Gives its receipt, which is `None` when
/// the sender wants none.
fn advance(
    app: &App,
    next: &NextStep,
    from: &[Status],
    to: Status,
    error: u32,
) -> Option<Option<Box<Delivery>>> {
    let now = machine_now();
    let mut state = app.state();
    let may_move = state.ledger.get(next.index).is_some_and(|text| from.contains(&text.status));
    if !may_move || state.ledger.generation() != next.generation {
        return None;
    }

    state.ledger.set_status(next.index, to, error, now);
    Some(call_back(&mut state, next.index, to, error))
}

/// The receipt of a text that has come to a status, in its carrier's form; `None` when its sender
/// wants none.
fn call_back(state: &mut State, index: Index, to: Status, error: u32) -> Option<Box<Delivery>> {
    match state.ledger.get(index)?.carrier {
        Carrier::Twilio => twilio_receipt(state, index, to, error),
        Carrier::Bandwidth => bandwidth_receipt(state, index, to, error),
        Carrier::Whatsapp => whatsapp_receipt(state, index, to, error),
    }
}

fn with_end(
    delivery: Option<Box<Delivery>>,
    ended: Option<oneshot::Sender<()>>,
) -> Option<Box<Delivery>> {
    delivery.map(|mut delivery| {
        delivery.ended = ended;
        delivery
    })
}

/// Makes a receipt: once, twice or not at all.
fn emit(app: &Arc<App>, faults: &Faults, dice: Dice, name: &str, delivery: Option<Box<Delivery>>) {
    let Some(delivery) = delivery else { return };
    if dice.text("receipt_drop").text(name).hits(faults.receipts.drop) {
        count(&app.courier.counters.dropped);
        return;
    }

    let duplicate = dice.text("receipt_duplicate").text(name);
    if duplicate.hits(faults.receipts.duplicate) {
        app.state().stats.fault("duplicate_receipt");
        let after = Duration::from_millis(20 + duplicate.value() % 60);
        app.later(after, Job::Post(delivery.again()));
    }
    posting::post(app, delivery);
}
