//! `millrace tenant`: the companies on the platform.

use std::process::ExitCode;

use boot::settings::Common;
use clap::{Args, Subcommand};
use domain::ids::TenantId;
use store::{
    Role,
    settings::tenants::{self, Tenant},
};

use crate::process::{ProcessParts, no_tenant};

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
    Show(Show),
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

/// `millrace tenant show`
#[derive(Debug, Args)]
struct Show {
    /// The tenant's key
    key: TenantId,
    /// The settings that every process has.
    #[command(flatten)]
    common: Common,
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

async fn show(args: Show) -> anyhow::Result<()> {
    let process = ProcessParts::begin(args.common)?;
    let store = process.store(Role::Api, 1).await?;
    let mut tx = store.scoped([&args.key]).await?;

    let tenant = tenants::get(&mut tx, &args.key).await?;
    let tenant = tenant.ok_or_else(|| no_tenant(&args.key))?;
    let Tenant { id, name, country, time_zone, currency, language } = tenant;
    println!("key        {id}\nname       {name}\ncountry    {country}\ntime zone  {time_zone}");
    println!("currency   {currency}\nlanguage   {language}");
    Ok(())
}
