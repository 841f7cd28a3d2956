//! Lines for a sender's pace: the oldest rows leave as the sender has room. A row that leaves takes
//! its place in the sender's meter, so that it passes the gates before whoever comes new.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::{
    gates::{CounterKey, CounterKind, Counters, LineKey, Meter, Wake, admitted, meter_key},
    ids::{MessageId, SenderId, TenantId},
    message::{class::Lane, state::MessageState},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;

use super::{
    aside,
    release::{DueMessage, Raise, due, raise_turns},
};
use crate::{
    Scoped, Store,
    capacity::{counters, meters},
    core::{keyed::index, words},
    facts, fault,
};

/// A line for a sender's pace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PaceLine {
    /// The tenant whose sender it is.
    pub tenant: TenantId,
    /// The sender that its rows wait for.
    pub sender: SenderId,
    /// The lane whose messages stand in it.
    pub lane: Lane,
}

impl PaceLine {
    fn key(&self) -> LineKey {
        LineKey { kind: CounterKind::admitted(self.lane), target: Some(self.sender.0) }
    }

    fn meter_key(&self) -> CounterKey {
        meter_key(&self.tenant, self.sender, self.lane)
    }

    /// What its rows wait for.
    fn cause(&self) -> String {
        Wake::Line(self.key()).to_string()
    }
}

/// What has left lines.
#[derive(Debug, Default)]
pub struct Left {
    /// What goes back to the gates, or is only to be deleted.
    pub due: Vec<DueMessage>,
    /// Whether a line had room for more than was asked for.
    pub more: bool,
}

/// The next lines behind one of them, in key order.
pub async fn behind(
    store: &Store,
    last: Option<&PaceLine>,
    at_most: i64,
) -> Result<Vec<PaceLine>, Fault> {
    let (tenant, key) = match last {
        Some(line) => (line.tenant.as_str(), line.key().to_string()),
        None => ("", String::new()),
    };
    let found = sqlx::query!(
        r#"select tenant_id as "tenant_id!", key as "key!" from pace_lines($1, $2, $3)"#,
        tenant,
        key,
        at_most,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    let line = found.into_iter().filter_map(|row| {
        let tenant = words::readable(words::tenant(&row.tenant_id))?;
        let key = LineKey::parse(&row.key)?;
        let (lane, sender) = (key.kind.meter_lane()?, SenderId(key.target?));
        Some(PaceLine { tenant, sender, lane })
    });
    Ok(line.collect())
}

/// Lets as many out of each line as its sender has room for, at most `per_line`, and forgets lines
/// in which nobody stands. As with other rows, what leaves stays parked until the broker has it.
pub async fn release(
    store: &Store,
    lines: &[PaceLine],
    now: Timestamp,
    per_line: i64,
) -> Result<Left, Fault> {
    if lines.is_empty() {
        return Ok(Left::default());
    }
    let mut tx = store.scoped(lines.iter().map(|line| &line.tenant)).await?;

    // load, and lock last: a gate that decides about several tenants' messages waits for the locks
    let mut rooms = Rooms::load(&mut tx, lines).await?;
    let heads = heads(&mut tx, lines, per_line).await?;
    let waiting = heads.iter().filter(|head| head.waits).map(|head| &lines[head.line]);
    rooms.lock(&mut tx, waiting).await?;

    // decide
    let (mut rows, mut left) = (Vec::new(), vec![0; lines.len()]);
    for head in &heads {
        let line = &lines[head.line];
        let Some(placed) = rooms.let_out(line, head) else { continue };
        let (tenant, message, turn) = (&line.tenant, head.message, head.turn);
        rows.push((head, Raise { tenant, message, turn, placed }));
        left[head.line] += 1;
    }

    // record
    let raises: Vec<Raise<'_>> = rows.iter().map(|(_, raise)| *raise).collect();
    let raised = raise_turns(&mut tx, &raises).await?;
    let (due, unreadable) = due(&mut tx, &raises).await?;
    let aside: HashSet<MessageId> = unreadable.iter().map(|row| row.message).collect();
    aside::set_aside(&mut tx, now, &unreadable).await?;

    let placed = raised.into_iter().map(|row| &rows[row]);
    let placed = placed.filter(|(_, row)| row.placed.is_some() && !aside.contains(&row.message));
    let taken = placed.map(|(head, _)| (lines[head.line].meter_key(), head.segments));
    counters::add(&mut tx, &sums(taken)).await?;
    forget_empty(&mut tx, lines, now).await?;
    tx.commit().await.map_err(fault)?;

    Ok(Left { due, more: left.into_iter().any(|left| left >= per_line) })
}

/// A row near the head of a line.
struct Head {
    /// The index of its line.
    line: usize,
    message: MessageId,
    turn: i32,
    /// What it takes of its sender's meter.
    segments: i64,
    /// False for one that was let out before, or whose message has moved on.
    waits: bool,
}

/// The oldest rows of each line, line after line.
async fn heads(tx: &mut Scoped, lines: &[PaceLine], per_line: i64) -> Result<Vec<Head>, Fault> {
    let rows = sqlx::query!(
        r#"select k.at as "at!", p.message_id, p.turn, m.segments,
                  (m.turn = p.turn and m.state = $4) as "waits!"
           from unnest($1::text[], $2::text[]) with ordinality as k (tenant_id, cause, at)
           cross join lateral (
               select q.message_id, q.turn, q.parked_at from parked q
               where q.tenant_id = k.tenant_id and q.cause_key = k.cause
               order by q.parked_at, q.message_id limit $3
           ) p
           cross join lateral (
               select n.turn, n.state, n.segments from messages n
               where n.tenant_id = k.tenant_id and n.message_id = p.message_id limit 1
           ) m
           order by k.at, p.parked_at, p.message_id"#,
        &lines.iter().map(|line| line.tenant.as_str()).collect::<Vec<_>>() as _,
        &lines.iter().map(PaceLine::cause).collect::<Vec<_>>(),
        per_line,
        MessageState::Deferred.code(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let head = rows.into_iter().map(|row| Head {
        line: index(row.at),
        message: MessageId(row.message_id),
        turn: row.turn,
        segments: i64::from(row.segments.max(1)),
        waits: row.waits,
    });
    Ok(head.collect())
}

/// What room the senders of some lines have.
struct Rooms {
    meters: HashMap<(TenantId, SenderId), Meter>,
    counters: Counters,
}

impl Rooms {
    /// Reads the senders' meters and their counters, and locks none.
    async fn load(tx: &mut Scoped, lines: &[PaceLine]) -> Result<Self, Fault> {
        let senders: BTreeSet<_> = lines.iter().map(|line| (&line.tenant, line.sender)).collect();
        let senders = facts::senders(tx, &senders).await?;
        let senders: Vec<_> = senders.iter().map(|(tenant, of)| (tenant, of)).collect();
        let meters = meters::of(tx, &senders).await?;
        let meters = meters.into_iter().map(|(tenant, sender, meter)| ((tenant, sender), meter));
        let mut rooms = Self { meters: meters.collect(), counters: Counters::default() };

        let keys = counter_keys(lines.iter());
        let used = counters::peek(tx, &keys).await?;
        rooms.count(keys, used);
        Ok(rooms)
    }

    /// Locks the counters of those of these lines that have room, and reads them again. A line that
    /// has none lets nobody out: nobody else is kept waiting for it.
    async fn lock(
        &mut self,
        tx: &mut Scoped,
        lines: impl Iterator<Item = &PaceLine>,
    ) -> Result<(), Fault> {
        let keys = counter_keys(lines.filter(|line| self.has_room(line)));
        let used = counters::lock(tx, &keys).await?;
        self.count(keys, used);
        Ok(())
    }

    fn count(&mut self, keys: Vec<CounterKey>, used: Vec<i64>) {
        for (key, used) in keys.into_iter().zip(used) {
            self.counters.load(key, used);
        }
    }

    fn meter(&self, line: &PaceLine) -> Option<&Meter> {
        self.meters.get(&(line.tenant.clone(), line.sender))
    }

    fn has_room(&self, line: &PaceLine) -> bool {
        let admitted = admitted(&self.counters, &line.tenant, line.sender);
        self.meter(line).is_some_and(|meter| meter.wait(line.lane, admitted).is_none())
    }

    /// Lets a row out, where it may leave: with the sender in whose meter it has its place then.
    /// None has a row that was let out before, and one whose sender is not known any more.
    fn let_out(&mut self, line: &PaceLine, head: &Head) -> Option<Option<SenderId>> {
        if !head.waits || self.meter(line).is_none() {
            return Some(None);
        }
        if !self.has_room(line) {
            return None;
        }

        self.counters.take(&[(line.meter_key(), head.segments)]);
        Some(Some(line.sender))
    }
}

/// The counters of the senders of lines, of both lanes: bulk sees what urgent holds.
fn counter_keys<'a>(lines: impl Iterator<Item = &'a PaceLine>) -> Vec<CounterKey> {
    let of_line =
        |line: &PaceLine| Lane::ALL.map(|lane| meter_key(&line.tenant, line.sender, lane));
    let keys: BTreeSet<CounterKey> = lines.flat_map(of_line).collect();
    keys.into_iter().collect()
}

/// Amounts by counter, each counter once.
fn sums(taken: impl Iterator<Item = (CounterKey, i64)>) -> Vec<(CounterKey, i64)> {
    let mut sums: BTreeMap<CounterKey, i64> = BTreeMap::new();
    for (key, amount) in taken {
        *sums.entry(key).or_default() += amount;
    }
    sums.into_iter().collect()
}

/// Forgets the lines in which nobody stands. Whoever is about to stand in one has its row locked.
async fn forget_empty(tx: &mut Scoped, lines: &[PaceLine], now: Timestamp) -> Result<(), Fault> {
    sqlx::query!(
        "with over as (
             select l.tenant_id, l.key from lines l
             join unnest($1::text[], $2::text[], $4::text[]) as k (tenant_id, key, cause_key)
               on l.tenant_id = k.tenant_id and l.key = k.key
             where l.next_due < $3
               and (select true from parked p
                    where p.tenant_id = k.tenant_id and p.cause_key = k.cause_key
                    order by p.parked_at, p.message_id limit 1) is null
             order by l.tenant_id, l.key for update of l skip locked
         )
         delete from lines l using over
         where l.tenant_id = over.tenant_id and l.key = over.key and l.next_due < $3",
        &lines.iter().map(|line| line.tenant.as_str()).collect::<Vec<_>>() as _,
        &lines.iter().map(|line| line.key().to_string()).collect::<Vec<_>>(),
        now.to_sqlx(),
        &lines.iter().map(PaceLine::cause).collect::<Vec<_>>() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
