//! The outbox of what is said to people who sign in: mail and texts, sealed. The api inserts, in
//! the transaction of the code; sources say it and delete it.

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::types::Uuid;
use stage::Fault;

use crate::{Scoped, Store, core::seal::Sealer, fault};

/// How many may wait at once. More are refused: somebody floods, or nobody says them.
pub const MOST: i64 = 10_000;

/// How often one is tried before it is given up.
pub const TRIES: i16 = 5;

/// How long a process that has taken one has to say it; after each try as long again.
const LEASE: SignedDuration = SignedDuration::from_secs(20);

/// How something is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeChannel {
    /// By mail, over SMTP.
    Mail,
    /// By a text, through the pipeline.
    Text,
    /// To nobody, as nobody has the address.
    Nobody,
}

impl NoticeChannel {
    /// The name in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Text => "text",
            Self::Nobody => "none",
        }
    }
}

/// What is said, and to whom. It has no `Debug`: codes and addresses stay out of logs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeText {
    /// An address of mail, or a number in E.164.
    pub to: String,
    /// What the mail is about; a text does not say it.
    pub subject: String,
    /// What it says to its reader.
    pub text: String,
}

impl NoticeText {
    /// As it is stored.
    pub fn seal(&self, sealer: &Sealer) -> String {
        sealer.seal(&wire::json::to_vec(self))
    }

    /// What was stored; none where no key opens it.
    pub fn open(sealed: &str, sealer: &Sealer) -> Option<Self> {
        serde_json::from_slice(&sealer.open(sealed).ok()?).ok()
    }
}

/// Something to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What it is known by, and what a text's id is made of.
    pub id: Uuid,
    /// Address, subject and text, under the master key.
    pub sealed: String,
    /// How often a process has taken it.
    pub tries: i16,
    /// Machine time from which it is of no use.
    pub ends_at: Timestamp,
}

/// Inserts a notice. False where [`MOST`] wait already.
pub async fn insert(
    tx: &mut Scoped,
    channel: NoticeChannel,
    new: &Notice,
    machine: Timestamp,
) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "insert into notices (notice_id, channel, sealed, due_at, ends_at)
         select $1, $2, $3, $4, $5
         where (select count(*) from (select from notices limit $6) n) < $6",
        new.id,
        channel.as_str(),
        new.sealed,
        machine.to_sqlx() as _,
        new.ends_at.to_sqlx() as _,
        MOST,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// Takes the notices of a channel that are due, the oldest first: nobody else gets them for a
/// while.
pub async fn take(
    store: &Store,
    channel: NoticeChannel,
    machine: Timestamp,
    at_most: i64,
) -> Result<Vec<Notice>, Fault> {
    let rows = sqlx::query!(
        "update notices
         set tries = tries + 1, due_at = $2 + (tries + 1) * make_interval(secs => $4)
         where ctid = any (array(
             select ctid from notices where channel = $1 and due_at <= $2
             order by due_at limit $3 for update skip locked))
         returning notice_id, sealed, tries, ends_at",
        channel.as_str(),
        machine.to_sqlx() as _,
        at_most,
        LEASE.as_secs_f64(),
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    let notice = rows.into_iter().map(|row| Notice {
        id: row.notice_id,
        sealed: row.sealed,
        tries: row.tries,
        ends_at: row.ends_at.to_jiff(),
    });
    Ok(notice.collect())
}

/// Deletes notices that were said, or that are given up.
pub async fn done(store: &Store, ids: &[Uuid]) -> Result<(), Fault> {
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query!("delete from notices where notice_id = any ($1)", ids)
        .execute(store.pool())
        .await
        .map_err(fault)?;
    Ok(())
}

/// Removes what is good no more of codes and their counts, at most so many rows of each table.
pub async fn end_codes(store: &Store, machine: Timestamp, at_most: i64) -> Result<u64, Fault> {
    let gone = sqlx::query_scalar!(
        r#"select end_codes($1, $2) as "gone!""#,
        machine.to_sqlx() as _,
        at_most
    )
    .fetch_one(store.pool())
    .await
    .map_err(fault)?;
    Ok(gone.unsigned_abs())
}
