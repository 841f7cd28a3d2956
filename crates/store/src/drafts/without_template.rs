//! Senders whose accounts do not send a template. An account keeps its templates for itself, so a
//! pool over two of them has senders that send one, and others that do not.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::{
    draft::TemplateName,
    ids::{SenderId, TenantId},
};
use sqlx::types::Uuid;
use stage::Fault;

use crate::{Scoped, core::keyed, fault, settings::carrier_templates::read_standing};

/// An account of a tenant, by its name.
type AccountName = (TenantId, String);

/// Of each template the candidates whose accounts surely do not send it: it is not on the account's
/// list, or its review is open or went against it. Nothing is said of an account whose templates
/// were never read, nor of one that the tenant does not own.
pub(super) async fn without_template(
    tx: &mut Scoped,
    named: &BTreeSet<TemplateName>,
    candidates: &BTreeSet<(&TenantId, SenderId)>,
) -> Result<HashMap<TemplateName, HashSet<SenderId>>, Fault> {
    if named.is_empty() || candidates.is_empty() {
        return Ok(HashMap::new());
    }
    let without = accounts_without(tx, named).await?;
    if without.is_empty() {
        return Ok(HashMap::new());
    }

    let of_accounts = of_accounts(tx, candidates).await?;
    let mut found: HashMap<TemplateName, HashSet<SenderId>> = HashMap::new();
    for (template, account) in without {
        let senders = of_accounts.get(&(template.0.clone(), account));
        found.entry(template).or_default().extend(senders.into_iter().flatten());
    }
    Ok(found)
}

/// Each template with each account that surely does not send it.
async fn accounts_without(
    tx: &mut Scoped,
    named: &BTreeSet<TemplateName>,
) -> Result<Vec<(TemplateName, String)>, Fault> {
    let rows = sqlx::query!(
        r#"select k.tenant_id as "tenant_id!", k.name as "name!", k.language as "language!",
                  y.account, y.listed_at is not null as "is_listed!", t.state as "state?"
           from unnest($1::text[], $2::text[], $3::text[]) as k (tenant_id, name, language)
           join template_syncs y on y.tenant_id = k.tenant_id
           left join carrier_templates t
             on t.tenant_id = k.tenant_id and t.account = y.account and t.name = k.name
            and t.language = k.language
           where t.state is distinct from 'approved'"#,
        &named.iter().map(|(tenant, ..)| tenant.as_str()).collect::<Vec<_>>() as _,
        &named.iter().map(|(_, name, _)| name.as_str()).collect::<Vec<_>>() as _,
        &named.iter().map(|(.., language)| language.as_str()).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let sends = |is_listed: bool, state: Option<&str>| {
        read_standing(is_listed, state).unsendable().is_none()
    };
    let without = rows.into_iter().filter(|row| !sends(row.is_listed, row.state.as_deref()));
    let named = without.map(|row| {
        let template = (keyed::tenant(&row.tenant_id), row.name, row.language);
        (template, row.account)
    });
    Ok(named.collect())
}

/// The candidates of each account.
async fn of_accounts(
    tx: &mut Scoped,
    candidates: &BTreeSet<(&TenantId, SenderId)>,
) -> Result<HashMap<AccountName, Vec<SenderId>>, Fault> {
    let (tenants, ids): (Vec<&str>, Vec<Uuid>) =
        candidates.iter().map(|(tenant, id)| (tenant.as_str(), id.0)).unzip();
    let rows = sqlx::query!(
        "select s.tenant_id, s.sender_id, s.account
         from unnest($1::text[], $2::uuid[]) as k (tenant_id, sender_id)
         join senders s on s.tenant_id = k.tenant_id and s.sender_id = k.sender_id",
        &tenants as _,
        &ids,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut found: HashMap<AccountName, Vec<SenderId>> = HashMap::new();
    for row in rows {
        let account = (keyed::tenant(&row.tenant_id), row.account);
        found.entry(account).or_default().push(SenderId(row.sender_id));
    }
    Ok(found)
}
