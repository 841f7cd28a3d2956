//! `millrace token`: API keys, as an operator makes, lists and revokes them. People who have one
//! that may do so use `/v1/api-keys`.

use std::process::ExitCode;

use anyhow::{Context, bail};
use boot::settings::Common;
use carriers::Carrier;
use clap::{Args, Subcommand};
use domain::{account::Access, ids::TenantId};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use store::{
    Role, Store,
    audit::{self, AuditEntry},
    settings::{
        api_keys::{self, KeyKind, KeyRole, ListedKey, NewKey},
        limits::BrandLimits,
        tenants, twins,
    },
};
use uuid::Uuid;

use crate::{
    cli::values::key_role,
    process::{ProcessParts, known_company, known_tenant, no_tenant},
};

/// How many keys one look asks for.
const PAGE: i64 = 1_000;

/// The arguments of `millrace token`.
#[derive(Debug, Args)]
pub struct TokenCommand {
    /// What to do
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes a key and prints it, once
    Create(Create),
    /// Lists a tenant's keys: id, mode, role, state, last use, name; never the key itself
    List(List),
    /// Revokes a key: processes that know it take it for a second more
    Revoke(Revoke),
}

/// `millrace token create`
#[derive(Debug, Args)]
struct Create {
    /// The tenant's key
    #[arg(long)]
    tenant: TenantId,
    /// What the key is for, for people
    #[arg(long, default_value = "command line")]
    name: String,
    /// owner, admin, operator, agent or viewer
    #[arg(long, default_value = "admin", value_parser = key_role)]
    role: KeyRole,
    /// A test key: it works in the tenant's twin, whose texts stay in the sandbox
    #[arg(long)]
    test: bool,
    /// The settings that every process has.
    #[command(flatten)]
    common: Common,
}

/// `millrace token list`
#[derive(Debug, Args)]
struct List {
    /// The tenant's key
    #[arg(long)]
    tenant: TenantId,
    /// The settings that every process has.
    #[command(flatten)]
    common: Common,
}

/// `millrace token revoke`
#[derive(Debug, Args)]
struct Revoke {
    /// The key's id, as `millrace token list` shows it
    id: Uuid,
    /// The tenant's key
    #[arg(long)]
    tenant: TenantId,
    /// The settings that every process has.
    #[command(flatten)]
    common: Common,
}

/// Does what the command says.
///
/// # Errors
/// The database cannot be asked, or there is no such tenant or key.
pub async fn run(command: TokenCommand) -> anyhow::Result<ExitCode> {
    match command.action {
        Action::Create(args) => create(args).await,
        Action::List(args) => list(args).await,
        Action::Revoke(args) => revoke(args).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn create(args: Create) -> anyhow::Result<()> {
    let Create { tenant, name, role, test, common } = args;
    let process = ProcessParts::begin(common)?;
    let store = process.store(Role::Api, 1).await?;
    known_company(&store, &tenant).await?;

    let now = process.time.now();
    let key = if test {
        test_key(&process, &store, &tenant, (&name, role)).await?
    } else {
        api_keys::create(&store, &tenant, &name, role, now).await?
    };
    println!("{}", key.expose_secret());
    Ok(())
}

/// Makes a test key, and with the first one the twin in which it works.
async fn test_key(
    process: &ProcessParts,
    store: &Store,
    tenant: &TenantId,
    (name, role): (&str, KeyRole),
) -> anyhow::Result<SecretString> {
    let no_sandbox = "there is no sandbox to test in: start `millrace sandbox`, and set \
                      MILLRACE_SANDBOX_URL to where it is called, in every process";
    let sandbox = process.settings.sandbox_url.as_ref().context(no_sandbox)?;
    let (now, sealer) = (process.time.now(), process.sealer()?);
    let carrier = Carrier::ALL.first().context("there is no carrier")?;

    let mut tx = store.scoped([tenant, &tenant.twin()]).await?;
    let of = tenants::get(&mut tx, tenant).await?.ok_or_else(|| no_tenant(tenant))?;
    let access = |handle: &str, secret: &SecretString| Access {
        carrier: carrier.as_str().to_owned(),
        carrier_sid: carrier.account_id_of(handle),
        base_url: sandbox.clone(),
        sealed_token: sealer.seal(secret.expose_secret().as_bytes()),
    };
    twins::make(&mut tx, &of, access, now).await?;
    let new = NewKey {
        name,
        role,
        kind: KeyKind::Test,
        scopes: None,
        expires_at: None,
        limits: BrandLimits::default(),
    };
    let (_, key) = api_keys::make(&mut tx, tenant, "operator", &new, now).await?;
    tx.commit().await?;
    Ok(key)
}

async fn list(args: List) -> anyhow::Result<()> {
    let process = ProcessParts::begin(args.common)?;
    let store = process.store(Role::Api, 1).await?;
    known_tenant(&store, &args.tenant).await?;

    let mut last = Uuid::nil();
    loop {
        let mut tx = store.scoped([&args.tenant]).await?;
        let page = api_keys::list(&mut tx, &args.tenant, last, PAGE).await?;
        page.iter().for_each(|key| println!("{}", line(key)));
        match page.last() {
            Some(key) => last = key.id,
            None => return Ok(()),
        }
    }
}

/// A key as it is listed.
fn line(key: &ListedKey) -> String {
    let state = match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {at}"),
        (None, Some(at)) => format!("ends {at}"),
        (None, None) => "works".to_owned(),
    };
    let used = key.last_used_at.map_or_else(|| "never used".into(), |at| format!("used {at}"));
    let kind = key.kind.as_str();
    format!("{}  {kind}  {}  {state}  {used}  {}", key.id, key.role, key.name)
}

async fn revoke(args: Revoke) -> anyhow::Result<()> {
    // load
    let Revoke { id, tenant, common } = args;
    let process = ProcessParts::begin(common)?;
    let store = process.store(Role::Api, 1).await?;
    known_tenant(&store, &tenant).await?;
    let mut tx = store.scoped([&tenant]).await?;
    let key = api_keys::lock(&mut tx, &tenant, id).await?;
    let Some(key) = key else {
        bail!("tenant {tenant} has no key {id}: see millrace token list --tenant {tenant}");
    };
    if let Some(at) = key.revoked_at {
        eprintln!("key {id} was revoked at {at}");
        return Ok(());
    }

    // record
    let now = process.time.now();
    api_keys::revoke(&mut tx, &tenant, id, now).await?;
    let revoked = AuditEntry {
        tenant,
        at: now,
        actor: "operator".into(),
        action: "api_key.revoked".into(),
        subject: format!("api_key:{id}"),
        detail: json!({ "name": key.name, "role": key.role.as_str() }),
    };
    audit::append(&mut tx, &[revoked]).await?;
    tx.commit().await?;

    eprintln!("key {id} is revoked");
    Ok(())
}
