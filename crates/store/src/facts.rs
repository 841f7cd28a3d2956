//! The facts that the gates decide by, for a whole batch: policies, switches, caps, senders, and
//! recipient statuses. The gate stage, explain, simulate and the claim of `send` load them here.

mod columns;
mod limits;
mod senders;

use std::collections::BTreeSet;

use domain::{
    address::Address,
    gates::{Facts, Policy, RecipientKey, SwitchMode, TenantFacts},
    ids::{CampaignId, SenderId, TenantId},
    message::class::{Channel, MessageClass},
    zones::Zone,
};
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped,
    campaigns::CampaignState,
    core::{
        keyed,
        words::{Unreadable, optional, word},
    },
    fault,
    recipients::status::{self, Recipients},
    settings::switches::SwitchScope,
};
use columns::columns;
use limits::load_budgets;
pub use limits::{lines, meters};
use senders::load_senders;
pub use senders::senders;

/// What one message needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The tenant that owns the message.
    pub tenant: &'a TenantId,
    /// Its class: of marketing the recipient status is locked, as an admission changes it.
    pub class: MessageClass,
    /// The campaign it belongs to.
    pub campaign: Option<CampaignId>,
    /// The senders that may carry it.
    pub senders: &'a [SenderId],
    /// Who it is for.
    pub address: &'a Address,
    /// How it travels.
    pub channel: Channel,
}

/// What to do with the rows that a decision rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Read them, and lock nothing, also in a transaction that may not write: explain and simulate.
    Read,
    /// Read them, and lock the statuses of marketing's recipients until the transaction ends: the
    /// gate stage. Switches that are found off are locked for share, so that whoever turns one on
    /// waits for this transaction and wakes what it has held. [`lines()`] are to be loaded apart.
    Lock,
}

/// Loads the facts for a batch. A zone or policy that cannot be understood is left out, and the
/// gates hold what would need it; a word that only a newer version knows has the batch wait.
pub async fn load(tx: &mut Scoped, wanted: &[Wanted<'_>], rows: Rows) -> Result<Facts, Fault> {
    let Keys { tenants, campaigns, senders } = Keys::of(wanted);
    let mut facts = load_tenants(tx, &tenants, rows).await?;
    load_switches(tx, &mut facts, &tenants, &campaigns, &senders, rows).await?;
    load_budgets(tx, &mut facts, &tenants, &campaigns).await?;
    if rows == Rows::Read {
        lines(tx, &mut facts).await?;
    }
    load_senders(tx, &mut facts, &senders).await?;

    let lock = |one: &&Wanted<'_>| rows == Rows::Lock && one.class.is_marketing();
    let locked: BTreeSet<_> = wanted.iter().filter(lock).map(Wanted::recipient).collect();
    let all = wanted.iter().map(Wanted::recipient);
    let read: BTreeSet<_> = all.filter(|key| !locked.contains(key)).collect();
    facts.recipients = status::read(tx, &read).await?;
    facts.recipients.extend(status::lock(tx, &locked).await?);

    load_programs(tx, &mut facts, &campaigns).await?;
    Ok(facts)
}

/// Loads what the last look before a carrier call goes by. The caller has locked the recipients,
/// and waits for nothing any more: no claim rests on a switch or policy that was read long ago. It
/// adds the senders itself, which it reads with their accounts.
pub async fn load_for_claim(
    tx: &mut Scoped,
    wanted: &[Wanted<'_>],
    recipients: Recipients,
) -> Result<Facts, Fault> {
    let Keys { tenants, campaigns, senders } = Keys::of(wanted);
    let mut facts = load_tenants(tx, &tenants, Rows::Lock).await?;
    load_switches(tx, &mut facts, &tenants, &campaigns, &senders, Rows::Lock).await?;
    facts.recipients = recipients;
    load_programs(tx, &mut facts, &campaigns).await?;
    Ok(facts)
}

/// What the messages of a batch name, each once and in key order.
struct Keys<'a> {
    tenants: BTreeSet<&'a TenantId>,
    campaigns: BTreeSet<(&'a TenantId, CampaignId)>,
    senders: BTreeSet<(&'a TenantId, SenderId)>,
}

impl<'a> Keys<'a> {
    fn of(wanted: &[Wanted<'a>]) -> Self {
        let campaigns = wanted.iter().filter_map(|one| Some((one.tenant, one.campaign?)));
        let senders =
            wanted.iter().flat_map(|one| one.senders.iter().map(|sender| (one.tenant, *sender)));
        Self {
            tenants: wanted.iter().map(|one| one.tenant).collect(),
            campaigns: campaigns.collect(),
            senders: senders.collect(),
        }
    }
}

impl Wanted<'_> {
    /// Whose status the gates look at.
    pub fn recipient(&self) -> RecipientKey {
        (self.tenant.clone(), self.address.clone(), self.channel)
    }
}

async fn load_tenants(
    tx: &mut Scoped,
    tenants: &BTreeSet<&TenantId>,
    rows: Rows,
) -> Result<Facts, Fault> {
    let names: Vec<&str> = tenants.iter().map(|tenant| tenant.as_str()).collect();
    let rows = sqlx::query!(
        r#"select t.tenant_id, t.time_zone, t.archived_at is not null as "archived!",
                  t.most_messages_per_day, p.version as "version?", p.body::text as body,
                  case when $2 then (select platform_mode())
                       else (select mode from platform_switch) end as platform
           from unnest($1::text[]) as k (tenant_id)
           join tenants t on t.tenant_id = k.tenant_id
           left join lateral (
               select v.version, v.body from policies v where v.tenant_id = k.tenant_id
               order by v.version desc limit 1
           ) p on true"#,
        &names as _,
        rows == Rows::Lock,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut facts = Facts { platform: SwitchMode::Stopped, ..Facts::default() };
    for row in rows {
        // No row, no answer: stopped rather than on.
        let platform = optional(row.platform.as_deref())?;
        facts.platform = platform.unwrap_or(SwitchMode::Stopped);
        let Ok(zone) = Zone::parse(&row.time_zone) else {
            tracing::error!(tenant = %row.tenant_id, "the tenant's time zone is not known");
            continue;
        };

        let mut tenant = TenantFacts::new(zone);
        tenant.archived = row.archived;
        if let Some((version, body)) = row.version.zip(row.body) {
            tenant.policy_version = version;
            tenant.policy = Policy::read(&body)
                .inspect_err(|why| {
                    tracing::error!(tenant = %row.tenant_id, version, %why, "unreadable policy");
                })
                .ok();
        }
        let of_plan = row.most_messages_per_day.and_then(|most| u32::try_from(most).ok());
        if let (Some(policy), Some(most)) = (&mut tenant.policy, of_plan) {
            policy.quota.per_day = policy.quota.per_day.min(most);
        }
        facts.tenants.insert(keyed::tenant(&row.tenant_id), tenant);
    }
    Ok(facts)
}

/// Switches that are off, and campaigns that are off by their own state.
async fn load_switches(
    tx: &mut Scoped,
    facts: &mut Facts,
    tenants: &BTreeSet<&TenantId>,
    campaigns: &BTreeSet<(&TenantId, CampaignId)>,
    senders: &BTreeSet<(&TenantId, SenderId)>,
    rows: Rows,
) -> Result<(), Fault> {
    let names: Vec<&str> = tenants.iter().map(|tenant| tenant.as_str()).collect();
    let ids = campaigns.iter().map(|key| key.1.to_string());
    let ids = ids.chain(senders.iter().map(|key| key.1.to_string()));
    let targets: Vec<String> = ids.chain([String::new()]).collect();

    macro_rules! load {
        ($sql:literal) => {
            for row in sqlx::query!($sql, &names as _, &targets)
                .fetch_all(&mut **tx)
                .await
                .map_err(fault)?
            {
                switch_off(facts, &row.tenant_id, (&row.scope, &row.target), word(&row.mode)?)?;
            }
        };
    }

    match rows {
        Rows::Read => load!(
            "select tenant_id, scope, target, mode from switches
             where tenant_id = any($1) and target = any($2)"
        ),
        Rows::Lock => load!(
            "select tenant_id, scope, target, mode from switches
             where tenant_id = any($1) and target = any($2) for share"
        ),
    }
    load_campaign_states(tx, facts, campaigns, rows).await
}

fn switch_off(
    facts: &mut Facts,
    tenant: &str,
    (scope, target): (&str, &str),
    to: SwitchMode,
) -> Result<(), Unreadable> {
    let Some(tenant) = facts.tenants.get_mut(&keyed::tenant(tenant)) else { return Ok(()) };
    let switches = &mut tenant.switches;
    match (word(scope)?, target.parse::<Uuid>()) {
        (SwitchScope::Campaign, Ok(id)) => {
            switches.campaigns.insert(CampaignId(id), to);
        }
        (SwitchScope::Sender, Ok(id)) => {
            switches.senders.insert(SenderId(id), to);
        }
        // A switch of nobody in particular stops everything of its tenant.
        (SwitchScope::Tenant, _) | (SwitchScope::Campaign | SwitchScope::Sender, Err(_)) => {
            switches.tenant = switches.tenant.max(to);
        }
    }
    Ok(())
}

async fn load_campaign_states(
    tx: &mut Scoped,
    facts: &mut Facts,
    campaigns: &BTreeSet<(&TenantId, CampaignId)>,
    rows: Rows,
) -> Result<(), Fault> {
    if campaigns.is_empty() {
        return Ok(());
    }

    let (tenants, ids) = columns(campaigns, |id| id.0);
    macro_rules! load {
        ($sql:literal) => {
            for row in sqlx::query!($sql, &tenants as _, &ids, &states_on())
                .fetch_all(&mut **tx)
                .await
                .map_err(fault)?
            {
                let tenant = keyed::tenant(&row.tenant_id);
                let Some(tenant) = facts.tenants.get_mut(&tenant) else { continue };
                let campaign = CampaignId(row.campaign_id);
                let switch = tenant.switches.campaigns.entry(campaign).or_default();
                *switch = (*switch).max(word::<CampaignState>(&row.state)?.switch());
            }
        };
    }

    match rows {
        Rows::Read => load!(
            "select c.tenant_id, c.campaign_id, c.state
             from unnest($1::text[], $2::uuid[]) as k (tenant_id, campaign_id)
             join campaigns c on c.tenant_id = k.tenant_id and c.campaign_id = k.campaign_id
             where c.state <> all ($3)"
        ),
        Rows::Lock => load!(
            "select c.tenant_id, c.campaign_id, c.state
             from unnest($1::text[], $2::uuid[]) as k (tenant_id, campaign_id)
             join campaigns c on c.tenant_id = k.tenant_id and c.campaign_id = k.campaign_id
             where c.state <> all ($3) for share of c"
        ),
    }
    Ok(())
}

/// Loads the programs of campaigns, if anybody among the recipients has left a single program: few
/// people have.
async fn load_programs(
    tx: &mut Scoped,
    facts: &mut Facts,
    campaigns: &BTreeSet<(&TenantId, CampaignId)>,
) -> Result<(), Fault> {
    if facts.recipients.values().all(|recipient| recipient.stopped_programs.is_empty()) {
        return Ok(());
    }
    let (tenants, ids) = columns(campaigns, |id| id.0);

    let rows = sqlx::query!(
        "select c.tenant_id, c.campaign_id, c.program
         from unnest($1::text[], $2::uuid[]) as k (tenant_id, campaign_id)
         join campaigns c on c.tenant_id = k.tenant_id and c.campaign_id = k.campaign_id",
        &tenants as _,
        &ids,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    for row in rows {
        if let Some(tenant) = facts.tenants.get_mut(&keyed::tenant(&row.tenant_id)) {
            tenant.programs.insert(CampaignId(row.campaign_id), row.program);
        }
    }
    Ok(())
}

/// The names of the campaign states that leave messages under way alone.
fn states_on() -> Vec<String> {
    let on = CampaignState::ALL.into_iter().filter(|state| state.switch() == SwitchMode::On);
    on.map(|state| state.as_str().to_owned()).collect()
}
