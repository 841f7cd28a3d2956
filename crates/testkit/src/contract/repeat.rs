//! Hands a stage its input again, under other message ids and in other frames, so that the broker's
//! deduplication does not see that it is the same.

use std::{
    collections::{BTreeMap, HashSet},
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::Context;
use async_nats::{HeaderMap, jetstream};
use pipeline::{Broker, consumers::CONSUMERS};
use serde_json::{Value, value::RawValue};
use stage::StageName;
use wire::Stream;

/// One message of a stream, with what it holds.
#[derive(Clone)]
pub(super) struct Input {
    subject: String,
    members: Vec<Box<RawValue>>,
    headers: Option<HeaderMap>,
    /// Whether its payload is its one member, and no frame.
    whole: bool,
}

/// Reads what is stored for a stage, without taking it away.
pub(super) async fn read(broker: &Broker, stage: StageName) -> anyhow::Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for stream in streams(stage) {
        let stream = broker.api.get_stream(stream.name()).await?;
        let state = stream.get_info().await?.state;

        for sequence in state.first_sequence..=state.last_sequence {
            let Ok(message) = stream.get_raw_message(sequence).await else { continue };
            // Webhooks travel one by one, everything else in frames.
            let frame = serde_json::from_slice::<Vec<Box<RawValue>>>(&message.payload);
            let (whole, members) = match frame {
                Ok(members) => (false, members),
                Err(_) => (true, vec![serde_json::from_slice(&message.payload)?]),
            };
            let headers = (!message.headers.is_empty()).then_some(message.headers);
            inputs.push(Input { subject: message.subject.to_string(), members, headers, whole });
        }
    }
    Ok(inputs)
}

/// Reads it and takes it away, so that it can be handed over part by part.
pub(super) async fn take(broker: &Broker, stage: StageName) -> anyhow::Result<Vec<Input>> {
    let inputs = read(broker, stage).await?;
    for stream in streams(stage) {
        broker.api.get_stream(stream.name()).await?.purge().await?;
    }
    Ok(inputs)
}

/// Deals what each subject holds out into so many parts, in its order. A stage handles each lane by
/// itself and all alike, so a part holds messages of one lane.
pub(super) fn deal(inputs: &[Input], parts: usize) -> Vec<Vec<Input>> {
    let mut subjects: BTreeMap<&str, Vec<(&Input, &RawValue)>> = BTreeMap::new();
    for input in inputs {
        let of_subject = subjects.entry(&input.subject).or_default();
        of_subject.extend(input.members.iter().map(|member| (input, &**member)));
    }

    // Where subjects are lanes, they take turns: each has every `turns`-th part.
    let in_lanes = subjects.keys().all(|subject| subject.starts_with("msg."));
    let turns = if in_lanes { subjects.len() } else { 1 };
    let part = |part: usize| {
        let of_part = subjects.values().enumerate();
        let of_part = of_part.filter(|(lane, _)| part % turns == lane % turns);
        let framed = of_part.flat_map(|(_, members)| {
            let first_of = |part: usize| (part / turns * turns) * members.len() / parts;
            framed(&members[first_of(part)..first_of(part + turns)])
        });
        framed.collect()
    };
    (0..parts).map(part).collect()
}

/// One input of all these members, or one each where they do not travel in frames.
fn framed(members: &[(&Input, &RawValue)]) -> Vec<Input> {
    let one = |&(input, member): &(&Input, &RawValue)| Input {
        members: vec![member.to_owned()],
        ..input.without_members()
    };

    match members {
        [] => Vec::new(),
        [(first, _), ..] if !first.whole => {
            let members = members.iter().map(|(_, member)| (*member).to_owned()).collect();
            vec![Input { members, ..first.without_members() }]
        }
        whole => whole.iter().map(one).collect(),
    }
}

impl Input {
    fn without_members(&self) -> Self {
        Self {
            subject: self.subject.clone(),
            members: Vec::new(),
            headers: self.headers.clone(),
            whole: self.whole,
        }
    }
}

/// The streams that a stage reads.
fn streams(stage: StageName) -> HashSet<Stream> {
    CONSUMERS.iter().filter(|spec| spec.stage == stage).map(|spec| spec.stream).collect()
}

/// Publishes inputs again in frames of so many members, the last first.
#[expect(clippy::disallowed_methods, reason = "plays a producer that repeats itself")]
pub(super) async fn publish(broker: &Broker, inputs: &[Input], size: usize) -> anyhow::Result<()> {
    for input in inputs.iter().rev() {
        for members in input.members.rchunks(size) {
            let payload = if input.whole {
                members.first().context("a message")?.get().to_owned()
            } else {
                serde_json::to_string(members)?
            };

            let mut headers = input.headers.clone().unwrap_or_default();
            headers.insert("Nats-Msg-Id", format!("again-{}", fresh()));
            let publish = jetstream::message::PublishMessage::build();
            let publish = publish.payload(payload.into()).headers(headers);
            broker.api.send_publish(input.subject.clone(), publish).await?.await?;
        }
    }
    Ok(())
}

/// Publishes bytes of any kind where an input was.
#[expect(clippy::disallowed_methods, reason = "plays a producer that is broken")]
pub(super) async fn publish_raw(
    broker: &Broker,
    input: &Input,
    payload: &'static [u8],
) -> anyhow::Result<()> {
    let publish = jetstream::message::PublishMessage::build().payload(payload.into());
    broker.api.send_publish(input.subject.clone(), publish).await?.await?;
    Ok(())
}

/// An input with one more message among its members, or with it alone where they do not travel in
/// frames.
pub(super) fn among(input: &Input, message: String) -> anyhow::Result<Input> {
    let message = RawValue::from_string(message)?;
    let mut members = if input.whole { Vec::new() } else { input.members.clone() };
    members.insert(members.len() / 2, message);
    Ok(Input { members, ..input.without_members() })
}

/// Every message of every input, with the input that it lies in.
pub(super) fn members(inputs: &[Input]) -> impl Iterator<Item = (&Input, Value)> {
    inputs.iter().flat_map(|input| {
        let parsed = |member: &RawValue| serde_json::from_str(member.get()).ok();
        input.members.iter().filter_map(move |member| Some((input, parsed(member)?)))
    })
}

/// A number that this process has not used before.
fn fresh() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
