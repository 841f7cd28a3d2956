//! Whether the keys are there, and open what is sealed in the database.

use boot::{keys::Keys, settings::Settings};
use secrecy::ExposeSecret;
use store::{
    Role, Store,
    core::seal::Sealer,
    settings::{accounts, platform_accounts},
};

use super::report::{Report, within};
use crate::process::sealer_of;

/// So many accounts are named.
const NAMED: usize = 5;

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
        let sealed = sealed(settings).await?;
        let closed: Vec<String> = unopened(&sealer, &sealed).map(str::to_owned).collect();
        let older = sealed.iter().filter(|(_, sealed)| matches!(sealer.renew(sealed), Ok(Some(_))));
        Ok::<_, String>((sealed.len(), older.count(), closed))
    };
    match opened.await {
        Err(why) => report.skip(what, format!("it takes the database: {why}")),
        Ok((count, older @ 1.., unopened)) if unopened.is_empty() => {
            let found = format!("{older} of those of {count} accounts are under an older key");
            report.warn(what, found, "run `millrace keys rotate`, then drop that key");
        }
        Ok((count, _, unopened)) if unopened.is_empty() => {
            report.ok(what, format!("the master key opens those of {count} accounts"));
        }
        Ok((count, _, unopened)) => {
            let named = unopened[..unopened.len().min(NAMED)].join(", ");
            let found = format!("{} of {count} do not open: {named}", unopened.len());
            let fix = "add the key that sealed them to MILLRACE_MASTER_KEY, or replace the \
                       secrets (`millrace account token`, or PATCH of the tenant's account)";
            report.fail(what, found, fix);
        }
    }
}

fn count(keys: &Keys) -> String {
    match keys.all().len() {
        1 => "one key".into(),
        count => format!("{count} keys, of which the first is used"),
    }
}

/// The accounts of tenants and of the platform: the handle of each, and its sealed secret.
async fn sealed(settings: &Settings) -> Result<Vec<(String, String)>, String> {
    let url = settings.need_database().map_err(|why| why.to_string())?.expose_secret();
    let api = within(Store::connect(url, Role::Api, 1)).await?;
    let owner = within(Store::connect(url, Role::Owner, 1)).await?;

    let of_tenants = within(accounts::all(&api)).await?.into_iter();
    let of_tenants = of_tenants.map(|entry| (entry.handle, entry.sealed_token));
    let of_platform = within(platform_accounts::list(&owner)).await?.into_iter();
    let of_platform = of_platform.map(|account| (account.handle, account.access.sealed_token));
    Ok(of_tenants.chain(of_platform).collect())
}

/// The accounts whose secret does not open.
fn unopened<'a>(sealer: &Sealer, sealed: &'a [(String, String)]) -> impl Iterator<Item = &'a str> {
    let closed = sealed.iter().filter(|(_, sealed)| sealer.open(sealed).is_err());
    closed.map(|(handle, _)| handle.as_str())
}
