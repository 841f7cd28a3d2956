//! `millrace account`: carrier accounts of the platform itself, and the tenants that share them.

use std::{io::Read, ops::RangeInclusive, path::PathBuf, process::ExitCode};

use anyhow::{Context, bail};
use boot::settings::Common;
use carriers::{Carrier, check_base_url};
use clap::{Args, Subcommand, builder::RangedU64ValueParser};
use domain::{
    account::Access,
    ids::{TenantId, account_handle},
};
use store::{
    Role, Store,
    settings::platform_accounts::{self, PlatformAccount, Share},
};
use wire::subject::Token;

use crate::{
    cli::values::carrier,
    process::{ProcessParts, known_company},
};

/// The arguments of `millrace account`.
#[derive(Debug, Args)]
pub struct AccountCommand {
    /// What to do
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Sets an account up, and prints its handle
    Create(Create),
    /// Lists the accounts: handle, carrier, the carrier's id, pace, and who shares each
    List(List),
    /// Lends an account to a tenant, or changes the tenant's weight in it
    Share(ShareArgs),
    /// Sets how fast an account may go, for all its tenants together
    Pace(Pace),
    /// Replaces an account's secret: what was held because the carrier refused it goes on
    Token(TokenArgs),
}

/// `millrace account create`
#[derive(Debug, Args)]
struct Create {
    /// The carrier's name
    #[arg(long, value_parser = carrier)]
    carrier: Carrier,
    /// The account's id at the carrier
    #[arg(long, value_name = "ID")]
    sid: String,
    /// File that holds the account's secret; - reads standard input
    #[arg(long, value_name = "PATH")]
    token_file: PathBuf,
    /// Where the carrier's API is [default: the carrier's own]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Segments per second of all its tenants together [default: no limit of the platform's]
    #[arg(long, value_name = "N", value_parser = numbers(1..=100_000))]
    pace: Option<u32>,
    /// The settings that every process has.
    #[command(flatten)]
    common: Common,
}

/// `millrace account list`
#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    common: Common,
}

/// `millrace account share`
#[derive(Debug, Args)]
struct ShareArgs {
    /// The account's handle
    handle: String,
    /// The tenant's key
    tenant: TenantId,
    /// What the tenant calls it: 1 to 64 of A-Z, a-z, 0-9, _ and -
    #[arg(long, default_value = "platform")]
    name: String,
    /// The tenant's part of the account where its tenants compete
    #[arg(long, default_value_t = 1, value_name = "N")]
    #[arg(value_parser = numbers(1..=100))]
    weight: u32,
    /// The settings that every process has.
    #[command(flatten)]
    common: Common,
}

/// `millrace account pace`
#[derive(Debug, Args)]
struct Pace {
    /// The account's handle
    handle: String,
    /// Segments per second of all its tenants together, 1 to 100000; 0 for no limit of the
    /// platform's
    #[arg(value_parser = numbers(0..=100_000))]
    pace: u32,
    /// The settings that every process has.
    #[command(flatten)]
    common: Common,
}

/// `millrace account token`
#[derive(Debug, Args)]
struct TokenArgs {
    /// The account's handle
    handle: String,
    /// File that holds the account's secret; - reads standard input
    #[arg(long, value_name = "PATH")]
    token_file: PathBuf,
    /// The settings that every process has.
    #[command(flatten)]
    common: Common,
}

/// Does what the command says.
///
/// # Errors
/// The database cannot be asked, or what is asked for cannot be done; the text says why.
pub async fn run(command: AccountCommand) -> anyhow::Result<ExitCode> {
    match command.action {
        Action::Create(args) => create(args).await,
        Action::List(args) => list(args).await,
        Action::Share(args) => share(args).await,
        Action::Pace(args) => pace(args).await,
        Action::Token(args) => token(args).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn create(args: Create) -> anyhow::Result<()> {
    if let Some(why) = args.carrier.account_id_fault(&args.sid) {
        bail!("--sid: {why}");
    }
    let secret = secret(&args.token_file)?;
    if let Some(why) = args.carrier.secret_fault(&secret) {
        bail!("--token-file: {why}");
    }
    let (process, store) = open(args.common).await?;
    let url = args.base_url.as_deref().unwrap_or(args.carrier.base_url());
    let is_own = |host: &str| args.carrier.owns_host(host);
    let base_url = check_base_url(is_own, url, &process.settings.carrier_hosts)?;

    let name = format!("{}:{}", args.carrier.as_str(), args.sid);
    let account = PlatformAccount {
        handle: account_handle(None, &name),
        access: Access {
            carrier: args.carrier.as_str().to_owned(),
            carrier_sid: args.sid,
            base_url,
            sealed_token: process.sealer()?.seal(secret.as_bytes()),
        },
        confirms_opt_out: true,
        pace: args.pace,
        created_at: process.time.now(),
    };
    if !platform_accounts::create(&store, &account).await? {
        bail!("this account of the carrier is set up already: see millrace account list");
    }
    println!("{}", account.handle);
    Ok(())
}

async fn list(args: List) -> anyhow::Result<()> {
    let (_, store) = open(args.common).await?;
    for account in platform_accounts::list(&store).await? {
        let pace = account.pace.map_or_else(|| "no limit".into(), |pace| format!("{pace}/s"));
        let Access { carrier, carrier_sid, .. } = &account.access;
        println!("{}  {carrier}  {carrier_sid}  {pace}", account.handle);
        for Share { tenant, weight } in platform_accounts::shares(&store, &account.handle).await? {
            println!("    {tenant}  weight {weight}");
        }
    }
    Ok(())
}

async fn share(args: ShareArgs) -> anyhow::Result<()> {
    if Token::new(&args.name).is_none() {
        bail!("--name has 1 to 64 of A-Z, a-z, 0-9, _ and -");
    }
    let (process, store) = open(args.common).await?;
    let Some(account) = platform_accounts::get(&store, &args.handle).await? else {
        return Err(no_account(&args.handle));
    };

    known_company(&store, &args.tenant).await?;
    let (now, weight) = (process.time.now(), args.weight);
    let share = Share { tenant: args.tenant, weight };
    if !platform_accounts::share(&store, &account, &args.name, &share, now).await? {
        bail!(
            "tenant {} has another account named {}: choose another --name",
            share.tenant,
            args.name
        );
    }
    eprintln!(
        "tenant {} sends through {} as {}, weight {weight}",
        share.tenant, args.handle, args.name
    );
    Ok(())
}

async fn pace(args: Pace) -> anyhow::Result<()> {
    let (_, store) = open(args.common).await?;
    let pace = Some(args.pace).filter(|pace| *pace > 0);
    if !platform_accounts::set_pace(&store, &args.handle, pace).await? {
        return Err(no_account(&args.handle));
    }
    match pace {
        Some(pace) => eprintln!("{} goes at {pace} segments per second at most", args.handle),
        None => eprintln!("{} has no limit of the platform's", args.handle),
    }
    Ok(())
}

async fn token(args: TokenArgs) -> anyhow::Result<()> {
    let secret = secret(&args.token_file)?;
    let (process, store) = open(args.common).await?;
    let account = platform_accounts::get(&store, &args.handle).await?;
    let carrier = account.and_then(|account| Carrier::from_name(&account.access.carrier));
    if let Some(why) = carrier.and_then(|carrier| carrier.secret_fault(&secret)) {
        bail!("--token-file: {why}");
    }
    let sealed = process.sealer()?.seal(secret.as_bytes());
    if !platform_accounts::set_token(&store, &args.handle, &sealed).await? {
        return Err(no_account(&args.handle));
    }
    eprintln!("the secret of {} is replaced; webhooks follow within 30 seconds", args.handle);
    Ok(())
}

/// Platform settings are the schema owner's to write.
async fn open(common: Common) -> anyhow::Result<(ProcessParts, Store)> {
    let process = ProcessParts::begin(common)?;
    let store = process.store(Role::Owner, 1).await?;
    Ok((process, store))
}

/// Secrets come from a file or a pipe, so that no list of processes shows them.
fn secret(path: &PathBuf) -> anyhow::Result<String> {
    let mut text = String::new();
    if path.as_os_str() == "-" {
        std::io::stdin().take(64 * 1024).read_to_string(&mut text).context("standard input")?;
    } else {
        text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    }
    let secret = text.trim();
    if !(1..=1024).contains(&secret.len()) || !secret.bytes().all(|b| b.is_ascii_graphic()) {
        bail!("--token-file holds 1 to 1024 visible characters");
    }
    Ok(secret.to_owned())
}

fn numbers(range: RangeInclusive<u64>) -> RangedU64ValueParser<u32> {
    RangedU64ValueParser::new().range(range)
}

fn no_account(handle: &str) -> anyhow::Error {
    anyhow::anyhow!("no account has the handle {handle}: see millrace account list")
}
