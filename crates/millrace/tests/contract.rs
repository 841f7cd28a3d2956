//! What every stage and every source must stand (`testkit::contract`): delivery twice, to two
//! processes at once, in another cut and under other facts; a kill at each of its IO points; a
//! while without its broker or its database; being slow or frozen past its time; poison among its
//! input. It must come to the same end each time. Half of the messages, of their receipts and of
//! the answers to them are of one carrier, half of another: Twilio and Bandwidth, both at once.
//!
//! The trials are in testkit. The list is here, in the only crate that knows every stage: what is
//! named once, in `cases!`, goes through all of them.

#[path = "contract/cases.rs"]
mod cases;
#[path = "contract/inputs.rs"]
mod inputs;

use cases::cases;
use stage::StageName;
use testkit::contract::stands_everything;

cases! {
    audience_stands_everything AUDIENCE;
    enrich_stands_everything ENRICH;
    gate_stands_everything GATE;
    throttle_stands_everything THROTTLE;
    send_stands_everything SEND;
    reconcile_stands_everything RECONCILE;
    sweep_stands_everything SWEEP;
    inbound_stands_everything INBOUND;
    media_stands_everything MEDIA;
    reply_stands_everything REPLY;
    answers_stand_everything ANSWERS;
    rollup_stands_everything ROLLUP;
    schedule_stands_everything SCHEDULE;
}
