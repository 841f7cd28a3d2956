//! Where the console of `up` is, and the way in.

use domain::ids::TenantId;
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use store::{
    Scoped, Store,
    audit::{self, AuditEntry},
    people::{
        self, PlatformUser,
        codes::{self, NewCode, Purpose},
        members,
    },
    settings::{api_keys::KeyRole, limits::BrandLimits},
};
use uuid::Uuid;

use crate::{process::ProcessParts, users};

/// The owner of the demo's company, until other people come.
const EMAIL: &str = "owner@demo.example";
const NAME: &str = "Demo";

/// How long a link is good.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);

/// The console's address, as a link that signs in once as the owner of the demo's company, the
/// tenant. It takes the place of an older one. Where other people work for the company and this
/// owner does not, it is the address alone.
///
/// # Errors
/// The database cannot be asked.
pub(super) async fn way_in(
    process: &ProcessParts,
    store: &Store,
    api: &str,
    tenant: &TenantId,
) -> anyhow::Result<String> {
    let mut tx = store.scoped([tenant]).await?;
    let owner = match people::by_address(&mut tx, EMAIL).await? {
        Some(known) => members::get(&mut tx, tenant, known.person.id).await?.is_some(),
        None => {
            members::list(&mut tx, tenant, Uuid::nil(), 1).await?.is_empty()
                && come(process, &mut tx, tenant).await?
        }
    };
    if !owner {
        return Ok(format!("{api}/console/"));
    }

    let token = link(&mut tx).await?;
    tx.commit().await?;
    Ok(format!("{api}/console/link#{}  (signs in once)", token.expose_secret()))
}

/// Has the owner work for the company; false where somebody else has just done so.
async fn come(process: &ProcessParts, tx: &mut Scoped, tenant: &TenantId) -> anyhow::Result<bool> {
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("owner {tenant}").as_bytes());
    let (email, name) = (Some(EMAIL.to_owned()), NAME.to_owned());
    let owner = PlatformUser { id, email, email_verified: true, phone: None, name };
    let now = process.time.now();
    if !people::create(tx, &owner, None, (now, boot::clock::machine_now())).await? {
        return Ok(false);
    }

    let gets = (KeyRole::Owner, &BrandLimits::default());
    members::add(tx, tenant, id, gets, now).await?;
    let joined = AuditEntry {
        tenant: tenant.clone(),
        at: now,
        actor: users::OPERATOR.into(),
        action: "user.joined".into(),
        subject: format!("user:{id}"),
        detail: json!({ "role": KeyRole::Owner.as_str() }),
    };
    audit::append(tx, &[joined]).await?;
    Ok(true)
}

/// A link that signs the owner in.
async fn link(tx: &mut Scoped) -> anyhow::Result<SecretString> {
    let (token, hash) = codes::fresh_link();
    let (purpose, ends_at) = (Purpose::Link, boot::clock::machine_now() + GOOD_FOR);
    let new = NewCode { address: EMAIL, purpose, hash, person: None, sign_up: None, ends_at };
    codes::keep(tx, &new).await?;
    Ok(token)
}
