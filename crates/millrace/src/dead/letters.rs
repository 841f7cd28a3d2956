//! Reading DEAD from its oldest frame to the one that was last when reading began: what dies again
//! meanwhile is not read. No consumer is made, and nothing is acknowledged.

use std::time::Duration;

use anyhow::{Context, bail};
use async_nats::jetstream::{
    ErrorCode,
    stream::{RawMessageErrorKind, Stream as Handle},
};
use pipeline::{Broker, Publisher};
use serde_json::value::{RawValue, Value, to_raw_value};
use stage::StageName;
use store::core::seal::{NotOurs, Sealer};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wire::{DeadLetter, MemberKey, Stream, Subject, frame::Outgoing};

use crate::{cli::dead::Filter, rotate::sums::RotationSums};

/// How long a publish may take before the run ends: a full stream needs its readers, not a redrive.
pub(super) const PUBLISH_PATIENCE: Duration = Duration::from_secs(10);

/// One frame of DEAD.
pub(super) struct Frame {
    /// Where it lies in the stream; what `list` shows of each letter in it.
    pub(super) sequence: u64,
    subject: String,
    members: Vec<Member>,
}

/// A letter as it lies in its frame.
struct Member {
    raw: Box<RawValue>,
    /// None where this version cannot read it.
    letter: Option<DeadLetter>,
}

/// The letters of DEAD, frame by frame.
pub(super) struct Letters {
    stream: Handle<()>,
    /// Subjects that are read.
    subjects: String,
    /// Where the next frame may lie.
    next: u64,
    /// What was last in the stream when reading began.
    last: u64,
    /// Cancelled by SIGTERM and SIGINT.
    stop: CancellationToken,
}

impl Letters {
    /// Begins with the oldest frame that may hold letters of this stage.
    pub(super) async fn open(
        broker: &Broker,
        filter: &Filter,
        stop: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let name = Stream::Dead.name();
        let found = broker.api.get_stream(name).await;
        let state = found.with_context(|| no_stream(name))?.cached_info().state.clone();
        let stream = broker.api.get_stream_no_info(name).await.with_context(|| no_stream(name))?;

        let subjects = format!("dead.{}.*", filter.stage.map_or("*", StageName::as_str));
        let (next, last) = (state.first_sequence.max(1), state.last_sequence);
        Ok(Self { stream, subjects, next, last, stop: stop.clone() })
    }

    /// The next frame; none at the end.
    ///
    /// # Errors
    /// The broker does not answer, or the process was told to end.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<Frame>> {
        if self.stop.is_cancelled() {
            bail!("interrupted");
        }
        if self.next > self.last {
            return Ok(None);
        }

        let found = self.stream.get_first_raw_message_by_subject(&self.subjects, self.next).await;
        let message = match found {
            Ok(message) => message,
            Err(why) if why.kind() == RawMessageErrorKind::NoMessageFound => return Ok(None),
            Err(why) => return Err(why).context("reading DEAD"),
        };
        self.next = message.sequence + 1;

        // What is no frame at all holds no letter, and is left where it is.
        let parts: Vec<Box<RawValue>> =
            serde_json::from_slice(&message.payload).unwrap_or_default();
        let member =
            |raw: Box<RawValue>| Member { letter: serde_json::from_str(raw.get()).ok(), raw };
        let frame = Frame {
            sequence: message.sequence,
            subject: message.subject.to_string(),
            members: parts.into_iter().map(member).collect(),
        };
        Ok((message.sequence <= self.last).then_some(frame))
    }

    /// Takes letters out of a frame, by their indices in it. The others are stored as a frame of
    /// their own before this one is deleted, so that a crash in between leaves a letter twice and
    /// loses none.
    pub(super) async fn remove(
        &self,
        publisher: &Publisher,
        frame: &Frame,
        done: &[usize],
    ) -> anyhow::Result<()> {
        if done.is_empty() {
            return Ok(());
        }

        let kept = frame.members.iter().enumerate().filter(|(index, _)| !done.contains(index));
        let kept: Vec<&Member> = kept.map(|(_, member)| member).collect();
        self.replace(publisher, frame, &kept).await
    }

    /// Seals anew the letters of a frame that an older key has sealed, and counts. What does not
    /// open stays as it is, and is named.
    pub(super) async fn renew(
        &self,
        publisher: &Publisher,
        frame: &Frame,
        sealer: &Sealer,
        sums: &mut RotationSums,
    ) -> anyhow::Result<()> {
        let mut anew: Vec<Option<Member>> = Vec::new();
        for member in &frame.members {
            let renewed = member.renewed(sealer);
            match &renewed {
                Ok(Some(_)) => sums.renewed += 1,
                Ok(None) => sums.current += 1,
                Err(why) => {
                    sums.closed += 1;
                    let id = member.letter.as_ref().map_or(Uuid::nil(), |letter| letter.id);
                    let sequence = frame.sequence;
                    eprintln!("dead letter {id} at {sequence} of {}: {why}", frame.subject);
                }
            }
            anew.push(renewed.ok().flatten());
        }
        if anew.iter().all(Option::is_none) {
            return Ok(());
        }

        let members = frame.members.iter().zip(&anew);
        let members: Vec<&Member> =
            members.map(|(before, anew)| anew.as_ref().unwrap_or(before)).collect();
        self.replace(publisher, frame, &members).await
    }

    /// Stores members as a frame of their own, and deletes the one that they are from.
    async fn replace(
        &self,
        publisher: &Publisher,
        frame: &Frame,
        members: &[&Member],
    ) -> anyhow::Result<()> {
        if !members.is_empty() {
            let subject = frame.subject().context("a frame of DEAD under a stage that is none")?;
            let say = members.iter().map(|member| member.again(&subject, frame.sequence)).collect();
            publisher.offer(say, PUBLISH_PATIENCE).await.context("DEAD")?;
        }

        match self.stream.delete_message(frame.sequence).await {
            Ok(_) => Ok(()),
            Err(_) if self.is_gone(frame.sequence).await => Ok(()),
            Err(why) => Err(why).context("deleting a letter from DEAD"),
        }
    }

    /// Whether somebody else has deleted a frame.
    async fn is_gone(&self, sequence: u64) -> bool {
        let found = self.stream.get_raw_message(sequence).await;
        found.is_err_and(|why| match why.kind() {
            RawMessageErrorKind::NoMessageFound => true,
            RawMessageErrorKind::JetStream(said) => {
                said.error_code() == ErrorCode::NO_MESSAGE_FOUND
            }
            RawMessageErrorKind::InvalidSubject | RawMessageErrorKind::Other => false,
        })
    }
}

impl Frame {
    /// The letters that are asked for, each with its index in the frame.
    pub(super) fn letters<'a>(
        &'a self,
        filter: &Filter,
    ) -> impl Iterator<Item = (usize, &'a DeadLetter)> {
        let read = self.members.iter().enumerate();
        let read = read.filter_map(|(index, member)| Some((index, member.letter.as_ref()?)));
        read.filter(|(_, letter)| is_meant(letter, filter))
    }

    /// The subject as our types have it; none where its stage is none of ours.
    fn subject(&self) -> Option<Subject> {
        let (stage, tenant) = self.subject.strip_prefix("dead.")?.split_once('.')?;
        let stage = StageName::ALL.iter().find(|name| name.as_str() == stage)?;
        Some(Subject::Dead(stage.as_str(), tenant.parse().ok()))
    }
}

impl Member {
    /// The letter with its content sealed by the newest key; none where that has sealed it already.
    /// What of the letter this version does not know stays.
    fn renewed(&self, sealer: &Sealer) -> Result<Option<Self>, NotOurs> {
        let mut json: Value = serde_json::from_str(self.raw.get()).map_err(|_| NotOurs)?;
        let sealed = json["sealed"].as_str().ok_or(NotOurs)?;
        let Some(anew) = sealer.renew(sealed)? else { return Ok(None) };
        json["sealed"] = anew.into();
        let raw = to_raw_value(&json).map_err(|_| NotOurs)?;
        Ok(Some(Self { letter: serde_json::from_str(raw.get()).ok(), raw }))
    }

    /// The letter again, byte for byte. Its key names the frame that it was in, so that the broker
    /// drops a repeat of this move, and nothing else.
    fn again(&self, subject: &Subject, sequence: u64) -> Outgoing {
        let own = || Uuid::new_v5(&Uuid::NAMESPACE_OID, self.raw.get().as_bytes());
        let id = self.letter.as_ref().map_or_else(own, |letter| letter.id);
        let key = MemberKey { body: sequence, ..MemberKey::of(id) };
        let json = self.raw.get().as_bytes().to_vec();
        Outgoing { subject: subject.clone(), key, trace: None, json }
    }
}

/// Whether a letter fits every field that the filter gives.
fn is_meant(letter: &DeadLetter, filter: &Filter) -> bool {
    filter.stage.is_none_or(|stage| stage.as_str() == letter.stage)
        && filter.tenant.as_ref().is_none_or(|tenant| *tenant == letter.tenant)
        && filter.cause.as_ref().is_none_or(|cause| *cause == letter.cause)
        && filter.id.is_none_or(|id| id == letter.id)
}

fn no_stream(name: &str) -> String {
    format!("no stream {name}: `millrace streams apply` makes it")
}
