//! Rows to begin with: an account, senders, people, messages. Each takes the columns that are to be
//! otherwise than usual, as a JSON object.

use domain::{
    ids::{PoolId, SenderId},
    message::state::MessageState,
};
use serde_json::{Value, json};
use uuid::Uuid;
use wire::Enriched;

use super::{TestWorld, now};

/// The pool of tests that need one.
pub const POOL: PoolId = PoolId(Uuid::from_u128(1));

/// A row with these columns instead of its own.
///
/// # Panics
/// When either is no JSON object.
#[must_use]
pub fn with(mut row: Value, columns: &Value) -> Value {
    let fields = row.as_object_mut().expect("a row is an object");
    fields.extend(columns.as_object().expect("columns are an object").clone());
    row
}

/// The row that enrich makes of a message.
pub fn message_row(message: &Enriched) -> Value {
    let head = &message.head;
    json!({
        "tenant_id": head.tenant,
        "message_id": head.id,
        "turn": head.turn,
        "state": MessageState::Accepted.code(),
        "class": head.class,
        "channel": head.channel,
        "contact_id": message.contact,
        "number": head.to,
        "campaign_id": head.campaign,
        "body": message.text,
        "segments": message.segments,
        "cost_micros": message.cost,
        "body_hash": "",
        "submitted_at": head.submitted_at,
        "expires_at": head.expires_at,
        "on_late": head.on_late,
        "version": 1,
        "changed_at": head.submitted_at,
        "passport": message.passport,
    })
}

impl TestWorld {
    /// Makes the carrier account `main`.
    ///
    /// # Errors
    /// The database refuses it.
    pub async fn account(&self, columns: Value) -> anyhow::Result<()> {
        let row = json!({
            "tenant_id": self.tenant,
            "account": "main",
            "carrier": "twilio",
            "carrier_sid": "AC00000000000000000000000000000001",
            "base_url": "http://localhost",
            "sealed_token": "",
            "created_at": now(),
        });
        self.insert("carrier_accounts", &[with(row, &columns)]).await
    }

    /// Makes a sender of the account `main` that is past its warm-up; gives its id.
    ///
    /// # Errors
    /// The database refuses it.
    pub async fn sender(&self, number: &str, columns: Value) -> anyhow::Result<SenderId> {
        let row = json!({
            "tenant_id": self.tenant,
            "sender_id": SenderId::of(&self.tenant, number),
            "account": "main",
            "number": number,
            "country": "US",
            "time_zone": "America/New_York",
            "pace": 10,
            "active_since": "2025-01-01T00:00:00Z",
            "daily_cap": 100_000,
            "usable": true,
            "created_at": now(),
        });
        let row = with(row, &columns);
        self.insert("senders", std::slice::from_ref(&row)).await?;
        Ok(serde_json::from_value(row["sender_id"].clone())?)
    }

    /// Makes [`POOL`], with these senders.
    ///
    /// # Errors
    /// The database refuses it.
    pub async fn pool(&self, senders: &[SenderId]) -> anyhow::Result<()> {
        let row = json!({
            "tenant_id": self.tenant,
            "pool_id": POOL,
            "name": "all",
            "senders": senders,
            "created_at": now(),
        });
        self.insert("pools", &[row]).await
    }

    /// Makes the recipient statuses of people that have none yet, by their addresses.
    ///
    /// # Errors
    /// The database refuses one.
    pub async fn recipients<A: AsRef<str>>(
        &self,
        addresses: impl IntoIterator<Item = A>,
        columns: Value,
    ) -> anyhow::Result<()> {
        let row = |address: A| {
            let row = json!({
                "tenant_id": self.tenant, "number": address.as_ref(), "channel": "sms",
            });
            with(row, &columns)
        };
        let rows: Vec<Value> = addresses.into_iter().map(row).collect();
        self.insert_missing("standings", &rows).await
    }

    /// Makes the rows of messages.
    ///
    /// # Errors
    /// The database refuses one.
    pub async fn messages<'a>(
        &self,
        messages: impl IntoIterator<Item = &'a Enriched>,
        columns: Value,
    ) -> anyhow::Result<()> {
        let row = |message| with(message_row(message), &columns);
        let rows: Vec<Value> = messages.into_iter().map(row).collect();
        self.insert("messages", &rows).await
    }

    /// Puts a policy in force.
    ///
    /// # Errors
    /// The database refuses it, or there is one of this version.
    pub async fn policy(&self, version: i64, body: Value) -> anyhow::Result<()> {
        let row = json!({
            "tenant_id": self.tenant,
            "version": version,
            "body": body,
            "created_at": now(),
            "created_by": "test",
        });
        self.insert("policies", &[row]).await
    }
}
