//! All messages of a list as NDJSON or CSV, read step by step while the caller reads: an export
//! holds no more than one step in memory, and each step has its tenant's share of the database.

use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use carriers::Carrier;
use domain::{
    gates::Gate,
    ids::{CampaignId, ContactId, MessageId, SenderId},
    message::class::{Channel, MessageClass},
    money::Currency,
};
use futures::stream;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use store::messages::read::{MessageDetail, MessageFilter};

use super::{
    pages::{ListPosition, load},
    view::view,
};
use crate::{
    app::App,
    auth::{Allowed, Read},
    document::examples,
    http::{
        Problem,
        accept::{CellText, Format, csv, lines},
        view::money,
    },
};

/// How many messages an export reads at once.
const STEP: usize = 1_000;

/// A message as a row of CSV: what tables are made of. Its passport, media and metadata are in the
/// lines of NDJSON alone.
#[derive(Serialize)]
struct Row<'a> {
    id: MessageId,
    status: &'static str,
    class: MessageClass,
    channel: Channel,
    to: &'a str,
    contact_id: ContactId,
    campaign_id: Option<CampaignId>,
    variant: Option<CellText<'a>>,
    sender_id: Option<SenderId>,
    carrier: Option<&'a str>,
    carrier_id: Option<CellText<'a>>,
    gate: Option<Gate>,
    code: Option<&'a str>,
    segments: i16,
    cost: String,
    currency: Currency,
    submitted_at: Timestamp,
    changed_at: Timestamp,
    body: CellText<'a>,
}

/// The fields of a row, in their order.
const COLUMNS: [&str; 19] = [
    "id",
    "status",
    "class",
    "channel",
    "to",
    "contact_id",
    "campaign_id",
    "variant",
    "sender_id",
    "carrier",
    "carrier_id",
    "gate",
    "code",
    "segments",
    "cost",
    "currency",
    "submitted_at",
    "changed_at",
    "body",
];

fn row<'a>(message: &'a MessageDetail, currency: &str) -> Row<'a> {
    let cost = money(message.cost, currency);
    Row {
        id: message.id,
        status: message.state.as_str(),
        class: message.class,
        channel: message.channel,
        to: &message.number,
        contact_id: message.contact,
        campaign_id: message.campaign,
        variant: message.variant.as_deref().map(CellText),
        sender_id: message.sender,
        carrier: message.carrier.as_deref(),
        carrier_id: message.carrier_sid.as_deref().map(CellText),
        gate: message.gate,
        code: message.code.as_deref(),
        segments: message.segments,
        cost: cost.amount.to_string(),
        currency: cost.currency,
        submitted_at: message.submitted_at,
        changed_at: message.changed_at,
        body: CellText(&message.body),
    }
}

/// The messages that fit a filter, from a position on, each once: those that are accepted meanwhile
/// are not among them.
pub(super) fn answer(
    app: App,
    caller: Allowed<Read>,
    (filter, from): (MessageFilter, ListPosition),
    currency: String,
    format: Format,
) -> Response {
    let (filter, currency) = (Arc::new(filter), Arc::<str>::from(currency));
    let steps = stream::try_unfold((Some(from), true), move |(from, first)| {
        let (app, caller) = (app.clone(), caller.clone());
        let (filter, currency) = (filter.clone(), currency.clone());
        async move {
            let Some(from) = from else { return Ok(None) };
            let mut tx = app.transactions.begin(&caller.tenant).await?;
            let (found, next) = load(&mut tx, &caller.tenant, &filter, from, STEP).await?;
            drop(tx);
            Ok::<_, Problem>(Some((write(found, &currency, format, first), (next, false))))
        }
    });
    format.answer(steps)
}

/// Some messages in a format. The first have the header, where there is one.
fn write(found: Vec<MessageDetail>, currency: &str, format: Format, first: bool) -> Bytes {
    match format {
        Format::Ndjson => {
            let views: Vec<_> = found.into_iter().map(|one| view(one, currency)).collect();
            lines(&views)
        }
        Format::Csv => {
            let rows: Vec<_> = found.iter().map(|one| row(one, currency)).collect();
            csv(&rows, &COLUMNS, first)
        }
    }
}

/// CSV as the document shows it.
pub(super) fn table() -> String {
    let (columns, carrier) = (COLUMNS.join(","), Carrier::ALL[0].as_str());
    format!(
        "{columns}\n\
         {},delivered,promo,sms,{},{},{},a,{},{carrier},SM00000000000000000000000000000001,,,1,\
         0.0079,USD,2026-05-01T13:00:00Z,2026-05-01T13:00:05Z,Hi Ana\n",
        examples::MESSAGE,
        examples::PHONE,
        examples::CONTACT,
        examples::RUNNING,
        examples::SENDER,
    )
}

/// A line of NDJSON as the document shows it.
pub(super) fn line() -> Value {
    json!({
        "id": examples::MESSAGE, "status": "delivered",
        "sentence": "The message was delivered at 2026-05-01 13:00 UTC.",
        "class": "promo", "channel": "sms", "to": examples::PHONE,
        "contact_id": examples::CONTACT, "campaign_id": examples::RUNNING, "variant": "a",
        "sender_id": examples::SENDER, "carrier": Carrier::ALL[0].as_str(), "body": "Hi Ana",
        "media": [],
        "text_expired_at": null, "segments": 1,
        "cost": { "amount": "0.0079", "currency": "USD" },
        "carrier_id": "SM00000000000000000000000000000001", "gate": null, "code": null,
        "until": null, "error": null, "metadata": null, "submitted_at": "2026-05-01T13:00:00Z",
        "expires_at": null, "changed_at": "2026-05-01T13:00:05Z", "turn": 1, "attempts": 1,
        "version": 4, "conflicts": [],
        "passport": [
            { "stage": "gate", "at": "2026-05-01T13:00:02Z", "verdict": "admit" },
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shown_table_has_a_value_or_none_for_each_column() {
        let table = table();
        let columns: Vec<usize> = table.lines().map(|line| line.split(',').count()).collect();
        assert_eq!(columns, [COLUMNS.len(); 2]);
    }
}
