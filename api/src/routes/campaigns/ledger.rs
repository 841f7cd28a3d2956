//! `/v1/campaigns/{id}/ledger`: how far each message to the audience has come. Open and final
//! together are the audience, at every instant.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use domain::{
    gates::Gate,
    ids::CampaignId,
    message::state::{MessageState, NO_RECEIPT},
    money::Money,
};
use jiff::Timestamp;
use serde::Serialize;
use store::campaigns::{
    CampaignState,
    counts::CampaignCounts,
    ledger::{self, LedgerSums},
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::{Allowed, Needs, Read},
    document::{
        answers::{Always, Missing},
        examples,
    },
    http::{Id, Problem, view::money},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show))
}

/// Where everybody in a campaign's audience stands, counted at one instant.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = CampaignLedger)]
struct Ledger {
    campaign: CampaignId,
    /// How far the campaign has come.
    #[schema(value_type = CampaignState)]
    state: &'static str,
    /// How many recipients are frozen so far.
    audience: i64,
    /// How many are still to come to an end, by state: `waiting` for their message, `accepted`,
    /// `deferred`, `held`, `queued`, `in_doubt`, `sent`.
    open: BTreeMap<&'static str, i64>,
    /// How many have come to an end, by state: `sent` of which no receipt is expected any more,
    /// `blocked`, `cancelled`, `expired`, `failed`, `unknown`, `delivered`, `read`.
    r#final: BTreeMap<&'static str, i64>,
    /// How many are blocked, by the gate that did it, or `none`; only gates that did.
    blocked_by: BTreeMap<&'static str, i64>,
    /// The same by the variant of the template that messages were made from, in the order of the
    /// keys; one while all are of one variant. A message whose variant is not known is in none: its
    /// template was not found, or it died before it had a text.
    variants: Vec<VariantCounts>,
    /// Of what the carrier took.
    segments: i64,
    /// Of what the carrier took.
    cost: Money,
    /// Texts that came in, in threads whose last message was of this campaign.
    replies: i64,
    /// How many of these texts were opt-outs.
    opt_outs: i64,
    /// How many answers the AI wrote in these threads.
    ai_replies: i64,
    /// Messages that had to wait and have gone back to the gates since.
    released: i64,
    /// When the next of those that are put aside is due.
    #[schema(required)]
    next_due: Option<Timestamp>,
    /// Whether open and final make the audience, the gates the blocked, and nobody waits in a
    /// campaign that is completed.
    balanced: bool,
}

/// How far the messages have come that were made from one variant of a template.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = CampaignVariantCounts)]
struct VariantCounts {
    /// The key of the variant in its template.
    #[schema(example = "a")]
    variant: String,
    /// How many messages were made from it: open and final together.
    messages: i64,
    /// How many are still to come to an end, by state, as of the campaign; nobody is `waiting`.
    open: BTreeMap<&'static str, i64>,
    /// How many have come to an end, by state, as of the campaign.
    r#final: BTreeMap<&'static str, i64>,
    /// How many are blocked, by the gate that did it, or `none`; only gates that did.
    blocked_by: BTreeMap<&'static str, i64>,
    /// Of what the carrier took.
    segments: i64,
    /// Of what the carrier took.
    cost: Money,
    /// Messages that had to wait and have gone back to the gates since.
    released: i64,
}

/// `GET /v1/campaigns/{id}/ledger`, for every role: the ledger of a campaign, or 404. Open and
/// final together are the audience, at every instant.
#[utoipa::path(
    get, path = "/v1/campaigns/{id}/ledger", tag = "campaigns",
    operation_id = "get_campaign_ledger",
    security(("bearer" = [Read::NAME])),
    params(("id" = Uuid, Path, description = "The campaign.", example = json!(examples::RUNNING))),
    responses((status = 200, description = "The ledger.", body = Ledger), Always, Missing),
)]
async fn show(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
) -> Result<Json<Ledger>, Problem> {
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let id = CampaignId(id);
    let whose = (caller.tenant.id(), caller.tenant.sight());
    let sums = ledger::read(&app.store, whose, id).await?;
    let sums = sums.ok_or_else(|| Problem::not_found("campaign"))?;
    Ok(Json(add_up(id, sums, &tenant.currency)))
}

fn add_up(campaign: CampaignId, sums: LedgerSums, currency: &str) -> Ledger {
    let Sides { open, closed } = Sides::of(&sums);
    let blocked_by = blocked_by(&sums.counts);
    let variants = sums.variants.iter().map(|(key, counts)| of_variant(key, counts, currency));
    let variants = variants.collect();

    let counted: i64 = open.values().sum::<i64>() + closed.values().sum::<i64>();
    let blocked: i64 = blocked_by.values().sum();
    let is_completed = sums.state == CampaignState::Completed;
    let nobody_is_lost = if is_completed { sums.waiting == 0 } else { sums.waiting >= 0 };
    let balanced = counted == sums.audience
        && closed.get(MessageState::Blocked.as_str()) == Some(&blocked)
        && nobody_is_lost;

    Ledger {
        campaign,
        state: sums.state.as_str(),
        audience: sums.audience,
        open,
        r#final: closed,
        blocked_by,
        variants,
        segments: sums.counts.segments(),
        cost: money(sums.counts.cost(), currency),
        replies: sums.replies,
        opt_outs: sums.opt_outs,
        ai_replies: sums.ai_replies,
        released: sums.counts.released(),
        next_due: sums.next_due,
        balanced,
    }
}

fn of_variant(key: &str, counts: &CampaignCounts, currency: &str) -> VariantCounts {
    let Sides { open, closed } = Sides::of_messages(counts);
    VariantCounts {
        variant: key.to_owned(),
        messages: counts.where_state(|_| true),
        open,
        r#final: closed,
        blocked_by: blocked_by(counts),
        segments: counts.segments(),
        cost: money(counts.cost(), currency),
        released: counts.released(),
    }
}

/// How many are in which state: of those that are open, and of those that have ended.
struct Sides {
    open: BTreeMap<&'static str, i64>,
    closed: BTreeMap<&'static str, i64>,
}

impl Sides {
    /// Everybody in the audience.
    fn of(sums: &LedgerSums) -> Self {
        let Self { mut open, mut closed } = Self::of_messages(&sums.counts);
        open.insert("waiting", sums.waiting);

        // Whom a stopped campaign had not fed yet never becomes a message: it is cancelled.
        *closed.entry(MessageState::Cancelled.as_str()).or_default() += sums.never_fed;
        Self { open, closed }
    }

    /// Those who have a message.
    fn of_messages(counts: &CampaignCounts) -> Self {
        let (mut open, mut closed) = (BTreeMap::new(), BTreeMap::new());
        for state in MessageState::ALL {
            let side = if state.is_final() { &mut closed } else { &mut open };
            side.insert(state.as_str(), counts.of(state));
        }

        // Once the receipt horizon has passed over it, what is sent is final.
        let sent = MessageState::Sent;
        let without_receipt = counts.detailed(sent, NO_RECEIPT);
        *open.entry(sent.as_str()).or_default() -= without_receipt;
        closed.insert(sent.as_str(), without_receipt);
        Self { open, closed }
    }
}

/// How many each gate has blocked.
fn blocked_by(counts: &CampaignCounts) -> BTreeMap<&'static str, i64> {
    let by = |gate: Gate| (gate.as_str(), counts.detailed(MessageState::Blocked, gate.as_str()));
    let mut blocked_by: BTreeMap<_, _> = Gate::ORDER.map(by).into_iter().collect();
    let unnamed = counts.of(MessageState::Blocked) - blocked_by.values().sum::<i64>();
    blocked_by.insert("none", unnamed);
    blocked_by.retain(|_, count| *count != 0);
    blocked_by
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(audience: i64) -> LedgerSums {
        let counts = [
            ("sent", 11),
            ("sent.no_receipt", 6),
            ("blocked", 5),
            ("blocked.dnc", 4),
            ("blocked.budget", 1),
            ("delivered", 7),
            ("segments", 12),
            ("cost_micros", 94_800),
        ];

        let of_b = [("sent", 4), ("sent.no_receipt", 1), ("blocked", 3), ("blocked.dnc", 2)];
        LedgerSums {
            state: CampaignState::Stopped,
            audience,
            waiting: 2,
            never_fed: 3,
            counts: counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
            variants: [("b".to_owned(), of_b.map(|(name, count)| (name.to_owned(), count)))]
                .map(|(key, counts)| (key, counts.into_iter().collect()))
                .into(),
            replies: 1,
            opt_outs: 1,
            ai_replies: 0,
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
    fn a_variant_is_counted_as_its_campaign_is() {
        let ledger = add_up(CampaignId(uuid::Uuid::nil()), sums(28), "USD");

        let [variant] = ledger.variants.as_slice() else { panic!("{:?}", ledger.variants) };
        assert_eq!((variant.variant.as_str(), variant.messages), ("b", 7));
        assert_eq!((variant.open["sent"], variant.r#final["sent"]), (3, 1));
        assert_eq!(variant.blocked_by, BTreeMap::from([("dnc", 2), ("none", 1)]));
        assert!(!variant.open.contains_key("waiting"), "whoever waits has no message");
        assert_eq!(variant.open.len() + variant.r#final.len(), MessageState::ALL.len() + 1);
        assert_eq!(ledger.r#final["cancelled"], 3, "of the campaign alone");
    }

    #[test]
    fn a_ledger_says_so_when_somebody_is_missing() {
        assert!(!add_up(CampaignId(uuid::Uuid::nil()), sums(29), "USD").balanced);

        let lost = |waiting| LedgerSums { waiting, never_fed: 5 - waiting, ..sums(28) };
        assert!(!add_up(CampaignId(uuid::Uuid::nil()), lost(-1), "USD").balanced);
        let completed = LedgerSums { state: CampaignState::Completed, ..lost(1) };
        assert!(!add_up(CampaignId(uuid::Uuid::nil()), completed, "USD").balanced);
    }
}
