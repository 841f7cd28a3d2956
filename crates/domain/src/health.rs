//! How well a sender does: what becomes of its texts, when it is taken out of traffic, and how it
//! comes back. Pure.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::MessageId;

/// Of so many messages one goes through a sender that is being probed, the share of a flood that a
/// bad sender gets before it is judged.
const ONE_IN: u64 = 20;

/// How long a message that a probe did not take is left alone; then it is drawn again.
pub const DRAWN_AGAIN: SignedDuration = SignedDuration::from_mins(30);

/// The longest rest, however often a sender was quarantined in a row.
const LONGEST_REST: SignedDuration = SignedDuration::from_hours(24);

/// Where a sender is between full traffic and none.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// It carries what comes.
    #[default]
    Healthy,
    /// It rests: other senders carry its messages, and marketing that has no other waits.
    Quarantined,
    /// Its rest is over: one message in twenty goes through it, and what becomes of them decides.
    Probing,
}

impl HealthState {
    /// Every state that there is.
    pub const ALL: [Self; 3] = [Self::Healthy, Self::Quarantined, Self::Probing];

    /// The name in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Quarantined => "quarantined",
            Self::Probing => "probing",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// Why a sender is not healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthCause {
    /// Too few of its texts were delivered.
    DeliveryRate,
    /// Carriers filtered or blocked too many of its texts.
    Complaints,
    /// Somebody said so.
    ByHand,
}

impl HealthCause {
    /// Every cause that there is.
    pub const ALL: [Self; 3] = [Self::DeliveryRate, Self::Complaints, Self::ByHand];

    /// The name in rows, events and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DeliveryRate => "delivery_rate",
            Self::Complaints => "complaints",
            Self::ByHand => "by_hand",
        }
    }

    /// The cause of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == name)
    }
}

/// A sender's health as the gates see it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SenderHealth {
    /// Where it is.
    pub state: HealthState,
    /// Until when it rests, in business time; none where it does not, or until somebody ends that.
    pub rests_until: Option<Timestamp>,
}

impl SenderHealth {
    /// Where it is at an instant: a rest that is over has become a probe, written down or not.
    fn state_at(&self, now: Timestamp) -> HealthState {
        let is_over = self.rests_until.is_some_and(|until| until <= now);
        match self.state {
            HealthState::Quarantined if is_over => HealthState::Probing,
            state => state,
        }
    }

    /// Whether this message may go through the sender. A sender that is probed takes one message in
    /// twenty, others after each half hour: the same message at the same instant has one answer.
    pub fn takes(&self, message: MessageId, now: Timestamp) -> bool {
        match self.state_at(now) {
            HealthState::Healthy => true,
            HealthState::Quarantined => false,
            HealthState::Probing => {
                let turn = now.as_second().div_euclid(DRAWN_AGAIN.as_secs()).unsigned_abs();
                message.0.as_u64_pair().1.wrapping_add(turn).is_multiple_of(ONE_IN)
            }
        }
    }

    /// When a message that the sender does not take is asked about again; none where no time ends
    /// the wait.
    pub fn asks_again_at(&self, now: Timestamp) -> Option<Timestamp> {
        match self.state_at(now) {
            HealthState::Quarantined => self.rests_until,
            HealthState::Healthy | HealthState::Probing => now.checked_add(DRAWN_AGAIN).ok(),
        }
    }
}

/// When a sender is taken out of traffic, and how it comes back. A rule of the tenant's policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HealthPolicy {
    /// How many minutes back a sender's texts are looked at, 5 to 1,440.
    #[schema(minimum = 5, maximum = 1440)]
    pub window_minutes: u16,
    /// Of so few texts with a known end in the window nothing is concluded.
    #[schema(minimum = 1, maximum = 1000000)]
    pub min_messages: u32,
    /// How many of a hundred must be delivered at least. 0: the rate is not looked at.
    #[schema(maximum = 100)]
    pub min_delivered_percent: u8,
    /// How many of a hundred carriers may filter or block. 100: this is not looked at.
    #[schema(maximum = 100)]
    pub max_complaint_percent: u8,
    /// How many minutes a sender rests before it is probed; each time in a row twice as long, at
    /// most a day.
    #[schema(minimum = 1, maximum = 1440)]
    pub rest_minutes: u16,
    /// After so many texts with a known end a probe is judged.
    #[schema(minimum = 1, maximum = 10000)]
    pub probe_messages: u32,
}

impl Default for HealthPolicy {
    /// An hour's window of 100 texts at least, 60 % delivered, 5 % filtered; an hour's rest.
    fn default() -> Self {
        Self {
            window_minutes: 60,
            min_messages: 100,
            min_delivered_percent: 60,
            max_complaint_percent: 5,
            rest_minutes: 60,
            probe_messages: 20,
        }
    }
}

impl HealthPolicy {
    /// The window of a sender that is healthy.
    pub fn window(&self) -> SignedDuration {
        SignedDuration::from_mins(self.window_minutes.into())
    }

    /// How long a sender rests that was quarantined so many times in a row.
    pub fn rest(&self, in_a_row: u32) -> SignedDuration {
        let rest = SignedDuration::from_mins(self.rest_minutes.into());
        let doubled = rest.saturating_mul(2_i32.saturating_pow(in_a_row.saturating_sub(1).min(16)));
        doubled.min(LONGEST_REST)
    }

    /// What these outcomes show against a sender, where they are at least `at_least`; complaints
    /// before the rate.
    fn fault(&self, seen: &Outcomes, at_least: u32) -> Verdict {
        let known = seen.known();
        if known < i64::from(at_least) {
            return Verdict::TooFew;
        }

        let percent = |part: i64| i128::from(part) * 100;
        let of = |percent: u8| i128::from(percent) * i128::from(known);
        if percent(seen.complaints) > of(self.max_complaint_percent) {
            Verdict::Bad(HealthCause::Complaints)
        } else if percent(seen.delivered) < of(self.min_delivered_percent) {
            Verdict::Bad(HealthCause::DeliveryRate)
        } else {
            Verdict::Good
        }
    }
}

/// What became of a sender's texts in a window, as carriers told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// Texts that the phone has.
    pub delivered: i64,
    /// Texts that the carrier refused or could not deliver.
    pub failed: i64,
    /// Of these, texts that carriers filtered or blocked.
    pub complaints: i64,
}

impl Outcomes {
    /// Texts whose end is known.
    pub fn known(&self) -> i64 {
        self.delivered + self.failed
    }

    /// How many of a hundred were delivered; none where no end is known.
    pub fn delivered_percent(&self) -> Option<f64> {
        let known = self.known();
        (known > 0).then(|| (self.delivered as f64 * 1_000.0 / known as f64).round() / 10.0)
    }
}

/// What outcomes show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    TooFew,
    Good,
    Bad(HealthCause),
}

/// What becomes of a sender's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthChange {
    /// It is taken out of traffic, until this instant.
    Quarantine {
        /// Why that is.
        cause: HealthCause,
        /// Until when it rests.
        until: Timestamp,
    },
    /// Its rest is over.
    Probe,
    /// What became of the probe was good.
    Recover,
}

/// Judges a sender by what became of its texts: in the window while it is healthy, since its probe
/// began while it is probed. `in_a_row` is how often it was quarantined since it was healthy last.
/// None where it stays as it is.
pub fn judge(
    health: &SenderHealth,
    in_a_row: u32,
    seen: &Outcomes,
    policy: &HealthPolicy,
    now: Timestamp,
) -> Option<HealthChange> {
    let quarantine = |cause| {
        let until = now.checked_add(policy.rest(in_a_row + 1)).unwrap_or(Timestamp::MAX);
        Some(HealthChange::Quarantine { cause, until })
    };

    match health.state {
        HealthState::Healthy => match policy.fault(seen, policy.min_messages) {
            Verdict::Bad(cause) => quarantine(cause),
            Verdict::Good | Verdict::TooFew => None,
        },
        HealthState::Quarantined => {
            let is_over = health.rests_until.is_some_and(|until| until <= now);
            is_over.then_some(HealthChange::Probe)
        }
        HealthState::Probing => match policy.fault(seen, policy.probe_messages) {
            Verdict::Bad(cause) => quarantine(cause),
            Verdict::Good => Some(HealthChange::Recover),
            Verdict::TooFew => None,
        },
    }
}

crate::described_words! {
    HealthState, "Where a sender is between full traffic and none.";
    HealthCause, "Why a sender is not healthy.";
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minutes).expect("in range")
    }

    fn seen(delivered: i64, failed: i64, complaints: i64) -> Outcomes {
        Outcomes { delivered, failed, complaints }
    }

    fn state(state: HealthState) -> SenderHealth {
        SenderHealth { state, rests_until: None }
    }

    fn quarantine(cause: HealthCause, until: Timestamp) -> Option<HealthChange> {
        Some(HealthChange::Quarantine { cause, until })
    }

    #[test]
    fn a_sender_is_quarantined_below_the_rate_or_above_the_complaints_and_never_for_a_few() {
        let (policy, healthy) = (HealthPolicy::default(), SenderHealth::default());
        let judged = |seen| judge(&healthy, 0, &seen, &policy, at(0));

        for (outcomes, cause) in [
            (seen(60, 40, 5), None),
            (seen(59, 41, 5), Some(HealthCause::DeliveryRate)),
            (seen(94, 6, 6), Some(HealthCause::Complaints)),
            (seen(0, 99, 99), None),
            (seen(0, 0, 0), None),
            (seen(0, 100, 100), Some(HealthCause::Complaints)),
        ] {
            let expected = cause.and_then(|cause| quarantine(cause, at(60)));
            assert_eq!(judged(outcomes), expected, "{outcomes:?}");
        }
    }

    #[test]
    fn limits_of_nothing_and_of_everything_are_not_looked_at() {
        let off = HealthPolicy {
            min_delivered_percent: 0,
            max_complaint_percent: 100,
            ..HealthPolicy::default()
        };
        assert_eq!(judge(&SenderHealth::default(), 0, &seen(0, 500, 500), &off, at(0)), None);
    }

    #[test]
    fn a_rest_ends_in_a_probe_whose_outcome_decides() {
        let policy = HealthPolicy::default();
        let resting = SenderHealth { state: HealthState::Quarantined, rests_until: Some(at(60)) };
        let judged = |health: &SenderHealth, seen, now| judge(health, 1, &seen, &policy, now);
        assert_eq!(judged(&resting, seen(500, 0, 0), at(59)), None);
        assert_eq!(judged(&resting, seen(0, 0, 0), at(60)), Some(HealthChange::Probe));
        let by_hand = state(HealthState::Quarantined);
        assert_eq!(judged(&by_hand, seen(0, 0, 0), at(9_999)), None, "until somebody ends it");

        let probing = state(HealthState::Probing);
        assert_eq!(judged(&probing, seen(19, 0, 0), at(61)), None);
        assert_eq!(judged(&probing, seen(19, 1, 1), at(61)), Some(HealthChange::Recover));
        let again = quarantine(HealthCause::Complaints, at(61 + 120));
        assert_eq!(judged(&probing, seen(18, 2, 2), at(61)), again, "twice as long");
    }

    #[test]
    fn a_rest_grows_to_a_day_and_no_longer() {
        let policy = HealthPolicy::default();
        let hours: Vec<i64> = [0, 1, 2, 3, 5, 6, 40].map(|n| policy.rest(n).as_hours()).to_vec();
        assert_eq!(hours, [1, 1, 2, 4, 16, 24, 24]);
    }

    #[test]
    fn a_probe_takes_one_message_in_twenty_and_others_the_next_half_hour() {
        let probing = state(HealthState::Probing);
        let taken = |now| -> Vec<u128> {
            let takes = |n: &u128| probing.takes(MessageId(Uuid::from_u128(*n)), now);
            (0..200).filter(takes).collect()
        };
        let first = taken(at(0));
        assert_eq!(first.len(), 10);
        assert_eq!(taken(at(0)), first);
        assert_eq!(taken(at(30)).len(), 10);
        assert!(taken(at(30)).iter().all(|n| !first.contains(n)));

        let rested = SenderHealth { state: HealthState::Quarantined, rests_until: Some(at(0)) };
        let takes = |n: &u128| rested.takes(MessageId(Uuid::from_u128(*n)), at(0));
        assert_eq!(
            (0..200).filter(takes).collect::<Vec<_>>(),
            first,
            "though nobody wrote it down"
        );
        assert_eq!(rested.asks_again_at(at(-1)), Some(at(0)));
        assert_eq!(rested.asks_again_at(at(0)), Some(at(30)));

        let any = MessageId(Uuid::from_u128(7));
        assert!(SenderHealth::default().takes(any, at(0)));
        assert!(!state(HealthState::Quarantined).takes(any, at(0)));
    }

    #[test]
    fn names_read_back() {
        for state in HealthState::ALL {
            assert_eq!(HealthState::from_name(state.as_str()), Some(state));
        }
        for cause in HealthCause::ALL {
            assert_eq!(HealthCause::from_name(cause.as_str()), Some(cause));
        }
    }
}
