//! The pace rows of one chunk: who may be called now, by the one pace arithmetic of `domain::gcra`,
//! in database time, under the rows' locks.

use std::{collections::HashMap, time::Duration};

use domain::{
    gcra::{Gcra, Slot, time_at, time_of},
    ids::{SenderId, TenantId},
};
use jiff::{SignedDuration, Timestamp};
use store::capacity::{
    pace::{AccountLock, EVERY_ACCOUNT, PaceLocks, SenderLock, TurnLock},
    pairs::PacedPair,
};

/// How far a sender, an account or a tenant's part of one may run ahead of its pace, so that a
/// chunk goes out in one claim. The last text of it is within: with `call_by`, in which a claimed
/// call may begin, at most 0.4 s of a pace come together. One text longer than that goes alone.
const BURST: SignedDuration = SignedDuration::from_millis(200);

/// How long a sender's texts wait when its row could not be locked.
const WITHOUT_A_ROW: SignedDuration = SignedDuration::from_secs(1);

/// The paces of one chunk.
#[derive(Debug, Clone)]
pub(crate) struct Paces {
    now: Timestamp,
    senders: HashMap<(TenantId, SenderId), Pace>,
    accounts: HashMap<String, AccountPace>,
    turns: HashMap<(String, TenantId), Turn>,
    /// When pairs of sender and person may have their next message.
    pairs: HashMap<PacedPair, Timestamp>,
}

#[derive(Debug, Clone)]
struct Pace {
    gcra: Gcra,
    moved: bool,
}

/// A tenant's part of an account's pace, or its own pace.
#[derive(Debug, Clone)]
struct Turn {
    pace: Pace,
    weight: i32,
    /// Segments per second.
    rate: f64,
}

#[derive(Debug, Clone)]
enum AccountPace {
    /// It has no pace of its own, and rests until its carrier may be called again.
    Rests(Timestamp),
    /// It may take so many segments per second, of all its tenants together.
    Paced(Pace, u32),
}

// === impl Paces ===

impl Paces {
    /// The rows as locked, the accounts that have a pace of their own, and the rates of the turns:
    /// what tenants have of accounts that limit them, and by themselves, in segments per second.
    pub(crate) fn new(
        locks: PaceLocks,
        account_paces: HashMap<String, u32>,
        rates: &HashMap<(String, TenantId), f64>,
    ) -> Self {
        let now = locks.now;
        let resumed = |next_free| Pace { gcra: Gcra::resume(next_free, now), moved: false };
        let senders = locks
            .senders
            .into_iter()
            .map(|SenderLock { tenant, sender, next_free }| ((tenant, sender), resumed(next_free)));

        let accounts = locks.accounts.into_iter().map(|AccountLock { account, next_free }| {
            let pace = match account_paces.get(&account) {
                Some(per_second) => AccountPace::Paced(resumed(next_free), *per_second),
                None => AccountPace::Rests(next_free),
            };
            (account, pace)
        });

        let turns = locks.turns.into_iter().filter_map(|lock| {
            let TurnLock { account, tenant, weight, next_free } = lock;
            let key = (account, tenant);
            let rate = *rates.get(&key)?;
            Some((key, Turn { pace: resumed(next_free), weight, rate }))
        });

        Self {
            now,
            senders: senders.collect(),
            accounts: accounts.collect(),
            turns: turns.collect(),
            pairs: HashMap::new(),
        }
    }

    /// The same with the pairs whose carrier limits how often they have a message.
    #[must_use]
    pub(crate) fn with_pairs(self, pairs: HashMap<PacedPair, Timestamp>) -> Self {
        Self { pairs, ..self }
    }

    /// How long a pair has to wait for its next message; none where it may have it now.
    pub(crate) fn wait_of_pair(&self, pair: &PacedPair) -> Option<SignedDuration> {
        let left = self.pairs.get(pair)?.duration_since(self.now);
        left.is_positive().then_some(left)
    }

    /// The pair has a message now: the next one of this chunk waits.
    pub(crate) fn take_pair(&mut self, pair: PacedPair, interval: Duration) {
        let interval = SignedDuration::try_from(interval).unwrap_or(SignedDuration::MAX);
        let next_free = self.now.checked_add(interval).unwrap_or(Timestamp::MAX);
        self.pairs.insert(pair, next_free);
    }

    /// The database's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Asks for a text's turn: of its tenant, among its account's tenants, at its account, and at
    /// its sender. `pace` is the sender's, in segments per second.
    pub(crate) fn ask(
        &mut self,
        tenant: &TenantId,
        (sender, account): (SenderId, &str),
        segments: u16,
        pace: u32,
    ) -> Slot {
        let turns = [EVERY_ACCOUNT, account].map(|of| (of.to_owned(), tenant.clone()));
        for turn in &turns {
            let known = self.turns.get_mut(turn);
            if let Some(wait) = known.and_then(|known| known.wait(self.now, segments)) {
                return Slot::After(wait);
            }
        }
        let mut account = self.accounts.get_mut(account);
        if let Some(wait) = account.as_mut().and_then(|known| known.wait(self.now, segments)) {
            return Slot::After(wait);
        }

        // `lock_pace` makes the row where there is none. Without a row nothing goes.
        let Some(known) = self.senders.get_mut(&(tenant.clone(), sender)) else {
            return Slot::After(WITHOUT_A_ROW);
        };
        let slot = ask_for(&mut known.gcra, self.now, time_of(segments, pace));
        if slot == Slot::Now {
            known.moved = true;
            if let Some(account) = account {
                account.take(self.now, segments);
            }
            for turn in &turns {
                if let Some(turn) = self.turns.get_mut(turn) {
                    turn.take(self.now, segments);
                }
            }
        }
        slot
    }

    /// The rows that have moved, in key order.
    pub(crate) fn moved(self) -> PaceLocks {
        let moved = self.senders.into_iter().filter(|(_, pace)| pace.moved);
        let mut senders: Vec<SenderLock> = moved
            .map(|((tenant, sender), pace)| SenderLock {
                tenant,
                sender,
                next_free: pace.gcra.next_free(),
            })
            .collect();
        senders.sort_unstable_by(|a, b| (&a.tenant, a.sender).cmp(&(&b.tenant, b.sender)));

        let moved = self.accounts.into_iter().filter_map(|(account, pace)| match pace {
            AccountPace::Paced(Pace { gcra, moved: true }, _) => {
                Some(AccountLock { account, next_free: gcra.next_free() })
            }
            AccountPace::Paced(..) | AccountPace::Rests(_) => None,
        });
        let mut accounts: Vec<AccountLock> = moved.collect();
        accounts.sort_unstable_by(|a, b| a.account.cmp(&b.account));

        let moved = self.turns.into_iter().filter(|(_, turn)| turn.pace.moved);
        let turns = moved.map(|((account, tenant), turn)| TurnLock {
            account,
            tenant,
            weight: turn.weight,
            next_free: turn.pace.gcra.next_free(),
        });
        PaceLocks { senders, accounts, turns: turns.collect(), now: self.now }
    }
}

// === impl Turn ===

impl Turn {
    /// How long a text has to wait for its tenant's turn; none where it may go.
    fn wait(&mut self, now: Timestamp, segments: u16) -> Option<SignedDuration> {
        let takes = time_at(segments, self.rate);
        let wait = self.pace.gcra.wait(now, ahead(takes));
        if wait.is_some() {
            ask_for(&mut self.pace.gcra, now, takes);
        }
        wait
    }

    /// Takes the time of a text that goes now.
    fn take(&mut self, now: Timestamp, segments: u16) {
        ask_for(&mut self.pace.gcra, now, time_at(segments, self.rate));
        self.pace.moved = true;
    }
}

// === impl AccountPace ===

impl AccountPace {
    /// How long a text has to wait for its account; none where it may go. One that waits takes the
    /// account's time in this chunk alone, so that the next one is told a later time.
    fn wait(&mut self, now: Timestamp, segments: u16) -> Option<SignedDuration> {
        match self {
            Self::Rests(until) => Some(until.duration_since(now)).filter(|rest| rest.is_positive()),
            Self::Paced(pace, per_second) => {
                let takes = time_of(segments, *per_second);
                let wait = pace.gcra.wait(now, ahead(takes));
                if wait.is_some() {
                    ask_for(&mut pace.gcra, now, takes);
                }
                wait
            }
        }
    }

    /// Takes the time of a text that goes now.
    fn take(&mut self, now: Timestamp, segments: u16) {
        match self {
            Self::Rests(_) => {}
            Self::Paced(pace, per_second) => {
                ask_for(&mut pace.gcra, now, time_of(segments, *per_second));
                pace.moved = true;
            }
        }
    }
}

/// How far ahead of the clock a text may begin that takes so long.
fn ahead(takes: SignedDuration) -> SignedDuration {
    (BURST - takes).max(SignedDuration::ZERO)
}

fn ask_for(pace: &mut Gcra, now: Timestamp, takes: SignedDuration) -> Slot {
    pace.ask(now, takes, ahead(takes))
}

#[cfg(test)]
mod tests {
    use domain::ids::ContactId;

    use super::*;

    const SENDER: SenderId = SenderId(uuid::Uuid::nil());

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_000_000 + millis).expect("in range")
    }

    fn tenant() -> TenantId {
        "acme".parse().expect("valid")
    }

    fn sender_lock(next_free: i64) -> SenderLock {
        SenderLock { tenant: tenant(), sender: SENDER, next_free: at(next_free) }
    }

    fn account_lock(next_free: i64) -> AccountLock {
        AccountLock { account: "main".into(), next_free: at(next_free) }
    }

    fn paces(now: i64, senders: Vec<SenderLock>, accounts: Vec<AccountLock>) -> Paces {
        let locks = PaceLocks { senders, accounts, turns: Vec::new(), now: at(now) };
        Paces::new(locks, HashMap::new(), &HashMap::new())
    }

    fn ask(paces: &mut Paces, segments: u16, per_second: u32) -> Slot {
        paces.ask(&tenant(), (SENDER, "main"), segments, per_second)
    }

    fn wait(millis: i64) -> Slot {
        Slot::After(SignedDuration::from_millis(millis))
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_waits_its_turn() {
        let mut paces = paces(0, vec![sender_lock(-60_000)], vec![]);
        let slots: Vec<Slot> = (0..5).map(|_| ask(&mut paces, 1, 10)).collect();
        assert_eq!(slots, [Slot::Now, Slot::Now, wait(100), wait(200), wait(300)]);

        let moved = paces.moved().senders;
        assert_eq!(moved.len(), 1);
        assert_eq!(moved[0].next_free, at(200), "an idle minute is not saved up");
    }

    #[test]
    fn over_a_long_time_no_more_goes_than_the_pace_and_one_burst() {
        let (mut rows, mut sent) = (vec![sender_lock(0)], 0);
        for now in (0..20_000).step_by(37) {
            let mut paces = paces(now, rows.clone(), vec![]);
            while ask(&mut paces, 2, 30) == Slot::Now {
                sent += 2;
            }
            let moved = paces.moved().senders;
            rows = if moved.is_empty() { rows } else { moved };
        }
        assert!((600..=610).contains(&sent), "20 s at 30 a second, and {sent} went");
    }

    #[test]
    fn a_long_text_goes_when_its_turn_comes_and_holds_the_next_back_for_all_of_it() {
        let mut paces = paces(0, vec![sender_lock(0)], vec![]);
        assert_eq!(ask(&mut paces, 10, 1), Slot::Now);
        assert_eq!(ask(&mut paces, 1, 1), wait(10_000));
    }

    #[test]
    fn an_account_that_asked_to_be_called_less_holds_all_of_its_senders() {
        let mut paces = paces(0, vec![sender_lock(0)], vec![account_lock(700)]);
        assert_eq!(ask(&mut paces, 1, 100), wait(700));
        assert_eq!(paces.ask(&tenant(), (SENDER, "other"), 1, 100), Slot::Now);
    }

    #[test]
    fn an_account_with_a_pace_of_its_own_holds_the_senders_of_all_its_tenants_to_it() {
        let other: TenantId = "other".parse().expect("valid");
        let senders = vec![sender_lock(0), SenderLock { tenant: other.clone(), ..sender_lock(0) }];
        let (accounts, turns) = (vec![account_lock(0)], Vec::new());
        let locks = PaceLocks { senders, accounts, turns, now: at(0) };
        let paced = HashMap::from([("main".to_owned(), 10)]);
        let mut paces = Paces::new(locks, paced, &HashMap::new());

        let of = |tenant: &TenantId| paces.ask(tenant, (SENDER, "main"), 1, 1_000);
        let slots = [&tenant(), &other, &other, &tenant(), &other].map(of);
        assert_eq!(slots, [Slot::Now, Slot::Now, wait(100), wait(200), wait(300)]);
        assert_eq!(paces.moved().accounts, [account_lock(200)]);
    }

    #[test]
    fn a_tenant_with_a_pace_of_its_own_has_it_over_all_of_its_senders_and_accounts() {
        let other = SenderId(uuid::Uuid::max());
        let senders = vec![sender_lock(0), SenderLock { sender: other, ..sender_lock(0) }];
        let turn = TurnLock {
            account: EVERY_ACCOUNT.to_owned(),
            tenant: tenant(),
            weight: 1,
            next_free: at(0),
        };
        let locks = PaceLocks { senders, accounts: vec![], turns: vec![turn], now: at(0) };
        let rates = HashMap::from([((EVERY_ACCOUNT.to_owned(), tenant()), 10.0)]);
        let mut paces = Paces::new(locks, HashMap::new(), &rates);

        let asked = [(SENDER, "main"), (other, "second"), (SENDER, "main"), (other, "second")];
        let slots = asked.map(|of| paces.ask(&tenant(), of, 1, 1_000));
        assert_eq!(slots, [Slot::Now, Slot::Now, wait(100), wait(200)]);
        assert_eq!(paces.moved().turns[0].next_free, at(200));
    }

    #[test]
    fn a_pair_waits_out_its_interval_and_no_other_pair_waits_with_it() {
        let pair = |n: u128| (tenant(), SENDER, ContactId(uuid::Uuid::from_u128(n)));
        let mut paces = paces(0, vec![sender_lock(0)], vec![])
            .with_pairs(HashMap::from([(pair(1), at(2_500)), (pair(2), at(-1))]));
        assert_eq!(paces.wait_of_pair(&pair(1)), Some(SignedDuration::from_millis(2_500)));
        assert_eq!((paces.wait_of_pair(&pair(2)), paces.wait_of_pair(&pair(3))), (None, None));

        paces.take_pair(pair(3), Duration::from_secs(6));
        assert_eq!(paces.wait_of_pair(&pair(3)), Some(SignedDuration::from_secs(6)));
    }

    #[test]
    fn without_a_row_nothing_goes() {
        let mut paces = paces(0, vec![], vec![]);
        assert_eq!(ask(&mut paces, 1, 100), Slot::After(WITHOUT_A_ROW));
    }
}
