//! Addresses that people have shown to be theirs: by a code that was mailed or texted there.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{Scoped, fault};

/// Notes that mail at a person's address reaches them. True where that was not known: until then
/// somebody else may have used the address.
pub async fn prove_email(tx: &mut Scoped, person: Uuid, machine: Timestamp) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "update persons set email_verified_at = $2
         where person_id = $1 and email is not null and email_verified_at is null",
        person,
        machine.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// Takes away what somebody may have set up who did not have the address of mail: the password and
/// the number.
pub async fn forget_other_ways(tx: &mut Scoped, person: Uuid) -> Result<(), Fault> {
    sqlx::query!(
        "update persons set password_hash = null, phone = null, phone_verified_at = null
         where person_id = $1",
        person
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Gives a person an address of mail that they have proven, in place of another. False where it is
/// somebody else's.
pub async fn set_email(
    tx: &mut Scoped,
    person: Uuid,
    email: &str,
    machine: Timestamp,
) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "update persons p set email = $2, email_verified_at = $3
         where p.person_id = $1 and not exists (
             select from persons o where o.email = $2 and o.person_id <> $1)",
        person,
        email,
        machine.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await;
    taken_is_false(done)
}

/// The same with a number.
pub async fn set_phone(
    tx: &mut Scoped,
    person: Uuid,
    phone: &str,
    machine: Timestamp,
) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "update persons p set phone = $2, phone_verified_at = $3
         where p.person_id = $1 and not exists (
             select from persons o where o.phone = $2 and o.person_id <> $1)",
        person,
        phone,
        machine.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await;
    taken_is_false(done)
}

/// Of two who take an address at once, the second meets the first in the index.
fn taken_is_false(done: Result<sqlx::postgres::PgQueryResult, sqlx::Error>) -> Result<bool, Fault> {
    match done {
        Ok(done) => Ok(done.rows_affected() == 1),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
        Err(error) => Err(fault(error)),
    }
}
