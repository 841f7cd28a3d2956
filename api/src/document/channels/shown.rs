//! What an event and the totals look like, as the document of the subjects shows them.

use serde_json::{Value, json};
use wire::{
    EventKind,
    event::{
        BudgetData, CampaignData, ContactData, ConversationData, CountsData, MessageData,
        ReceivedData, SenderData,
    },
};

use super::name_of;
use crate::document::examples::{CONTACT, CONVERSATION, INBOX, MERGED, MESSAGE, RUNNING, SENDER};

/// A frame of one event of this type; `data` names the schema of its data.
pub(super) fn frame(kind: EventKind, data: &str) -> Value {
    json!([{
        "id": "59a8b286-71e3-576e-9f7e-861407a3a55e",
        "type": kind.as_str(),
        "tenant": "acme",
        "at": "2026-05-01T15:00:07.25Z",
        "version": 3,
        "data": data_like(kind.as_str(), data),
    }])
}

/// The totals of the tenant, or of a campaign.
pub(super) fn totals(campaign: Option<&str>) -> Value {
    let mut totals = json!({
        "as_of": "2026-05-01T15:00:00Z", "watermark": 5210, "version": 311,
        "totals": { "blocked": 160, "blocked.dnc": 120, "delivered": 1500, "segments": 1828 },
    });
    if let Some(campaign) = campaign {
        totals["id"] = campaign.into();
    }
    totals
}

/// The data of an event; null of a type that has no example yet.
fn data_like(kind: &str, data: &str) -> Value {
    let period = json!({
        "campaign": RUNNING, "period": "day", "window_start": "2026-05-01T04:00:00Z",
        "spent": 7_900_000, "cap": 7_900_000,
    });
    let moved = json!({
        "group": "7c9e1f52-6d0e-4f7b-9a55-0f3b1d2c4e5a", "minute_start": "2026-05-01T15:00:00Z",
        "campaign": RUNNING, "country": "US", "code": "dnc", "from": { "state": "accepted" },
        "to": { "state": "blocked", "detail": "dnc" },
        "messages": 12, "released": 0, "segments": 0, "cost": 0,
    });
    let received = json!({
        "inbound": "5201d3f9-100a-58c2-b35d-6dd54b460b34", "contact": CONTACT, "sender": SENDER,
        "conversation": CONVERSATION, "campaign": RUNNING, "meaning": "text",
    });

    match data {
        data if data == name_of::<MessageData>() => message(kind),
        data if data == name_of::<ReceivedData>() => received,
        data if data == name_of::<ContactData>() => of_contact(kind),
        data if data == name_of::<CampaignData>() => {
            json!({ "campaign": RUNNING, "audience": 1840 })
        }
        data if data == name_of::<BudgetData>() => period,
        data if data == name_of::<ConversationData>() => conversation(kind),
        data if data == name_of::<CountsData>() => moved,
        data if data == name_of::<SenderData>() => judged(kind),
        _ => Value::Null,
    }
}

/// The data of an event of a contact.
fn of_contact(kind: &str) -> Value {
    match kind {
        "contact.reviewed" => json!({ "contact": CONTACT, "cause": "dismissed" }),
        "contact.merged" | "contact.unmerged" => {
            json!({ "contact": CONTACT, "cause": "api", "merged": MERGED })
        }
        _ => json!({ "contact": CONTACT, "cause": "keyword" }),
    }
}

/// The data of an event of a sender: one that has recovered has no cause any more.
fn judged(kind: &str) -> Value {
    let mut data = json!({ "sender": SENDER, "delivered": 480, "failed": 120, "complaints": 85 });
    if kind == "sender.quarantined" {
        data["cause"] = json!("complaints");
        data["until"] = json!("2026-05-01T16:00:00Z");
    }
    data
}

/// The data of an event of a conversation, as it is since.
fn conversation(kind: &str) -> Value {
    let (status, owner) = match kind {
        "conversation.closed" => ("closed", "person"),
        "conversation.snoozed" => ("snoozed", "person"),
        "conversation.opened" | "conversation.handed_back" => ("open", "assistant"),
        "conversation.handed_off" => ("open", "nobody"),
        _ => ("open", "person"),
    };
    json!({
        "conversation": CONVERSATION, "contact": CONTACT, "inbox": INBOX, "status": status,
        "owner": owner,
    })
}

/// The data of an event of a message: its type ends with the state, but for the first two.
fn message(kind: &str) -> Value {
    let mut data = json!({
        "message": MESSAGE, "turn": 1, "class": "promo", "contact": CONTACT, "campaign": RUNNING,
        "sender": SENDER, "segments": 1, "cost": 7900,
    });
    data["state"] = match kind.rsplit('.').next() {
        Some("rejected") => "accepted",
        Some("raised") => "in_doubt",
        Some(state) => state,
        None => kind,
    }
    .into();

    let reason = match kind {
        "message.blocked" => Some(("dnc", "opted_out")),
        "message.deferred" => Some(("quiet_hours", "quiet_hours")),
        "message.held" => Some(("kill_switch", "tenant_paused")),
        _ => None,
    };
    if let Some((gate, code)) = reason {
        data["gate"] = gate.into();
        data["code"] = code.into();
    }
    match kind {
        "message.deferred" => data["until"] = "2026-05-02T13:00:00Z".into(),
        "message.failed" => data["code"] = "30006".into(),
        _ => {}
    }
    data
}
