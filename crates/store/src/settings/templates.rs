//! Message templates in versions.

use domain::ids::{TemplateId, TenantId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{Scoped, fault};

/// A template with its latest version.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTemplate {
    /// The template's id.
    pub id: TemplateId,
    /// What people call it.
    pub name: String,
    /// The latest version, from 1.
    pub version: i32,
    /// `[{key, weight, bodies: {language: text}}]`
    pub variants: Value,
    /// What its texts may use beside the contact's own fields.
    pub variables: Vec<String>,
    /// Business time at which the template was made; in a list of versions, the version.
    pub created_at: Timestamp,
}

/// Adds a template with its first version.
pub async fn create(tx: &mut Scoped, tenant: &TenantId, new: &StoredTemplate) -> Result<(), Fault> {
    sqlx::query!(
        "insert into templates (tenant_id, template_id, name, created_at) values ($1, $2, $3, $4)",
        tenant.as_str(),
        new.id.0,
        new.name,
        new.created_at.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    insert_version(tx, tenant, new).await
}

/// Adds the next version to the template of this id. None when there is no such template.
pub async fn add_version(
    tx: &mut Scoped,
    tenant: &TenantId,
    new: &StoredTemplate,
) -> Result<Option<StoredTemplate>, Fault> {
    let name = sqlx::query_scalar!(
        "select name from templates where tenant_id = $1 and template_id = $2 for update",
        tenant.as_str(),
        new.id.0,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    let Some(name) = name else { return Ok(None) };
    let Some(latest) = latest_version(tx, tenant, new.id).await? else { return Ok(None) };
    let next = StoredTemplate { name, version: latest + 1, ..new.clone() };
    insert_version(tx, tenant, &next).await?;
    Ok(Some(next))
}

/// The latest version of a template, if there is one.
pub async fn latest_version(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: TemplateId,
) -> Result<Option<i32>, Fault> {
    sqlx::query_scalar!(
        "select max(version) from template_versions where tenant_id = $1 and template_id = $2",
        tenant.as_str(),
        id.0,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)
}

async fn insert_version(
    tx: &mut Scoped,
    tenant: &TenantId,
    new: &StoredTemplate,
) -> Result<(), Fault> {
    sqlx::query!(
        "insert into template_versions (tenant_id, template_id, version, variants, variables,
                                        created_at)
         values ($1, $2, $3, $4, $5, $6)",
        tenant.as_str(),
        new.id.0,
        new.version,
        new.variants,
        &new.variables,
        new.created_at.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// A template with its latest version.
pub async fn get(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: TemplateId,
) -> Result<Option<StoredTemplate>, Fault> {
    let row = sqlx::query!(
        "select t.name, t.created_at, v.version, v.variants, v.variables
         from templates t
         join template_versions v on v.tenant_id = t.tenant_id and v.template_id = t.template_id
         where t.tenant_id = $1 and t.template_id = $2 order by v.version desc limit 1",
        tenant.as_str(),
        id.0,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(row.map(|row| StoredTemplate {
        id,
        name: row.name,
        version: row.version,
        variants: row.variants,
        variables: row.variables,
        created_at: row.created_at.to_jiff(),
    }))
}

/// A template's versions below one, the newest first, each with its own time. Empty where there is
/// no such template.
pub async fn versions(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: TemplateId,
    below: i32,
    limit: i64,
) -> Result<Vec<StoredTemplate>, Fault> {
    let rows = sqlx::query!(
        "select t.name, v.version, v.variants, v.variables, v.created_at
         from template_versions v
         join templates t on t.tenant_id = v.tenant_id and t.template_id = v.template_id
         where v.tenant_id = $1 and v.template_id = $2 and v.version < $3
         order by v.version desc limit $4",
        tenant.as_str(),
        id.0,
        below,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let version = rows.into_iter().map(|row| StoredTemplate {
        id,
        name: row.name,
        version: row.version,
        variants: row.variants,
        variables: row.variables,
        created_at: row.created_at.to_jiff(),
    });
    Ok(version.collect())
}

/// A tenant's templates after one, by id, each with its latest version.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: Uuid,
    limit: i64,
) -> Result<Vec<StoredTemplate>, Fault> {
    let rows = sqlx::query!(
        "select t.template_id, t.name, t.created_at, v.version, v.variants, v.variables
         from templates t
         cross join lateral (
             select version, variants, variables from template_versions v
             where v.tenant_id = t.tenant_id and v.template_id = t.template_id
             order by version desc limit 1
         ) v
         where t.tenant_id = $1 and t.template_id > $2 order by t.template_id limit $3",
        tenant.as_str(),
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let template = rows.into_iter().map(|row| StoredTemplate {
        id: TemplateId(row.template_id),
        name: row.name,
        version: row.version,
        variants: row.variants,
        variables: row.variables,
        created_at: row.created_at.to_jiff(),
    });
    Ok(template.collect())
}
