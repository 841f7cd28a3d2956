//! `millrace user`: people who sign in, as an operator invites and lists them. The first owner of a
//! company comes this way; whoever looks after a company uses `/v1/users` and `/v1/invitations`.

use std::process::ExitCode;

use anyhow::{Context, anyhow};
use boot::{keys::random_password, settings::Common};
use clap::{Args, Subcommand};
use domain::{email, ids::TenantId, phone::PhoneNumber};
use secrecy::ExposeSecret;
use serde_json::json;
use store::{
    Role,
    audit::{self, AuditEntry},
    people::{
        self,
        invitations::{self, GOOD_FOR, Invitation},
        members, sessions,
    },
    settings::{api_keys::KeyRole, limits::BrandLimits},
};
use uuid::Uuid;

use crate::{
    cli::values::key_role,
    process::{ProcessParts, known_company, known_tenant},
};

/// Who does what is done here, as the audit trail names them.
pub const OPERATOR: &str = "operator";

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
    /// Gives somebody who has forgotten theirs a new password, prints it once, and ends their
    /// sessions
    Reset(Reset),
}

/// `millrace user invite`
#[derive(Debug, Args)]
struct Invite {
    /// The person's address of mail, or their number with its country (+1...)
    #[arg(value_parser = address)]
    address: String,
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

/// `millrace user reset`
#[derive(Debug, Args)]
struct Reset {
    /// The person's address of mail, or their number with its country (+1...)
    #[arg(value_parser = address)]
    address: String,
    /// The settings that every process has.
    #[command(flatten)]
    common: Common,
}

/// Does what the command says.
///
/// # Errors
/// The database cannot be asked, or there is no such tenant or person.
pub async fn run(command: UserCommand) -> anyhow::Result<ExitCode> {
    match command.action {
        Action::Invite(args) => invite(args).await,
        Action::List(args) => list(args).await,
        Action::Reset(args) => reset(args).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn invite(args: Invite) -> anyhow::Result<()> {
    // load
    let Invite { address, tenant, role, common } = args;
    let process = ProcessParts::begin(common)?;
    let store = process.store(Role::Api, 1).await?;
    known_company(&store, &tenant).await?;

    // record
    let machine = boot::clock::machine_now();
    let what = format!("invitation {tenant} {address} {machine}");
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, what.as_bytes());
    let expires_at = machine + GOOD_FOR;
    let limits = BrandLimits::default();
    let new = Invitation { id, address, role, limits, created_at: machine, expires_at };
    let mut tx = store.scoped([&tenant]).await?;
    let code = invitations::create(&mut tx, &tenant, &new, OPERATOR).await?;
    let code = code.context("too many invitations of this tenant are open")?;
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
            let addresses = [&person.email, &person.phone].into_iter().flatten();
            let address = addresses.map(String::as_str).collect::<Vec<_>>().join(", ");
            println!("{}  {}  {address}  {}", person.id, member.role, person.name);
        }
        match page.last() {
            Some(member) => last = member.person.id,
            None => return Ok(()),
        }
    }
}

async fn reset(args: Reset) -> anyhow::Result<()> {
    // load
    let process = ProcessParts::begin(args.common)?;
    let store = process.store(Role::Api, 1).await?;
    let mut tx = store.scoped(std::iter::empty::<TenantId>()).await?;
    let known = people::by_address(&mut tx, &args.address).await?;
    let person = known.with_context(|| format!("nobody signs in as {}", args.address))?.person;
    let companies = members::companies(&mut tx, person.id).await?;
    drop(tx);

    // record: in the trail of every company of theirs
    let password = random_password();
    let hash = api::hash_password(password.expose_secret().as_bytes()).context("no randomness")?;
    let mut tx = store.scoped(companies.iter().map(|company| &company.tenant)).await?;
    people::set_password(&mut tx, person.id, &hash).await?;
    let machine = boot::clock::machine_now();
    sessions::end_others(&mut tx, person.id, Uuid::nil(), machine).await?;
    let at = process.time.now();
    let reset = companies.iter().map(|company| AuditEntry {
        tenant: company.tenant.clone(),
        at,
        actor: OPERATOR.into(),
        action: "user.password_reset".into(),
        subject: format!("user:{}", person.id),
        detail: json!({}),
    });
    audit::append(&mut tx, &reset.collect::<Vec<_>>()).await?;
    tx.commit().await?;

    // say
    println!("{}", password.expose_secret());
    eprintln!("their sessions have ended: PUT /v1/me/password changes it");
    Ok(())
}

/// An address that people sign in with, as it is kept.
fn address(written: &str) -> anyhow::Result<String> {
    if written.contains('@') {
        return email::canonical(written).context("an address such as ana@example.com");
    }
    let number = PhoneNumber::parse(written, None).map(|number| number.to_string());
    number.map_err(|why| anyhow!("an address of mail, or a number such as +12125550123: {why}"))
}
