//! Templates as they are read back.

use domain::ids::{CarrierTemplateId, TenantId};
use serde_json::Value;
use sqlx::types::Uuid;
use stage::Fault;

use super::{ReviewState, StoredCarrierTemplate};
use crate::{
    Scoped,
    core::{
        keyed::just_before,
        words::{Unreadable, document, word},
    },
    fault,
};

struct Row {
    template_id: Uuid,
    account: String,
    account_name: String,
    name: String,
    language: String,
    category: String,
    components: Value,
    state: String,
    status: Option<String>,
    reason: Option<String>,
    quality: String,
    carrier_id: Option<String>,
    created_at: jiff_sqlx::Timestamp,
}

impl Row {
    fn read(self) -> Result<StoredCarrierTemplate, Unreadable> {
        Ok(StoredCarrierTemplate {
            id: CarrierTemplateId(self.template_id),
            account: self.account,
            account_name: self.account_name,
            name: self.name,
            language: self.language,
            category: self.category,
            components: document(self.components, "components")?,
            state: word(&self.state)?,
            status: self.status,
            reason: self.reason,
            quality: self.quality,
            carrier_id: self.carrier_id,
            created_at: self.created_at.to_jiff(),
        })
    }
}

/// Which templates are wanted; all where nothing is said.
#[derive(Debug, Clone, Copy, Default)]
pub struct TemplateFilter<'a> {
    /// Of the account that the tenant calls so.
    pub account: Option<&'a str>,
    /// Of this name, in all languages.
    pub name: Option<&'a str>,
    /// In this state.
    pub state: Option<ReviewState>,
}

/// A tenant's template, locked until the transaction ends where it is to be changed.
pub async fn get(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: CarrierTemplateId,
    lock: bool,
) -> Result<Option<StoredCarrierTemplate>, Fault> {
    if lock {
        sqlx::query!(
            "select state from carrier_templates
             where tenant_id = $1 and template_id = $2 for update",
            tenant.as_str(),
            id.0,
        )
        .fetch_optional(&mut **tx)
        .await
        .map_err(fault)?;
    }
    let filter = TemplateFilter::default();
    let found = list(tx, tenant, filter, just_before(id.0), 1).await?.pop();
    Ok(found.filter(|template| template.id == id))
}

/// A tenant's templates after one, by id.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    filter: TemplateFilter<'_>,
    after: Uuid,
    limit: i64,
) -> Result<Vec<StoredCarrierTemplate>, Fault> {
    let rows = sqlx::query_as!(
        Row,
        r#"select t.template_id, t.account, coalesce(a.name, a.account) as "account_name!", t.name,
                  t.language, t.category, t.components, t.state, t.status, t.reason, t.quality,
                  t.carrier_id, t.created_at
           from carrier_templates t
           join carrier_accounts a on a.tenant_id = t.tenant_id and a.account = t.account
           where t.tenant_id = $1 and t.template_id > $2
             and ($4::text is null or coalesce(a.name, a.account) = $4)
             and ($5::text is null or t.name = $5) and ($6::text is null or t.state = $6)
           order by t.template_id limit $3"#,
        tenant.as_str(),
        after,
        limit,
        filter.account,
        filter.name,
        filter.state.map(ReviewState::as_str),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().map(Row::read).collect::<Result<_, _>>()?)
}
