//! What carriers tell of templates by themselves. It may come late, twice and in any order.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    carrier_template::ReviewState,
    ids::{CarrierTemplateId, TenantId},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::CLOCKS_DIFFER;
use crate::{Scoped, fault};

/// What a carrier has told of a template of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountNews {
    /// Whose account it is.
    pub tenant: TenantId,
    /// The account's handle.
    pub account: String,
    /// The template that it is about.
    pub template: CarrierTemplateId,
    /// When it became so, as the carrier says, or when it was told.
    pub at: Timestamp,
    /// A state, with the carrier's own word for it and the reason.
    pub state: Option<(ReviewState, String, Option<String>)>,
    /// What people think of it.
    pub quality: Option<String>,
    /// The category that the carrier has moved it to.
    pub category: Option<String>,
}

/// Records what is told. The newest of each kind counts; a state that is older than what is known
/// changes nothing. An account that is told of a template which is not known is read anew.
pub async fn tell(tx: &mut Scoped, told: &[AccountNews], machine: Timestamp) -> Result<(), Fault> {
    let folded = folded(told);
    let tenants: Vec<&str> = folded.keys().map(|(tenant, _)| tenant.as_str()).collect();
    let latest = machine + CLOCKS_DIFFER;
    let ids: Vec<Uuid> = folded.keys().map(|(_, id)| id.0).collect();
    let state = |one: &AccountNews| one.state.as_ref().map(|(state, ..)| state.as_str());
    let status = |one: &AccountNews| one.state.as_ref().map(|(_, status, _)| status.clone());
    let reason = |one: &AccountNews| one.state.as_ref().and_then(|(.., reason)| reason.clone());

    let known = sqlx::query!(
        r#"with k as (
               select u.*
               from unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[],
                           $6::text[], $7::text[], $8::text[])
                    as u (tenant_id, template_id, at, state, status, reason, quality, category)
           ), locked as (
               select t.tenant_id, t.template_id
               from k join carrier_templates t
                 on t.tenant_id = k.tenant_id and t.template_id = k.template_id
               order by t.tenant_id, t.template_id for update of t
           )
           update carrier_templates t
           set state = case when k.state is not null and k.at >= t.told_at then k.state
                            else t.state end,
               status = case when k.state is not null and k.at >= t.told_at
                             then left(k.status, 64) else t.status end,
               reason = case when k.state is not null and k.at >= t.told_at
                             then left(k.reason, 2000) else t.reason end,
               told_at = case when k.state is not null then greatest(k.at, t.told_at)
                              else t.told_at end,
               quality = coalesce(left(k.quality, 64), t.quality),
               category = coalesce(left(k.category, 64), t.category)
           from k join locked l on l.tenant_id = k.tenant_id and l.template_id = k.template_id
           where t.tenant_id = l.tenant_id and t.template_id = l.template_id
           returning t.tenant_id, t.template_id"#,
        &tenants as _,
        &ids,
        // What is told of the future would stand against every list until then.
        &folded.values().map(|one| one.at.min(latest).to_sqlx()).collect::<Vec<_>>() as _,
        &folded.values().map(state).collect::<Vec<_>>() as _,
        &folded.values().map(status).collect::<Vec<_>>() as _,
        &folded.values().map(reason).collect::<Vec<_>>() as _,
        &folded.values().map(|one| one.quality.clone()).collect::<Vec<_>>() as _,
        &folded.values().map(|one| one.category.clone()).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let known: BTreeSet<(&str, Uuid)> =
        known.iter().map(|row| (row.tenant_id.as_str(), row.template_id)).collect();
    let unknown: BTreeSet<(&str, &str)> = folded
        .values()
        .filter(|one| !known.contains(&(one.tenant.as_str(), one.template.0)))
        .map(|one| (one.tenant.as_str(), one.account.as_str()))
        .collect();
    ask_all(tx, &unknown, machine).await
}

/// What is told of each template, in lock order: of each kind the newest.
fn folded(told: &[AccountNews]) -> BTreeMap<(&TenantId, CarrierTemplateId), AccountNews> {
    let mut in_time: Vec<&AccountNews> = told.iter().collect();
    in_time.sort_by_key(|one| one.at);

    let mut folded: BTreeMap<(&TenantId, CarrierTemplateId), AccountNews> = BTreeMap::new();
    for one in in_time {
        let known = folded.entry((&one.tenant, one.template)).or_insert_with(|| one.clone());
        if one.state.is_some() {
            known.state.clone_from(&one.state);
            known.at = one.at;
        }
        known.quality = one.quality.clone().or_else(|| known.quality.take());
        known.category = one.category.clone().or_else(|| known.category.take());
    }
    folded
}

/// Has accounts read anew at once.
async fn ask_all(
    tx: &mut Scoped,
    accounts: &BTreeSet<(&str, &str)>,
    machine: Timestamp,
) -> Result<(), Fault> {
    if accounts.is_empty() {
        return Ok(());
    }

    let (tenants, handles): (Vec<&str>, Vec<&str>) = accounts.iter().copied().unzip();
    sqlx::query!(
        "update template_syncs s set due = least(s.due, $3)
         from (select y.tenant_id, y.account
               from unnest($1::text[], $2::text[]) as u (tenant_id, account)
               join template_syncs y on y.tenant_id = u.tenant_id and y.account = u.account
               order by y.tenant_id, y.account for update of y) k
         where s.tenant_id = k.tenant_id and s.account = k.account",
        &tenants as _,
        &handles as _,
        machine.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_each_kind_counts_whatever_the_order() {
        let tenant: TenantId = "acme".parse().expect("a tenant");
        let template = CarrierTemplateId::of(&tenant, "wa", "order", "en");
        let told = |second: i64, state: Option<ReviewState>, quality: Option<&str>| AccountNews {
            tenant: tenant.clone(),
            account: "wa".to_owned(),
            template,
            at: Timestamp::from_second(second).expect("an instant"),
            state: state.map(|state| (state, state.as_str().to_uppercase(), None)),
            quality: quality.map(str::to_owned),
            category: None,
        };
        let all = [
            told(4, None, Some("red")),
            told(3, Some(ReviewState::Paused), None),
            told(1, None, Some("green")),
            told(2, Some(ReviewState::Approved), None),
        ];

        let folded = folded(&all);
        let [one] = folded.values().collect::<Vec<_>>()[..] else { panic!("one template") };
        assert_eq!(one.state.as_ref().map(|(state, ..)| *state), Some(ReviewState::Paused));
        assert_eq!((one.at.as_second(), one.quality.as_deref()), (3, Some("red")));
    }
}
