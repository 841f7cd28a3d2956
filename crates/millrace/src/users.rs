//! `millrace user`: people who sign in, as an operator invites and lists them. The first owner of a
//! company comes this way; whoever looks after a company uses `/v1/users` and `/v1/invitations`.

use std::process::ExitCode;

use anyhow::Context;
use boot::settings::Common;
use clap::{Args, Subcommand};
use domain::{email, ids::TenantId};
use secrecy::ExposeSecret;
use serde_json::json;
use store::{
    Role,
    audit::{self, AuditEntry},
    people::{
        invitations::{self, GOOD_FOR, Invitation},
        members,
    },
    settings::api_keys::KeyRole,
};
use uuid::Uuid;

use crate::{
    cli::values::key_role,
    process::{ProcessParts, known_tenant},
};

/// Who does what is done here, as the audit trail names them.
const OPERATOR: &str = "operator";

/// How many people one look asks for.
const PAGE: i64 = 1_000;

/// The arguments of `millrace user`.
#[derive(Debug, Args)]
pub struct UserCommand {
    /// What to do
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Invites somebody to a company, and prints the code that they accept it with, once
    Invite(Invite),
    /// Lists who works for a company: id, role, address, name
    List(List),
}

/// `millrace user invite`
#[derive(Debug, Args)]
struct Invite {
    /// The person's address of mail
    #[arg(value_parser = address)]
    email: String,
    /// The tenant's key
    #[arg(long)]
    tenant: TenantId,
    /// owner, admin, operator, agent or viewer
    #[arg(long, default_value = "owner", value_parser = key_role)]
    role: KeyRole,
    /// The settings that every process has.
    #[command(flatten)]
    common: Common,
}

/// `millrace user list`
#[derive(Debug, Args)]
struct List {
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
/// The database cannot be asked, or there is no such tenant.
pub async fn run(command: UserCommand) -> anyhow::Result<ExitCode> {
    match command.action {
        Action::Invite(args) => invite(args).await,
        Action::List(args) => list(args).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn invite(args: Invite) -> anyhow::Result<()> {
    // load
    let Invite { email, tenant, role, common } = args;
    let process = ProcessParts::begin(common)?;
    let store = process.store(Role::Api, 1).await?;
    known_tenant(&store, &tenant).await?;

    // record
    let machine = boot::clock::machine_now();
    let (id, expires_at) = (Uuid::now_v7(), machine + GOOD_FOR);
    let new = Invitation { id, email, role, created_at: machine, expires_at };
    let mut tx = store.scoped([&tenant]).await?;
    let code = invitations::create(&mut tx, &tenant, &new, OPERATOR).await?;
    let invited = AuditEntry {
        tenant,
        at: process.time.now(),
        actor: OPERATOR.into(),
        action: "user.invited".into(),
        subject: format!("invitation:{id}"),
        detail: json!({ "role": role.as_str() }),
    };
    audit::append(&mut tx, &[invited]).await?;
    tx.commit().await?;

    // say
    println!("{}", code.expose_secret());
    eprintln!("good until {expires_at}: POST /v1/auth/accept-invitation with this code");
    Ok(())
}

async fn list(args: List) -> anyhow::Result<()> {
    let process = ProcessParts::begin(args.common)?;
    let store = process.store(Role::Api, 1).await?;
    known_tenant(&store, &args.tenant).await?;

    let mut last = Uuid::nil();
    loop {
        let mut tx = store.scoped([&args.tenant]).await?;
        let page = members::list(&mut tx, &args.tenant, last, PAGE).await?;
        for member in &page {
            let person = &member.person;
            println!("{}  {}  {}  {}", person.id, member.role, person.email, person.name);
        }
        match page.last() {
            Some(member) => last = member.person.id,
            None => return Ok(()),
        }
    }
}

/// An address of mail, as it is kept.
fn address(written: &str) -> anyhow::Result<String> {
    email::canonical(written).context("an address such as ana@example.com")
}
