//! Tells of budgets that are nearly or wholly used: an event each, once in a window.

use domain::{
    gates::{
        CounterKind, Counters, Facts, Memo,
        capacity::alerts::{AlertLevel, BudgetAlert, TurnedAway, budget_alerts},
    },
    ids::CampaignId,
};
use jiff::Timestamp;
use stage::Fault;
use store::{Scoped, outbox, settings::budgets};
use wire::{Event, EventKind, event::BudgetData};

/// Owes the events of the budgets that this batch has brought there first.
pub(crate) async fn raise(
    tx: &mut Scoped,
    now: Timestamp,
    facts: &Facts,
    counters: &Counters,
    memo: &mut Memo,
    turned_away: &[TurnedAway<'_>],
) -> Result<(), Fault> {
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
    let period = match key.kind {
        CounterKind::SpendMonth | CounterKind::CampaignMonth => "month",
        CounterKind::SpendDay
        | CounterKind::CampaignDay
        | CounterKind::QuotaMinute
        | CounterKind::QuotaHour
        | CounterKind::QuotaDay
        | CounterKind::SenderDay => "day",
    };
    let data = BudgetData {
        campaign: key.target.map(CampaignId),
        period: period.into(),
        window_start: key.window_start,
        spent: alert.spent,
        cap: alert.cap,
    };
    let window =
        domain::ids::window_id(&key.tenant, key.kind.as_str(), key.target, key.window_start);
    Event::new(kind, &key.tenant, window, 1, now, &data)
}
