//! Sessions: what a person has from signing in until they sign out, and the tokens that renew it.
//! A refresh token is good once; one that comes a second time ends its session.

use domain::ids::TenantId;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use secrecy::{ExposeSecret, SecretString};
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped, Store,
    core::{
        scope::Sight,
        secrets::{hash, secret},
        words::{self, word},
    },
    fault,
    settings::api_keys::KeyRole,
};

/// How refresh tokens begin, so that people see what they hold.
const PREFIX: &str = "mr_refresh_";

/// How long a session lasts that is not used.
pub const UNUSED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How many sessions a person has at once; the one that was used longest ago makes room.
const MOST: i64 = 50;

/// How long a token that was used is known as such. After that it is like one that never was.
const USED_KNOWN: SignedDuration = SignedDuration::from_hours(24);

/// A session that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The id that ends it.
    pub id: Uuid,
    /// When it began.
    pub created_at: Timestamp,
    /// When it got its newest tokens.
    pub used_at: Timestamp,
    /// When it ends, unless it is used before that.
    pub ends_at: Timestamp,
}

/// What a refresh token was good for.
#[derive(Debug, Clone)]
pub enum Refreshed {
    /// The session goes on, with this token from now on.
    Renewed {
        /// The session that goes on.
        session: Uuid,
        /// Whose it is.
        person: Uuid,
        /// The company that its access tokens are for.
        works_for: TenantId,
        /// The next token.
        next: SecretString,
    },
    /// There is no such token, or its session has ended.
    Unknown,
    /// It was used before: its session has ended by that.
    Reused {
        /// The session that has ended.
        session: Uuid,
        /// Whose it was.
        person: Uuid,
        /// The company that its access tokens were for.
        works_for: TenantId,
    },
}

/// Begins a session, and makes its first refresh token. All times are machine time.
pub async fn begin(
    tx: &mut Scoped,
    id: Uuid,
    person: Uuid,
    works_for: &TenantId,
    machine: Timestamp,
) -> Result<SecretString, Fault> {
    sqlx::query!(
        "delete from sessions where person_id = $1 and
             (ended_at is not null or ends_at <= $2 or session_id in (
                 select session_id from sessions where person_id = $1 and ended_at is null
                 order by used_at desc offset $3))",
        person,
        machine.to_sqlx() as _,
        MOST - 1,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    sqlx::query!(
        "insert into sessions (session_id, person_id, created_at, used_at, ends_at)
         values ($1, $2, $3, $3, $4)",
        id,
        person,
        machine.to_sqlx(),
        (machine + UNUSED).to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    add_token(tx, id, works_for, machine).await
}

/// Goes on with a session for another company: its refresh token so far is good no more. None where
/// it has ended.
pub async fn switch(
    tx: &mut Scoped,
    session: Uuid,
    works_for: &TenantId,
    machine: Timestamp,
) -> Result<Option<SecretString>, Fault> {
    let lasts = sqlx::query!(
        "select 1 as one from sessions
         where session_id = $1 and ended_at is null and ends_at > $2 for update",
        session,
        machine.to_sqlx() as _,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;
    if lasts.is_none() {
        return Ok(None);
    }

    sqlx::query!("delete from refresh_tokens where session_id = $1 and used_at is null", session)
        .execute(&mut **tx)
        .await
        .map_err(fault)?;
    add_token(tx, session, works_for, machine).await.map(Some)
}

/// Makes another refresh token of a session.
async fn add_token(
    tx: &mut Scoped,
    session: Uuid,
    works_for: &TenantId,
    machine: Timestamp,
) -> Result<SecretString, Fault> {
    let token = secret(PREFIX);
    let token_hash = hash(token.expose_secret());
    sqlx::query!(
        "insert into refresh_tokens (hash, session_id, works_for, created_at)
         values ($1, $2, $3, $4)",
        token_hash.as_slice(),
        session,
        works_for.as_str(),
        machine.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(token)
}

/// Uses a refresh token.
pub async fn refresh(tx: &mut Scoped, token: &str, machine: Timestamp) -> Result<Refreshed, Fault> {
    // load: locked, so that of two uses at once one is the second
    let token = hash(token);
    let found = sqlx::query!(
        "select t.session_id, s.person_id, t.works_for, t.used_at from refresh_tokens t
         join sessions s using (session_id)
         where t.hash = $1 and s.ended_at is null and s.ends_at > $2 and t.created_at > $3
         for update of s, t",
        token.as_slice(),
        machine.to_sqlx() as _,
        (machine - UNUSED).to_sqlx() as _,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;
    let Some(found) = found else { return Ok(Refreshed::Unknown) };
    let (session, person) = (found.session_id, found.person_id);
    let works_for = words::tenant(&found.works_for)?;

    // decide
    if found.used_at.is_some() {
        end(tx, person, session, machine).await?;
        return Ok(Refreshed::Reused { session, person, works_for });
    }

    // record
    sqlx::query!(
        "with used as (update refresh_tokens set used_at = $2 where hash = $1),
              forgotten as (
                  delete from refresh_tokens where session_id = $3 and used_at < $4
              )
         update sessions set used_at = $2, ends_at = $5 where session_id = $3",
        token.as_slice(),
        machine.to_sqlx() as _,
        session,
        (machine - USED_KNOWN).to_sqlx() as _,
        (machine + UNUSED).to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    let next = add_token(tx, session, &works_for, machine).await?;
    Ok(Refreshed::Renewed { session, person, works_for, next })
}

/// Somebody who has signed in, as they are at a company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionMember {
    /// Who they are.
    pub person: Uuid,
    /// What they may do there.
    pub role: KeyRole,
    /// How much of it they see; none: everything.
    pub sight: Option<Sight>,
}

/// Whom a session is of and what they may do for a company, as long as it lasts and they are there.
pub async fn member(
    store: &Store,
    session: Uuid,
    tenant: &TenantId,
    machine: Timestamp,
) -> Result<Option<SessionMember>, Fault> {
    let row = sqlx::query!(
        r#"select person_id as "person_id!", role as "role!", brands, inboxes
           from member_of_session($1, $2, $3)"#,
        session,
        tenant.as_str(),
        machine.to_sqlx() as _,
    )
    .fetch_optional(store.pool())
    .await
    .map_err(fault)?;

    let Some(row) = row else { return Ok(None) };
    let sight = Sight::of(row.brands, row.inboxes);
    Ok(Some(SessionMember { person: row.person_id, role: word(&row.role)?, sight }))
}

/// The sessions of a person that have not ended, the one that was used last first.
pub async fn list(
    tx: &mut Scoped,
    person: Uuid,
    machine: Timestamp,
) -> Result<Vec<Session>, Fault> {
    let rows = sqlx::query!(
        "select session_id, created_at, used_at, ends_at from sessions
         where person_id = $1 and ended_at is null and ends_at > $2 order by used_at desc",
        person,
        machine.to_sqlx() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let session = rows.into_iter().map(|row| Session {
        id: row.session_id,
        created_at: row.created_at.to_jiff(),
        used_at: row.used_at.to_jiff(),
        ends_at: row.ends_at.to_jiff(),
    });
    Ok(session.collect())
}

/// Ends a session of a person. False when there is none that has not ended.
pub async fn end(
    tx: &mut Scoped,
    person: Uuid,
    session: Uuid,
    machine: Timestamp,
) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "update sessions set ended_at = $3
         where session_id = $2 and person_id = $1 and ended_at is null and ends_at > $3",
        person,
        session,
        machine.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// Ends every session of a person but one.
pub async fn end_others(
    tx: &mut Scoped,
    person: Uuid,
    kept: Uuid,
    machine: Timestamp,
) -> Result<(), Fault> {
    sqlx::query!(
        "update sessions set ended_at = $3
         where person_id = $1 and session_id <> $2 and ended_at is null",
        person,
        kept,
        machine.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
