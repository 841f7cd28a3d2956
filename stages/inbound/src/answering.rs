//! Which texts of a batch get which answer by themselves. Pure.

use std::collections::{HashMap, HashSet};

use domain::{
    automatic::{AnsweredPerson, AutomaticAnswer, ComplianceRequest},
    ids::{ContactId, TenantId},
    message::class::Channel,
};
use store::conversations::inbound::{Meaning, NewText, Thread};
use uuid::Uuid;

/// The people of a batch on their channels, as they were before it.
pub(crate) type People = HashMap<(TenantId, ContactId, Channel), AnsweredPerson>;

/// The answers of texts that were stored just now, in the order in which they came: each changes
/// what the next one of its person gets. A number that is no sender answers nothing. `by_carrier`
/// holds those that the carrier has answered.
pub(crate) fn decide<'a>(
    texts: &'a [NewText],
    threads: &HashMap<Uuid, Thread>,
    by_carrier: &HashSet<Uuid>,
    mut people: People,
) -> Vec<(&'a TenantId, Uuid, AutomaticAnswer)> {
    let mut new: Vec<&NewText> = texts.iter().filter(|text| threads[&text.id].first).collect();
    new.sort_by_key(|text| (text.received_at, text.id));

    let answer = |text: &'a NewText| {
        if !threads[&text.id].is_to_sender {
            return None;
        }
        let person = people.get_mut(&(text.tenant.clone(), text.contact, text.channel))?;
        let request = request(text.meaning, &threads[&text.id])?;
        let answer = person.answer(request, by_carrier.contains(&text.id))?;
        Some((&text.tenant, text.id, answer))
    };
    new.into_iter().filter_map(answer).collect()
}

/// What a text asks for that is answered; none where nothing is. Who has said stop since is not
/// told that messages will come again.
fn request(meaning: Meaning, thread: &Thread) -> Option<ComplianceRequest<'_>> {
    match meaning {
        Meaning::OptOut => Some(ComplianceRequest::OptOut { program: thread.program.as_deref() }),
        Meaning::OptIn => (!thread.overtaken).then_some(ComplianceRequest::OptIn),
        Meaning::Help => Some(ComplianceRequest::Help),
        Meaning::Text | Meaning::Reaction | Meaning::Automatic => None,
    }
}
