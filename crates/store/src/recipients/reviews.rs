//! Texts that were taken for an opt-out by other words than a keyword: they stop at once, and a
//! person says later whether they were one. What is reviewed is a line of the ledger of consent,
//! which keeps the text and the rule; the decision stands beside it.

use domain::{
    address::{Address, MAX_ADDRESSES},
    ids::TenantId,
    message::class::Channel,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped,
    core::words::{optional, word, words},
    fault,
    recipients::consent::PriorStatus,
};

/// What a person has decided about a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewDecision {
    /// It was an opt-out, which stands.
    OptedOut,
    /// It was none.
    Dismissed,
}

impl ReviewDecision {
    /// Both of the decisions.
    pub const ALL: [Self; 2] = [Self::OptedOut, Self::Dismissed];

    /// The name in rows and requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OptedOut => "opted_out",
            Self::Dismissed => "dismissed",
        }
    }

    /// The decision of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decision| decision.as_str() == name)
    }
}

words! { ReviewDecision = "decision of a review" }

domain::described_words! {
    ReviewDecision, "What a person decides about a text that was taken for an opt-out: it was one, \
        or it was none.";
}

/// A text that was taken for an opt-out. Holds personal data: `Debug` shows the id alone.
#[derive(Clone, PartialEq)]
pub struct Review {
    /// The line of the ledger that it made, and the text that came in.
    pub id: Uuid,
    /// The person's address, as the line has it.
    pub address: String,
    /// The channel that it came on.
    pub channel: Channel,
    /// The program that it has left; none: everything.
    pub program: Option<String>,
    /// What was written; none where the ledger does not keep it.
    pub text: Option<String>,
    /// The rule of the lexicon that matched.
    pub rule: Option<String>,
    /// The status of the address before it.
    pub previous: Option<PriorStatus>,
    /// Business time at which it came.
    pub at: Timestamp,
    /// What was decided, when and by whom; none while nobody has decided.
    pub decided: Option<(ReviewDecision, Timestamp, String)>,
}

impl std::fmt::Debug for Review {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Review({})", self.id)
    }
}

/// Which reviews are wanted; what is none filters nothing.
#[derive(Debug, Default)]
pub struct ReviewFilter<'a> {
    /// Of this line alone.
    pub id: Option<Uuid>,
    /// Of this address.
    pub address: Option<&'a str>,
    /// Those that are decided, or those that are not.
    pub decided: Option<bool>,
    /// Those that came at this instant or later.
    pub since: Option<Timestamp>,
}

/// The reviews before a time and id, the latest first.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    filter: &ReviewFilter<'_>,
    before: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> Result<Vec<Review>, Fault> {
    let rows = sqlx::query!(
        r#"select c.consent_id, c.number, c.channel, c.program, c.evidence ->> 'words' as text,
                  c.evidence ->> 'rule' as rule, c.previous, c.at, d.decision as "decision?",
                  d.decided_at as "decided_at?", d.decided_by as "decided_by?"
           from consents c
           left join review_decisions d
             on d.tenant_id = c.tenant_id and d.consent_id = c.consent_id
           where c.tenant_id collate "C" = $1 and c.method = 'phrase' and c.action = 'revoke'
             and ($2::timestamptz is null or (c.at, c.consent_id) < ($2, $3::uuid))
             and ($4::uuid is null or c.consent_id = $4)
             and ($5::text is null or c.number = $5)
             and ($6::boolean is null or (d.consent_id is not null) = $6)
             and ($7::timestamptz is null or c.at >= $7)
           order by c.at desc, c.consent_id desc limit $8"#,
        tenant.as_str(),
        before.map(|(at, _)| at.to_sqlx()) as _,
        before.map(|(_, id)| id),
        filter.id,
        filter.address,
        filter.decided,
        filter.since.map(|since| since.to_sqlx()) as _,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let review = rows.into_iter().map(|row| {
        let decision: Option<ReviewDecision> = optional(row.decision.as_deref())?;
        let decided_at = row.decided_at.map(|at| at.to_jiff());
        let decided = decision.zip(decided_at).zip(row.decided_by);
        Ok(Review {
            id: row.consent_id,
            address: row.number,
            channel: word(&row.channel)?,
            program: row.program,
            text: row.text,
            rule: row.rule,
            previous: optional(row.previous.as_deref())?,
            at: row.at.to_jiff(),
            decided: decided.map(|((decision, at), by)| (decision, at, by)),
        })
    });
    review.collect()
}

/// Whether the person has said stop at another address of the contact on the same channel, in what
/// this text would have stopped: that stands, and so does the stop of this address. What has been
/// taken back since, or dismissed, does not count.
pub async fn is_stopped_elsewhere(
    tx: &mut Scoped,
    tenant: &TenantId,
    review: &Review,
) -> Result<bool, Fault> {
    let Ok(address) = review.address.parse::<Address>() else { return Ok(false) };

    sqlx::query_scalar!(
        r#"select exists (
               select from unnest($1::text[], $2::text[], $3::text[])
                           as k (tenant_id, kind, address)
               cross join lateral (
                   select * from contact_addresses r where r.tenant_id = k.tenant_id
                      and r.kind = k.kind and r.address = k.address limit 1
               ) a
               cross join lateral (
                   select * from contact_addresses r where r.contact_id = a.contact_id limit $7
               ) o
               cross join lateral (
                   select * from consents r
                   where r.tenant_id = o.tenant_id and r.number = o.address and r.channel = $4
                     and r.action = 'revoke' and r.method <> 'contact' and r.consent_id <> $5
                     and ($6::text is null or r.program is null or r.program = $6)
                     and (select true from consents n
                          where n.tenant_id = r.tenant_id and n.number = r.number
                            and n.channel = r.channel and n.action = 'restore' and n.at >= r.at
                            and (n.program is null or n.program = r.program) limit 1) is null
                     and (select true from review_decisions d
                          where d.tenant_id = r.tenant_id and d.consent_id = r.consent_id
                            and d.decision = 'dismissed' limit 1) is null
                   limit 1
               ) c
               where o.tenant_id = k.tenant_id and o.address <> k.address) as "is_stopped!""#,
        &[tenant.as_str()] as _,
        &[address.kind().as_str()] as _,
        &[address.as_str()] as _,
        review.channel.as_str(),
        review.id,
        review.program.as_deref(),
        MAX_ADDRESSES as i64,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)
}

/// Writes a decision down. Says whether it is the first: the first stands.
pub async fn decide(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: Uuid,
    (decision, at, by): (ReviewDecision, Timestamp, &str),
) -> Result<bool, Fault> {
    let written = sqlx::query!(
        "insert into review_decisions (tenant_id, consent_id, decision, decided_at, decided_by)
         values ($1, $2, $3, $4, $5) on conflict do nothing",
        tenant.as_str(),
        id,
        decision.as_str(),
        at.to_sqlx() as _,
        by,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(written.rows_affected() == 1)
}
