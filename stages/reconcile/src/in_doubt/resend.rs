//! What goes back to the gates of a text that was never sent. `send` stores the message with the
//! doubt that it raises. Where the process that called died first, the message is rebuilt from its
//! row, and where the person may be is looked up afresh.

use std::collections::{BTreeSet, HashMap};

use domain::{
    draft,
    ids::{MessageId, TenantId},
    message::passport::Stamp,
};
use stage::{Fault, StageName};
use store::{
    Scoped,
    drafts::{self, ContactKey},
    messages::{conclude::Waiting, in_doubt::Open},
};
use wire::{Enriched, message::Head};

/// The parked rows of messages, each with the stamp of the decision. A message that cannot be put
/// together again is not in the answer.
pub(super) async fn payloads(
    tx: &mut Scoped,
    tenant: &TenantId,
    resent: &[(&Open, &Stamp)],
) -> Result<HashMap<MessageId, Waiting>, Fault> {
    let mut waiting = HashMap::new();
    for (one, stamp) in resent {
        let enriched = match stored(one) {
            Some(stored) => Some(stored),
            None => rebuilt(tx, tenant, one).await?,
        };
        let Some(mut enriched) = enriched else {
            tracing::error!(%tenant, message = %one.message.id, "it cannot be sent again");
            continue;
        };

        enriched.head.turn = one.message.turn;
        enriched.passport = one.passport.clone();
        enriched.passport.stamp((*stamp).clone());

        let code = stamp.code.as_deref().unwrap_or_default();
        let row = Waiting {
            cause: format!("{}:{code}", StageName::Reconcile.as_str()),
            cause_key: None,
            line: None,
            expires_at: enriched.head.expires_at,
            lane: enriched.head.class.lane(),
            payload: serde_json::to_string(&enriched).expect("plain data with string keys"),
        };
        waiting.insert(one.message.id, row);
    }
    Ok(waiting)
}

/// The message as `send` stored it with the doubt.
fn stored(one: &Open) -> Option<Enriched> {
    serde_json::from_value(one.payload.clone()?).ok()
}

/// The message, put together from its row. Its sender stays the one that the gates chose: no row
/// says which others there were.
async fn rebuilt(
    tx: &mut Scoped,
    tenant: &TenantId,
    one: &Open,
) -> Result<Option<Enriched>, Fault> {
    let message = &one.message;
    let (Some(to), Some(sender)) = (&one.address, message.sender) else {
        return Ok(None);
    };

    let contact = message.contact;
    let key = ContactKey { tenant, contact, address: to, channel: one.channel, fields: false };
    let found = drafts::contacts(tx, &[key]).await?.pop().unwrap_or_default();
    let defaults = drafts::tenants(tx, &BTreeSet::from([tenant])).await?;
    let zone = defaults.get(tenant).and_then(|defaults| defaults.zone);

    let head = Head {
        id: message.id,
        tenant: tenant.clone(),
        turn: message.turn,
        class: message.class,
        channel: one.channel,
        to: to.clone(),
        campaign: message.campaign,
        submitted_at: one.submitted_at,
        expires_at: one.expires_at,
        on_late: one.on_late,
        trace: None,
    };

    Ok(Some(Enriched {
        place: draft::place(to, &found.contact.unwrap_or_default(), zone),
        head,
        contact,
        text: one.text.clone(),
        media: one.media.clone(),
        // Its carrier lists nothing, so that no template and nothing rich is ever sent again from
        // here.
        template: None,
        rich: None,
        segments: message.segments,
        cost: message.cost,
        senders: vec![sender],
        placed: None,
        passport: one.passport.clone(),
    }))
}
