//! What is known of the texts of a batch, by thread.

use std::collections::{BTreeMap, HashMap};

use domain::{
    ids::{ConversationId, MessageId, TenantId},
    lexicon,
};
use jiff::Timestamp;
use stage::Fault;
use store::{
    Store,
    conversations::replies::{self, Ask, ReplyDecided, ReplyFacts},
};
use uuid::Uuid;
use wire::InboundText;

use crate::decide::since;

/// A text of the batch, and what is known of its thread.
pub(crate) struct Asked<'a> {
    /// The index to answer it by.
    pub(crate) index: usize,
    pub(crate) text: &'a InboundText,
    pub(crate) ask: Ask,
    /// None where nothing is known of the thread.
    pub(crate) facts: Option<ReplyFacts>,
}

impl Asked<'_> {
    /// What was decided about it before, if anything.
    pub(crate) fn decided(&self) -> Option<&ReplyDecided> {
        self.facts.as_ref()?.decided.as_ref()
    }

    /// Counts the questions of the batch that were asked before it in its thread.
    pub(crate) fn count(&mut self, words: &[String]) {
        let Some(facts) = &mut self.facts else { return };
        let questions = i64::try_from(words.len()).unwrap_or(i64::MAX);
        facts.had.in_thread += questions;
        facts.had.today += questions;
        facts.had.to_same_words |= words.contains(&self.ask.wording);
    }
}

/// The texts of one thread, in the order of the batch.
pub(crate) type Thread<'a> = Vec<Asked<'a>>;

/// Loads what is known of the texts, and sorts them by thread.
pub(crate) async fn load<'a>(
    store: &Store,
    now: Timestamp,
    texts: &'a [InboundText],
) -> Result<Vec<Thread<'a>>, Fault> {
    let asks: Vec<Ask> = texts.iter().map(ask).collect();
    let mut tx = store.scoped(texts.iter().map(|text| text.tenant.clone())).await?;
    let facts = replies::facts(&mut tx, &asks, since(now)).await?;
    let facts: HashMap<Uuid, ReplyFacts> =
        facts.into_iter().map(|facts| (facts.inbound, facts)).collect();

    let mut threads: BTreeMap<ConversationId, Thread<'_>> = BTreeMap::new();
    for (index, (text, ask)) in texts.iter().zip(asks).enumerate() {
        let asked = Asked { index, text, ask, facts: facts.get(&text.id).cloned() };
        threads.entry(text.conversation).or_default().push(asked);
    }
    Ok(by_turns(threads.into_values(), |thread| thread.first().map(|asked| &asked.text.tenant)))
}

/// Threads so that their tenants take turns: each one's first, each one's second, and so on.
fn by_turns<T>(
    threads: impl Iterator<Item = T>,
    tenant_of: impl Fn(&T) -> Option<&TenantId>,
) -> Vec<T> {
    let mut had: HashMap<Option<TenantId>, usize> = HashMap::new();
    let mut turns: Vec<(usize, T)> = Vec::new();
    for thread in threads {
        let turn = had.entry(tenant_of(&thread).cloned()).or_default();
        *turn += 1;
        turns.push((*turn, thread));
    }

    turns.sort_by_key(|(turn, _)| *turn);
    turns.into_iter().map(|(_, thread)| thread).collect()
}

fn ask(text: &InboundText) -> Ask {
    Ask {
        tenant: text.tenant.clone(),
        inbound: text.id,
        conversation: text.conversation,
        message: MessageId::from_burst(text.conversation, text.epoch, text.id),
        epoch: text.epoch,
        address: text.address.clone(),
        channel: text.channel,
        contact: text.contact,
        wording: lexicon::wording(&text.body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenants_of_a_batch_take_turns() {
        let of = |tenant: &str, n| (tenant.parse::<TenantId>().expect("a tenant"), n);
        let threads = [of("flood", 1), of("flood", 2), of("flood", 3), of("other", 4)];

        let turns = by_turns(threads.into_iter(), |thread| Some(&thread.0));
        assert_eq!(turns.iter().map(|thread| thread.1).collect::<Vec<_>>(), [1, 4, 2, 3]);
    }
}
