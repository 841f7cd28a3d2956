//! What receipts of WhatsApp say of prices: cost, budgets and totals hold what is billed, once,
//! however the receipts come.

use std::ops::Deref;

use domain::{
    ids::{MessageId, SenderId},
    message::{class::MessageClass, state::MessageState},
};
use jiff::Timestamp;
use reconcile::{ReceiptPoller, ReceiptPollerConfig};
use serde_json::{Value, json};
use testkit::{
    ids,
    world::{now, sealer},
};
use uuid::Uuid;
use wire::WebhookRequest;

use crate::{
    ticks::tick,
    world::{World, message, said},
};

/// A tenant that has said what its messages on WhatsApp cost, with a number there.
struct Priced {
    world: World,
    sender: SenderId,
}

impl Priced {
    async fn begin(free_service_messages: u32) -> anyhow::Result<Self> {
        let world = World::begin().await?;
        world.account(json!({ "carrier": "whatsapp" })).await?;
        let sender = world.sender("106540352242922", json!({ "channel": "whatsapp" })).await?;
        for (version, valid_from, marketing) in
            [(1, "2026-01-01T00:00:00Z", 25_000), (2, "2026-03-03T00:00:00Z", 99_000)]
        {
            let body = json!({
                "by_country": { "US": { "marketing": marketing, "service": 4_000 } },
                "elsewhere": { "utility": 8_000 },
                "free_service_messages": free_service_messages,
            });
            let row = json!({
                "tenant_id": "acme", "version": version, "valid_from": valid_from, "body": body,
                "created_at": now(), "created_by": "test",
            });
            world.insert("whatsapp_rates", &[row]).await?;
        }
        Ok(Self { world, sender })
    }

    /// A message that the gates have let go at an estimate, and that was called for.
    async fn admitted(&self, n: u128) -> anyhow::Result<MessageId> {
        let message = message(&self.world, n);
        let columns = json!({
            "state": MessageState::Queued.code(), "version": 2, "channel": "whatsapp",
            "sender_id": self.sender, "reserved_at": now(),
        });
        self.messages([&message], columns).await?;
        let address = message.head.to.as_str();
        self.recipients([address], json!({ "channel": "whatsapp" })).await?;
        self.reserve(MessageClass::Promo, self.sender, now(), 1).await?;
        Ok(message.head.id)
    }

    async fn cost(&self, message: MessageId) -> anyhow::Result<i64> {
        let mut connection = self.world.database.superuser().await?;
        let cost = "select cost_micros from millrace.messages where message_id = $1";
        let cost = sqlx::query_scalar(cost).bind(message.0);
        Ok(cost.fetch_one(&mut connection).await?)
    }

    /// What the tenant has spent: by its messages, which budgets and totals agree with.
    async fn spent(&self) -> anyhow::Result<i64> {
        let billed = "select coalesce(sum(cost_micros), 0)::bigint from millrace.messages
                      where carrier_sid is not null";
        let billed = self.number(billed).await?;
        for kind in ["spend_day", "spend_month"] {
            let mut connection = self.world.database.superuser().await?;
            let used = "select coalesce(sum(used), 0)::bigint from millrace.counters
                        where kind = $1";
            let used = sqlx::query_scalar::<_, i64>(used).bind(kind);
            assert_eq!(used.fetch_one(&mut connection).await?, billed, "{kind}");
        }
        let totals = "select coalesce(sum(cost_micros), 0)::bigint from millrace.moved_counts";
        assert_eq!(self.number(totals).await?, billed, "what totals will be told");
        Ok(billed)
    }
}

impl Deref for Priced {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

/// What Meta bills a message as.
fn billed(category: &str) -> Value {
    json!({ "billable": true, "pricing_model": "PMP", "category": category, "type": "regular" })
}

/// What Meta posts about a message.
fn status(message: MessageId, word: &str, pricing: Value, second: i64) -> WebhookRequest {
    let mut status = json!({
        "id": format!("wamid.{}", message.0.as_u128()), "status": word,
        "timestamp": "1772470800", "recipient_id": "13125550001",
        "biz_opaque_callback_data": format!("tenant=acme&message={message}"),
    });
    if word == "failed" {
        status["errors"] = json!([{ "code": 131_026, "title": "Message undeliverable" }]);
    }
    if !pricing.is_null() {
        status["pricing"] = pricing;
    }

    let value = json!({
        "messaging_product": "whatsapp", "metadata": { "phone_number_id": "106540352242922" },
        "statuses": [status],
    });
    let change = json!({ "field": "messages", "value": value });
    let body = json!({ "entry": [{ "id": "1", "changes": [change] }] });
    WebhookRequest {
        id: Uuid::from_u128(message.0.as_u128() * 1_000 + u128::from(second.unsigned_abs())),
        tenant: Some("acme".parse().expect("a tenant")),
        carrier: "whatsapp".into(),
        account: "main".into(),
        received_at: Timestamp::from_second(1_000_000 + second).expect("in range"),
        query: String::new(),
        body: body.to_string().into_bytes(),
        trace: None,
    }
}

#[tokio::test]
async fn what_is_billed_settles_cost_budgets_and_totals_in_any_order_once() -> anyhow::Result<()> {
    let world = Priced::begin(0).await?;
    let words = ["sent", "delivered", "read"];

    for (n, order) in (1_u128..).zip([[0, 1, 2], [2, 1, 0], [1, 0, 2]]) {
        let message = world.admitted(n).await?;
        for _ in 0..3 {
            for index in order {
                let second = i64::try_from(index)?;
                let receipt = status(message, words[index], billed("marketing"), second);
                world.receive(vec![receipt]).await?;
            }
        }
        // The price that held when the gates let it go, and not the one of the next day.
        assert_eq!(world.cost(message).await?, 25_000, "{order:?}");
        assert_eq!(world.spent().await?, i64::try_from(n)? * 25_000, "{order:?}");
    }

    // All of a message's receipts in one batch, and one that is billed by a price of elsewhere.
    let message = world.admitted(4).await?;
    let receipts = words.map(|word| status(message, word, billed("utility"), 7));
    world.receive(receipts.into()).await?;
    assert_eq!((world.cost(message).await?, world.spent().await?), (8_000, 83_000));
    Ok(())
}

#[tokio::test]
async fn what_failed_or_is_free_of_charge_costs_nothing() -> anyhow::Result<()> {
    let world = Priced::begin(0).await?;
    let failed = world.admitted(1).await?;
    world.receive(vec![status(failed, "sent", billed("marketing"), 1)]).await?;
    assert_eq!(world.spent().await?, 25_000);
    world.receive(vec![status(failed, "failed", Value::Null, 2)]).await?;
    assert_eq!(world.spent().await?, 0, "it is not billed after all");
    world.receive(vec![status(failed, "sent", billed("marketing"), 1)]).await?;
    assert_eq!(world.spent().await?, 0);

    let free = world.admitted(2).await?;
    let kind = "free_customer_service";
    let pricing = json!({ "billable": false, "category": "utility", "type": kind });
    world.receive(vec![status(free, "delivered", pricing, 1)]).await?;
    assert_eq!((world.cost(free).await?, world.spent().await?), (0, 0));

    // A report that says nothing of its price leaves the estimate.
    let silent = world.admitted(3).await?;
    world.receive(vec![status(silent, "delivered", Value::Null, 1)]).await?;
    assert_eq!((world.cost(silent).await?, world.spent().await?), (7_900, 7_900));
    Ok(())
}

#[tokio::test]
async fn the_first_service_messages_of_a_number_in_a_month_are_free_and_each_counts_once()
-> anyhow::Result<()> {
    let world = Priced::begin(2).await?;
    let used = "select coalesce(sum(used), 0)::bigint from millrace.free_service_messages";
    let mut messages = Vec::new();
    for n in 1..=2 {
        messages.push(world.admitted(n).await?);
    }

    let sent = |message: &MessageId| status(*message, "sent", billed("service"), 1);
    world.receive(messages.iter().map(sent).collect()).await?;
    assert_eq!((world.spent().await?, world.number(used).await?), (0, 2));

    messages.push(world.admitted(3).await?);
    let delivered = |message: &MessageId| status(*message, "delivered", billed("service"), 2);
    world.receive(messages.iter().map(delivered).collect()).await?;
    world.receive(messages.iter().map(delivered).collect()).await?;
    assert_eq!((world.spent().await?, world.number(used).await?), (4_000, 3));

    // One that failed counts no more: the next is free in its place once one is left.
    world.run("update millrace.free_service_messages set used = 2").await?;
    let failing = world.admitted(4).await?;
    world.receive(vec![sent(&failing)]).await?;
    assert_eq!((world.spent().await?, world.number(used).await?), (8_000, 3));
    world.receive(vec![status(failing, "failed", Value::Null, 3)]).await?;
    assert_eq!((world.spent().await?, world.number(used).await?), (4_000, 2));
    Ok(())
}

#[tokio::test]
async fn a_price_that_comes_after_the_state_is_told_by_one_more_event() -> anyhow::Result<()> {
    let world = Priced::begin(0).await?;
    let message = world.admitted(1).await?;
    let first = world.receive(vec![status(message, "delivered", Value::Null, 1)]).await?;
    assert_eq!(said(&first), ["message.delivered"]);
    let version = world.stored(message).await?.version;

    let priced = status(message, "sent", billed("marketing"), 2);
    let told = world.receive(vec![priced.clone()]).await?;
    assert_eq!(said(&told), ["message.delivered"], "with what it costs");
    assert_ne!(ids(&first), ids(&told));
    let stored = world.stored(message).await?;
    assert_eq!((stored.state, stored.version), (MessageState::Delivered, version + 1));

    // Whoever recorded it may have died before saying so.
    assert_eq!(ids(&world.receive(vec![priced]).await?), ids(&told));
    let same = status(message, "read", billed("marketing"), 3);
    assert_eq!(said(&world.receive(vec![same]).await?), ["message.read"]);
    assert_eq!(world.spent().await?, 25_000);
    Ok(())
}

#[tokio::test]
async fn a_receipt_that_is_repeated_does_not_hide_a_price_that_comes_with_it() -> anyhow::Result<()>
{
    let world = Priced::begin(0).await?;
    let message = world.admitted(1).await?;
    let delivered = status(message, "delivered", Value::Null, 1);
    let first = world.receive(vec![delivered.clone()]).await?;

    let priced = status(message, "sent", billed("marketing"), 2);
    let told = world.receive(vec![delivered, priced]).await?;
    assert_eq!(said(&told), ["message.delivered"; 2], "what may not have been said, and the price");
    assert_eq!(ids(&told)[0], ids(&first)[0]);
    assert_eq!((world.cost(message).await?, world.spent().await?), (25_000, 25_000));
    Ok(())
}

#[tokio::test]
async fn a_price_that_comes_before_its_message_is_kept_and_settles_it() -> anyhow::Result<()> {
    let world = Priced::begin(0).await?;
    let message = MessageId(Uuid::from_u128(1));
    world.receive(vec![status(message, "delivered", billed("marketing"), 1)]).await?;
    world.admitted(1).await?;

    world.run("update millrace.unmatched_receipts set next_look = clock_timestamp()").await?;
    let (store, http) = (world.pipeline().await?, carriers::http::client()?);
    let poller = ReceiptPoller::new(store, sealer(), http, ReceiptPollerConfig::default());
    assert_eq!(tick(&poller).await?, ["message.delivered"]);
    assert_eq!((world.cost(message).await?, world.spent().await?), (25_000, 25_000));
    Ok(())
}

#[tokio::test]
async fn a_text_that_was_taken_for_unsent_takes_what_it_is_billed_and_not_its_estimate()
-> anyhow::Result<()> {
    let world = Priced::begin(0).await?;
    let message = world.admitted(1).await?;
    world
        .run(
            "update millrace.messages set reserved_at = null, state = 13;
             update millrace.counters set used = 0",
        )
        .await?;
    world.receive(vec![status(message, "delivered", billed("marketing"), 1)]).await?;
    let spent = "select sum(used)::bigint from millrace.counters where kind = 'spend_month'";
    assert_eq!((world.cost(message).await?, world.number(spent).await?), (25_000, 25_000));
    Ok(())
}
