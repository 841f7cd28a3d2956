//! The second leg, the carrier call: one per claimed message.

use std::time::{Duration, Instant};

use carriers::{Carrier, CarrierReply, Client, Outbound, Reference};
use futures::{StreamExt, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp};
use stage::{Batch, Cx};
use store::{
    core::seal::Sealer,
    media::link::{FOR_CARRIER, MediaLink},
    messages::claim::MadeClaim,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use wire::Admitted;

use crate::{config::SendConfig, permits::Permit};

/// The shortest validity that is told as an instant.
const SHORTEST: SignedDuration = SignedDuration::from_secs(10);

/// A claimed message whose call may begin.
pub(crate) struct Claimed {
    /// Its index in the batch.
    pub(crate) index: usize,
    /// What allows the call.
    pub(crate) claim: MadeClaim,
    /// Our own clock before the claim was sent to the database.
    pub(crate) began: Instant,
    /// The sender's number.
    pub(crate) from: String,
    /// The handle of its account.
    pub(crate) account: String,
    /// The client of that account.
    pub(crate) client: Client,
    /// Free again once the call is over.
    pub(crate) permit: Permit,
}

/// What came of a claimed message.
#[derive(Debug, Clone)]
pub(crate) struct CallResult {
    /// Its index in the batch.
    pub(crate) index: usize,
    /// What allowed the call.
    pub(crate) claim: MadeClaim,
    /// The carrier that was called.
    pub(crate) carrier: Carrier,
    /// The carrier's answer; none where the call was not begun in time.
    pub(crate) answer: Option<CarrierReply>,
    /// Whether it came to be recorded before, and the database could not take it.
    pub(crate) is_again: bool,
}

/// Makes the calls of a batch, all that are claimed at once, and hands their results on.
pub(crate) async fn call_all(
    (config, sealer): (&SendConfig, &Sealer),
    cx: &Cx,
    batch: &Batch<Admitted>,
    mut claimed: UnboundedReceiver<Claimed>,
    to_record: UnboundedSender<CallResult>,
) {
    let mut under_way = FuturesUnordered::new();
    let mut more = true;

    loop {
        tokio::select! {
            next = claimed.recv(), if more => match next {
                Some(next) => {
                    let message = &batch.items()[next.index];
                    under_way.push(call((config, sealer), cx, message, next));
                }
                None => more = false,
            },
            Some(result) = under_way.next() => hand_on(&to_record, result),
            else => break,
        }
    }
}

/// Hands something on to the next leg. All legs live as long as the batch, so there is always
/// somebody to receive it.
pub(crate) fn hand_on<T>(to: &UnboundedSender<T>, what: T) {
    let _ = to.send(what);
}

/// Calls the carrier once, unless the time to begin has passed.
async fn call(
    (config, sealer): (&SendConfig, &Sealer),
    cx: &Cx,
    message: &Admitted,
    claimed: Claimed,
) -> CallResult {
    let Claimed { index, claim, began, from, account, client, mut permit } = claimed;
    let carrier = client.carrier();
    if began.elapsed() >= config.call_by {
        return CallResult { index, claim, carrier, answer: None, is_again: false };
    }

    let head = &message.message.head;
    let reference = Reference { tenant: head.tenant.to_string(), message: head.id.0 };
    let to = head.to.to_string();
    let validity_seconds = validity(message, cx.later());
    let media = media(&config.public_url, sealer, message, cx.machine);
    let outbound = Outbound {
        to: &to,
        from: &from,
        body: &message.message.text,
        media: &media,
        template: message.message.template.as_ref(),
        rich: message.message.rich.as_ref(),
        reference: &reference,
        public_url: &config.public_url,
        account: &account,
        validity_seconds,
        expires_at: validity_seconds.and_then(|seconds| expires_at(cx.machine, seconds)),
        traceparent: head.trace.as_deref(),
    };
    permit.begin_call();
    let answer = client.send(&outbound).await;
    drop(permit);

    metrics::counter!("millrace_carrier_answers_total", "answer" => answer.label()).increment(1);
    CallResult { index, claim, carrier, answer: Some(answer), is_again: false }
}

/// Where the carrier fetches what goes with a text: a link to what the platform has, any other
/// address as it is.
fn media(public_url: &str, sealer: &Sealer, message: &Admitted, machine: Timestamp) -> Vec<String> {
    let address = |media: &String| match media.parse() {
        Ok(id) => {
            let tenant = message.message.head.tenant.clone();
            MediaLink::new(tenant, id, machine, FOR_CARRIER).url(public_url, sealer)
        }
        Err(_) => media.clone(),
    };
    message.message.media.iter().map(address).collect()
}

/// How long the carrier may keep the text: marketing not past its window, so that it cannot slip
/// into the night; everything else not past its own validity.
fn validity(message: &Admitted, now: Timestamp) -> Option<u32> {
    let head = &message.message.head;
    let until = match (head.class.is_marketing(), head.expires_at) {
        (true, Some(expires)) => Some(expires.min(message.route.sendable_until)),
        (true, None) => Some(message.route.sendable_until),
        (false, expires) => expires,
    };

    let left = Duration::try_from(until?.duration_since(now)).unwrap_or_default();
    Some(u32::try_from(left.as_secs()).unwrap_or(u32::MAX))
}

/// The end of that time for a carrier that wants an instant, on the clock that carriers go by; far
/// enough away to be ahead when the carrier reads it.
fn expires_at(machine: Timestamp, validity_seconds: u32) -> Option<Timestamp> {
    let left = SignedDuration::from_secs(validity_seconds.into()).max(SHORTEST);
    machine.checked_add(left).ok()
}

#[cfg(test)]
mod tests {
    use domain::message::class::MessageClass;

    use super::*;
    use crate::decide::tests::admitted;

    fn valid_for(class: MessageClass, expires_in: Option<i64>) -> Option<u32> {
        let mut message = admitted(class);
        let now = message.message.head.submitted_at;
        let later = |seconds| now.checked_add(jiff::SignedDuration::from_secs(seconds));
        message.route.sendable_until = later(600).expect("in range");
        message.message.head.expires_at =
            expires_in.map(|seconds| later(seconds).expect("in range"));

        validity(&message, now)
    }

    #[test]
    fn carriers_get_links_to_what_the_platform_has_and_other_addresses_as_they_are() {
        let mut message = admitted(MessageClass::Transactional);
        let id = domain::ids::MediaId(uuid::Uuid::from_u128(7));
        let other = "https://example.com/menu.jpg".to_owned();
        message.message.media = vec![id.to_string(), other.clone()];

        let (sealer, machine) = (Sealer::new(&[[7; 32]]), Timestamp::UNIX_EPOCH);
        let named = media("https://sms.example.com", &sealer, &message, machine);
        assert_eq!(named[1], other);
        let token = named[0].strip_prefix("https://sms.example.com/media/").expect("a link");
        let link = MediaLink::read(token, &sealer, machine).expect("one of ours");
        assert_eq!((link.id, link.tenant), (id, message.message.head.tenant.clone()));
    }

    #[test]
    fn marketing_is_not_kept_past_its_window_and_other_texts_not_past_their_validity() {
        for class in [MessageClass::Promo, MessageClass::Journey] {
            assert_eq!(valid_for(class, None), Some(600));
            assert_eq!(valid_for(class, Some(60)), Some(60));
            assert_eq!(valid_for(class, Some(6_000)), Some(600));
        }
        for class in [MessageClass::Transactional, MessageClass::Compliance] {
            assert_eq!(valid_for(class, None), None);
            assert_eq!(valid_for(class, Some(6_000)), Some(6_000));
        }
    }
}
