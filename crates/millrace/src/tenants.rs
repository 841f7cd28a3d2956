//! `millrace tenant`: the companies on the platform.

use std::process::ExitCode;

use boot::settings::Common;
use clap::{Args, Subcommand};
use domain::{
    gates::{CounterKind, LineKey},
    ids::TenantId,
};
use serde_json::{Value, json};
use store::{
    Role,
    audit::{self, AuditEntry},
    capacity::lines,
    settings::{
        archive,
        tenants::{self, PlanLimits, Tenant},
    },
};

use crate::{
    process::{ProcessParts, known_company, no_tenant},
    users::OPERATOR,
};

/// How many tenants one look asks for.
const PAGE: i64 = 1_000;

/// The arguments of `millrace tenant`.
#[derive(Debug, Args)]
pub struct TenantCommand {
    /// What to do
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes a tenant; one that is there already stays as it is
    Create(Create),
    /// Lists the keys of all tenants
    List(List),
    /// Shows a tenant's settings
    Show(OneTenant),
    /// Says what the plan of a tenant limits it to; what is not named stays
    Limits(Limits),
    /// Archives a tenant: its keys and sessions are refused, and nothing of it is sent
    Archive(OneTenant),
    /// Restores a tenant that was archived
    Restore(OneTenant),
}

/// `millrace tenant create`
#[derive(Debug, Args)]
struct Create {
    /// The tenant's key: 2 to 32 characters of a-z, 0-9 and -
    key: TenantId,
    /// The tenant's name [default: its key]
    #[arg(long)]
    name: Option<String>,
    /// The settings that every process has.
    #[command(flatten)]
    common: Common,
}

/// `millrace tenant list`
#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    common: Common,
}

/// `millrace tenant show`, `archive` and `restore`
#[derive(Debug, Args)]
struct OneTenant {
    /// The tenant's key
    key: TenantId,
    /// The settings that every process has.
    #[command(flatten)]
    common: Common,
}

/// `millrace tenant limits`
#[derive(Debug, Args)]
struct Limits {
    /// The tenant's key
    key: TenantId,
    /// Brands, archived ones among them: 0 to 1000, or none
    #[arg(long, value_parser = most::<0, 1_000>)]
    brands: Option<Most>,
    /// People who work for it: 1 to 1000000, or none
    #[arg(long, value_parser = most::<1, 1_000_000>)]
    members: Option<Most>,
    /// API keys that work: 0 to 1000, or none
    #[arg(long, value_parser = most::<0, 1_000>)]
    api_keys: Option<Most>,
    /// Messages that the gates admit in a day of its zone: 1 to 1000000000, or none
    #[arg(long, value_parser = most::<1, 1_000_000_000>)]
    messages_per_day: Option<Most>,
    /// Contacts, for whoever adds one: 0 to 1000000000, or none
    #[arg(long, value_parser = most::<0, 1_000_000_000>)]
    contacts: Option<Most>,
    /// Segments per second of all its senders together: 1 to 100000, or none
    #[arg(long, value_parser = most::<1, 100_000>)]
    pace: Option<Most>,
    /// The settings that every process has.
    #[command(flatten)]
    common: Common,
}

/// How many there may be; none: what every tenant is limited to.
#[derive(Debug, Clone, Copy)]
struct Most(Option<i32>);

fn most<const LEAST: i32, const MOST: i32>(text: &str) -> Result<Most, String> {
    if text == "none" {
        return Ok(Most(None));
    }
    let read = text.parse().ok().filter(|most| (LEAST..=MOST).contains(most));
    read.map(|most| Most(Some(most))).ok_or_else(|| format!("{LEAST} to {MOST}, or none"))
}

/// Does what the command says.
///
/// # Errors
/// The database cannot be asked, or there is no such tenant.
pub async fn run(command: TenantCommand) -> anyhow::Result<ExitCode> {
    match command.action {
        Action::Create(args) => create(args).await,
        Action::List(args) => list(args).await,
        Action::Show(args) => show(args).await,
        Action::Limits(args) => limits(args).await,
        Action::Archive(args) => archive(args).await,
        Action::Restore(args) => restore(args).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn create(args: Create) -> anyhow::Result<()> {
    let process = ProcessParts::begin(args.common)?;
    let store = process.store(Role::Api, 1).await?;

    let name = args.name.as_deref().unwrap_or(args.key.as_str());
    let named = Tenant::named(&args.key, name);
    let new = tenants::create(&store, &named, process.time.now()).await?;

    eprintln!("tenant {} {}", args.key, if new { "made" } else { "was there already" });
    Ok(())
}

async fn list(args: List) -> anyhow::Result<()> {
    let process = ProcessParts::begin(args.common)?;
    let store = process.store(Role::Api, 1).await?;

    let mut last = String::new();
    loop {
        let page = tenants::after(&store, &last, PAGE).await?;
        page.iter().for_each(|key| println!("{key}"));
        match page.into_iter().last() {
            Some(key) => last = key,
            None => return Ok(()),
        }
    }
}

async fn show(args: OneTenant) -> anyhow::Result<()> {
    let process = ProcessParts::begin(args.common)?;
    let store = process.store(Role::Api, 1).await?;
    let mut tx = store.scoped([&args.key]).await?;

    let tenant = tenants::get(&mut tx, &args.key).await?;
    let tenant = tenant.ok_or_else(|| no_tenant(&args.key))?;
    let Tenant { id, name, country, time_zone, currency, language, .. } = tenant;
    println!("key        {id}\nname       {name}\ncountry    {country}\ntime zone  {time_zone}");
    println!("currency   {currency}\nlanguage   {language}");
    let PlanLimits { brands, members, keys, messages_per_day, contacts, pace } = tenant.limits;
    for (what, most) in [
        ("brands", brands),
        ("members", members),
        ("api keys", keys),
        ("messages a day", messages_per_day),
        ("contacts", contacts),
        ("segments a second", pace),
    ] {
        let most = most.map_or_else(|| "none".to_owned(), |most| most.to_string());
        println!("most {what:<17} {most}");
    }
    if let Some(at) = tenant.archived_at {
        println!("archived   {at}");
    }
    Ok(())
}

async fn limits(args: Limits) -> anyhow::Result<()> {
    // load
    let process = ProcessParts::begin(args.common)?;
    let store = process.store(Role::Api, 1).await?;
    known_company(&store, &args.key).await?;
    let mut tx = store.scoped([&args.key]).await?;
    let before = tenants::lock_limits(&mut tx, &args.key).await?;

    // record
    let said = |said: Option<Most>, before| said.map_or(before, |Most(most)| most);
    let after = PlanLimits {
        brands: said(args.brands, before.brands),
        members: said(args.members, before.members),
        keys: said(args.api_keys, before.keys),
        messages_per_day: said(args.messages_per_day, before.messages_per_day),
        contacts: said(args.contacts, before.contacts),
        pace: said(args.pace, before.pace),
    };
    tenants::save_limits(&mut tx, &args.key, after).await?;
    // Who waits for tomorrow may find room today.
    if after.messages_per_day != before.messages_per_day {
        let day = LineKey { kind: CounterKind::QuotaDay, target: None };
        lines::dissolve(&mut tx, &args.key, &[day], process.time.now()).await?;
    }
    let changed = AuditEntry {
        tenant: args.key.clone(),
        at: process.time.now(),
        actor: OPERATOR.into(),
        action: "tenant.limits_changed".into(),
        subject: format!("tenant:{}", args.key),
        detail: json!({ "before": view(before), "after": view(after) }),
    };
    audit::append(&mut tx, &[changed]).await?;
    tx.commit().await?;

    // say
    println!("{}", view(after));
    Ok(())
}

/// The limits as the trail and the command say them.
fn view(limits: PlanLimits) -> Value {
    let PlanLimits { brands, members, keys, messages_per_day, contacts, pace } = limits;
    json!({
        "brands": brands,
        "members": members,
        "api_keys": keys,
        "messages_per_day": messages_per_day,
        "contacts": contacts,
        "pace": pace,
    })
}

async fn archive(args: OneTenant) -> anyhow::Result<()> {
    let process = ProcessParts::begin(args.common)?;
    let store = process.store(Role::Api, 1).await?;
    known_company(&store, &args.key).await?;

    let mut tx = store.scoped([&args.key, &args.key.twin()]).await?;
    let now = process.time.now();
    let done = archive::archive(&mut tx, &args.key, OPERATOR, now).await?;
    tx.commit().await?;
    match done {
        Some(paused) => eprintln!("tenant {} archived, {paused} campaigns paused", args.key),
        None => eprintln!("tenant {} was archived already", args.key),
    }
    Ok(())
}

async fn restore(args: OneTenant) -> anyhow::Result<()> {
    let process = ProcessParts::begin(args.common)?;
    let store = process.store(Role::Api, 1).await?;
    known_company(&store, &args.key).await?;

    let mut tx = store.scoped([&args.key, &args.key.twin()]).await?;
    let done = archive::restore(&mut tx, &args.key, OPERATOR, process.time.now()).await?;
    tx.commit().await?;
    let what = if done { "restored; its campaigns stay paused" } else { "was not archived" };
    eprintln!("tenant {} {what}", args.key);
    Ok(())
}
