//! Many texts of several tenants, each submitted under a key and again and again until the api has
//! said that it has it; and, at the end of a run, what became of every one.

pub mod tally;

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    demo::{client::HttpCaller, setup},
    platform::Platform,
};

/// Segments per second of each sender: more than the platform could use.
const PACE: u32 = 10_000;

/// How long there is no request after one that failed.
const PAUSE: Duration = Duration::from_millis(200);

/// How long a batch is repeated: longer than any server or process is away.
const PATIENCE: Duration = Duration::from_secs(60);

/// Every batch of so many is urgent: codes and answers beside campaigns.
const URGENT_OF: usize = 5;

/// Every batch of so many is sent again, as a client does whose answer was lost.
const AGAIN_OF: usize = 10;

/// What the text says before the instant at which it was first submitted.
const STAMP: &str = "Your order has news, as of ";

/// Tenants, each with an account, a sender, a pool and people.
#[derive(Clone)]
pub struct Flow {
    tenants: Vec<FlowTenant>,
    /// People of each tenant; who comes next is texted again once all were.
    people: usize,
}

#[derive(Clone)]
struct FlowTenant {
    client: HttpCaller,
    pool: String,
}

/// Texts that one request submits, all of one tenant.
#[derive(Debug, Clone, Copy)]
pub struct FlowBatch {
    /// Which batch of the run it is, from 0.
    pub number: usize,
    /// How many texts it has.
    pub texts: usize,
}

// === impl Flow ===

impl Flow {
    /// Makes tenants with people through the public API, and has the carrier call the api for what
    /// they write.
    ///
    /// # Errors
    /// The api or the carrier refuses something.
    pub async fn prepare(
        platform: &mut Platform,
        tenants: usize,
        people: usize,
    ) -> anyhow::Result<Self> {
        platform.make_tenants(tenants).await?;
        let mut made = Vec::with_capacity(tenants);
        for tenant in 0..tenants {
            let client = platform.client(tenant)?;
            let account = format!("flow{tenant:02}");
            let number = format!("+1202555{:04}", 1000 + tenant);
            let senders = [setup::DemoSender { number: &number, pace: PACE, country: "US" }];
            setup::account(&client, &platform.sandbox_url, &account).await?;
            setup::number(&platform.sandbox, &platform.api_url, &account, &number).await?;
            let pool = setup::pool(&client, &account, &senders).await?;

            // As much as a person may get: people are few beside the texts of a long run.
            let policy = json!({ "frequency": { "messages": 10, "hours": 1 } });
            client.put("/v1/policies", &policy).await?;
            setup::import(&client, contacts(people)).await?;
            made.push(FlowTenant { client, pool });
        }
        platform.postgres.settle().await?;
        Ok(Self { tenants: made, people })
    }

    /// Submits a batch until the api has it; gives the ids.
    ///
    /// # Errors
    /// It has not in a minute, it refuses a text, or gives one key two ids.
    pub async fn post(&self, batch: FlowBatch) -> anyhow::Result<Vec<Uuid>> {
        let tenant = &self.tenants[batch.number % self.tenants.len()];
        let request = self.request(tenant, batch);
        let begun = Instant::now();
        let mut accepted: Option<Vec<Uuid>> = None;
        loop {
            let answer = match tenant.client.post("/v1/messages/batch", &request).await {
                Ok(answer) => answer,
                Err(why) if begun.elapsed() > PATIENCE => return Err(why),
                Err(_) => {
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };

            let ids: Vec<Uuid> = serde_json::from_value(answer["ids"].clone()).context("ids")?;
            ensure!(ids.len() == batch.texts, "{} of {} were accepted", ids.len(), batch.texts);
            if accepted.as_ref().is_some_and(|before| *before != ids) {
                bail!("batch {} was answered with two lists of ids", batch.number);
            }
            if accepted.is_some() || !batch.number.is_multiple_of(AGAIN_OF) {
                return Ok(ids);
            }
            accepted = Some(ids);
        }
    }

    fn request(&self, tenant: &FlowTenant, batch: FlowBatch) -> Value {
        let urgent = batch.number.is_multiple_of(URGENT_OF);
        let class = if urgent { "transactional" } else { "journey" };
        let body = format!("{STAMP}{}", boot::clock::machine_now().as_millisecond());
        let first = batch.number / self.tenants.len() * batch.texts;
        let message = |index: usize| {
            json!({
                "to": number((first + index) % self.people),
                "class": class,
                "pool": tenant.pool,
                "body": body,
                "idempotency_key": format!("text-{}-{index}", batch.number),
            })
        };
        json!({ "messages": (0..batch.texts).map(message).collect::<Vec<_>>() })
    }
}

/// The instant at which a text was first submitted, in milliseconds since 1970: it says so.
pub fn submitted_at(body: &str) -> Option<i64> {
    let digits = body.split_once(STAMP)?.1;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

fn contacts(people: usize) -> String {
    let mut csv = String::from("phone,first_name,region,consent,consent_source\n");
    for person in 0..people {
        let _ = writeln!(csv, "{},Pat,US-NY,yes,flow", number(person));
    }
    csv
}

/// The number of a person in New York.
fn number(person: usize) -> String {
    format!("+1212{:07}", 2_000_000 + person)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_says_when_it_was_submitted_whatever_is_added_to_it() {
        let body = format!("{STAMP}1790000000123 Reply STOP to opt out");
        assert_eq!(submitted_at(&body), Some(1_790_000_000_123));
        assert_eq!(submitted_at("HELP: call us"), None);
    }
}
