//! `millrace up --demo`: one real campaign, from a CSV file to a ledger that balances, through the
//! public API and the sandbox's control calls alone.

pub mod check;
pub mod client;
mod ledger;
pub mod people;
pub mod setup;
mod table;

use std::{fs, process::ExitCode, time::Duration};

use anyhow::{Context, bail};
use client::HttpCaller;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cli;

/// The contacts of the demo, made by [`people`].
pub const CONTACTS: &str = include_str!("../data/demo-contacts.csv");

/// The instant at which the first demo begins: evening in New York and morning in Sydney, so that
/// some recipients are in their quiet hours. A later demo on the same data begins that many days
/// later at the same time of day, when the suppression of the one before is over.
const BEGIN: &str = "2026-06-11T00:30:00Z";

/// Days from one demo to the next on the same data.
const DAYS_BETWEEN: i64 = 91;

/// How long the whole campaign may take.
const LIMIT: Duration = Duration::from_secs(110);

/// The carrier account, by its name here.
const ACCOUNT: &str = "demo";

const SENDERS: [setup::DemoSender<'static>; 4] = [
    setup::DemoSender { number: "+12025550171", pace: 100, country: "US" },
    setup::DemoSender { number: "+12025550172", pace: 100, country: "US" },
    setup::DemoSender { number: "+12025550173", pace: 100, country: "US" },
    setup::DemoSender { number: "+61491579901", pace: 50, country: "AU" },
];

/// Where the demo finds a running platform.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// Root of the REST API, as a URL.
    pub api: String,
    /// Root of the simulator's control calls, as a URL.
    pub sandbox: String,
    /// A ready admin key of the tenant that runs the demo.
    pub api_key: SecretString,
}

/// `millrace demo`: the same on a platform that somebody else has started.
pub async fn command(args: cli::Demo) -> anyhow::Result<ExitCode> {
    let why = || args.key_file.display().to_string();
    let key = fs::read_to_string(&args.key_file).with_context(why)?;
    let endpoints = Endpoints { api: args.api, sandbox: args.sandbox, api_key: key.trim().into() };
    let stop = boot::shutdown::on_signals()?;
    let balanced = run(&endpoints, &stop).await?;
    Ok(if balanced { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the demo; says whether the ledger balances.
///
/// # Errors
/// The api or the sandbox refuses something, or the campaign does not end in time.
pub async fn run(endpoints: &Endpoints, stop: &CancellationToken) -> anyhow::Result<bool> {
    let demo = Demo {
        api: HttpCaller::new(&endpoints.api, Some(endpoints.api_key.clone()))?,
        sandbox: HttpCaller::new(&endpoints.sandbox, None)?,
        sandbox_url: endpoints.sandbox.clone(),
        api_url: endpoints.api.clone(),
    };
    match stop.run_until_cancelled(demo.run()).await {
        Some(balanced) => balanced,
        None => Ok(false),
    }
}

struct Demo {
    api: HttpCaller,
    sandbox: HttpCaller,
    sandbox_url: String,
    api_url: String,
}

impl Demo {
    /// Sets everything up, runs the campaign and prints its table; says whether it balances.
    async fn run(&self) -> anyhow::Result<bool> {
        let begun = Instant::now();
        self.pin_clock().await?;
        self.world().await?;

        self.api.put("/v1/policies", &json!({ "quiet_hours": { "spread_seconds": 5 } })).await?;
        let pool = self.senders().await?;
        let import = setup::import(&self.api, CONTACTS.to_owned()).await?;
        eprintln!("{}", table::import(&import));

        let campaign = self.campaign(&pool).await?;
        let (ledger, opened) = self.follow(&campaign, begun).await?;

        let found = check::against_carrier(&self.api, &self.sandbox, &campaign, &ledger).await?;
        let took = begun.elapsed();
        self.calm().await?;
        println!("{}", table::campaign(&ledger, &found, opened, took));
        Ok(found.balanced)
    }

    /// Puts business time at the next beginning of a demo.
    async fn pin_clock(&self) -> anyhow::Result<()> {
        let first: Timestamp = BEGIN.parse()?;
        let clock = self.sandbox.get("/sandbox/clock").await?;
        let set = clock["set"] == true;
        let known = clock["now"].as_str().filter(|_| set).and_then(|now| now.parse().ok());

        let mut begin = first.to_zoned(TimeZone::UTC);
        while known.is_some_and(|known: Timestamp| begin.timestamp() <= known) {
            begin = begin.checked_add(DAYS_BETWEEN.days())?;
        }

        let body = json!({ "now": begin.timestamp(), "rate": 1 });
        self.sandbox.put("/sandbox/clock", &body).await.map(drop)
    }

    /// How the simulated people and carriers behave.
    async fn world(&self) -> anyhow::Result<()> {
        let personas = json!({
            "stop_rate": 0.03, "alto_rate": 0.02, "question_rate": 0.06, "help_rate": 0.01,
            "reply_delay_ms": [200, 1500], "languages": { "en": 3, "es": 1 }, "seed": 7,
        });
        self.sandbox.put("/sandbox/personas", &personas).await?;

        let faults = json!({
            "seed": 7,
            "refuse": [{ "code": 21614, "rate": 0.01 }],
            "undelivered": [{ "code": 30003, "rate": 0.03 }, { "code": 30006, "rate": 0.01 }],
            "receipts": { "delay_ms": [20, 400], "duplicate": 0.02, "reorder": 0.05 },
        });
        self.sandbox.put("/sandbox/faults", &faults).await.map(drop)
    }

    /// Ends the faults of the carrier: whoever tries the API afterwards, on the account, senders
    /// and pool of the demo, has their texts delivered.
    async fn calm(&self) -> anyhow::Result<()> {
        self.sandbox.put("/sandbox/faults", &json!({})).await.map(drop)
    }

    /// Makes senders past their warm-up known to the carrier and to us, unless an earlier demo has;
    /// gives their pool's id.
    async fn senders(&self) -> anyhow::Result<String> {
        for sender in &SENDERS {
            if !self.is_registered(sender.number).await? {
                setup::number(&self.sandbox, &self.api_url, ACCOUNT, sender.number).await?;
            }
        }

        let pools = self.api.get("/v1/pools").await?;
        if pools["data"].as_array().is_none_or(Vec::is_empty) {
            setup::account(&self.api, &self.sandbox_url, ACCOUNT).await?;
            return setup::pool(&self.api, ACCOUNT, &SENDERS).await;
        }
        Ok(pools["data"][0]["id"].as_str().context("the pool's id")?.to_owned())
    }

    async fn is_registered(&self, number: &str) -> anyhow::Result<bool> {
        let path = setup::numbers_path(ACCOUNT);
        let known = self.sandbox.get_basic(&path, &setup::sid(ACCOUNT), setup::TOKEN).await?;
        let numbers = known["incoming_phone_numbers"].as_array().context("numbers")?;
        Ok(numbers.iter().any(|known| known["phone_number"] == number))
    }

    /// Makes and starts a campaign with three variants in two languages; gives its id.
    async fn campaign(&self, pool: &str) -> anyhow::Result<String> {
        let template = self.api.post("/v1/templates", &variants()).await?;
        let body = json!({
            "name": "Spring sale",
            "class": "promo",
            "template_id": template["id"],
            "pool_id": pool,
            "audience": { "tags": ["demo"] },
        });

        let campaign = self.api.post("/v1/campaigns", &body).await?;
        let id = campaign["id"].as_str().context("the campaign's id")?.to_owned();
        self.api.post(&format!("/v1/campaigns/{id}/start"), &json!({})).await?;
        Ok(id)
    }

    /// Watches the campaign to its end, and moves the clock on when only parked messages are left.
    /// Gives the ledger, and the last instant that parked messages waited for.
    async fn follow(
        &self,
        campaign: &str,
        begun: Instant,
    ) -> anyhow::Result<(Value, Option<Timestamp>)> {
        let bar = progress_bar();
        let path = format!("/v1/campaigns/{campaign}/ledger");
        let mut opened = None;
        loop {
            let ledger = self.api.get(&path).await?;
            let (open, parked) = (ledger::open(&ledger), ledger::parked(&ledger));
            bar.set_length(ledger["audience"].as_u64().unwrap_or_default());
            bar.set_position(ledger::settled(&ledger));
            bar.set_message(format!("{parked} parked"));

            if ledger["state"] == "completed" && self.quiet().await? {
                bar.finish_and_clear();
                return Ok((self.api.get(&path).await?, opened));
            }
            if open > 0 && open == parked && self.quiet().await? {
                opened = self.move_clock(&ledger).await?.or(opened);
            }

            if begun.elapsed() > LIMIT {
                bail!("the campaign did not end within {LIMIT:?}: {ledger}");
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Whether the sandbox has nothing more to say by itself.
    async fn quiet(&self) -> anyhow::Result<bool> {
        let stats = self.sandbox.get("/sandbox/stats").await?;
        Ok(stats["callbacks"]["pending"].as_u64() == Some(0))
    }

    /// Moves business time to the next due message and gives that instant; none where the message
    /// is due already and on its way.
    async fn move_clock(&self, ledger: &Value) -> anyhow::Result<Option<Timestamp>> {
        let due = ledger["next_due"].as_str().context("parked messages without a due time")?;
        let due: Timestamp = due.parse()?;
        let clock = self.sandbox.get("/sandbox/clock").await?;
        let now: Timestamp = clock["now"].as_str().context("the sandbox's clock")?.parse()?;

        if due <= now {
            return Ok(None);
        }
        let body = json!({ "now": due, "rate": 1 });
        self.sandbox.put("/sandbox/clock", &body).await?;
        Ok(Some(due))
    }
}

/// A template with three variants.
fn variants() -> Value {
    let variant = |key: &str, en: &str, es: &str| {
        let bodies = json!({ "en": en, "es": es });
        json!({ "key": key, "weight": 1, "bodies": bodies })
    };

    json!({
        "name": "spring sale",
        "variants": [
            variant(
                "plain",
                "Hi {first_name|there}, Acme's spring sale is on: 20% off until Sunday. Reply STOP to opt out",
                "Hola {first_name|amigo}, rebajas de primavera en Acme: 20% hasta el domingo. Responda ALTO para salir",
            ),
            variant(
                "question",
                "{first_name|Hi}, have you seen Acme's spring offers? 20% off this week. Reply STOP to opt out",
                "{first_name|Hola}, ¿ha visto las ofertas de Acme? 20% esta semana. Responda ALTO para salir",
            ),
            variant(
                "short",
                "Acme: 20% off everything until Sunday, {first_name|friend}. Reply STOP to opt out",
                "Acme: 20% en todo hasta el domingo, {first_name|amigo}. Responda ALTO para salir",
            ),
        ],
    })
}

fn progress_bar() -> ProgressBar {
    let style = "{bar:40} {pos}/{len} settled, {msg}  {elapsed}";
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    bar.with_style(
        ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
    )
}
