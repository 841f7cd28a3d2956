//! What came with texts beside words: rows that the stage `media` fetches. A text that was stored
//! before has its rows already.

use std::collections::HashMap;

use domain::ids::MediaId;
use stage::{Fault, machine};
use store::{
    Scoped,
    conversations::inbound::Thread,
    media::inbound::{self, ReceivedMedia},
};
use uuid::Uuid;

use crate::decide::{Arrived, Received, received};

/// Records what came with texts that were stored just now.
pub(crate) async fn record(
    tx: &mut Scoped,
    arrived: &[Arrived],
    threads: &HashMap<Uuid, Thread>,
) -> Result<(), Fault> {
    let new = received(arrived).filter(|received| threads[&received.text.id].first);
    let media: Vec<ReceivedMedia> = new.flat_map(of_text).collect();
    inbound::record(tx, &media, machine::now()).await
}

/// The ids of what came with a text, in its order.
pub(crate) fn ids(received: &Received) -> Vec<MediaId> {
    of_text(received).map(|media| media.id()).collect()
}

fn of_text(received: &Received) -> impl Iterator<Item = ReceivedMedia> {
    let (text, account) = (&received.text, &received.account);
    let rows = (0..).zip(&received.media);
    rows.map(move |(position, url)| ReceivedMedia {
        tenant: text.tenant.clone(),
        inbound: text.id,
        position,
        contact: text.contact,
        sender: text.sender,
        account: account.clone(),
        url: url.clone(),
        received_at: text.received_at,
    })
}
