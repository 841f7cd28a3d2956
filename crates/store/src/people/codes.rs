//! Codes and links that are good: of an address one for each purpose, until it ends. What is kept
//! of a code is for the caller to make and to compare, under its key.

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sqlx::types::{Json, Uuid};
use stage::Fault;

use crate::{
    Scoped,
    core::secrets::{hash, secret, six_digits},
    fault,
};

/// How long a code or a link is good that somebody asks for.
pub const GOOD_FOR: SignedDuration = SignedDuration::from_mins(10);

/// How many wrong codes end the one that is right.
pub const TRIES: i16 = 5;

/// How the token of a link begins, so that people see what they hold.
const PREFIX: &str = "mr_link_";

/// What a code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Signing in by a code.
    SignIn,
    /// A new company with its owner.
    SignUp,
    /// Signing in by a link.
    Link,
    /// A new password in place of one that was forgotten.
    Reset,
    /// Showing that an address is one's own.
    Prove,
}

impl Purpose {
    /// The name in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::SignUp => "sign_up",
            Self::Link => "link",
            Self::Reset => "reset",
            Self::Prove => "prove",
        }
    }
}

/// A company and its owner, until their address is proven. It holds nothing that signs in: whoever
/// began it may not have the address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignUp {
    /// What the company is called.
    pub company: String,
    /// What the owner is called.
    pub name: String,
}

impl std::fmt::Debug for SignUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignUp").finish_non_exhaustive()
    }
}

/// A code to be kept. It takes the place of an older one of its address and purpose.
pub struct NewCode<'a> {
    /// An address of mail in small letters, or a number in E.164.
    pub address: &'a str,
    /// What it is for.
    pub purpose: Purpose,
    /// What is kept of the code.
    pub hash: [u8; 32],
    /// Who says that the address is theirs.
    pub person: Option<Uuid>,
    /// What it makes, of a sign-up.
    pub sign_up: Option<&'a SignUp>,
    /// Until when it is good, in machine time.
    pub ends_at: Timestamp,
}

/// A code that is good still, locked until the transaction ends.
#[derive(Clone)]
pub struct LockedCode {
    /// What is kept of it.
    pub hash: Vec<u8>,
    /// Who says that the address is theirs.
    pub person: Option<Uuid>,
    /// What it makes, of a sign-up.
    pub sign_up: Option<SignUp>,
}

/// Six digits that nobody can guess.
pub fn fresh_code() -> SecretString {
    six_digits()
}

/// The token of a link, and what is kept of it.
pub fn fresh_link() -> (SecretString, [u8; 32]) {
    use secrecy::ExposeSecret;

    let token = secret(PREFIX);
    let kept = hash(token.expose_secret());
    (token, kept)
}

/// Keeps a code until its end.
pub async fn keep(tx: &mut Scoped, new: &NewCode<'_>) -> Result<(), Fault> {
    sqlx::query!(
        "insert into codes (address, purpose, hash, person_id, sign_up, ends_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (address, purpose) do update
         set hash = excluded.hash, tries = 0, person_id = excluded.person_id,
             sign_up = excluded.sign_up, ends_at = excluded.ends_at",
        new.address,
        new.purpose.as_str(),
        new.hash.as_slice(),
        new.person,
        new.sign_up.map(Json) as _,
        new.ends_at.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// The code of an address for a purpose, while it is good.
pub async fn lock(
    tx: &mut Scoped,
    address: &str,
    purpose: Purpose,
    machine: Timestamp,
) -> Result<Option<LockedCode>, Fault> {
    let row = sqlx::query!(
        r#"select hash, person_id, sign_up as "sign_up: Json<SignUp>" from codes
           where address = $1 and purpose = $2 and ends_at > $3 and tries < $4 for update"#,
        address,
        purpose.as_str(),
        machine.to_sqlx() as _,
        TRIES,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(row.map(|row| LockedCode {
        hash: row.hash,
        person: row.person_id,
        sign_up: row.sign_up.map(|sign_up| sign_up.0),
    }))
}

/// Counts a wrong code.
pub async fn note_wrong(tx: &mut Scoped, address: &str, purpose: Purpose) -> Result<(), Fault> {
    sqlx::query!(
        "update codes set tries = tries + 1 where address = $1 and purpose = $2 and tries < $3",
        address,
        purpose.as_str(),
        TRIES,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Uses a code up.
pub async fn use_up(tx: &mut Scoped, address: &str, purpose: Purpose) -> Result<(), Fault> {
    sqlx::query!(
        "delete from codes where address = $1 and purpose = $2",
        address,
        purpose.as_str(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Uses a link up. Answers the address that it was mailed to, or none where it is good no more.
pub async fn use_link(
    tx: &mut Scoped,
    token: &str,
    machine: Timestamp,
) -> Result<Option<String>, Fault> {
    let kept = hash(token);
    sqlx::query_scalar!(
        "delete from codes where purpose = 'link' and hash = $1 and ends_at > $2
         returning address",
        kept.as_slice(),
        machine.to_sqlx() as _,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)
}
