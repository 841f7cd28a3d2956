//! The document of what subscribers read on NATS, AsyncAPI 3.0: a channel per type of event and per
//! scope of totals, with the schemas of their payloads as `wire` has them.

mod shown;

use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use wire::{
    EventKind,
    event::{
        BudgetData, CampaignData, ContactData, ConversationData, CountsData, Event, MessageData,
        ReceivedData, SenderData,
    },
    totals::Totals,
};

use super::examples::RUNNING;

/// The document, complete.
pub fn asyncapi() -> Value {
    let events = EventKind::ALL.iter().map(|kind| (kind.as_str(), event(*kind)));
    let totals = [
        (
            "analytics.dashboard",
            totals("analytics.{tenant}.dashboard", json!({ "tenant": tenant() }), None),
        ),
        (
            "analytics.campaign",
            totals(
                "analytics.{tenant}.campaign.{campaign}",
                json!({ "tenant": tenant(), "campaign": { "description": "The campaign's id." } }),
                Some(RUNNING),
            ),
        ),
    ];
    let channels: Map<String, Value> =
        events.chain(totals).map(|(name, channel)| (name.to_owned(), channel)).collect();
    let operations: Map<String, Value> = channels.keys().map(|name| read(name)).collect();

    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Millrace on NATS",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
        },
        "defaultContentType": "application/json",
        "servers": { "nats": {
            "host": "127.0.0.1:4222", "protocol": "nats", "description": "As NATS_URL says it.",
        } },
        "channels": channels,
        "operations": operations,
        "components": { "schemas": schemas() },
    })
}

const ABOUT: &str = "What subscribers read with JetStream: `events.<tenant>.>` of the stream \
    EVENTS, each message a frame of 1 to 256 events, at least once; and `analytics.<tenant>.>` of \
    the stream ANALYTICS, each message the newest totals of its subject. An event's `id` names it \
    however often it comes; of totals the highest `version` holds. Nothing is published here from \
    outside: messages enter by the REST API. `subjects.md` tells the rest.";

/// The channel of one type of event.
fn event(kind: EventKind) -> Value {
    let event = json!({ "allOf": [
        { "$ref": "#/components/schemas/Event" },
        { "properties": {
            "type": { "const": kind.as_str() },
            "data": { "$ref": format!("#/components/schemas/{}", data_of(kind)) },
        } },
    ] });
    json!({
        "address": format!("events.{{tenant}}.{}", kind.as_str()),
        "parameters": { "tenant": tenant() },
        "messages": { "frame": {
            "summary": "1 to 256 events",
            "payload": { "type": "array", "minItems": 1, "maxItems": 256, "items": event },
            "examples": [{ "payload": shown::frame(kind, &data_of(kind)) }],
        } },
    })
}

/// The schema of a type's data.
fn data_of(kind: EventKind) -> String {
    match kind {
        EventKind::MessageAccepted
        | EventKind::MessageRejected
        | EventKind::MessageBlocked
        | EventKind::MessageDeferred
        | EventKind::MessageHeld
        | EventKind::MessageSent
        | EventKind::MessageDelivered
        | EventKind::MessageRead
        | EventKind::MessageFailed
        | EventKind::MessageUnknown
        | EventKind::MessageCancelled
        | EventKind::MessageExpired
        | EventKind::InDoubtRaised => name_of::<MessageData>(),

        EventKind::MessageReceived => name_of::<ReceivedData>(),
        EventKind::ContactOptedOut
        | EventKind::ContactOptedIn
        | EventKind::ContactReviewed
        | EventKind::ContactMerged
        | EventKind::ContactUnmerged => name_of::<ContactData>(),

        EventKind::CampaignStarted
        | EventKind::CampaignPaused
        | EventKind::CampaignResumed
        | EventKind::CampaignStopped
        | EventKind::CampaignCompleted
        | EventKind::CampaignAudienceFixed => name_of::<CampaignData>(),
        EventKind::BudgetWarning | EventKind::BudgetExhausted => name_of::<BudgetData>(),
        EventKind::SenderQuarantined | EventKind::SenderRecovered => name_of::<SenderData>(),
        EventKind::ConversationOpened
        | EventKind::ConversationReplied
        | EventKind::ConversationNoted
        | EventKind::ConversationRead
        | EventKind::ConversationLabelled
        | EventKind::ConversationAssigned
        | EventKind::ConversationSnoozed
        | EventKind::ConversationClosed
        | EventKind::ConversationReopened
        | EventKind::ConversationTakenOver
        | EventKind::ConversationHandedBack
        | EventKind::ConversationHandedOff => name_of::<ConversationData>(),
        EventKind::CountsMoved => name_of::<CountsData>(),
    }
}

fn name_of<T: ToSchema>() -> String {
    T::name().into_owned()
}

/// The channel of totals: of the tenant, or of a campaign as an example shows it.
fn totals(address: &str, parameters: Value, campaign: Option<&str>) -> Value {
    json!({
        "address": address,
        "parameters": parameters,
        "messages": { "totals": {
            "summary": "The totals so far",
            "payload": { "$ref": "#/components/schemas/Totals" },
            "examples": [{ "payload": shown::totals(campaign) }],
        } },
    })
}

fn tenant() -> Value {
    json!({ "description": "The tenant's key, [a-z0-9-]{2,32}." })
}

/// The operation of reading a channel.
fn read(channel: &str) -> (String, Value) {
    let reference = json!({ "$ref": format!("#/channels/{channel}") });
    (format!("read_{channel}"), json!({ "action": "receive", "channel": reference }))
}

/// The schemas that the channels name, and those that these name.
fn schemas() -> Map<String, Value> {
    let mut found = Vec::new();
    add::<Event>(&mut found);
    add::<MessageData>(&mut found);
    add::<ReceivedData>(&mut found);
    add::<ContactData>(&mut found);
    add::<CampaignData>(&mut found);
    add::<BudgetData>(&mut found);
    add::<SenderData>(&mut found);
    add::<ConversationData>(&mut found);
    add::<CountsData>(&mut found);
    add::<Totals>(&mut found);
    found.into_iter().map(|(name, schema)| (name, wire::json::to_value(&schema))).collect()
}

type Named = (String, utoipa::openapi::RefOr<utoipa::openapi::Schema>);

fn add<T: ToSchema>(found: &mut Vec<Named>) {
    found.push((name_of::<T>(), T::schema()));
    T::schemas(found);
}
