//! What receipts make of a message: a fold over the state machine's merge. Pure. Receipts in any
//! order and any number of repetitions end in the same state.

use carriers::Carrier;
use domain::{billing, message::state::MessageState};
use store::{capacity::late::LateEvidence, messages::receipt::Reported};

use crate::receipts::{
    price::{Prices, Settled},
    report::{Key, Report, Reports},
    taken::Rows,
};

/// A message, its row, and what receipts make of it.
pub(crate) struct MergedRow<'a> {
    pub(crate) key: &'a Key,
    /// The row as it was found and locked.
    pub(crate) row: &'a Reported,
    pub(crate) change: Change<'a>,
    /// What its receipts have settled of its price.
    pub(crate) settled: Option<Settled>,
}

/// What the receipts of one batch make of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change<'a> {
    /// The state, never lower than it was.
    pub(crate) state: MessageState,
    /// The receipt that raised it, if one did.
    pub(crate) raised_by: Option<&'a Report>,
    /// The carrier that the receipts came from; none where there are none.
    pub(crate) carrier: Option<Carrier>,
    /// The carrier's id of the text, where none was stored.
    pub(crate) sid: Option<&'a str>,
    /// Whether a receipt of this batch is the one that made the stored state. It was redelivered:
    /// whoever recorded it may have died before saying its event, so the event is said again.
    pub(crate) repeats: bool,
    /// Whether the carrier has a second id for the same message: two texts went out.
    pub(crate) second_sid: bool,
}

/// Merges receipts into the rows that they are about. A message that has no row is left out.
pub(crate) fn merge_all<'a>(
    rows: &'a Rows,
    reports: &'a Reports,
    prices: &Prices,
) -> Vec<MergedRow<'a>> {
    let mut used = prices.used.clone();
    let mut merged = Vec::with_capacity(reports.len());
    for (key, of_message) in reports {
        if let Some(row) = rows.get(key) {
            let told: Vec<&Report> = of_message.iter().map(|(_, report)| report).collect();
            let settled = prices.settle(key, row, &told, &mut used);
            merged.push(MergedRow { key, row, change: merge(row, &told), settled });
        }
    }
    merged
}

/// Folds receipts into the row that they are about.
pub(crate) fn merge<'a>(row: &Reported, reports: &[&'a Report]) -> Change<'a> {
    let mut change = Change {
        state: row.message.state,
        raised_by: None,
        carrier: reports.first().map(|report| report.carrier),
        sid: None,
        repeats: false,
        second_sid: false,
    };

    for report in reports {
        let merged = change.state.merge(report.state);
        if merged != change.state {
            change.state = merged;
            change.raised_by = Some(report);
        }

        let known = row.sid.as_deref().or(change.sid);
        change.second_sid |= known.is_some_and(|known| known != report.sid);
        if known.is_none() {
            change.sid = Some(&report.sid);
        }
    }

    // The row has the time of the receipt that made its version, in microseconds: by its state, or
    // by its price.
    let made_at = row.message.changed_at.as_microsecond();
    let priced_by = row.settlement.map(|settlement| settlement.by);
    let made_the_row = |report: &&Report| {
        let made_it = report.state == row.message.state
            || report.price.is_some() && Some(report.state) == priced_by;
        made_it && report.at.as_microsecond() == made_at
    };
    change.repeats = change.raised_by.is_none() && reports.iter().any(made_the_row);
    change
}

impl Change<'_> {
    /// Says a row again, because whoever made it may have died before saying it.
    pub(crate) fn again(row: &Reported, carrier: Option<Carrier>) -> Self {
        let state = row.message.state;
        Self { state, raised_by: None, carrier, sid: None, repeats: true, second_sid: false }
    }
}

/// Whether a message that is raised to this state has ended with it: one that had ended before, as
/// `unknown` for one, stays ended when the carrier turns out to have it. Its campaign may be
/// completed, and that is said once. A receipt that says more still raises it.
pub(crate) fn stays_ended(before: &Reported, state: MessageState) -> bool {
    state == MessageState::Sent && before.message.state.is_final()
}

/// Whether somebody already sees to it that a message which is raised to this state has a receipt
/// in the end: a claim leads the sweep to it, or it was sent before. A state above `sent` needs no
/// further receipt, and nor does a message that stays ended.
pub(crate) fn is_watched(before: &Reported, state: MessageState) -> bool {
    if state != MessageState::Sent {
        return true;
    }

    match before.message.state {
        MessageState::Queued => before.claimed,
        MessageState::Sent => true,
        // The receipt takes the row of the doubt away, and with it what led the sweep here.
        MessageState::InDoubt => false,
        MessageState::Accepted | MessageState::Deferred | MessageState::Held => false,
        MessageState::Blocked
        | MessageState::Cancelled
        | MessageState::Expired
        | MessageState::Unknown
        | MessageState::Failed
        | MessageState::Delivered
        | MessageState::Read => true,
    }
}

/// What the counters do not know yet of messages that receipts have raised or priced.
pub(crate) fn late_evidence(merged: &[MergedRow<'_>]) -> Vec<LateEvidence> {
    merged.iter().flat_map(|one| [late(one), correcting(one)]).flatten().collect()
}

fn late(one: &MergedRow<'_>) -> Option<LateEvidence> {
    let (row, raised_by) = (one.row, one.change.raised_by?);
    let (takes, leaves) = (row.reserved_at.is_none(), has_place(row));
    if !takes && !leaves {
        return None;
    }
    Some(LateEvidence { at: raised_by.at, takes, leaves, ..evidence(one)? })
}

/// What budgets hold beside the price that is settled of a message, where they hold its cost.
fn correcting(one: &MergedRow<'_>) -> Option<LateEvidence> {
    let (settled, at) = (one.settled.as_ref()?, one.row.reserved_at?);
    let cost = billing::correction(settled.cost, one.row.message.cost)?;
    Some(LateEvidence { cost, at, corrects: true, ..evidence(one)? })
}

/// A message as counters know it, which has nothing to tell them yet. None without an address.
fn evidence(one: &MergedRow<'_>) -> Option<LateEvidence> {
    let row = one.row;
    Some(LateEvidence {
        tenant: row.message.tenant.clone(),
        class: row.message.class,
        campaign: row.message.campaign,
        sender: row.message.sender,
        segments: row.message.segments,
        cost: one.settled.as_ref().map_or(row.message.cost, |settled| settled.cost),
        address: row.address.clone()?,
        channel: row.channel,
        at: row.message.changed_at,
        takes: false,
        leaves: false,
        corrects: false,
    })
}

impl MergedRow<'_> {
    /// Whether the message costs something else by what its receipts say.
    pub(crate) fn is_repriced(&self) -> bool {
        self.settled.as_ref().is_some_and(|settled| settled.cost != self.row.message.cost)
    }
}

/// Whether a message has a place in its sender's meter: from its admission, or from the line that
/// let it out, until its claim.
fn has_place(row: &Reported) -> bool {
    match row.message.state {
        MessageState::Accepted | MessageState::Queued => {
            row.message.sender.is_some() && !row.claimed
        }
        MessageState::Deferred
        | MessageState::Held
        | MessageState::InDoubt
        | MessageState::Blocked
        | MessageState::Cancelled
        | MessageState::Expired
        | MessageState::Unknown
        | MessageState::Sent
        | MessageState::Failed
        | MessageState::Delivered
        | MessageState::Read => false,
    }
}

#[cfg(test)]
mod tests {
    use domain::{
        message::class::{Channel, MessageClass},
        money::Micros,
    };
    use jiff::Timestamp;
    use proptest::prelude::*;
    use store::messages::row::StoredMessage;

    use super::*;
    use crate::receipts::report::tests::MESSAGE;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn row(state: MessageState, sid: Option<&str>) -> Reported {
        let tenant: domain::ids::TenantId = "acme".parse().expect("valid");
        let message = StoredMessage {
            contact: domain::ids::ContactId::of(&tenant, "+12125550100"),
            tenant,
            id: MESSAGE,
            turn: 1,
            state,
            class: MessageClass::Promo,
            campaign: None,
            sender: None,
            billed: false,
            segments: 1,
            cost: Micros(7_900),
            gate: None,
            code: None,
            due: None,
            version: 3,
            changed_at: at(5),
        };

        Reported {
            message,
            address: "+12125550100".parse().ok(),
            channel: Channel::Sms,
            sid: sid.map(Into::into),
            claimed: true,
            reserved_at: Some(at(4)),
            submitted_at: at(3),
            settlement: None,
        }
    }

    fn report(state: MessageState, second: i64) -> Report {
        Report {
            tenant: "acme".parse().expect("valid"),
            message: MESSAGE,
            state,
            code: None,
            nth: 0,
            carrier: Carrier::Twilio,
            account: "main".into(),
            sid: "SM1".into(),
            at: at(second),
            price: None,
        }
    }

    /// Applies reports in batches, as the stage does, and gives the state that is left.
    fn apply(start: MessageState, batches: &[&[Report]]) -> MessageState {
        batches.iter().fold(start, |state, batch| {
            merge(&row(state, None), &batch.iter().collect::<Vec<_>>()).state
        })
    }

    proptest! {
        #[test]
        fn receipts_in_any_order_cut_and_number_end_the_same(
            states in proptest::collection::vec(prop::sample::select(vec![
                MessageState::Sent,
                MessageState::Failed,
                MessageState::Delivered,
                MessageState::Read,
            ]), 1..6),
            cut in 0usize..6,
            turn in 0usize..6,
            start in prop::sample::select(MessageState::ALL.to_vec()),
        ) {
            let reports: Vec<Report> = states.iter().map(|state| report(*state, 9)).collect();
            let once = apply(start, &[&reports]);

            let mut others: Vec<Report> = (0..5).flat_map(|_| reports.clone()).collect();
            others.rotate_left(turn);
            others.reverse();

            let (first, rest) = others.split_at(cut.min(others.len()));
            prop_assert_eq!(once, apply(start, &[first, rest]));
        }
    }

    #[test]
    fn the_highest_receipt_of_a_batch_raises_the_state_once() {
        let reports = [report(MessageState::Sent, 7), report(MessageState::Delivered, 8)];

        let change = merge(&row(MessageState::Queued, None), &reports.iter().collect::<Vec<_>>());
        assert_eq!(change.state, MessageState::Delivered);
        assert_eq!(change.raised_by.map(|report| report.at), Some(at(8)));
        assert_eq!(change.sid, Some("SM1"));
    }

    #[test]
    fn a_lower_receipt_changes_nothing_and_is_not_said_again() {
        let sent = report(MessageState::Sent, 5);
        let change = merge(&row(MessageState::Delivered, Some("SM1")), &[&sent]);
        assert_eq!(change.state, MessageState::Delivered);
        assert_eq!((change.raised_by, change.repeats), (None, false));
    }

    #[test]
    fn only_the_receipt_that_made_the_state_is_said_again() {
        let delivered = row(MessageState::Delivered, Some("SM1"));
        let (first, other) =
            (report(MessageState::Delivered, 5), report(MessageState::Delivered, 6));

        assert!(merge(&delivered, &[&first]).repeats);
        assert!(!merge(&delivered, &[&other]).repeats);
    }

    #[test]
    fn what_a_receipt_raises_to_sent_is_watched_unless_a_claim_leads_to_it_or_it_had_ended() {
        for state in MessageState::ALL {
            let mut before = row(state, None);
            let needless = state.is_final() || state == MessageState::Sent;
            let by_claim = needless || state == MessageState::Queued;
            assert_eq!(is_watched(&before, MessageState::Sent), by_claim, "{state:?}");
            assert!(is_watched(&before, MessageState::Delivered), "{state:?}");
            assert_eq!(stays_ended(&before, MessageState::Sent), state.is_final(), "{state:?}");
            assert!(!stays_ended(&before, MessageState::Delivered), "{state:?}");

            before.claimed = false;
            assert_eq!(is_watched(&before, MessageState::Sent), needless, "{state:?}");
        }
    }

    #[test]
    fn a_second_carrier_id_for_one_message_is_noticed() {
        let receipt = report(MessageState::Delivered, 5);
        assert!(merge(&row(MessageState::Sent, Some("SM2")), &[&receipt]).second_sid);
        assert!(!merge(&row(MessageState::Sent, Some("SM1")), &[&receipt]).second_sid);
        let other = Report { sid: "SM9".into(), ..receipt.clone() };
        assert!(merge(&row(MessageState::Queued, None), &[&receipt, &other]).second_sid);
    }
}
