//! `/v1/campaigns/{id}/ledger`: how far each message to the audience has come. Open and final
//! together are the audience, at every instant.

use std::collections::BTreeMap;

use axum::{Json, Router, extract::State, routing::get};
use domain::{gates::Gate, ids::CampaignId, message::state::MessageState, money::Money};
use jiff::Timestamp;
use serde::Serialize;
use store::campaigns::ledger::{self, LedgerSums};

use crate::{
    app::App,
    auth::Caller,
    http::{Id, Problem, view::money},
};

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/campaigns/{id}/ledger", get(show))
}

#[derive(Debug, PartialEq, Serialize)]
struct Ledger {
    campaign: CampaignId,
    state: &'static str,
    audience: i64,
    open: BTreeMap<&'static str, i64>,
    r#final: BTreeMap<&'static str, i64>,
    /// Of those that are blocked, by the gate that did it.
    blocked_by: BTreeMap<&'static str, i64>,
    /// Of what the carrier took.
    segments: i64,
    cost: Money,
    replies: i64,
    opt_outs: i64,
    ai_replies: i64,
    /// Messages that were put aside and have been released since.
    released: i64,
    /// When the next of those that are put aside is due.
    next_due: Option<Timestamp>,
    /// Whether open and final make the audience, and the gates the blocked.
    balanced: bool,
}

/// `GET /v1/campaigns/{id}/ledger`, for every role: the ledger of a campaign, or 404.
async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Result<Json<Ledger>, Problem> {
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let id = CampaignId(id);
    let sums = ledger::read(&app.store, &caller.tenant, id).await?;
    let sums = sums.ok_or_else(|| Problem::not_found("campaign"))?;
    Ok(Json(add_up(id, sums, &tenant.currency)))
}

fn add_up(campaign: CampaignId, sums: LedgerSums, currency: &str) -> Ledger {
    let Sides { open, closed } = Sides::of(&sums);
    let blocked_by = blocked_by(&sums);

    let counted: i64 = open.values().sum::<i64>() + closed.values().sum::<i64>();
    let blocked: i64 = blocked_by.values().sum();
    let balanced =
        counted == sums.audience && closed.get(MessageState::Blocked.as_str()) == Some(&blocked);

    Ledger {
        campaign,
        state: sums.state.as_str(),
        audience: sums.audience,
        open,
        r#final: closed,
        blocked_by,
        segments: sums.segments,
        cost: money(sums.cost, currency),
        replies: sums.replies,
        opt_outs: sums.opt_outs,
        ai_replies: sums.ai_replies,
        released: sums.released,
        next_due: sums.next_due,
        balanced,
    }
}

/// How many are in which state: of those that are open, and of those that have ended.
struct Sides {
    open: BTreeMap<&'static str, i64>,
    closed: BTreeMap<&'static str, i64>,
}

impl Sides {
    fn of(sums: &LedgerSums) -> Self {
        let (mut open, mut closed) = (BTreeMap::from([("waiting", sums.waiting)]), BTreeMap::new());
        for state in MessageState::ALL {
            let side = if state.is_final() { &mut closed } else { &mut open };
            side.insert(state.as_str(), 0);
        }
        // Once the receipt horizon has passed over it, what is sent is final.
        closed.insert(MessageState::Sent.as_str(), 0);

        for group in &sums.messages {
            let side = if group.ended { &mut closed } else { &mut open };
            *side.entry(group.state.as_str()).or_default() += group.count;
        }
        // Whom a stopped campaign had not fed yet never becomes a message: it is cancelled.
        *closed.entry(MessageState::Cancelled.as_str()).or_default() += sums.never_fed;
        Self { open, closed }
    }
}

/// How many each gate has blocked.
fn blocked_by(sums: &LedgerSums) -> BTreeMap<&'static str, i64> {
    let mut blocked_by = BTreeMap::new();
    for group in sums.messages.iter().filter(|group| group.state == MessageState::Blocked) {
        let gate = group.gate.map_or("none", Gate::as_str);
        *blocked_by.entry(gate).or_default() += group.count;
    }
    blocked_by
}

#[cfg(test)]
mod tests {
    use domain::money::Micros;
    use store::campaigns::{CampaignState, ledger::LedgerGroup};

    use super::*;

    fn sums(audience: i64) -> LedgerSums {
        let group =
            |state, gate, count| LedgerGroup { state, gate, ended: state.is_final(), count };

        LedgerSums {
            state: CampaignState::Stopped,
            audience,
            waiting: 2,
            never_fed: 3,
            messages: vec![
                group(MessageState::Sent, None, 5),
                LedgerGroup { ended: true, ..group(MessageState::Sent, None, 6) },
                group(MessageState::Blocked, Some(Gate::Dnc), 4),
                group(MessageState::Blocked, Some(Gate::Budget), 1),
                group(MessageState::Delivered, None, 7),
            ],
            segments: 12,
            cost: Micros(94_800),
            replies: 1,
            opt_outs: 1,
            ai_replies: 0,
            released: 0,
            next_due: None,
        }
    }

    #[test]
    fn a_ledger_balances_when_everybody_is_somewhere() {
        let ledger = add_up(CampaignId(uuid::Uuid::nil()), sums(28), "USD");

        assert!(ledger.balanced);
        assert_eq!((ledger.open["waiting"], ledger.open["sent"]), (2, 5));
        assert_eq!(ledger.r#final["sent"], 6, "no receipt is expected any more");
        assert_eq!((ledger.r#final["blocked"], ledger.r#final["cancelled"]), (5, 3));
        assert_eq!(ledger.blocked_by["dnc"], 4);
        assert_eq!(ledger.open.len() + ledger.r#final.len(), MessageState::ALL.len() + 2);
    }

    #[test]
    fn a_ledger_says_so_when_somebody_is_missing() {
        assert!(!add_up(CampaignId(uuid::Uuid::nil()), sums(29), "USD").balanced);
    }
}
