//! Senders whose accounts do not send a template. An account keeps its templates for itself, so a
//! pool over two of them has senders that send one, and others that do not.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::{draft::TemplateName, ids::SenderId};
use stage::Fault;

use crate::{Scoped, core::keyed, fault, settings::carrier_templates::read_standing};

/// Of each template the senders whose accounts surely do not send it: it is not on the account's
/// list, or its review is open or went against it. Nothing is said of an account whose templates
/// were never read, nor of one that the tenant does not own.
pub(super) async fn without_template(
    tx: &mut Scoped,
    named: &BTreeSet<TemplateName>,
) -> Result<HashMap<TemplateName, HashSet<SenderId>>, Fault> {
    if named.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query!(
        r#"select k.tenant_id as "tenant_id!", k.name as "name!", k.language as "language!",
                  y.listed_at is not null as "is_listed!", t.state as "state?",
                  array(
                      select s.sender_id from senders s
                      where s.tenant_id = k.tenant_id and s.account = y.account
                        and s.removed_at is null
                      order by s.sender_id limit 400
                  ) as "senders!"
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

    let mut found: HashMap<TemplateName, HashSet<SenderId>> = HashMap::new();
    for row in rows {
        if read_standing(row.is_listed, row.state.as_deref()).unsendable().is_none() {
            continue;
        }
        let name = (keyed::tenant(&row.tenant_id), row.name, row.language);
        found.entry(name).or_default().extend(row.senders.into_iter().map(SenderId));
    }
    Ok(found)
}
