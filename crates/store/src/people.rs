//! People who sign in. A person is the platform's: one may work for many companies, with a role in
//! each.

pub mod invitations;
pub mod members;
pub mod sessions;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{Scoped, fault};

/// Somebody who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformUser {
    /// Who they are, wherever they are named.
    pub id: Uuid,
    /// Their address in small letters, which they sign in with.
    pub email: String,
    /// What they are called.
    pub name: String,
}

/// A person with what their password is checked against.
#[derive(Clone)]
pub struct KnownPerson {
    /// Who they are.
    pub person: PlatformUser,
    /// argon2id, a PHC string.
    pub password_hash: String,
}

/// The person with this address.
pub async fn by_email(tx: &mut Scoped, email: &str) -> Result<Option<KnownPerson>, Fault> {
    let row = sqlx::query!(
        "select person_id, email, name, password_hash from persons where email = $1",
        email
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(row.map(|row| KnownPerson {
        person: PlatformUser { id: row.person_id, email: row.email, name: row.name },
        password_hash: row.password_hash,
    }))
}

/// The person of this id.
pub async fn get(tx: &mut Scoped, id: Uuid) -> Result<Option<KnownPerson>, Fault> {
    let row = sqlx::query!(
        "select person_id, email, name, password_hash from persons where person_id = $1",
        id
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(row.map(|row| KnownPerson {
        person: PlatformUser { id: row.person_id, email: row.email, name: row.name },
        password_hash: row.password_hash,
    }))
}

/// Adds a person. False when somebody has their address already.
pub async fn create(
    tx: &mut Scoped,
    new: &PlatformUser,
    password_hash: &str,
    now: Timestamp,
) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "insert into persons (person_id, email, name, password_hash, created_at)
         values ($1, $2, $3, $4, $5) on conflict (email) do nothing",
        new.id,
        new.email,
        new.name,
        password_hash,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// Whether a person has the password of this hash still. The person is locked until the transaction
/// ends: of two who sign in or change the password at once, one comes after the other.
pub async fn has_password(tx: &mut Scoped, id: Uuid, password_hash: &str) -> Result<bool, Fault> {
    let found = sqlx::query!(
        "select 1 as one from persons where person_id = $1 and password_hash = $2
         for no key update",
        id,
        password_hash
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(found.is_some())
}

/// Gives a person another password.
pub async fn set_password(tx: &mut Scoped, id: Uuid, password_hash: &str) -> Result<(), Fault> {
    sqlx::query!("update persons set password_hash = $2 where person_id = $1", id, password_hash)
        .execute(&mut **tx)
        .await
        .map_err(fault)?;
    Ok(())
}
