//! What goes through the platform meanwhile: a campaign, and single messages that are submitted
//! again and again under their keys until the api has said that it has them.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use anyhow::{Context, bail};
use carriers::Carrier;
use domain::message::class::Channel;
use serde_json::{Value, json};

use crate::{
    cli,
    demo::{client::HttpCaller, setup},
    platform::Platform,
};

/// Segments per second of each of a carrier's two senders.
const PACE: u32 = 100;

/// Single messages per request.
const BATCH: usize = 50;

/// How long there is no request after one, and before a failed one is repeated.
const PAUSE: Duration = Duration::from_millis(400);

/// The campaign and the single messages that are sent.
#[derive(Debug, Clone)]
pub struct ChaosWork {
    /// The id of the campaign.
    pub campaign: String,
    /// The carriers that take part.
    pub carriers: Vec<Carrier>,
    pool: String,
    recipients: usize,
    singles: usize,
}

impl ChaosWork {
    /// How many messages there are in all.
    pub fn messages(&self) -> usize {
        self.recipients + self.singles
    }

    /// The campaign's ledger, as soon as the api answers.
    ///
    /// # Errors
    /// The api refuses.
    pub async fn ledger(&self, platform: &Platform) -> anyhow::Result<Value> {
        platform.client(0)?.get(&format!("/v1/campaigns/{}/ledger", self.campaign)).await
    }
}

/// Makes a tenant, two senders at each carrier and contacts, and starts a campaign to four of five
/// of them.
///
/// # Errors
/// The api refuses something.
pub async fn prepare(platform: &mut Platform, args: &cli::Chaos) -> anyhow::Result<ChaosWork> {
    if args.carriers.iter().all(|carrier| carrier.channel() != Channel::Sms) {
        bail!("the campaign goes out by SMS: name a carrier of SMS too");
    }
    platform.make_tenants(1).await?;
    let client = platform.client(0)?;
    let mut senders = Vec::new();
    for (index, carrier) in args.carriers.iter().enumerate() {
        let account = format!("chaos{index}");
        let numbers = [1, 2].map(|n| match carrier.channel() {
            Channel::Sms => format!("+1202555{}{n:03}", index + 1),
            Channel::Whatsapp => format!("1065403522{}{n:03}", index + 1),
        });
        setup::at_carrier(platform, &client, *carrier, &account, &numbers).await?;
        let sender = |number| setup::DemoSender { number, pace: PACE, country: "US" };
        let of_account: Vec<_> = numbers.iter().map(|number| sender(number)).collect();
        senders.extend(setup::senders(&client, &account, &of_account).await?);
    }
    let pool = setup::pool_of(&client, &senders).await?;

    let singles = args.recipients / 5;
    let recipients = args.recipients - singles;
    let import = setup::import(&client, contacts(recipients)).await?;
    if import["created"].as_u64() != Some(recipients as u64) {
        bail!("not every contact was made: {import}");
    }

    let bodies = json!({ "en": "Spring sale: 20 % off until Sunday" });
    let variants = json!([{ "key": "only", "weight": 1, "bodies": bodies }]);
    let template = json!({ "name": "chaos", "variants": variants });
    let template = client.post("/v1/templates", &template).await?;

    let campaign = json!({
        "name": "chaos",
        "class": "promo",
        "template_id": template["id"],
        "pool_id": pool,
        "audience": { "tags": ["chaos"] },
    });
    let campaign = client.post("/v1/campaigns", &campaign).await?;
    let campaign = campaign["id"].as_str().context("the campaign's id")?.to_owned();
    client.post(&format!("/v1/campaigns/{campaign}/start"), &json!({})).await?;

    let carriers = args.carriers.clone();
    Ok(ChaosWork { campaign, carriers, pool, recipients, singles })
}

/// Submits the single messages, each under a key, and repeats requests without an answer. Gives the
/// ids by key.
///
/// # Errors
/// The same key was answered with two ids, or the api refuses a message.
pub async fn submit(
    client: HttpCaller,
    work: ChaosWork,
) -> anyhow::Result<BTreeMap<String, String>> {
    let mut accepted = BTreeMap::new();
    let mut first = 0;
    while first < work.singles {
        let batch: Vec<usize> = (first..work.singles.min(first + BATCH)).collect();
        let Ok(answer) = client.post("/v1/messages/batch", &request(&work, &batch)).await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };

        let ids = answer["ids"].as_array().context("ids")?;
        if ids.len() != batch.len() {
            bail!("{} of {} were accepted: {answer}", ids.len(), batch.len());
        }
        for (&index, id) in batch.iter().zip(ids) {
            let id = id.as_str().context("an id")?.to_owned();
            if let Some(other) = accepted.insert(key(index), id.clone())
                && other != id
            {
                bail!("{} was answered with {other} and {id}", key(index));
            }
        }

        // Every tenth batch is sent again, as a client does whose answer was lost.
        let again = (first / BATCH).is_multiple_of(10);
        if !again || client.post("/v1/messages/batch", &request(&work, &batch)).await.is_ok() {
            first += BATCH;
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(accepted)
}

fn request(work: &ChaosWork, batch: &[usize]) -> Value {
    let on_whatsapp = work.carriers.iter().any(|carrier| carrier.channel() == Channel::Whatsapp);
    let message = |&index: &usize| {
        if on_whatsapp && index.is_multiple_of(3) {
            return by_template(work, index);
        }
        json!({
            "to": number(work.recipients + index),
            "class": "transactional",
            "pool": work.pool,
            "body": format!("Your code is {index}"),
            "idempotency_key": key(index),
        })
    };
    json!({ "messages": batch.iter().map(message).collect::<Vec<_>>() })
}

/// A message on WhatsApp to somebody who has not written: a template.
fn by_template(work: &ChaosWork, index: usize) -> Value {
    let parameters = [index.to_string()];
    json!({
        "to": number(work.recipients + index),
        "class": "transactional",
        "channel": "whatsapp",
        "pool": work.pool,
        "carrier_template": {
            "name": setup::CARRIER_TEMPLATE, "language": "en", "parameters": parameters,
        },
        "idempotency_key": key(index),
    })
}

fn key(index: usize) -> String {
    format!("single-{index}")
}

fn contacts(count: usize) -> String {
    let mut csv = String::from("phone,first_name,region,consent,consent_source,tags\n");
    for index in 0..count {
        let _ = writeln!(csv, "{},Pat,US-NY,yes,chaos,chaos", number(index));
    }
    csv
}

/// The number of a person in New York.
fn number(index: usize) -> String {
    format!("+1212{:07}", 2_000_000 + index)
}
