//! The neighbours: who they are, and what they have.

use std::{collections::BTreeMap, fmt::Write};

use anyhow::bail;
use boot::keys::Keys;
use domain::ids::account_handle;
use secrecy::ExposeSecret;
use serde_json::json;
use store::{
    Role,
    core::seal::Sealer,
    settings::platform_accounts::{self, PlatformAccount, Share},
};

use crate::{
    cli,
    demo::setup,
    platform::{self, OPEN_HOUR, Platform},
};

/// A: floods one slow sender by batches and by a campaign.
pub const FLOODING: usize = 0;
/// B: sends one login code a second.
pub const CODES: usize = 1;
/// C: its carrier accounts take ten seconds for each answer.
pub const SLOW: usize = 2;
/// D: uploads slowly, over many connections, and posts single texts as fast as they are taken.
pub const UPLOADING: usize = 3;
/// E: runs a small campaign on an account that it shares.
pub const SMALL: usize = 4;
/// F: runs a large campaign on the same account.
pub const LARGE: usize = 5;

/// Segments per second of the sender that is flooded.
pub const FLOODED_PACE: u32 = 10;

/// Segments per second of the account that two tenants share, and the weights of the two.
pub const SHARED_PACE: u32 = 60;
pub const WEIGHTS: [u32; 2] = [1, 2];

/// How long the slow carrier account takes for an answer, in milliseconds.
const SLOW_MS: u32 = 10_000;

/// What each sender of the slow accounts could send in a second, and how the number of the first
/// one ends.
const SLOW_PACE: u32 = 1_000;
const SLOW_NUMBERS: usize = 2_000;

/// The senders, by whose they are.
pub const NUMBERS: [&str; 6] = [
    "+12025551000",
    "+12025551001",
    "+12025551002",
    "+12025551003",
    "+12025551004",
    "+12025551005",
];

/// What the tenants have.
#[derive(Debug, Clone)]
pub struct FairWork {
    /// A pool of each, by the tenant's index.
    pub pools: Vec<String>,
    /// Campaigns that are ready, with the tenant of each.
    pub campaigns: Vec<(usize, String)>,
    /// How many people the small campaign is for.
    pub small: usize,
}

/// Makes tenants, accounts, senders, contacts and campaigns.
///
/// # Errors
/// The api refuses something.
pub async fn prepare(platform: &mut Platform, args: &cli::Fair) -> anyhow::Result<FairWork> {
    let clock = json!({ "now": OPEN_HOUR, "rate": 1 });
    platform.sandbox.put("/sandbox/clock", &clock).await?;
    let slow: Vec<String> = (0..args.accounts).map(slow_account).collect();
    let latencies: BTreeMap<String, u32> =
        slow.iter().map(|name| (setup::sid(name), SLOW_MS)).collect();
    let faults = json!({
        "receipts": { "delay_ms": [50, 300] },
        "account_latency_ms": latencies,
    });
    platform.sandbox.put("/sandbox/faults", &faults).await?;

    platform.make_tenants(NUMBERS.len()).await?;
    let names = ["flood", "codes", "slow", "upload", "platform", "platform"];
    let paces = [FLOODED_PACE, 100, SLOW_PACE, 100, 1_000, 1_000];
    for tenant in [FLOODING, CODES, UPLOADING] {
        let client = platform.client(tenant)?;
        setup::account(&client, &platform.sandbox_url, names[tenant]).await?;
    }
    share_an_account(platform).await?;

    let mut pools = Vec::new();
    for tenant in 0..NUMBERS.len() {
        if tenant == SLOW {
            pools.push(slow_pool(platform, &slow).await?);
            continue;
        }
        let sender =
            setup::DemoSender { number: NUMBERS[tenant], pace: paces[tenant], country: "US" };
        let client = platform.client(tenant)?;
        pools.push(setup::pool(&client, names[tenant], &[sender]).await?);
    }

    let mut campaigns = Vec::new();
    let large = args.texts.max(args.recipients * 4);
    for (tenant, people) in [(FLOODING, args.texts), (SMALL, args.recipients), (LARGE, large)] {
        eprintln!("loading {people} contacts ...");
        campaigns.push((tenant, campaign(platform, tenant, &pools[tenant], people).await?));
    }
    Ok(FairWork { pools, campaigns, small: args.recipients })
}

/// Starts every campaign.
///
/// # Errors
/// The api refuses.
pub async fn start_campaigns(platform: &Platform, work: &FairWork) -> anyhow::Result<()> {
    for (tenant, campaign) in &work.campaigns {
        let start = format!("/v1/campaigns/{campaign}/start");
        platform.client(*tenant)?.post(&start, &json!({})).await?;
    }
    Ok(())
}

/// The number of person `index` of a tenant: tenants share nobody.
pub fn number(tenant: usize, index: usize) -> String {
    format!("+1212{}{index:06}", 2 + tenant)
}

/// The name of one of the slow accounts.
fn slow_account(number: usize) -> String {
    format!("slow-{number}")
}

/// A pool of a sender on each of the slow accounts.
async fn slow_pool(platform: &Platform, accounts: &[String]) -> anyhow::Result<String> {
    let client = platform.client(SLOW)?;
    let mut senders = Vec::new();
    for (index, account) in accounts.iter().enumerate() {
        setup::account(&client, &platform.sandbox_url, account).await?;
        let number = format!("+1202555{:04}", SLOW_NUMBERS + index);
        let sender = setup::DemoSender { number: &number, pace: SLOW_PACE, country: "US" };
        senders.extend(setup::senders(&client, account, &[sender]).await?);
    }
    setup::pool_of(&client, &senders).await
}

/// Sets up an account of the platform, and lends it to two tenants by their weights.
async fn share_an_account(platform: &Platform) -> anyhow::Result<()> {
    let now = boot::clock::machine_now();
    let keys = Keys::load_or_create(&platform.dir.join("master-key"))?;
    let keys: Vec<[u8; 32]> = keys.all().iter().map(|key| *key.expose_secret()).collect();
    let account = PlatformAccount {
        handle: account_handle(None, "shared"),
        access: setup::access("shared", &platform.sandbox_url, &Sealer::new(&keys)),
        confirms_opt_out: true,
        pace: Some(SHARED_PACE),
        created_at: now,
    };

    let store = platform.store(Role::Owner).await?;
    if !platform_accounts::create(&store, &account).await? {
        bail!("the shared account is there already");
    }
    for (tenant, weight) in [SMALL, LARGE].into_iter().zip(WEIGHTS) {
        let share = Share { tenant: platform::tenant(tenant)?, weight };
        platform_accounts::share(&store, &account, "platform", &share, now).await?;
    }
    Ok(())
}

/// A campaign to so many people of a tenant.
async fn campaign(
    platform: &Platform,
    tenant: usize,
    pool: &str,
    people: usize,
) -> anyhow::Result<String> {
    let client = platform.client(tenant)?;
    let mut csv = String::from("phone,first_name,region,consent,consent_source\n");
    for index in 0..people {
        let _ = writeln!(csv, "{},Pat,US-NY,yes,fair", number(tenant, index));
    }
    setup::import(&client, csv).await?;

    setup::campaign(&client, "fair", pool, "Spring sale: 20 % off until Sunday").await
}
