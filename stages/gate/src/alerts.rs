//! Tells of budgets that are nearly or wholly used: an event each, once in a window.

use domain::{
    gates::{
        CounterKind,
        capacity::alerts::{AlertLevel, BudgetAlert, TurnedAway, budget_alerts},
    },
    ids::{CampaignId, window_id},
};
use jiff::Timestamp;
use stage::Fault;
use store::{Scoped, outbox, settings::budgets};
use wire::{Event, EventKind, event::BudgetData};

use crate::load::Grounds;

/// Puts the events of the budgets that this batch has brought there first into the outbox.
pub(crate) async fn raise(
    tx: &mut Scoped,
    now: Timestamp,
    grounds: &mut Grounds,
    turned_away: &[TurnedAway<'_>],
) -> Result<(), Fault> {
    let Grounds { facts, counters, memo } = grounds;
    let alerts = budget_alerts(facts, counters, memo, turned_away);
    let first = budgets::first(tx, &alerts, now).await?;
    if first.is_empty() {
        return Ok(());
    }

    let events: Vec<Event> = first.into_iter().map(|alert| event(alert, now)).collect();
    outbox::insert(tx, &events).await
}

fn event(alert: &BudgetAlert, now: Timestamp) -> Event {
    let key = &alert.key;
    let kind = match alert.level {
        AlertLevel::Warning => EventKind::BudgetWarning,
        AlertLevel::Exhausted => EventKind::BudgetExhausted,
    };
    let data = BudgetData {
        campaign: key.target.map(CampaignId),
        period: period(key.kind).into(),
        window_start: key.window_start,
        spent: alert.spent,
        cap: alert.cap,
    };

    let window = window_id(&key.tenant, key.kind.as_str(), key.target, key.window_start);
    Event::new(kind, &key.tenant, window, 1, now, &data)
}

/// The word for how long a budget's window is.
fn period(kind: CounterKind) -> &'static str {
    match kind {
        CounterKind::SpendMonth | CounterKind::CampaignMonth => "month",
        CounterKind::SpendDay
        | CounterKind::CampaignDay
        | CounterKind::QuotaMinute
        | CounterKind::QuotaHour
        | CounterKind::QuotaDay
        | CounterKind::SenderDay
        | CounterKind::AdmittedUrgent
        | CounterKind::AdmittedBulk => "day",
    }
}
