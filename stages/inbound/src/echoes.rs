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

/// Records what a batch tells of phones. A text that says not to whom it went, and one of a number
/// that is nobody's, is left out.
pub(crate) async fn record(
    store: &Store,
    cx: &Cx,
    requests: &[WebhookRequest],
) -> Result<(), Fault> {
    let told: Vec<(&WebhookRequest, Carrier, PhoneEcho)> =
        requests.iter().flat_map(of_request).collect();
    if told.is_empty() {
        return Ok(());
    }

    // load
    let named = told.iter().map(|(request, _, echo)| (*request, echo.from.as_str()));
    let owners = load::owners_of_numbers(store, named).await?;

    // decide
    let read = told.iter().filter_map(|(request, carrier, echo)| {
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
    for (tenant, conversation) in answered {
        silence_assistant(store, cx, &tenant, conversation).await?;
    }
    Ok(())
}

fn of_request(request: &WebhookRequest) -> Vec<(&WebhookRequest, Carrier, PhoneEcho)> {
    let Some(carrier) = Carrier::from_name(&request.carrier) else { return Vec::new() };
    let echoes = carrier.read_echoes(&request.body);
    echoes.into_iter().map(|echo| (request, carrier, echo)).collect()
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

/// Withdraws what the assistant has answered in a conversation and has not gone out.
async fn silence_assistant(
    store: &Store,
    cx: &Cx,
    tenant: &TenantId,
    conversation: ConversationId,
) -> Result<(), Fault> {
    let stamp = Stamp {
        reason: Some(PERSON_ANSWERS.into()),
        ..Stamp::plain(StageName::Inbound.as_str(), cx.now, "cancel")
    };
    let times = (cx.now, cx.machine);
    let ended = withdraw::answers(store, &[(tenant, conversation)], times, &stamp).await?;
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
