//! What a trial leaves behind: rows, events, what waits for the next stage, and texts at the
//! carrier. Two ends are the same when all of it is, word by word, but for what the machine's clock
//! or chance names. Business time stands still, so its times are compared.

use std::collections::BTreeSet;

use anyhow::Context;
use serde_json::Value;
use sqlx::Row;
use wire::Stream;

use super::world::World;

/// Tables that tell the outcome, each with what a machine's clock or chance puts into it.
const TABLES: [(&str, &[&str]); 20] = [
    ("messages", &["claim_owner", "call_by", "attempt", "carrier_sid", "version"]),
    ("message_conflicts", &[]),
    ("batch_keys", &[]),
    ("parked", &[]),
    ("counters", &[]),
    ("contacts", &[]),
    ("standings", &[]),
    ("consents", &[]),
    ("conversations", &[]),
    ("inbound_texts", &["burst_at"]),
    ("media", &["due", "tries"]),
    ("ai_replies", &["input_tokens", "output_tokens", "latency_ms"]),
    ("counted_events", &["counted_at"]),
    ("timed_totals", &[]),
    ("totals", &[]),
    ("variant_totals", &[]),
    ("campaigns", &["leased_until"]),
    ("campaign_recipients", &[]),
    ("taken_sids", &["taken_at"]),
    ("unsaid_events", &[]),
];

/// Streams that hold what was said. A work queue holds what nobody has read yet.
const SAID: [Stream; 6] = [
    Stream::Submitted,
    Stream::Enriched,
    Stream::Admitted,
    Stream::Released,
    Stream::Inbound,
    Stream::Events,
];

/// What the carrier notes of a text by its own clock and its own numbers, and the trace, which
/// nobody stores: a text that is sent again because its caller died has none.
const CARRIERS_OWN: [&str; 6] = ["sid", "at", "received_at", "status", "error_code", "traceparent"];

/// Everything that a trial left, each thing once.
#[derive(Debug, Default)]
pub(super) struct End {
    left: BTreeSet<String>,
    /// References of texts that the carrier has more than once.
    twice: Vec<String>,
}

impl End {
    /// Everything that is there.
    pub(super) async fn of(world: &World<'_>) -> anyhow::Result<Self> {
        let mut end = Self::default();
        end.rows(world).await?;
        end.said(world).await?;
        end.texts(world).await?;
        Ok(end)
    }

    /// What became of each message, whichever way it went there, and what the carrier has.
    pub(super) async fn fates(world: &World<'_>) -> anyhow::Result<Self> {
        let mut end = Self::default();
        let fates = "select to_jsonb(f)::text
                     from (select message_id, state, code, class, number, body, segments,
                                  cost_micros, sender_id, expires_at, on_late, metadata
                           from millrace.messages) f";
        for row in sqlx::query(fates).fetch_all(&mut world.database().await?).await? {
            end.left.insert(row.get(0));
        }

        end.texts(world).await?;
        Ok(end)
    }

    /// All of it but what names this.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.left.retain(|line| !line.contains(name));
        self
    }

    /// Whether there is anything but what every trial begins with.
    pub(super) fn worked(&self) -> bool {
        self.left.len() > 40
    }

    /// Fails with what one has and the other has not.
    pub(super) fn same(&self, other: &Self, trial: &str) {
        assert!(other.twice.is_empty(), "{trial}: at the carrier twice: {:?}", other.twice);

        let lost: Vec<_> = self.left.difference(&other.left).take(6).collect();
        let new: Vec<_> = other.left.difference(&self.left).take(6).collect();
        assert!(lost.is_empty() && new.is_empty(), "{trial}\nlost: {lost:#?}\nnew: {new:#?}");
    }

    async fn rows(&mut self, world: &World<'_>) -> anyhow::Result<()> {
        let mut connection = world.database().await?;
        for (table, chance) in TABLES {
            // A total that went up and down again is as good as none.
            let counts = if table == "totals" { "where value <> 0" } else { "" };
            let sql =
                format!("select (to_jsonb(t) - $1::text[])::text from millrace.{table} t {counts}");
            let chance: Vec<String> = chance.iter().map(|name| (*name).to_owned()).collect();

            let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(chance);
            for row in rows.fetch_all(&mut connection).await? {
                self.left.insert(format!("{table} {}", row.get::<String, _>(0)));
            }
        }
        Ok(())
    }

    /// Events and messages as they lie in their streams. What is said twice in the same words is
    /// one thing; a repeat in other words is another.
    async fn said(&mut self, world: &World<'_>) -> anyhow::Result<()> {
        let broker = world.broker().await?;
        for name in SAID {
            let stream = broker.api.get_stream(name.name()).await?;
            let state = stream.get_info().await?.state;

            for sequence in state.first_sequence..=state.last_sequence {
                let Ok(message) = stream.get_raw_message(sequence).await else { continue };
                // What is no frame, and what is no message in one, was put there as poison.
                let Ok(members) = serde_json::from_slice::<Vec<Value>>(&message.payload) else {
                    continue;
                };
                for member in members.iter().filter(|member| member.get("no").is_none()) {
                    self.left.insert(format!("{} {member}", message.subject));
                }
            }
        }
        Ok(())
    }

    async fn texts(&mut self, world: &World<'_>) -> anyhow::Result<()> {
        let mut references = BTreeSet::new();
        for mut text in world.carrier().await? {
            let reference = text["reference"].as_str().context("a reference")?.to_owned();
            if !references.insert(reference.clone()) {
                self.twice.push(reference);
            }

            let fields = text.as_object_mut().context("a line of the ledger")?;
            fields.retain(|name, _| !CARRIERS_OWN.contains(&name.as_str()));
            self.left.insert(format!("text {text}"));
        }
        Ok(())
    }
}
