//! Recipient statuses as people read them: lists and single look-ups. The gates and the claim read
//! the same rows in their own way ([`super::status`]); [`super::consent`] changes them.

use domain::{
    address::Address,
    gates::{Basis, Stops},
    ids::TenantId,
    message::class::Channel,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;

use crate::{
    Scoped,
    core::words::{Unreadable, optional, word},
    fault,
    recipients::consent::ConsentMethod,
};

/// What a tenant knows of an address on one channel. Holds the address: `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct RecipientRow {
    /// The person's address, as the row has it.
    pub address: String,
    /// The channel group that it holds for.
    pub channel: Channel,
    /// When the person said stop.
    pub opted_out_at: Option<Timestamp>,
    /// How they said it.
    pub opt_out_cause: Option<ConsentMethod>,
    /// Programs that the person has left, while not everything.
    pub stopped_programs: Vec<String>,
    /// When the tenant or the platform put it on the do-not-contact list.
    pub do_not_contact_at: Option<Timestamp>,
    /// The reason that was given.
    pub do_not_contact_reason: Option<String>,
    /// What that entry stops; none: marketing, as of entries from before.
    pub do_not_contact_stops: Option<Stops>,
    /// Business time of the latest consent to marketing.
    pub marketing_consent_at: Option<Timestamp>,
    /// The legal ground of the consent, where one was given.
    pub consent_basis: Option<Basis>,
    /// When the consent ends; none: it does not end.
    pub consent_expires_at: Option<Timestamp>,
}

impl RecipientRow {
    /// What the entry of the do-not-contact list stops; none where it is not on the list.
    pub fn stops(&self) -> Option<Stops> {
        self.do_not_contact_at.map(|_| self.do_not_contact_stops.unwrap_or_default())
    }
}

impl std::fmt::Debug for RecipientRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Standing")
            .field("channel", &self.channel)
            .field("opted_out_at", &self.opted_out_at)
            .field("do_not_contact_at", &self.do_not_contact_at)
            .field("marketing_consent_at", &self.marketing_consent_at)
            .finish_non_exhaustive()
    }
}

/// The columns of a recipient status, with the timestamps as the driver gives them.
struct Row {
    number: String,
    channel: String,
    opted_out_at: Option<jiff_sqlx::Timestamp>,
    opt_out_cause: Option<String>,
    stopped_programs: Vec<String>,
    do_not_contact_at: Option<jiff_sqlx::Timestamp>,
    do_not_contact_reason: Option<String>,
    do_not_contact_stops: Option<String>,
    marketing_consent_at: Option<jiff_sqlx::Timestamp>,
    consent_basis: Option<String>,
    consent_expires_at: Option<jiff_sqlx::Timestamp>,
}

impl TryFrom<Row> for RecipientRow {
    type Error = Unreadable;

    fn try_from(row: Row) -> Result<Self, Unreadable> {
        Ok(Self {
            address: row.number,
            channel: word(&row.channel)?,
            opted_out_at: row.opted_out_at.map(|at| at.to_jiff()),
            opt_out_cause: optional(row.opt_out_cause.as_deref())?,
            stopped_programs: row.stopped_programs,
            do_not_contact_at: row.do_not_contact_at.map(|at| at.to_jiff()),
            do_not_contact_reason: row.do_not_contact_reason,
            do_not_contact_stops: optional(row.do_not_contact_stops.as_deref())?,
            marketing_consent_at: row.marketing_consent_at.map(|at| at.to_jiff()),
            consent_basis: optional(row.consent_basis.as_deref())?,
            consent_expires_at: row.consent_expires_at.map(|at| at.to_jiff()),
        })
    }
}

/// The statuses of these addresses on a channel; those without a row are missing. `lock` keeps them
/// from changing until the transaction ends; they are locked in key order.
pub async fn load(
    tx: &mut Scoped,
    tenant: &TenantId,
    addresses: &[Address],
    channel: Channel,
    lock: bool,
) -> Result<Vec<RecipientRow>, Fault> {
    let addresses: Vec<&str> = addresses.iter().map(Address::as_str).collect();
    if lock {
        sqlx::query!(
            "select number from standings
             where tenant_id = $1 and number = any ($2) and channel = $3
             order by number for update",
            tenant.as_str(),
            &addresses as _,
            channel.as_str(),
        )
        .fetch_all(&mut **tx)
        .await
        .map_err(fault)?;
    }

    let rows = sqlx::query_as!(
        Row,
        "select number, channel, opted_out_at, opt_out_cause, stopped_programs, do_not_contact_at,
                do_not_contact_reason, do_not_contact_stops, marketing_consent_at,
                consent_basis, consent_expires_at
         from standings where tenant_id = $1 and number = any ($2) and channel = $3",
        tenant.as_str(),
        &addresses as _,
        channel.as_str(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().map(RecipientRow::try_from).collect::<Result<_, _>>()?)
}

/// Which stopped addresses a reader wants.
#[derive(Debug, Clone, Default)]
pub struct StoppedFilter {
    /// This one alone.
    pub address: Option<Address>,
    /// On this channel.
    pub channel: Option<Channel>,
    /// `Some(true)`: on the do-not-contact list. `Some(false)`: opted out, of everything or of a
    /// program.
    pub listed: Option<bool>,
    /// Stopped at this time or later.
    pub since: Option<Timestamp>,
}

/// Addresses of a tenant that must not be contacted or have opted out, after one and its channel,
/// in that order.
pub async fn list_stopped(
    tx: &mut Scoped,
    tenant: &TenantId,
    filter: &StoppedFilter,
    after: (&str, &str),
    limit: i64,
) -> Result<Vec<RecipientRow>, Fault> {
    let rows = sqlx::query_as!(
        Row,
        "select number, channel, opted_out_at, opt_out_cause, stopped_programs, do_not_contact_at,
                do_not_contact_reason, do_not_contact_stops, marketing_consent_at,
                consent_basis, consent_expires_at
         from standings
         where tenant_id = $1 and (number, channel) > ($2, $3)
           and ($4::text is null or number = $4) and ($5::text is null or channel = $5)
           and case when $6::bool then do_not_contact_at is not null
                    when not $6 then opted_out_at is not null or stopped_programs <> '{}'
                    else opted_out_at is not null or do_not_contact_at is not null
                      or stopped_programs <> '{}' end
           and ($7::timestamptz is null or opted_out_at >= $7 or do_not_contact_at >= $7)
         order by number, channel limit $8",
        tenant.as_str(),
        after.0,
        after.1,
        filter.address.as_ref().map(Address::as_str),
        filter.channel.map(Channel::as_str),
        filter.listed,
        filter.since.map(|at| at.to_sqlx()) as _,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().map(RecipientRow::try_from).collect::<Result<_, _>>()?)
}

/// An address that has had a promotion lately: `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Suppressed {
    /// The person's address, as the row has it.
    pub address: String,
    /// The channel group that it holds for.
    pub channel: Channel,
    /// When the last promotion was admitted.
    pub last_promo_at: Timestamp,
}

impl std::fmt::Debug for Suppressed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Suppressed(since {})", self.last_promo_at)
    }
}

/// Addresses whose last promotion was after `since`, after one and its channel, in that order.
pub async fn list_suppressed(
    tx: &mut Scoped,
    tenant: &TenantId,
    address: Option<&Address>,
    since: Timestamp,
    after: (&str, &str),
    limit: i64,
) -> Result<Vec<Suppressed>, Fault> {
    let rows = sqlx::query!(
        r#"select number, channel, last_promo_at as "last_promo_at!" from standings
           where tenant_id = $1 and (number, channel) > ($2, $3)
             and ($4::text is null or number = $4) and last_promo_at > $5
           order by number, channel limit $6"#,
        tenant.as_str(),
        after.0,
        after.1,
        address.map(Address::as_str),
        since.to_sqlx(),
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let suppressed = rows.into_iter().map(|row| {
        let (channel, last_promo_at) = (word(&row.channel)?, row.last_promo_at.to_jiff());
        Ok(Suppressed { address: row.number, channel, last_promo_at })
    });
    suppressed.collect()
}
