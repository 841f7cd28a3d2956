//! What drafts are made from: contacts, tenants' defaults, templates, pools and senders, for a
//! whole batch. Enrich, explain and simulate read the same; what enrich writes is in
//! [`crate::messages::enrich`].

mod categories;
mod known;
mod without_template;

use std::collections::{BTreeSet, HashMap};

use domain::{
    address::Address,
    billing::WhatsappRates,
    draft::{
        Content, From, Origin, Person, SenderCandidate, Supplies, TemplateName, TenantDefaults,
        Texts,
    },
    ids::{CampaignId, ContactId, MediaId, PoolId, SenderId, TemplateId, TenantId},
    message::class::Channel,
    zones::Zone,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped,
    core::{
        keyed::{self, index},
        words::{document, word},
    },
    fault,
};
use categories::template_categories;
pub use known::{CarryingAccount, KnownOrigins, known};
use without_template::without_template;

/// Looks for one contact.
#[derive(Debug, Clone, Copy)]
pub struct ContactKey<'a> {
    /// The tenant that owns the contact.
    pub tenant: &'a TenantId,
    /// The contact's id.
    pub contact: ContactId,
    /// The address that the contact is reached under.
    pub address: &'a Address,
    /// The channel on which a recipient status must exist.
    pub channel: Channel,
    /// Whether a template is to be filled: names and own fields are wanted too.
    pub fields: bool,
}

/// A contact as the batch finds it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContactOnFile {
    /// None: it is to be made.
    pub contact: Option<Person>,
    /// Whether its recipient status exists.
    pub recipient: bool,
}

/// Finds contacts and whether their recipient statuses exist, in the order of the keys. What is on
/// file of a card is what is on file of its contact.
pub async fn contacts(
    tx: &mut Scoped,
    keys: &[ContactKey<'_>],
) -> Result<Vec<ContactOnFile>, Fault> {
    let rows = sqlx::query!(
        r#"select k.at as "at!", c.contact_id is not null as "known!",
                  s.one is not null as "standing!",
                  case when o.contact_id is null then c.language else o.language end as language,
                  case when o.contact_id is null then c.time_zone else o.time_zone end
                      as time_zone,
                  case when o.contact_id is null then c.postal_code else o.postal_code end
                      as postal_code,
                  case when o.contact_id is null then c.region else o.region end as region,
                  case when k.fields then coalesce(o.first_name, c.first_name) end as first_name,
                  case when k.fields then coalesce(o.last_name, c.last_name) end as last_name,
                  case when k.fields then coalesce(o.attributes, c.attributes) end as attributes
           from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::bool[])
                with ordinality as k (tenant_id, contact_id, number, channel, fields, at)
           left join lateral (
               select * from contacts r
               where r.tenant_id = k.tenant_id and r.contact_id = k.contact_id limit 1
           ) c on true
           left join lateral (
               select * from contacts r
               where r.tenant_id = k.tenant_id and r.contact_id = c.merged_into limit 1
           ) o on true
           left join lateral (
               select 1 as one from standings r where r.tenant_id = k.tenant_id
                  and r.number = k.number and r.channel = k.channel limit 1
           ) s on true"#,
        &keys.iter().map(|key| key.tenant.as_str()).collect::<Vec<_>>() as _,
        &keys.iter().map(|key| key.contact.0).collect::<Vec<_>>(),
        &keys.iter().map(|key| key.address.as_str()).collect::<Vec<_>>() as _,
        &keys.iter().map(|key| key.channel.as_str()).collect::<Vec<_>>() as _,
        &keys.iter().map(|key| key.fields).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut found = vec![ContactOnFile::default(); keys.len()];
    for row in rows {
        let mut fields = row.attributes.map(own_fields).unwrap_or_default();
        let names = [("first_name", row.first_name), ("last_name", row.last_name)];
        fields.extend(names.into_iter().filter_map(|(name, value)| Some((name.into(), value?))));
        let contact = Person {
            language: row.language,
            time_zone: row.time_zone,
            postal_code: row.postal_code,
            region: row.region,
            fields,
        };

        let contact = row.known.then_some(contact);
        found[index(row.at)] = ContactOnFile { contact, recipient: row.standing };
    }
    Ok(found)
}

/// A contact's own fields as text. What is no text or number does not fill a template.
fn own_fields(attributes: Value) -> HashMap<String, String> {
    let Value::Object(fields) = attributes else { return HashMap::new() };
    let text = |value| match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    fields.into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect()
}

/// Everything that texts and senders come from, for the whole batch: messages by their origins and
/// channels.
pub async fn supplies<'a>(
    tx: &mut Scoped,
    now: Timestamp,
    origins: impl Iterator<Item = (Origin<'a>, Channel)>,
) -> Result<Supplies, Fault> {
    let mut tenants = BTreeSet::new();
    let mut campaigns = BTreeSet::new();
    let mut templates = BTreeSet::new();
    let mut with_pool = BTreeSet::new();
    let mut free = BTreeSet::new();
    let mut at_carrier: BTreeSet<TemplateName> = BTreeSet::new();
    let mut media: BTreeSet<(&TenantId, MediaId)> = BTreeSet::new();
    let mut on_whatsapp = BTreeSet::new();
    for (Origin { tenant, campaign, content, from }, channel) in origins {
        tenants.insert(tenant);
        match channel {
            Channel::Sms => {}
            Channel::Whatsapp => {
                on_whatsapp.insert(tenant);
            }
        }
        match content {
            Content::Body(_) => {}
            Content::Carrier(template) => {
                let (name, language) = (template.name.clone(), template.language.clone());
                at_carrier.insert((tenant.clone(), name, language));
            }
            Content::Media { media: named, .. } => {
                media.extend(named.iter().filter_map(|one| Some((tenant, one.parse().ok()?))));
            }
            Content::Template { id, .. } => {
                templates.insert((tenant, *id));
            }
            Content::Campaign => campaigns.extend(campaign.map(|id| (tenant, id))),
        }
        match from {
            From::Sender(_) => {}
            From::Pool(id) => {
                with_pool.insert((tenant, *id));
            }
            From::Any => {
                free.insert(tenant);
            }
        }
    }

    let campaigns = campaign_texts(tx, &campaigns).await?;
    let templates = template_variants(tx, &templates).await?;
    let (tenants, whatsapp_rates) = defaults(tx, &tenants, (&on_whatsapp, now)).await?;
    let texts = Texts::parse(campaigns, templates);
    at_carrier.extend(texts.carrier_templates().map(|(tenant, template)| {
        (tenant.clone(), template.name.clone(), template.language.clone())
    }));
    let pools = pools(tx, now, &with_pool).await?;
    let senders = senders(tx, now, &free).await?;
    let of_pools = pools.iter().flat_map(|((tenant, _), of)| of.iter().map(move |of| (tenant, of)));
    let of_tenants = senders.iter().flat_map(|(tenant, of)| of.iter().map(move |of| (tenant, of)));
    let candidates: BTreeSet<(&TenantId, SenderId)> =
        of_pools.chain(of_tenants).map(|(tenant, of)| (tenant, of.id)).collect();
    let without_template = without_template(tx, &at_carrier, &candidates).await?;
    Ok(Supplies {
        tenants,
        whatsapp_rates,
        template_categories: template_categories(tx, &at_carrier).await?,
        without_template,
        texts,
        pools,
        senders,
        media: crate::media::stored(tx, &media).await?,
    })
}

/// The defaults of these tenants.
pub async fn tenants(
    tx: &mut Scoped,
    tenants: &BTreeSet<&TenantId>,
) -> Result<HashMap<TenantId, TenantDefaults>, Fault> {
    let nobody = (&BTreeSet::new(), Timestamp::UNIX_EPOCH);
    Ok(defaults(tx, tenants, nobody).await?.0)
}

/// What messages on WhatsApp cost, by tenant.
type Rates = HashMap<TenantId, WhatsappRates>;

/// The defaults of these tenants, and what messages on WhatsApp cost at a time, of those that send
/// such: prices are many.
async fn defaults(
    tx: &mut Scoped,
    tenants: &BTreeSet<&TenantId>,
    (on_whatsapp, at): (&BTreeSet<&TenantId>, Timestamp),
) -> Result<(HashMap<TenantId, TenantDefaults>, Rates), Fault> {
    let names = |of: &BTreeSet<&TenantId>| of.iter().map(|one| one.to_string()).collect::<Vec<_>>();
    let rows = sqlx::query!(
        r#"select t.tenant_id, t.name, t.language, t.time_zone, (
               select r.body from whatsapp_rates r
               where t.tenant_id = any($2) and r.tenant_id = t.tenant_id and r.valid_from <= $3
               order by r.valid_from desc, r.version desc limit 1
           ) as rates
           from tenants t where t.tenant_id = any($1)"#,
        &names(tenants),
        &names(on_whatsapp),
        at.to_sqlx() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let (mut defaults, mut rates) = (HashMap::with_capacity(rows.len()), Rates::new());
    for row in rows {
        let tenant = keyed::tenant(&row.tenant_id);
        if let Some(said) = row.rates {
            rates.insert(tenant.clone(), document(said, "body")?);
        }
        let zone = Zone::read(&row.time_zone).ok();
        let of_tenant = TenantDefaults { name: row.name, language: row.language, zone };
        defaults.insert(tenant, of_tenant);
    }
    Ok((defaults, rates))
}

/// What campaigns' messages are made from, as JSON: the variants of the template versions that they
/// have fixed, or their templates of the carrier.
async fn campaign_texts(
    tx: &mut Scoped,
    campaigns: &BTreeSet<(&TenantId, CampaignId)>,
) -> Result<HashMap<(TenantId, CampaignId), String>, Fault> {
    if campaigns.is_empty() {
        return Ok(HashMap::new());
    }
    let (tenants, ids): (Vec<&str>, Vec<Uuid>) =
        campaigns.iter().map(|(tenant, id)| (tenant.as_str(), id.0)).unzip();

    let rows = sqlx::query!(
        r#"select c.tenant_id, c.campaign_id,
                  coalesce(c.carrier_template, v.variants)::text as "text!"
           from unnest($1::text[], $2::uuid[]) as k (tenant_id, campaign_id)
           join campaigns c on c.tenant_id = k.tenant_id and c.campaign_id = k.campaign_id
           left join lateral (
               select t.variants from template_versions t
               where t.tenant_id = c.tenant_id and t.template_id = c.template_id
                 and (c.template_version is null or t.version = c.template_version)
               order by t.version desc limit 1
           ) v on true
           where coalesce(c.carrier_template, v.variants) is not null"#,
        &tenants as _,
        &ids,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let texts = rows
        .into_iter()
        .map(|row| ((keyed::tenant(&row.tenant_id), CampaignId(row.campaign_id)), row.text));
    Ok(texts.collect())
}

/// The variants (their JSON) of the latest versions of templates.
async fn template_variants(
    tx: &mut Scoped,
    templates: &BTreeSet<(&TenantId, TemplateId)>,
) -> Result<HashMap<(TenantId, TemplateId), String>, Fault> {
    if templates.is_empty() {
        return Ok(HashMap::new());
    }
    let (tenants, ids): (Vec<&str>, Vec<Uuid>) =
        templates.iter().map(|(tenant, id)| (tenant.as_str(), id.0)).unzip();

    let rows = sqlx::query!(
        r#"select v.tenant_id, v.template_id, v.variants::text as "variants!"
           from unnest($1::text[], $2::uuid[]) as k (tenant_id, template_id)
           cross join lateral (
               select t.tenant_id, t.template_id, t.variants from template_versions t
               where t.tenant_id = k.tenant_id and t.template_id = k.template_id
               order by t.version desc limit 1
           ) v"#,
        &tenants as _,
        &ids,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let variants = rows
        .into_iter()
        .map(|row| ((keyed::tenant(&row.tenant_id), TemplateId(row.template_id)), row.variants));
    Ok(variants.collect())
}

/// The senders of pools, in the pools' own order. One whose account has messages held for it is not
/// usable.
async fn pools(
    tx: &mut Scoped,
    now: Timestamp,
    pools: &BTreeSet<(&TenantId, PoolId)>,
) -> Result<HashMap<(TenantId, PoolId), Vec<SenderCandidate>>, Fault> {
    if pools.is_empty() {
        return Ok(HashMap::new());
    }
    let (tenants, ids): (Vec<&str>, Vec<Uuid>) =
        pools.iter().map(|(tenant, id)| (tenant.as_str(), id.0)).unzip();

    let rows = sqlx::query!(
        r#"select p.tenant_id, p.pool_id, s.sender_id, s.channel, s.country, s.active_since,
                  s.usable and (
                      select true from parked w
                      where w.tenant_id = s.tenant_id and w.cause_key = s.account_cause
                      order by w.parked_at, w.message_id limit 1
                  ) is null as "usable!"
           from unnest($1::text[], $2::uuid[]) as k (tenant_id, pool_id)
           join pools p on p.tenant_id = k.tenant_id and p.pool_id = k.pool_id
           cross join lateral unnest(p.senders) with ordinality as m (sender_id, at)
           join senders s on s.tenant_id = p.tenant_id and s.sender_id = m.sender_id
           order by p.tenant_id, p.pool_id, m.at"#,
        &tenants as _,
        &ids,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut found: HashMap<_, Vec<SenderCandidate>> = HashMap::new();
    for row in rows {
        let key = (keyed::tenant(&row.tenant_id), PoolId(row.pool_id));
        let active = row.active_since.to_jiff() <= now;
        let channel = word(&row.channel)?;
        let sender = candidate(row.sender_id, channel, &row.country, row.usable, active);
        found.entry(key).or_default().push(sender);
    }
    Ok(found)
}

/// All senders of tenants, by id, at most 400 of each; likewise.
async fn senders(
    tx: &mut Scoped,
    now: Timestamp,
    tenants: &BTreeSet<&TenantId>,
) -> Result<HashMap<TenantId, Vec<SenderCandidate>>, Fault> {
    if tenants.is_empty() {
        return Ok(HashMap::new());
    }
    let names: Vec<&str> = tenants.iter().map(|tenant| tenant.as_str()).collect();

    let rows = sqlx::query!(
        r#"select s.tenant_id, s.sender_id, s.channel, s.country, s.active_since,
                s.usable and (
                    select true from parked w
                    where w.tenant_id = s.tenant_id and w.cause_key = s.account_cause
                    order by w.parked_at, w.message_id limit 1
                ) is null as "usable!"
         from unnest($1::text[]) as k (tenant_id)
         cross join lateral (
             select * from senders r where r.tenant_id = k.tenant_id and r.removed_at is null
             order by r.sender_id limit 400
         ) s
         order by s.tenant_id, s.sender_id"#,
        &names as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut found: HashMap<_, Vec<SenderCandidate>> = HashMap::new();
    for row in rows {
        let active = row.active_since.to_jiff() <= now;
        let channel = word(&row.channel)?;
        let sender = candidate(row.sender_id, channel, &row.country, row.usable, active);
        found.entry(keyed::tenant(&row.tenant_id)).or_default().push(sender);
    }
    Ok(found)
}

fn candidate(
    id: Uuid,
    channel: Channel,
    country: &str,
    usable: bool,
    active: bool,
) -> SenderCandidate {
    let (id, country) = (SenderId(id), country.parse().ok());
    SenderCandidate { id, channel, country, usable, active, has_template: true }
}
