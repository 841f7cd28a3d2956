//! Tables for what a carrier's answer means.

use domain::message::class::MessageClass;

use super::*;
use crate::decide::tests::admitted;

fn now() -> Timestamp {
    Timestamp::from_second(1_000_000).expect("in range")
}

fn verdict(answer: &CarrierReply, attempt: i16) -> Verdict {
    let message = admitted(MessageClass::Promo);
    read(answer, Carrier::Twilio, &message, attempt, now()).expect("not accepted")
}

fn wait(verdict: &Verdict) -> Duration {
    let wait = verdict.due.expect("due").duration_since(now());
    Duration::try_from(wait).expect("not in the past")
}

fn not_sent(code: u32, scope: ThrottleScope, seconds: u64) -> CarrierReply {
    let retry_after = Some(Duration::from_secs(seconds));
    CarrierReply::NotSent { code: Some(code), throttle: Some(Throttle { scope, retry_after }) }
}

#[test]
fn what_the_carrier_took_is_not_read_here() {
    let answer = CarrierReply::Accepted { sid: "SM1".into(), segments: Some(1) };
    let message = admitted(MessageClass::Promo);
    assert_eq!(read(&answer, Carrier::Twilio, &message, 1, now()), None);
}

#[test]
fn a_refusal_is_final_and_only_the_persons_own_is_an_opt_out() {
    for (code, reason, opt_out) in [
        (21211, Refusal::Recipient, None),
        (21606, Refusal::Sender, None),
        (21408, Refusal::Region, None),
        (21617, Refusal::Content, None),
        (21609, Refusal::Request, None),
        (99999, Refusal::Unlisted, None),
        (21610, Refusal::OptedOut, Some(21610)),
    ] {
        let verdict = verdict(&CarrierReply::Refused { code, reason }, 1);
        assert_eq!((verdict.state, verdict.opt_out), (MessageState::Failed, opt_out), "{code}");
        assert_eq!((verdict.code, verdict.due), (code.to_string(), None));
        assert!(verdict.reason.len() > 10, "{code} has a cause");
    }
}

#[test]
fn a_throttle_parks_for_as_long_as_it_asks_and_slows_what_it_names() {
    let slow = verdict(&not_sent(20429, ThrottleScope::Account, 7), 1);
    assert_eq!((slow.state, wait(&slow)), (MessageState::Deferred, Duration::from_secs(7)));
    assert_eq!(slow.slow, Some((Slowed::Account("main".into()), Duration::from_secs(7))));

    let message = admitted(MessageClass::Promo);
    let (tenant, sender) = (message.message.head.tenant, message.route.sender);
    let queue = verdict(&not_sent(21611, ThrottleScope::Sender, 60), 1);
    assert_eq!(queue.slow, Some((Slowed::Sender(tenant, sender), Duration::from_secs(60))));

    let pair = verdict(&not_sent(131_056, ThrottleScope::Pair, 4), 1);
    assert_eq!((wait(&pair), pair.slow), (Duration::from_secs(4), None));

    // A pair pays back what it has borrowed: each wait is four times the one before.
    let again = |attempt| wait(&verdict(&not_sent(131_056, ThrottleScope::Pair, 6), attempt));
    let waits = [2, 3, 4, 5, MAX_CALLS - 1].map(|attempt| again(attempt).as_secs());
    assert_eq!(waits, [24, 96, 384, 900, 900]);
}

#[test]
fn no_connection_backs_off_by_attempt_and_gives_up_in_the_end() {
    let answer = CarrierReply::NotSent { code: None, throttle: None };
    let waits: Vec<u64> = (1..=5).map(|n| wait(&verdict(&answer, n)).as_secs()).collect();
    assert!(waits.windows(2).all(|pair| pair[0] < pair[1]), "{waits:?}");
    assert!(wait(&verdict(&answer, MAX_CALLS - 1)) <= RETRY_CAP);

    let last = verdict(&answer, MAX_CALLS);
    assert_eq!((last.state, last.due), (MessageState::Failed, None));
    assert_eq!(last.code, "no_connection");
}

#[test]
fn a_refused_account_holds_its_messages_and_rests() {
    let held = verdict(&CarrierReply::AuthFailed { code: 20003 }, 1);
    assert_eq!((held.state, held.due), (MessageState::Held, None));
    assert_eq!(held.wake.as_deref(), Some("account:main"));
    assert_eq!(held.slow, Some((Slowed::Account("main".into()), REST)));
}

#[test]
fn whatever_is_not_certain_is_in_doubt_and_never_tried_again() {
    for (why, code) in [
        (Doubt::TimedOut, "timed_out"),
        (Doubt::Broken, "connection_broken"),
        (Doubt::Unreadable { status: 201 }, "unreadable_201"),
        (Doubt::Status { status: 503, code: None }, "status_503"),
        (Doubt::Status { status: 500, code: Some(20500) }, "20500"),
    ] {
        let doubt = verdict(&CarrierReply::Unknown { why }, 1);
        assert_eq!((doubt.state, doubt.code.as_str()), (MessageState::InDoubt, code));
        assert_eq!((doubt.due, doubt.slow), (None, None));
    }
}
