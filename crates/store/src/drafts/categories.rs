//! What carriers bill their templates as.

use std::collections::{BTreeSet, HashMap};

use domain::{billing::PriceCategory, draft::TemplateName};
use stage::Fault;

use crate::{Scoped, core::keyed, fault};

/// What the carrier bills templates as, where its lists have said it.
pub(super) async fn template_categories(
    tx: &mut Scoped,
    named: &BTreeSet<TemplateName>,
) -> Result<HashMap<TemplateName, PriceCategory>, Fault> {
    if named.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query!(
        "select distinct on (t.tenant_id, t.name, t.language)
                t.tenant_id, t.name, t.language, t.category
         from unnest($1::text[], $2::text[], $3::text[]) as k (tenant_id, name, language)
         join carrier_templates t on t.tenant_id = k.tenant_id and t.name = k.name
                                 and t.language = k.language
         order by t.tenant_id, t.name, t.language, t.account",
        &named.iter().map(|(tenant, ..)| tenant.as_str()).collect::<Vec<_>>() as _,
        &named.iter().map(|(_, name, _)| name.as_str()).collect::<Vec<_>>() as _,
        &named.iter().map(|(.., language)| language.as_str()).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let categories = rows.into_iter().filter_map(|row| {
        let category = PriceCategory::from_name(&row.category)?;
        Some(((keyed::tenant(&row.tenant_id), row.name, row.language), category))
    });
    Ok(categories.collect())
}
