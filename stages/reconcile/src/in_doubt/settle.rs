//! What a list says about a pair, written down in one transaction: texts are given to messages,
//! absent ones go back to the gates or end, the rest is looked at again.

use std::{collections::HashSet, time::Duration};

use carriers::MessageRecord;
use domain::{
    billing,
    gates::{Absent, Policy},
    ids::MessageId,
    message::{passport::Stamp, state::MessageState},
};
use jiff::Timestamp;
use stage::{Fault, Source};
use store::{
    Scoped,
    capacity::release::{self, Reservation},
    messages::{
        conclude::{self, Conclusion, Waiting},
        in_doubt::{self, FoundText, Open},
        row::StoredMessage,
    },
};
use wire::Event;

use super::{
    Cleared, InDoubtSweep, Look, Pair, again,
    lists::Listed,
    match_up::{Fate, Member, match_up},
};

/// After so many carrier calls that may have been made and were not, the message has failed.
const MAX_CALLS: i16 = 20;

/// The soonest and the latest that a text which is too young is looked at again.
const SOON: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(600);

/// A list, and what it is read with.
struct Reading<'a> {
    now: Timestamp,
    pair: &'a Pair,
    listed: &'a [MessageRecord],
    /// What to do with an absent text; none while the tenant's policy cannot be read.
    absent: Option<Absent>,
}

/// How a doubt ended: the message as it is now, and one word for metrics.
type Ended = (StoredMessage, &'static str);

impl InDoubtSweep {
    /// Settles what a list of a pair says about its doubts.
    pub(super) async fn settle(
        &self,
        look: Look,
        pair: &Pair,
        listed: &Listed,
    ) -> Result<Cleared, Fault> {
        let mut tx = self.store.scoped([&pair.tenant]).await?;

        // load
        let open = in_doubt::lock_open(&mut tx, &pair.tenant, pair.contact, pair.sender).await?;
        // A doubt of another account has another list.
        let ours = |one: &Open| one.account.as_ref().is_none_or(|of| *of == pair.account);
        let open: Vec<Open> = open.into_iter().filter(ours).collect();
        let (records, absent) = match listed {
            Listed::Whole(records) => (records.as_slice(), absent_by_policy(&mut tx, pair).await?),
            // What cannot be proven absent is never sent again.
            Listed::NotOffered => ([].as_slice(), Some(Absent::Never)),
        };
        let account = (&pair.tenant, pair.account.as_str());
        let sids: Vec<&str> = records.iter().map(|record| record.sid.as_str()).collect();
        let known = in_doubt::known_sids(&mut tx, account, pair.contact, &sids).await?;

        // decide
        let members: Vec<Member<'_>> = open.iter().map(|one| member(look, one)).collect();
        let fates = match_up(&members, records, &known, look.at);

        // record
        let reading = Reading { now: look.now, pair, listed: records, absent };
        let mut ended = reading.found(&mut tx, &open, &fates).await?;
        ended.extend(reading.absent(&mut tx, &open, &fates).await?);
        let settled: Vec<&StoredMessage> = ended.iter().map(|(message, _)| message).collect();
        in_doubt::settled(&mut tx, &settled).await?;
        let over: HashSet<MessageId> = settled.iter().map(|message| message.id).collect();
        let left = open.iter().filter(|one| !over.contains(&one.message.id));
        let later: Vec<_> =
            left.map(|one| (&pair.tenant, one.message.id, self.wait(look, one))).collect();
        in_doubt::postpone(&mut tx, &later).await?;
        tx.commit().await.map_err(store::fault)?;

        // say
        Ok(cleared(ended))
    }

    /// Until the list must have it, where it need not have it yet: then it can be decided.
    fn wait(&self, look: Look, one: &Open) -> Duration {
        let listed_from = one.call_by.checked_add(look.listed_after).unwrap_or(Timestamp::MAX);
        match Duration::try_from(listed_from.duration_since(look.at)) {
            Ok(young) if !young.is_zero() => young.clamp(SOON, LONG),
            Ok(_) | Err(_) => self.config.retry,
        }
    }
}

fn member(look: Look, one: &Open) -> Member<'_> {
    let listed_from = one.call_by.checked_add(look.listed_after).ok();
    Member {
        text: &one.text,
        call_by: one.call_by,
        listed_from: listed_from.filter(|_| one.is_in_doubt()),
    }
}

impl Reading<'_> {
    /// Records what the list has. A text that was given away between two looks stays in doubt.
    async fn found(
        &self,
        tx: &mut Scoped,
        open: &[Open],
        fates: &[Fate],
    ) -> Result<Vec<Ended>, Fault> {
        let found = open.iter().zip(fates).filter_map(|(one, fate)| match fate {
            Fate::Found(place) => Some((one, &self.listed[*place])),
            Fate::Absent | Fate::Wait => None,
        });
        let found: Vec<(&Open, &MessageRecord)> = found.collect();
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let account = (&self.pair.tenant, self.pair.account.as_str());
        let taken: Vec<(&str, MessageId)> =
            found.iter().map(|(one, record)| (record.sid.as_str(), one.message.id)).collect();
        let given = in_doubt::take_sids(tx, account, &taken).await?;
        let found: Vec<_> =
            found.into_iter().filter(|(_, record)| given.contains(&record.sid)).collect();
        let stamp = Stamp {
            reason: Some("the carrier's list has it; its answer was lost".into()),
            ..Stamp::plain(InDoubtSweep::NAME.as_str(), self.now, MessageState::Sent.as_str())
        };
        let texts: Vec<FoundText<'_>> = found
            .iter()
            .map(|(one, record)| FoundText {
                tenant: &one.message.tenant,
                message: one.message.id,
                sid: &record.sid,
                billed: billing::billed(one.message.segments, one.message.cost, record.segments),
                stamp: &stamp,
            })
            .collect();
        let stored = in_doubt::found(tx, self.now, &texts).await?;
        let both = || found.iter().map(|(one, _)| *one).zip(&stored);
        let corrected: Vec<Reservation<'_>> =
            both().filter_map(|(one, now)| correction(one, now.as_ref()?)).collect();
        if !corrected.is_empty() {
            release::release(tx, self.now, &corrected).await?;
        }
        Ok(stored.into_iter().flatten().map(|message| (message, "list")).collect())
    }

    /// Records what the carrier does not have.
    async fn absent(
        &self,
        tx: &mut Scoped,
        open: &[Open],
        fates: &[Fate],
    ) -> Result<Vec<Ended>, Fault> {
        let Some(policy) = self.absent else { return Ok(Vec::new()) };
        let is_absent = |(one, fate): (_, &Fate)| (*fate == Fate::Absent).then_some(one);
        let absent: Vec<&Open> = open.iter().zip(fates).filter_map(is_absent).collect();
        if absent.is_empty() {
            return Ok(Vec::new());
        }
        let ends: Vec<(End, Stamp)> = absent
            .iter()
            .map(|one| End::of(one, policy))
            .map(|end| (end, self.stamp(end)))
            .collect();
        let resent: Vec<(&Open, &Stamp)> = absent
            .iter()
            .zip(&ends)
            .filter(|(_, (end, _))| *end == End::Resend)
            .map(|(one, (_, stamp))| (*one, stamp))
            .collect();
        let mut payloads = again::payloads(tx, &self.pair.tenant, &resent).await?;
        let mut conclusions = Vec::with_capacity(absent.len());
        let mut concluding = Vec::with_capacity(absent.len());
        for (one, (end, stamp)) in absent.iter().zip(ends) {
            let waiting = payloads.remove(&one.message.id);
            if end == End::Resend && waiting.is_none() {
                continue;
            }
            conclusions.push(self.conclusion(one, end, stamp, waiting));
            concluding.push((*one, end));
        }
        let concluded = conclude::conclude(tx, self.now, &conclusions).await?;
        let freed: Vec<Reservation<'_>> = concluding
            .iter()
            .zip(&concluded)
            .filter_map(|((one, _), done)| {
                let done = done.as_ref()?;
                Reservation::whole(&done.message, done.reserved_at?, &one.number, one.channel)
            })
            .collect();
        if !freed.is_empty() {
            release::release(tx, self.now, &freed).await?;
        }
        let ended = concluding.iter().zip(concluded);
        Ok(ended.filter_map(|((_, end), done)| Some((done?.message, end.label()))).collect())
    }

    fn conclusion<'a>(
        &self,
        one: &'a Open,
        end: End,
        stamp: Stamp,
        waiting: Option<Waiting>,
    ) -> Conclusion<'a> {
        Conclusion {
            tenant: &one.message.tenant,
            message: one.message.id,
            turn: one.message.turn,
            claim: one.claim,
            state: end.state(),
            gate: None,
            code: stamp.code.clone(),
            due: stamp.until,
            passport: &one.passport,
            stamp,
            waiting,
            doubt: None,
        }
    }

    fn stamp(&self, end: End) -> Stamp {
        let (code, reason) = end.reason();
        Stamp {
            code: Some(code.into()),
            reason: Some(reason.into()),
            until: (end == End::Resend).then_some(self.now),
            ..Stamp::plain(InDoubtSweep::NAME.as_str(), self.now, end.state().as_str())
        }
    }
}

/// What becomes of a text that the carrier does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Resend,
    Never,
    GiveUp,
}

impl End {
    fn of(one: &Open, policy: Absent) -> Self {
        match policy {
            Absent::Never => Self::Never,
            Absent::Resend if one.claim.1 >= MAX_CALLS => Self::GiveUp,
            Absent::Resend => Self::Resend,
        }
    }

    fn state(self) -> MessageState {
        match self {
            Self::Resend => MessageState::Deferred,
            Self::Never => MessageState::Unknown,
            Self::GiveUp => MessageState::Failed,
        }
    }

    fn reason(self) -> (&'static str, &'static str) {
        match self {
            Self::Resend => ("absent", "the carrier's list does not have it: it is sent again"),
            Self::Never => {
                ("absent", "the carrier's list does not have it, and it is not to be sent again")
            }
            Self::GiveUp => ("given_up", "no call to the carrier has come to an end"),
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Resend => "absent_resent",
            Self::Never => "absent_unknown",
            Self::GiveUp => "given_up",
        }
    }
}

/// What the tenant wants done with absent texts.
async fn absent_by_policy(tx: &mut Scoped, pair: &Pair) -> Result<Option<Absent>, Fault> {
    let stored = in_doubt::policy(tx, &pair.tenant).await?;
    let policy = stored.map_or_else(|| Ok(Policy::default()), |json| Policy::read(&json));
    let read = policy.inspect_err(|_| {
        tracing::error!(tenant = %pair.tenant, "absent texts stay in doubt: the policy is unreadable");
    });
    Ok(read.ok().map(|policy| policy.in_doubt.absent))
}

/// Budgets hold what is billed: the difference to the estimate goes back, or is taken too.
fn correction<'a>(one: &'a Open, stored: &StoredMessage) -> Option<Reservation<'a>> {
    let cost = billing::correction(one.message.cost, stored.cost)?;
    let whole = Reservation::whole(&one.message, one.reserved_at?, &one.number, one.channel)?;
    Some(Reservation { cost, unsent: None, ..whole })
}

fn cleared(ended: Vec<Ended>) -> Cleared {
    let mut cleared = Cleared::default();
    for (message, by) in ended {
        metrics::counter!("millrace_in_doubt_resolved_total", "by" => by).increment(1);
        cleared.say.extend(message.event().iter().map(Event::outgoing));
        cleared.ended.push((message.tenant, message.id, Some(message.version)));
    }
    cleared
}
