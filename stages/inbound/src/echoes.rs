//! What people of the company answer on the phone that has the number itself. Nobody is asked to
//! answer it, and nothing in it is a stop: the company has written it. It stands in the
//! conversation, once, and what the assistant has begun or said there and has not gone out does not
//! go out any more. Repeated, it changes nothing, and does what a fault has left undone.

use carriers::{Carrier, PhoneEcho};
use domain::{
    address::{Address, AddressKind, CarrierId},
    ids::{ConversationId, SenderId, TenantId, carrier_id},
    message::passport::Stamp,
};
use stage::{Cx, Fault, StageName};
use store::{
    Store,
    contacts::join::ToldName,
    conversations::echoes,
    messages::withdraw::{self, PERSON_ANSWERS, WithdrawOutcome},
};
use wire::WebhookRequest;

use crate::{
    contacts,
    load::{self, Owners},
};

/// In how many conversations one query looks for what the assistant has answered. Of a request that
/// tells of more, the next are looked at once what waits in these is withdrawn.
const LOOKED_AT_ONCE: usize = 64;

/// A text of a phone, with the request that tells of it.
pub(crate) struct Told<'a> {
    /// Which request of the batch it is.
    pub(crate) index: usize,
    request: &'a WebhookRequest,
    carrier: Carrier,
    echo: PhoneEcho,
}

/// What a batch tells of phones.
pub(crate) fn told(requests: &[WebhookRequest]) -> Vec<Told<'_>> {
    requests.iter().enumerate().flat_map(of_request).collect()
}

/// Records it. A text that says not to whom it went, and one of a number that is nobody's, is left
/// out.
pub(crate) async fn record(store: &Store, cx: &Cx, told: &[Told<'_>]) -> Result<(), Fault> {
    if told.is_empty() {
        return Ok(());
    }

    // load
    let named = told.iter().map(|one| (one.request, one.echo.from.as_str()));
    let owners = load::owners_of_numbers(store, named).await?;

    // decide
    let read = told.iter().filter_map(|Told { request, carrier, echo, .. }| {
        let entry = entry(request, *carrier, echo, &owners)?;
        let name = name(&entry, request, echo);
        Some((entry, name))
    });
    let (entries, names): (Vec<echoes::EchoEntry>, Vec<Option<ToldName>>) = read.unzip();
    if entries.is_empty() {
        return Ok(());
    }

    // record
    let names: Vec<ToldName> = names.into_iter().flatten().collect();
    contacts::join(store, &names).await?;
    let mut tx = store.scoped(entries.iter().map(|entry| entry.tenant.clone())).await?;
    let answered = echoes::record(&mut tx, &entries).await?;
    tx.commit().await.map_err(store::fault)?;
    for some in answered.chunks(LOOKED_AT_ONCE) {
        silence_assistant(store, cx, some).await?;
    }
    Ok(())
}

fn of_request((index, request): (usize, &WebhookRequest)) -> Vec<Told<'_>> {
    let Some(carrier) = Carrier::from_name(&request.carrier) else { return Vec::new() };
    let echoes = carrier.read_echoes(&request.body);
    echoes.into_iter().map(|echo| Told { index, request, carrier, echo }).collect()
}

/// The entry that a text of the phone becomes; none where it does not say to whom it went, or its
/// number is nobody's.
fn entry(
    request: &WebhookRequest,
    carrier: Carrier,
    echo: &PhoneEcho,
    owners: &Owners,
) -> Option<echoes::EchoEntry> {
    let tenant = load::owner(request, &echo.from, owners)?;
    Some(echoes::EchoEntry {
        tenant: tenant.clone(),
        id: carrier_id(&request.account, &echo.sid),
        sender: SenderId::of(tenant, &echo.from),
        channel: carrier.channel(),
        address: echo.to.parse::<Address>().ok()?.canonical(),
        body: echo.body.clone(),
        // The carrier's clock may be ahead of ours.
        at: echo.sent_at.map_or(request.received_at, |sent| sent.min(request.received_at)),
    })
}

/// What the carrier tells of the person beside the number that was written to: its own id for them.
fn name(entry: &echoes::EchoEntry, request: &WebhookRequest, echo: &PhoneEcho) -> Option<ToldName> {
    let id = echo.user_id.as_ref().filter(|id| id.parse::<CarrierId>().is_ok())?;
    Some(ToldName {
        tenant: entry.tenant.clone(),
        address: entry.address.clone(),
        kind: AddressKind::CarrierId,
        name: id.clone(),
        at: request.received_at,
    })
}

/// Withdraws what the assistant has answered in conversations and has not gone out.
async fn silence_assistant(
    store: &Store,
    cx: &Cx,
    conversations: &[(TenantId, ConversationId)],
) -> Result<(), Fault> {
    let stamp = Stamp {
        reason: Some(PERSON_ANSWERS.into()),
        ..Stamp::plain(StageName::Inbound.as_str(), cx.now, "cancel")
    };
    let times = (cx.now, cx.machine);
    let conversations: Vec<(&TenantId, ConversationId)> =
        conversations.iter().map(|(tenant, conversation)| (tenant, *conversation)).collect();
    let ended = withdraw::answers(store, &conversations, times, &stamp).await?;
    for (tenant, one) in ended {
        match one {
            WithdrawOutcome::Withdrawn(_) | WithdrawOutcome::Marked | WithdrawOutcome::Over => {}
            WithdrawOutcome::TooMany => {
                let why = "an answer may go out after a person's: too many marks wait";
                tracing::warn!(%tenant, "{why}");
            }
        }
    }
    Ok(())
}
