//! Contact imports: counts while they run, and the lines that did not become a contact.

use domain::ids::TenantId;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped,
    core::words::{word, words},
    fault,
};

/// After this long without a step, the process that ran an import is gone.
pub const STANDSTILL: SignedDuration = SignedDuration::from_secs(60);

/// What became of the lines so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines read, the header apart.
    pub total: i64,
    /// Lines that became a new contact.
    pub created: i64,
    /// Known contacts that changed.
    pub updated: i64,
    /// Known contacts that were so already.
    pub unchanged: i64,
    /// Numbers that an earlier line of the file had.
    pub duplicate: i64,
    /// Lines that cannot become a contact.
    pub invalid: i64,
}

/// Where an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportState {
    /// Its lines are being read.
    Running,
    /// All of its lines were read.
    Completed,
    /// It ended before its last line.
    Failed,
}

impl ImportState {
    /// Every state, the first one first.
    pub const ALL: [Self; 3] = [Self::Running, Self::Completed, Self::Failed];

    /// The name in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// Why a line did not become a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowOutcome {
    /// An earlier line of the file has its number.
    Duplicate,
    /// It cannot become a contact.
    Invalid,
}

impl RowOutcome {
    /// Both outcomes, the milder one first.
    pub const ALL: [Self; 2] = [Self::Duplicate, Self::Invalid];

    /// The name in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Invalid => "invalid",
        }
    }

    /// The outcome of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == name)
    }
}

words! {
    ImportState = "state of an import",
    RowOutcome = "outcome of an import's line",
}

domain::described_words! {
    ImportState, "Where an import stands: its lines are being read, all were, or it ended before \
        its last line.";
}

/// An import as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The import's id.
    pub id: Uuid,
    /// The state that it is in.
    pub state: ImportState,
    /// What has become of the lines so far.
    pub counts: Counts,
    /// Why it failed, in words for people.
    pub error: Option<String>,
    /// Machine time at which it began.
    pub created_at: Timestamp,
    /// Machine time of its end; none while it runs.
    pub finished_at: Option<Timestamp>,
}

/// A line that did not become a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    /// The line of the file that it begins in, from 1, as an editor shows it.
    pub line: i64,
    /// What kind of line it is.
    pub outcome: RowOutcome,
    /// Why, in words for people.
    pub reason: String,
}

/// Begins an import.
pub async fn create(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: Uuid,
    machine: Timestamp,
) -> Result<(), Fault> {
    sqlx::query!(
        "insert into imports (tenant_id, import_id, state, created_at, progressed_at)
         values ($1, $2, 'running', $3, $3)",
        tenant.as_str(),
        id,
        machine.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Records the counts after a step, and the lines of the step that did not become a contact.
pub async fn progress(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: Uuid,
    counts: &Counts,
    lines: &[ImportRow],
    machine: Timestamp,
) -> Result<(), Fault> {
    sqlx::query!(
        "insert into import_rows (tenant_id, import_id, line, outcome, reason)
         select $1, $2, k.* from unnest($3::bigint[], $4::text[], $5::text[]) as k
         on conflict do nothing",
        tenant.as_str(),
        id,
        &lines.iter().map(|line| line.line).collect::<Vec<_>>(),
        &lines.iter().map(|line| line.outcome.as_str()).collect::<Vec<_>>() as _,
        &lines.iter().map(|line| line.reason.clone()).collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    sqlx::query!(
        "update imports
         set total = $3, created = $4, updated = $5, unchanged = $6, duplicate = $7, invalid = $8,
             progressed_at = $9
         where tenant_id = $1 and import_id = $2",
        tenant.as_str(),
        id,
        counts.total,
        counts.created,
        counts.updated,
        counts.unchanged,
        counts.duplicate,
        counts.invalid,
        machine.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// Ends an import that still runs, well or with an error.
pub async fn finish(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: Uuid,
    error: Option<&str>,
    machine: Timestamp,
) -> Result<(), Fault> {
    sqlx::query!(
        "update imports
         set state = case when $3::text is null then 'completed' else 'failed' end,
             error = $3, finished_at = $4
         where tenant_id = $1 and import_id = $2 and state = 'running'",
        tenant.as_str(),
        id,
        error,
        machine.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// An import. One that stands still is ended as failed first: what it recorded stays, and the file
/// can be imported again.
pub async fn get(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: Uuid,
    machine: Timestamp,
) -> Result<Option<Import>, Fault> {
    sqlx::query!(
        "update imports set state = 'failed', finished_at = $3,
             error = 'interrupted; import the file again: what is in stays as it is'
         where tenant_id = $1 and import_id = $2 and state = 'running' and progressed_at < $4",
        tenant.as_str(),
        id,
        machine.to_sqlx(),
        (machine - STANDSTILL).to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    let row = sqlx::query!(
        "select state, total, created, updated, unchanged, duplicate, invalid, error, created_at,
                finished_at
         from imports where tenant_id = $1 and import_id = $2",
        tenant.as_str(),
        id,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    let Some(row) = row else { return Ok(None) };
    Ok(Some(Import {
        id,
        state: word(&row.state)?,
        counts: Counts {
            total: row.total,
            created: row.created,
            updated: row.updated,
            unchanged: row.unchanged,
            duplicate: row.duplicate,
            invalid: row.invalid,
        },
        error: row.error,
        created_at: row.created_at.to_jiff(),
        finished_at: row.finished_at.map(|at| at.to_jiff()),
    }))
}

/// The lines of an import that did not become a contact, after one, by line.
pub async fn lines(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: Uuid,
    after: i64,
    limit: i64,
) -> Result<Vec<ImportRow>, Fault> {
    let rows = sqlx::query!(
        "select line, outcome, reason from import_rows
         where tenant_id = $1 and import_id = $2 and line > $3 order by line limit $4",
        tenant.as_str(),
        id,
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let line = rows.into_iter().map(|row| {
        Ok(ImportRow { line: row.line, outcome: word(&row.outcome)?, reason: row.reason })
    });
    line.collect()
}
