//! What waits for a capacity waits in line: each behind the last, whichever batch it came in.

use domain::{
    gates::{Caps, CounterKind, LineKey, Wake},
    message::class::MessageClass,
    money::Micros,
};

use crate::desk::{Desk, at};

/// When so many messages are asked again, one after the other.
fn dues(desk: &mut Desk, count: u128) -> Vec<String> {
    let dues = (0..count).map(|message| {
        desk.message = message;
        let says = desk.says();
        says.rsplit(' ').next().unwrap_or_default().to_owned()
    });
    dues.collect()
}

#[test]
fn the_messages_of_a_batch_stand_one_behind_the_other() {
    let mut desk = Desk::of(MessageClass::Transactional);
    desk.policy().quota.per_minute = 2;
    let dues = dues(&mut desk, 6);
    let expected = ["17:01:00Z", "17:01:30Z", "17:02:00Z", "17:02:30Z"];
    assert_eq!(dues[2..], expected.map(|time| format!("2026-03-02T{time}")));
}

#[test]
fn a_batch_goes_on_where_the_line_stands() {
    let mut desk = Desk::new();
    let key = LineKey { kind: CounterKind::SpendDay, target: None };
    desk.tenant().caps = Caps { daily: Some(Micros(1)), monthly: None };
    desk.tenant().lines.insert(key, at("2026-03-05T14:00:00Z"));
    assert_eq!(desk.says(), "defer budget daily_budget 2026-03-05T14:00:00Z");

    let lines = desk.counters.lines();
    assert_eq!(lines.iter().map(|line| line.2).collect::<Vec<_>>(), [at("2026-03-06T14:00:00Z")]);
    assert_eq!(desk.decide().wake, Some(Wake::Line(key)));
}

#[test]
fn the_shorter_of_two_senders_lines_is_joined() {
    let mut desk = Desk::of(MessageClass::Transactional);
    desk.sender(1).daily_cap = 0;
    desk.sender(2).daily_cap = 0;
    let of = |desk: &mut Desk, n| {
        let target = Some(desk.sender(n).id.0);
        LineKey { kind: CounterKind::SenderDay, target }
    };
    let (first, second) = (of(&mut desk, 1), of(&mut desk, 2));
    desk.tenant().lines.insert(first, at("2026-03-08T05:00:00Z"));

    assert_eq!(desk.decide().wake, Some(Wake::Line(second)));

    desk.tenant().lines.insert(second, at("2026-03-20T05:00:00Z"));
    desk.counters = Default::default();
    assert_eq!(desk.decide().wake, Some(Wake::Line(first)));
}

#[test]
fn a_line_is_as_fast_as_the_cap_of_the_day_that_it_has_come_to() {
    let mut desk = Desk::of(MessageClass::Transactional);
    desk.senders.truncate(1);
    desk.sender(1).active_since = at("2026-03-02T06:00:00Z");
    desk.policy().warmup = vec![1, 2, 3];
    let dues = dues(&mut desk, 7);
    let days = ["03T05", "03T05", "04T05", "04T05", "04T05"];

    assert_eq!(dues[1..6], days.map(|day| format!("2026-03-{day}:00:00Z")));
    assert_eq!(dues[6], "2026-03-05T05:00:00Z");
}

#[test]
fn who_would_stand_in_line_beyond_its_use_has_expired() {
    let mut desk = Desk::of(MessageClass::Transactional);
    desk.policy().quota.per_minute = 0;
    desk.expires_at = Some(at("2026-03-02T17:03:00Z"));
    let verdicts: Vec<_> = (0..3).map(|_| desk.says()).collect();

    assert_eq!(verdicts[0], "defer rate quota_minute 2026-03-02T17:01:00Z");
    assert_eq!(verdicts[1], "defer rate quota_minute 2026-03-02T17:02:00Z");
    assert_eq!(verdicts[2], "expire rate quota_minute");
}
