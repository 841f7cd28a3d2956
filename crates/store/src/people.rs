//! People who sign in. A person is the platform's: one may work for many companies, with a role in
//! each.

pub mod addresses;
pub mod codes;
pub mod invitations;
pub mod limits;
pub mod members;
pub mod notices;
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
    /// Their address of mail in small letters, where they have one.
    pub email: Option<String>,
    /// Whether mail has shown that it reaches them there.
    pub email_verified: bool,
    /// Their number in E.164, where they have one: a text has reached them there.
    pub phone: Option<String>,
    /// What they are called.
    pub name: String,
}

/// A person with what their password is checked against.
#[derive(Clone)]
pub struct KnownPerson {
    /// Who they are.
    pub person: PlatformUser,
    /// argon2id, a PHC string; none for somebody who has no password.
    pub password_hash: Option<String>,
}

/// A row of the table.
struct StoredPerson {
    person_id: Uuid,
    email: Option<String>,
    email_verified: bool,
    phone: Option<String>,
    name: String,
    password_hash: Option<String>,
}

impl From<StoredPerson> for KnownPerson {
    fn from(row: StoredPerson) -> Self {
        let StoredPerson { person_id: id, email, email_verified, phone, name, password_hash } = row;
        Self { person: PlatformUser { id, email, email_verified, phone, name }, password_hash }
    }
}

/// The person with this address: of mail in small letters, or a number in E.164.
pub async fn by_address(tx: &mut Scoped, address: &str) -> Result<Option<KnownPerson>, Fault> {
    let row = sqlx::query_as!(
        StoredPerson,
        r#"select person_id, email, email_verified_at is not null as "email_verified!", phone, name,
                  password_hash
           from persons where email = $1 or phone = $1"#,
        address
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(row.map(KnownPerson::from))
}

/// The person of this id.
pub async fn get(tx: &mut Scoped, id: Uuid) -> Result<Option<KnownPerson>, Fault> {
    let row = sqlx::query_as!(
        StoredPerson,
        r#"select person_id, email, email_verified_at is not null as "email_verified!", phone, name,
                  password_hash
           from persons where person_id = $1"#,
        id
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(row.map(KnownPerson::from))
}

/// Adds a person; `machine` is the machine time at which their addresses were proven, those that
/// were. False when somebody has one of their addresses already.
pub async fn create(
    tx: &mut Scoped,
    new: &PlatformUser,
    password_hash: Option<&str>,
    (now, machine): (Timestamp, Timestamp),
) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "insert into persons (person_id, email, email_verified_at, phone, phone_verified_at, name,
                              password_hash, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
        new.id,
        new.email,
        new.email_verified.then(|| machine.to_sqlx()) as _,
        new.phone,
        new.phone.as_ref().map(|_| machine.to_sqlx()) as _,
        new.name,
        password_hash,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// Whether a person is there, and has the password of this hash still where one is named. The
/// person is locked until the transaction ends: of two who sign in or change the password at once,
/// one comes after the other.
pub async fn lock(tx: &mut Scoped, id: Uuid, password_hash: Option<&str>) -> Result<bool, Fault> {
    let found = sqlx::query!(
        "select 1 as one from persons
         where person_id = $1 and ($2::text is null or password_hash = $2)
         for no key update",
        id,
        password_hash as _
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
