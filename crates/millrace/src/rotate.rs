//! `millrace keys rotate`: what older keys of MILLRACE_MASTER_KEY have sealed is sealed under the
//! first one, beside running processes. What is done stays done, so it can be run again.

pub mod sums;

use std::process::ExitCode;

use boot::settings::Common;
use clap::{Args, Subcommand};
use domain::ids::TenantId;
use pipeline::Publisher;
use store::{
    Role, Store,
    core::seal::Sealer,
    fault,
    settings::{
        platform_accounts,
        sealed::{self, SealedSecret},
        tenants,
    },
};
use sums::RotationSums;

use crate::{dead, process::ProcessParts};

/// Tenants between two lines of progress.
const TENANTS: i64 = 100;

/// Accounts of a tenant in one transaction.
const ACCOUNTS: i64 = 200;

/// `millrace keys rotate`
#[derive(Debug, Args)]
pub struct KeysCommand {
    /// What to do
    #[command(subcommand)]
    action: KeysAction,
}

#[derive(Debug, Subcommand)]
enum KeysAction {
    /// Seals under the first master key what older ones of the list have sealed: secrets of
    /// carrier accounts and of the assistant's tools, and dead letters
    Rotate(Rotate),
}

/// `millrace keys rotate`
#[derive(Debug, Args)]
struct Rotate {
    /// The settings that every process has.
    #[command(flatten)]
    common: Common,
}

/// Rotates, and says how much was done; exit code 1 where something does not open.
pub async fn run(command: KeysCommand) -> anyhow::Result<ExitCode> {
    let KeysAction::Rotate(Rotate { common }) = command.action;
    let process = ProcessParts::begin(common)?;
    let sealer = process.sealer()?;
    let store = process.store(Role::Owner, 1).await?;

    let mut accounts = RotationSums::default();
    of_platform(&store, &sealer, &mut accounts).await?;
    let mut tools = RotationSums::default();
    of_tenants(&store, &sealer, &mut accounts, &mut tools).await?;
    println!("accounts: {accounts}");
    println!("tools: {tools}");

    let broker = process.broker("keys-rotate").await?;
    let publisher = Publisher::new(&broker, "keys-rotate");
    let letters = dead::renew::all(&broker, &publisher, &sealer, &process.stop).await?;
    println!("dead letters: {letters}");

    let is_whole = accounts.closed + tools.closed + letters.closed == 0;
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The platform's own accounts, one statement each.
async fn of_platform(
    store: &Store,
    sealer: &Sealer,
    sums: &mut RotationSums,
) -> anyhow::Result<()> {
    for account in platform_accounts::list(store).await? {
        let (handle, before) = (&account.handle, &account.access.sealed_token);
        match sealer.renew(before) {
            Err(why) => {
                sums.closed += 1;
                eprintln!("account {handle} of the platform: {why}");
            }
            Ok(None) => sums.current += 1,
            // One whose secret was replaced meanwhile is sealed by a process of now.
            Ok(Some(anew)) => {
                match sealed::replace_of_platform(store, handle, before, &anew).await? {
                    true => sums.renewed += 1,
                    false => sums.current += 1,
                }
            }
        }
    }
    Ok(())
}

/// The accounts and tools of every tenant, one tenant after the other.
async fn of_tenants(
    store: &Store,
    sealer: &Sealer,
    accounts: &mut RotationSums,
    tools: &mut RotationSums,
) -> anyhow::Result<()> {
    let mut done = 0;
    let mut last = String::new();
    loop {
        let page = tenants::after(store, &last, TENANTS).await?;
        let Some(end) = page.last().cloned() else { return Ok(()) };
        for key in &page {
            let tenant = key.parse()?;
            of_tenant(store, sealer, &tenant, accounts).await?;
            tools_of_tenant(store, sealer, &tenant, tools).await?;
        }
        done += page.len();
        eprintln!("{done} tenants so far: {accounts}; tools: {tools}");
        last = end;
    }
}

async fn of_tenant(
    store: &Store,
    sealer: &Sealer,
    tenant: &TenantId,
    sums: &mut RotationSums,
) -> anyhow::Result<()> {
    let mut after = String::new();
    loop {
        // load
        let mut tx = store.scoped([tenant]).await?;
        let page = sealed::lock(&mut tx, tenant, &after, ACCOUNTS).await?;
        let Some(end) = page.last().map(|secret| secret.handle.clone()) else { return Ok(()) };

        // decide
        let anew = sealed_anew(sealer, page, sums, |secret| {
            format!("account {} ({}) of tenant {tenant}", secret.name, secret.handle)
        });

        // record
        sealed::replace(&mut tx, tenant, &anew).await?;
        tx.commit().await.map_err(fault)?;
        sums.renewed += anew.len();
        after = end;
    }
}

/// The tools of a tenant's assistant, all in one transaction.
async fn tools_of_tenant(
    store: &Store,
    sealer: &Sealer,
    tenant: &TenantId,
    sums: &mut RotationSums,
) -> anyhow::Result<()> {
    // load
    let mut tx = store.scoped([tenant]).await?;
    let secrets = sealed::lock_tools(&mut tx, tenant).await?;
    if secrets.is_empty() {
        return Ok(());
    }

    // decide
    let name = |secret: &SealedSecret| format!("tool {} of tenant {tenant}", secret.name);
    let anew = sealed_anew(sealer, secrets, sums, name);

    // record
    sealed::replace_of_tools(&mut tx, tenant, &anew).await?;
    tx.commit().await.map_err(fault)?;
    sums.renewed += anew.len();
    Ok(())
}

/// What the first key seals anew; what no key opens is said by its name.
fn sealed_anew(
    sealer: &Sealer,
    secrets: Vec<SealedSecret>,
    sums: &mut RotationSums,
    name: impl Fn(&SealedSecret) -> String,
) -> Vec<SealedSecret> {
    let mut anew: Vec<SealedSecret> = Vec::new();
    for secret in secrets {
        match sealer.renew(&secret.sealed) {
            Err(why) => {
                sums.closed += 1;
                eprintln!("{}: {why}", name(&secret));
            }
            Ok(None) => sums.current += 1,
            Ok(Some(sealed)) => anew.push(SealedSecret { sealed, ..secret }),
        }
    }
    anew
}
