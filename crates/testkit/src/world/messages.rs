//! Messages as the api and as enrich say them. A test changes what it is about.

use domain::{
    address::Address,
    draft::{self, Person},
    ids::{ContactId, MessageId, TenantId},
    message::{
        class::{Channel, MessageClass},
        passport::Passport,
    },
    money::Micros,
};
use wire::{
    Enriched, Submitted,
    message::{Content, From, Head},
};

use super::now;

/// What a text of one segment costs.
pub const COST: Micros = Micros(7_900);

/// The number of person `n`, who lives in New York.
///
/// # Panics
/// When the number has more than four digits.
pub fn person(n: u32) -> Address {
    format!("+1212555{n:04}").parse().expect("an address")
}

/// A transactional message to person `n` as the api accepted it, under the key `n`.
pub fn submitted(tenant: &TenantId, n: u32, text: &str) -> Submitted {
    let message = Submitted {
        head: head(tenant, n, MessageClass::Transactional),
        content: Content::Body(text.into()),
        from: From::Any,
        body_hash: String::new(),
        metadata: Default::default(),
        batch: None,
        rich: None,
    };
    message.with_body_hash()
}

/// A promotion to person `n` as enrich completed it, without senders and without a stamp.
pub fn enriched(tenant: &TenantId, n: u32) -> Enriched {
    let to = person(n);
    Enriched {
        contact: ContactId::of(tenant, to.as_str()),
        text: "hello".into(),
        media: Vec::new(),
        template: None,
        rich: None,
        segments: 1,
        cost: COST,
        place: draft::place(&to, &Person::default(), None),
        senders: Vec::new(),
        placed: None,
        passport: Passport::default(),
        head: head(tenant, n, MessageClass::Promo),
    }
}

fn head(tenant: &TenantId, n: u32, class: MessageClass) -> Head {
    Head {
        id: MessageId::from_key(tenant, &n.to_string()),
        tenant: tenant.clone(),
        turn: 1,
        class,
        channel: Channel::Sms,
        to: person(n),
        campaign: None,
        submitted_at: now(),
        expires_at: None,
        on_late: None,
        trace: None,
    }
}
