//! How people change a conversation: one row is locked, changed and written, with an event, a line
//! among its texts and one in the audit trail.

use domain::{
    conversation::Act,
    ids::{ConversationId, TenantId},
};
use jiff::Timestamp;
use serde_json::json;
use store::{
    Scoped,
    conversations::{
        entries::{self, By},
        list::{self, ListedConversation},
        row::{self, Conversation},
    },
    outbox::insert,
};
use uuid::Uuid;
use wire::{Event, EventKind, event::ConversationData};

use super::view::{ConversationView, Shown};
use crate::{
    app::App,
    audit,
    auth::{Caller, Reach},
    http::Problem,
    ids, outbox, withdraw,
};

/// A conversation that has opened, as a list shows it; locked where it is to be changed.
pub(super) async fn find(
    tx: &mut Scoped,
    tenant: &Reach,
    id: Uuid,
    lock: bool,
) -> Result<ListedConversation, Problem> {
    let none = || Problem::not_found("conversation");
    if lock {
        row::get(tx, tenant, ConversationId(id), true).await?.ok_or_else(none)?;
    }
    let found = list::shown(tx, tenant, &[id]).await?.pop();
    found.filter(|found| found.conversation.opened_at.is_some()).ok_or_else(none)
}

/// Does something with a conversation, once: where it changes nothing, nothing is told.
pub(super) async fn act(
    app: &App,
    caller: &Caller,
    id: Uuid,
    act: Act,
    change: impl FnOnce(&mut Conversation),
) -> Result<ConversationView, Problem> {
    // load
    let now = app.now();
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let mut found = find(&mut tx, &caller.tenant, id, true).await?;
    let shown = Shown::at(&mut tx, &caller.tenant, now).await?;

    // decide
    let before = found.conversation.clone();
    change(&mut found.conversation);

    // record
    if found.conversation != before {
        let event = record(&mut tx, caller, now, &mut found.conversation, act).await?;
        tx.commit().await?;
        outbox::publish_soon(app, event);
    } else {
        drop(tx);
    }
    withdraw::answers(app, caller, found.conversation.id, now).await?;

    // answer
    Ok(shown.view(found))
}

/// Writes what was done with a conversation that is locked, and gives its event.
pub(super) async fn record(
    tx: &mut Scoped,
    caller: &Caller,
    now: Timestamp,
    conversation: &mut Conversation,
    act: Act,
) -> Result<Event, Problem> {
    row::save(tx, &caller.tenant, conversation).await?;
    entries::act(tx, by(caller, conversation, now), ids::fresh(), act).await?;
    let event = event(kind(act), caller, conversation, now);
    insert(tx, std::slice::from_ref(&event)).await?;

    let ownership = &conversation.ownership;
    let detail = json!({
        "status": conversation.status, "owner": ownership.owner, "assignee": ownership.assignee,
        "inbox": conversation.inbox,
    });
    let (action, subject) = (format!("conversation.{}", act.as_str()), subject(conversation));
    audit::note(tx, caller, now, &action, subject, detail).await?;
    Ok(event)
}

/// Who does something with a conversation.
pub(super) fn by<'a>(caller: &'a Caller, conversation: &Conversation, at: Timestamp) -> By<'a> {
    let tenant: &TenantId = caller.tenant.id();
    By { tenant, conversation: conversation.id, author: &caller.subject, at }
}

/// How the audit trail names a conversation.
pub(super) fn subject(conversation: &Conversation) -> String {
    format!("conversation:{}", conversation.id)
}

/// The event that brought a conversation to its version.
pub(super) fn event(
    kind: EventKind,
    caller: &Caller,
    conversation: &Conversation,
    now: Timestamp,
) -> Event {
    let data = ConversationData {
        conversation: conversation.id,
        contact: conversation.contact,
        inbox: conversation.inbox,
        status: conversation.status,
        owner: conversation.ownership.owner,
        assignee: conversation.ownership.assignee,
        by: Some(caller.subject.clone()),
    };
    Event::new(kind, &caller.tenant, conversation.id.0, conversation.version, now, &data)
}

fn kind(act: Act) -> EventKind {
    match act {
        Act::TakenOver => EventKind::ConversationTakenOver,
        Act::HandedBack => EventKind::ConversationHandedBack,
        Act::HandedOff => EventKind::ConversationHandedOff,
        Act::Assigned => EventKind::ConversationAssigned,
        Act::Snoozed => EventKind::ConversationSnoozed,
        Act::Closed => EventKind::ConversationClosed,
        Act::Reopened => EventKind::ConversationReopened,
        Act::Labelled => EventKind::ConversationLabelled,
    }
}
