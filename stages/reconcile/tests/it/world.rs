//! A tenant with messages at the carrier, and the receipts that come back.

use domain::{
    ids::{MessageId, TenantId},
    message::state::MessageState,
};
use jiff::Timestamp;
use reconcile::ReceiptStage;
use sqlx::Row;
use stage::Outcome;
use store::Role;
use testkit::{Database, hand_over};
use uuid::Uuid;
use wire::WebhookRequest;

pub struct World {
    pub database: Database,
    pub tenant: TenantId,
    pub stage: ReceiptStage,
}

/// What a test asks of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    pub state: MessageState,
    pub version: i64,
    pub code: Option<String>,
    pub sid: Option<String>,
    pub verdicts: Vec<String>,
}

impl World {
    pub async fn begin() -> anyhow::Result<Self> {
        let database = Database::start().await?;
        let tenant = database.tenant("acme").await?;
        let stage = ReceiptStage::new(database.store(Role::Pipeline).await?);
        Ok(Self { database, tenant, stage })
    }

    /// A message in this state, at version 3.
    pub async fn message(&self, n: u128, state: MessageState) -> anyhow::Result<MessageId> {
        let id = MessageId(Uuid::from_u128(n));
        let sid = state.is_at_carrier().then(|| format!("SM{n}"));
        let mut connection = self.database.superuser().await?;
        sqlx::query(
            "with made as (
                 insert into millrace.messages (tenant_id, message_id, state, class, channel,
                     contact_id, number, body, segments, cost_micros, body_hash, submitted_at,
                     version, changed_at, passport, carrier_sid, reserved_at)
                 values ('acme', $1, $2, 'promo', 'sms', $1, $3, 'hello', 1, 7900, '', now(), 3,
                         now(), '[]', $4, now())
             )
             insert into millrace.standings (tenant_id, number, channel)
             values ('acme', $3, 'sms')",
        )
        .bind(id.0)
        .bind(state.code())
        .bind(format!("+1312555{n:04}"))
        .bind(sid)
        .execute(&mut connection)
        .await?;
        Ok(id)
    }

    /// What the carrier posts about a message. `status` may carry `&ErrorCode=...`.
    pub fn receipt(&self, message: MessageId, status: &str, second: i64) -> WebhookRequest {
        let sid = message.0.as_u128();
        WebhookRequest {
            id: Uuid::from_u128(sid * 1_000 + u128::from(second.unsigned_abs())),
            tenant: Some(self.tenant.clone()),
            carrier: "twilio".into(),
            account: "main".into(),
            received_at: Timestamp::from_second(1_000_000 + second).expect("in range"),
            query: format!("tenant=acme&message={message}"),
            body: format!("MessageSid=SM{sid}&MessageStatus={status}").into_bytes(),
            trace: None,
        }
    }

    /// Hands receipts over in one batch.
    pub async fn receive(&self, receipts: Vec<WebhookRequest>) -> anyhow::Result<Vec<Outcome>> {
        Ok(hand_over(&self.stage, Timestamp::UNIX_EPOCH, receipts).await?)
    }

    pub async fn stored(&self, message: MessageId) -> anyhow::Result<Stored> {
        stored(&self.database, message).await
    }

    /// One number out of the database.
    pub async fn count(&self, sql: &'static str) -> anyhow::Result<i64> {
        let mut connection = self.database.superuser().await?;
        Ok(sqlx::query(sql).fetch_one(&mut connection).await?.get(0))
    }

    /// Runs one statement as the superuser.
    pub async fn run(&self, sql: &'static str) -> anyhow::Result<()> {
        let mut connection = self.database.superuser().await?;
        sqlx::query(sql).execute(&mut connection).await?;
        Ok(())
    }
}

/// A message's row.
pub async fn stored(database: &Database, message: MessageId) -> anyhow::Result<Stored> {
    let mut connection = database.superuser().await?;
    let row = sqlx::query(
        "select state, version, code, carrier_sid,
                array(select s ->> 'verdict' from jsonb_array_elements(passport) s) as verdicts
         from millrace.messages where message_id = $1",
    )
    .bind(message.0)
    .fetch_one(&mut connection)
    .await?;
    Ok(Stored {
        state: MessageState::from_code(row.get("state")).expect("a state"),
        version: row.get("version"),
        code: row.get("code"),
        sid: row.get("carrier_sid"),
        verdicts: row.get("verdicts"),
    })
}

/// The types of the events that outcomes say, in order.
pub fn said(outcomes: &[Outcome]) -> Vec<String> {
    let one = |outcome: &Outcome| match outcome {
        Outcome::Emit(say) | Outcome::Park { say, .. } => {
            say.iter().map(|one| one.subject.to_string().replace("events.acme.", "")).collect()
        }
        Outcome::Wait { .. } => vec!["wait".into()],
        Outcome::Dead { cause } => vec![format!("dead {}", cause.0)],
    };
    outcomes.iter().flat_map(one).collect()
}

/// The ids of the events that outcomes say.
pub fn ids(outcomes: &[Outcome]) -> Vec<Uuid> {
    let say = outcomes.iter().flat_map(|outcome| match outcome {
        Outcome::Emit(say) | Outcome::Park { say, .. } => say.as_slice(),
        Outcome::Wait { .. } | Outcome::Dead { .. } => &[],
    });
    say.map(|one| one.key.id).collect()
}
