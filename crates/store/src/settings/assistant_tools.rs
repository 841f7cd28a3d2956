//! Tools of the assistant: what it may look up at a server of its company.

use std::collections::{BTreeSet, HashMap};

use domain::{
    assistant::{AssistantTool, MOST_TOOLS},
    ids::TenantId,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::tenants;
use crate::{Scoped, core::keyed::just_before, fault};

/// A tool as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTool {
    /// The tool's own id.
    pub id: Uuid,
    /// What the company has described; its name is unique within the tenant.
    pub tool: AssistantTool,
    /// What its header says, under the master key; none where it has no header.
    pub sealed_secret: Option<String>,
    /// When it was made, in business time.
    pub created_at: Timestamp,
    /// When it was changed last, in business time.
    pub changed_at: Timestamp,
}

/// Adds one. False where one has its name, or where [`MOST_TOOLS`] are there.
pub async fn create(tx: &mut Scoped, tenant: &TenantId, new: &StoredTool) -> Result<bool, Fault> {
    // One after another: two that are made at once do not both take the last place.
    tenants::lock(tx, tenant).await?;

    let done = sqlx::query!(
        "insert into assistant_tools (tenant_id, tool_id, name, description, input_schema, url,
                                      header, sealed_secret, timeout_seconds, created_at,
                                      changed_at)
         select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
         where (select count(*) from assistant_tools where tenant_id = $1) < $12
         on conflict do nothing",
        tenant.as_str(),
        new.id,
        new.tool.name,
        new.tool.description,
        new.tool.schema,
        new.tool.url,
        new.tool.header,
        new.sealed_secret,
        new.tool.timeout_seconds,
        new.created_at.to_sqlx() as _,
        new.changed_at.to_sqlx() as _,
        MOST_TOOLS,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// A tenant's tools after one, by id.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: Uuid,
    limit: i64,
) -> Result<Vec<StoredTool>, Fault> {
    let rows = sqlx::query!(
        "select tool_id, name, description, input_schema, url, header, sealed_secret,
                timeout_seconds, created_at, changed_at
         from assistant_tools where tenant_id = $1 and tool_id > $2 order by tool_id limit $3",
        tenant.as_str(),
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let tools = rows.into_iter().map(|row| StoredTool {
        id: row.tool_id,
        tool: AssistantTool {
            name: row.name,
            description: row.description,
            schema: row.input_schema,
            url: row.url,
            header: row.header,
            timeout_seconds: row.timeout_seconds,
        },
        sealed_secret: row.sealed_secret,
        created_at: row.created_at.to_jiff(),
        changed_at: row.changed_at.to_jiff(),
    });
    Ok(tools.collect())
}

/// The tools of each of these tenants with their sealed secrets, by name; of a tenant without any
/// there is no entry.
pub async fn of_tenants(
    tx: &mut Scoped,
    tenants: impl IntoIterator<Item = &TenantId>,
) -> Result<HashMap<TenantId, Vec<(AssistantTool, Option<String>)>>, Fault> {
    let known: BTreeSet<&TenantId> = tenants.into_iter().collect();
    let rows = sqlx::query!(
        "select tenant_id, name, description, input_schema, url, header, sealed_secret,
                timeout_seconds
         from assistant_tools where tenant_id = any ($1) order by tenant_id, name",
        &known.iter().map(|tenant| tenant.to_string()).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let by_name: HashMap<&str, &TenantId> =
        known.into_iter().map(|tenant| (tenant.as_str(), tenant)).collect();
    let mut tools: HashMap<TenantId, Vec<(AssistantTool, Option<String>)>> = HashMap::new();
    for row in rows {
        let Some(tenant) = by_name.get(row.tenant_id.as_str()) else { continue };
        let tool = AssistantTool {
            name: row.name,
            description: row.description,
            schema: row.input_schema,
            url: row.url,
            header: row.header,
            timeout_seconds: row.timeout_seconds,
        };
        tools.entry((*tenant).clone()).or_default().push((tool, row.sealed_secret));
    }
    Ok(tools)
}

/// A tenant's tool, locked until the transaction ends where it is to be changed.
pub async fn get(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: Uuid,
    lock: bool,
) -> Result<Option<StoredTool>, Fault> {
    if lock {
        sqlx::query!(
            "select from assistant_tools where tenant_id = $1 and tool_id = $2 for update",
            tenant.as_str(),
            id,
        )
        .execute(&mut **tx)
        .await
        .map_err(fault)?;
    }
    let found = list(tx, tenant, just_before(id), 1).await?.pop();
    Ok(found.filter(|tool| tool.id == id))
}

/// Writes what is otherwise about a tool. False where another one has its name.
pub async fn save(tx: &mut Scoped, tenant: &TenantId, tool: &StoredTool) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "update assistant_tools t
         set name = $3, description = $4, input_schema = $5, url = $6, header = $7,
             sealed_secret = $8, timeout_seconds = $9, changed_at = $10
         where t.tenant_id = $1 and t.tool_id = $2
           and not exists (select from assistant_tools o
                           where o.tenant_id = $1 and o.tool_id <> $2 and o.name = $3)",
        tenant.as_str(),
        tool.id,
        tool.tool.name,
        tool.tool.description,
        tool.tool.schema,
        tool.tool.url,
        tool.tool.header,
        tool.sealed_secret,
        tool.tool.timeout_seconds,
        tool.changed_at.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// Removes a tool, and gives its name; none where there is none.
pub async fn remove(tx: &mut Scoped, tenant: &TenantId, id: Uuid) -> Result<Option<String>, Fault> {
    sqlx::query_scalar!(
        "delete from assistant_tools where tenant_id = $1 and tool_id = $2 returning name",
        tenant.as_str(),
        id,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)
}
