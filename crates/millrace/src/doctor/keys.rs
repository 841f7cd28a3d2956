//! Whether the keys are there, and open what is sealed in the database.

use boot::{keys::Keys, settings::Settings};
use domain::ids::TenantId;
use secrecy::ExposeSecret;
use store::{
    Role, Store,
    core::seal::Sealer,
    settings::{accounts, assistant_tools, platform_accounts, tenants},
};

use super::report::{Report, within};
use crate::process::sealer_of;

/// So many secrets that do not open are named.
const NAMED: usize = 5;

/// How many tenants' tools are read at once.
const TENANTS: i64 = 1_000;

pub(super) async fn check(report: &mut Report, settings: &Settings) {
    let make = "make one with `head -c 32 /dev/urandom | base64`";
    match &settings.jwt_keys {
        Some(keys) => report.ok("MILLRACE_JWT_SECRET", count(keys)),
        None => report.warn("MILLRACE_JWT_SECRET", "is not set: nobody can sign in", make),
    }
    match &settings.master_keys {
        Some(keys) => report.ok("MILLRACE_MASTER_KEY", count(keys)),
        None => {
            report.fail("MILLRACE_MASTER_KEY", "is not set: api and stages do not start", make);
            return;
        }
    }

    let what = "sealed secrets";
    let opened = async {
        let sealer = sealer_of(settings).map_err(|why| why.to_string())?;
        Ok::<_, String>(Opened::of(&sealer, &sealed(settings).await?))
    };
    match opened.await {
        Err(why) => report.skip(what, format!("it takes the database: {why}")),
        Ok(Opened { all, closed, .. }) if !closed.is_empty() => {
            let named = closed[..closed.len().min(NAMED)].join(", ");
            let found = format!("{} of {all} do not open: {named}", closed.len());
            let fix = "add the key that sealed them to MILLRACE_MASTER_KEY, or replace the \
                       secrets (`millrace account token`, PATCH of the tenant's account or tool)";
            report.fail(what, found, fix);
        }
        Ok(Opened { all, older: older @ 1.., .. }) => {
            let found = format!("{older} of {all} are under an older key");
            report.warn(what, found, "run `millrace keys rotate`, then drop that key");
        }
        Ok(Opened { all, .. }) => report.ok(what, format!("the master key opens all {all}")),
    }
}

fn count(keys: &Keys) -> String {
    match keys.all().len() {
        1 => "one key".into(),
        count => format!("{count} keys, of which the first is used"),
    }
}

/// What the keys make of sealed secrets.
struct Opened {
    all: usize,
    /// How many an older key opens.
    older: usize,
    /// Those that no key opens, by name.
    closed: Vec<String>,
}

impl Opened {
    fn of(sealer: &Sealer, sealed: &[(String, String)]) -> Self {
        let older = sealed.iter().filter(|(_, sealed)| matches!(sealer.renew(sealed), Ok(Some(_))));
        let closed = sealed.iter().filter(|(_, sealed)| sealer.open(sealed).is_err());
        Self {
            all: sealed.len(),
            older: older.count(),
            closed: closed.map(|(name, _)| name.clone()).collect(),
        }
    }
}

/// The secrets of accounts of tenants and of the platform, and of the assistant's tools: the name
/// of each, and how it is sealed.
async fn sealed(settings: &Settings) -> Result<Vec<(String, String)>, String> {
    let url = settings.need_database().map_err(|why| why.to_string())?.expose_secret();
    let api = within(Store::connect(url, Role::Api, 1)).await?;
    let owner = within(Store::connect(url, Role::Owner, 1)).await?;

    let of_tenants = within(accounts::all(&api)).await?.into_iter();
    let of_tenants = of_tenants.map(|entry| (entry.handle, entry.sealed_token));
    let of_platform = within(platform_accounts::list(&owner)).await?.into_iter();
    let of_platform = of_platform.map(|account| (account.handle, account.access.sealed_token));
    let of_tools = of_tools(&owner).await?.into_iter();
    Ok(of_tenants.chain(of_platform).chain(of_tools).collect())
}

/// The secrets of tools of all tenants, many tenants at once.
async fn of_tools(owner: &Store) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    let mut last = String::new();
    loop {
        let page = within(tenants::after(owner, &last, TENANTS)).await?;
        let Some(end) = page.last().cloned() else { return Ok(found) };
        let page: Vec<TenantId> = page.iter().filter_map(|key| key.parse().ok()).collect();
        let mut tx = within(owner.scoped(&page)).await?;
        let tools = within(assistant_tools::of_tenants(&mut tx, &page)).await?;
        for (tenant, tools) in tools {
            let sealed = tools.into_iter().filter_map(|(tool, sealed)| {
                Some((format!("tool {} of {tenant}", tool.name), sealed?))
            });
            found.extend(sealed);
        }
        last = end;
    }
}
