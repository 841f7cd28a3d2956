//! What every hop does: 128 messages become a frame, and a frame becomes messages.

use divan::{
    Bencher, black_box,
    counter::{BytesCount, ItemsCount},
};
use domain::{ids::MessageId, message::class::Lane};
use serde::de::DeserializeOwned;
use uuid::Uuid;
use wire::{
    Payload, Subject,
    frame::{Frame, MAX_MESSAGES, Outgoing, pack, unpack},
    message::{Admitted, Enriched, Submitted},
};

/// One message of each step, with everything that it may have.
const SUBMITTED: &str = include_str!("../tests/golden/submitted_body_from_sender.json");
const ENRICHED: &str = include_str!("../tests/golden/enriched.json");
const ADMITTED: &str = include_str!("../tests/golden/admitted.json");

/// Messages of a frame: as many as fit of the largest.
const MESSAGES: usize = MAX_MESSAGES / 2;

fn main() {
    divan::main();
}

#[divan::bench]
fn a_frame_of_submitted_messages_is_packed(bencher: Bencher<'_, '_>) {
    packs(bencher, Subject::Submitted(Lane::Bulk), &submitted());
}

#[divan::bench]
fn a_frame_of_submitted_messages_is_read(bencher: Bencher<'_, '_>) {
    reads(bencher, Subject::Submitted(Lane::Bulk), &submitted());
}

#[divan::bench]
fn a_frame_of_enriched_messages_is_packed(bencher: Bencher<'_, '_>) {
    packs(bencher, Subject::Enriched(Lane::Bulk), &enriched());
}

#[divan::bench]
fn a_frame_of_enriched_messages_is_read(bencher: Bencher<'_, '_>) {
    reads(bencher, Subject::Enriched(Lane::Bulk), &enriched());
}

#[divan::bench]
fn a_frame_of_admitted_messages_is_packed(bencher: Bencher<'_, '_>) {
    packs(bencher, Subject::Admitted(Lane::Bulk, 7), &admitted());
}

#[divan::bench]
fn a_frame_of_admitted_messages_is_read(bencher: Bencher<'_, '_>) {
    reads(bencher, Subject::Admitted(Lane::Bulk, 7), &admitted());
}

/// Measures how messages become bytes under the name of their content.
fn packs<P: Payload>(bencher: Bencher<'_, '_>, subject: Subject, messages: &[P]) {
    let bytes = frame(&subject, messages).bytes.len();
    bencher
        .counter(ItemsCount::new(messages.len()))
        .counter(BytesCount::new(bytes))
        .bench_local(|| frame(&subject, black_box(messages)));
}

/// Measures how bytes become messages.
fn reads<P: Payload>(bencher: Bencher<'_, '_>, subject: Subject, messages: &[P]) {
    let bytes = frame(&subject, messages).bytes;
    bencher
        .counter(ItemsCount::new(messages.len()))
        .counter(BytesCount::new(bytes.len()))
        .bench_local(|| unpack::<P>(black_box(&bytes)).expect("a frame").len());
}

/// The one frame that the messages make.
fn frame<P: Payload>(subject: &Subject, messages: &[P]) -> Frame {
    let outgoing: Vec<Outgoing> =
        messages.iter().map(|message| Outgoing::new(subject.clone(), message)).collect();
    let mut frames = pack("bench", subject, &outgoing);
    assert_eq!(frames.len(), 1, "they fit into one frame");
    frames.remove(0)
}

fn submitted() -> Vec<Submitted> {
    many(SUBMITTED, |message: &mut Submitted, id| message.head.id = id)
}

fn enriched() -> Vec<Enriched> {
    many(ENRICHED, |message: &mut Enriched, id| message.head.id = id)
}

fn admitted() -> Vec<Admitted> {
    many(ADMITTED, |message: &mut Admitted, id| message.message.head.id = id)
}

/// The messages of a frame, each with an id of its own.
fn many<P: DeserializeOwned + Clone>(json: &str, name: fn(&mut P, MessageId)) -> Vec<P> {
    let one: P = serde_json::from_str(json).expect("a golden message");
    let named = |index: usize| {
        let mut message = one.clone();
        name(&mut message, MessageId(Uuid::from_u128(index as u128 + 1)));
        message
    };
    (0..MESSAGES).map(named).collect()
}
