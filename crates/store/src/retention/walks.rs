//! Walks through a table in the order of age. How far each has come is a row, so that a row of the
//! table is looked at once, however many processes there are and however often they start.

use domain::ids::TenantId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{Scoped, Store, core::words, fault};

/// A rule that goes through a table from the oldest row on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walk {
    /// Messages, for their texts.
    MessageTexts,
    /// Messages, for their records.
    Messages,
    /// Texts that came in.
    InboundTexts,
    /// Answers of the AI.
    AiReplies,
}

impl Walk {
    /// The name in rows.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::MessageTexts => "message_texts",
            Self::Messages => "messages",
            Self::InboundTexts => "inbound_texts",
            Self::AiReplies => "ai_replies",
        }
    }
}

/// How far a walk has come: the time and the id of the last row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    at: Timestamp,
    id: Uuid,
}

/// A row that a walk comes to.
#[derive(Debug, Clone)]
pub(super) struct Aged {
    /// Whose it is; none for a key that this version cannot read.
    pub(super) tenant: Option<TenantId>,
    pub(super) id: Uuid,
    at: Timestamp,
}

impl Aged {
    /// Where the walk stands behind it.
    pub(super) fn mark(&self) -> Mark {
        Mark { at: self.at, id: self.id }
    }
}

/// Reads how far a walk has come. Nothing is locked: [`take`] finds out whether it still holds.
pub(super) async fn read(store: &Store, walk: Walk) -> Result<Mark, Fault> {
    let row = sqlx::query!(
        "select through_at, through_id from retention_walks where rule = $1",
        walk.as_str()
    )
    .fetch_one(store.pool())
    .await
    .map_err(fault)?;

    Ok(Mark { at: row.through_at.to_jiff(), id: row.through_id })
}

/// The rows behind a mark that are not younger than an instant, oldest first.
pub(super) async fn next(
    store: &Store,
    walk: Walk,
    from: Mark,
    until: Timestamp,
    at_most: i64,
) -> Result<Vec<Aged>, Fault> {
    let rows = sqlx::query!(
        r#"select tenant_id as "tenant_id!", id as "id!", at as "at!"
           from rows_by_age($1, $2, $3, $4, $5)"#,
        walk.as_str(),
        from.at.to_sqlx() as _,
        from.id,
        until.to_sqlx() as _,
        at_most,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    let aged = rows.into_iter().map(|row| Aged {
        tenant: words::readable(words::tenant(&row.tenant_id)),
        id: row.id,
        at: row.at.to_jiff(),
    });
    Ok(aged.collect())
}

/// Has a walk to itself until the transaction ends; of the two over messages, both, or each would
/// find rows that the other has locked. False where another process has it, or has gone on from
/// the mark: there is nothing to do then, and more to look for afterwards.
pub(super) async fn take(tx: &mut Scoped, walk: Walk, mark: Mark) -> Result<bool, Fault> {
    let rules: &[Walk] = match walk {
        Walk::MessageTexts | Walk::Messages => &[Walk::MessageTexts, Walk::Messages],
        Walk::InboundTexts => &[Walk::InboundTexts],
        Walk::AiReplies => &[Walk::AiReplies],
    };

    let rows = sqlx::query!(
        "select rule, through_at, through_id from retention_walks
         where rule = any ($1) order by rule for update skip locked",
        &rules.iter().map(|walk| walk.as_str()).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let stands = rows.iter().any(|row| {
        let found = Mark { at: row.through_at.to_jiff(), id: row.through_id };
        row.rule == walk.as_str() && found == mark
    });
    Ok(rows.len() == rules.len() && stands)
}

/// Moves the mark of a walk that this transaction has to itself.
pub(super) async fn advance(tx: &mut Scoped, walk: Walk, to: Mark) -> Result<(), Fault> {
    sqlx::query!(
        "update retention_walks set through_at = $2, through_id = $3 where rule = $1",
        walk.as_str(),
        to.at.to_sqlx() as _,
        to.id,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}
