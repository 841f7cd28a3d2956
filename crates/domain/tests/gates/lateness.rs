//! Messages that had to wait: sent all the same, or dropped once they are late.

use domain::{gates::OnLate, message::class::MessageClass};

use crate::desk::{Desk, at};

#[test]
fn a_deferral_beyond_what_the_tenant_wants_drops_the_message_where_it_says_so() {
    let mut desk = Desk::new();
    desk.now = at("2026-03-03T03:00:00Z");
    desk.submitted_at = desk.now;
    assert_eq!(desk.says(), "defer quiet_hours quiet_hours 2026-03-03T14:00:00Z", "sent late");

    desk.on_late = Some(OnLate::Drop);
    assert_eq!(desk.says(), "expire quiet_hours quiet_hours");

    desk.policy().lateness.max_seconds = 12 * 3_600;
    assert_eq!(desk.says(), "defer quiet_hours quiet_hours 2026-03-03T14:00:00Z", "in time");
}

#[test]
fn the_policy_says_for_messages_that_do_not() {
    let mut desk = Desk::of(MessageClass::Transactional);
    desk.submitted_at = at("2026-03-02T12:59:00Z");
    assert_eq!(desk.says(), "admit 1");

    desk.policy().lateness.on_late = OnLate::Drop;
    assert_eq!(desk.says(), "expire - too_late", "four hours and a minute");

    desk.on_late = Some(OnLate::Send);
    assert_eq!(desk.says(), "admit 1");
}

#[test]
fn what_is_dropped_when_late_is_not_sent_after_that_either() {
    let mut desk = Desk::of(MessageClass::Transactional);
    desk.submitted_at = at("2026-03-02T16:59:00Z");
    desk.on_late = Some(OnLate::Drop);
    assert_eq!(desk.sendable_until(), at("2026-03-02T20:59:00Z"));
    desk.expires_at = Some(at("2026-03-02T18:00:00Z"));
    assert_eq!(desk.sendable_until(), at("2026-03-02T18:00:00Z"), "the earlier end");
}
