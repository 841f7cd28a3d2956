//! What is known of texts that want an answer.

use std::collections::HashMap;

use jiff::Timestamp;
use stage::Fault;
use store::{
    Store,
    conversations::replies::{self, Ask, ReplyFacts},
};
use uuid::Uuid;

use crate::decide::since;

/// Loads what is known of these questions, by text.
pub(crate) async fn load(
    store: &Store,
    now: Timestamp,
    asks: &[Ask],
) -> Result<HashMap<Uuid, ReplyFacts>, Fault> {
    let mut tx = store.scoped(asks.iter().map(|ask| &ask.tenant)).await?;
    let facts = replies::facts(&mut tx, asks, since(now)).await?;
    Ok(facts.into_iter().map(|facts| (facts.inbound, facts)).collect())
}
