//! Tables and properties of the matching of texts in doubt with a carrier's list.

use carriers::ReportedStatus;
use proptest::prelude::*;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).expect("in range")
}

/// A text in doubt that the list must have by now.
fn member(text: &str, second: i64) -> Member<'_> {
    Member { text, call_by: at(second), listed_at: Some(at(second + 40)) }
}

fn record(sid: &str, body: &str, second: i64) -> MessageRecord {
    MessageRecord {
        sid: sid.into(),
        status: ReportedStatus::Sent,
        to: "+12125550100".into(),
        from: Some("+12125550001".into()),
        body: body.into(),
        created_at: Some(at(second)),
        sent_at: None,
        segments: Some(1),
    }
}

fn fates(members: &[Member<'_>], listed: &[MessageRecord], known: &[&str]) -> Vec<Fate> {
    let known = known.iter().map(|sid| (*sid).to_owned()).collect();
    match_up(members, listed, &known, at(1_000))
}

#[test]
fn a_listed_text_is_found_and_one_that_is_not_listed_is_absent() {
    let members = [member("hello", 0), member("bye", 0)];
    let listed = [record("SM1", "hello", 1)];
    assert_eq!(fates(&members, &listed, &[]), [Fate::Found(0), Fate::Absent]);
}

#[test]
fn a_text_of_another_message_is_not_taken() {
    let members = [member("hello", 0)];
    let listed = [record("SM1", "hello", 1)];
    assert_eq!(fates(&members, &listed, &["SM1"]), [Fate::Absent]);
}

#[test]
fn a_text_from_long_before_the_call_is_not_of_the_call() {
    let members = [member("hello", 500)];
    assert_eq!(fates(&members, &[record("SM1", "hello", 190)], &[]), [Fate::Absent]);

    let within_skew = record("SM1", "hello", 210);
    assert_eq!(fates(&members, &[within_skew], &[]), [Fate::Found(0)]);

    let mut undated = record("SM1", "hello", 0);
    undated.created_at = None;
    assert_eq!(fates(&members, &[undated], &[]), [Fate::Found(0)]);
}

#[test]
fn of_two_equal_texts_the_one_nearest_in_time_is_found() {
    let members = [member("hello", 0), member("hello", 100)];
    assert_eq!(
        fates(&members, &[record("SM1", "hello", 101)], &[]),
        [Fate::Absent, Fate::Found(0)]
    );
    assert_eq!(fates(&members, &[record("SM1", "hello", 2)], &[]), [Fate::Found(0), Fate::Absent]);
}

#[test]
fn equal_texts_wait_for_the_last_of_them_and_others_do_not() {
    let claimed = Member { listed_at: None, ..member("hello", 0) };
    let young = Member { listed_at: Some(at(1_001)), ..member("bye", 990) };
    let members = [member("hello", 0), claimed, member("bye", 0), young, member("yes", 0)];
    let listed = [record("SM1", "hello", 1), record("SM2", "bye", 1), record("SM3", "yes", 1)];
    assert_eq!(
        fates(&members, &listed, &[]),
        [Fate::Wait, Fate::Wait, Fate::Wait, Fate::Wait, Fate::Found(2)]
    );
}

#[test]
fn what_a_carrier_does_to_a_text_does_not_hide_it() {
    let members = [member("\u{201c}Hi\u{201d} \u{2013} Ana ", 0)];
    assert_eq!(fates(&members, &[record("SM1", "\"Hi\" - Ana", 1)], &[]), [Fate::Found(0)]);
    assert_eq!(fates(&members, &[record("SM1", "", 1)], &[]), [Fate::Found(0)], "redacted");
    assert_eq!(fates(&members, &[record("SM1", "Hi", 1)], &[]), [Fate::Absent]);
}

#[test]
fn records_without_a_text_find_all_unequal_texts_or_decide_nothing() {
    let members = [member("hello", 0), member("bye", 2), member("late", 900)];
    let members = members.map(|one| Member { listed_at: Some(at(950)), ..one });
    let blank = |sid, second| record(sid, "", second);

    // Both of that time are listed; the third one's call came long after either.
    let both = [blank("A", 1), blank("B", 3)];
    assert_eq!(fates(&members, &both, &[]), [Fate::Found(0), Fate::Found(1), Fate::Absent]);
    // One of two: whichever was taken for absent might have been sent.
    assert_eq!(fates(&members, &both[..1], &[]), [Fate::Wait, Fate::Wait, Fate::Absent]);
    assert_eq!(fates(&members, &both, &["A"]), [Fate::Wait, Fate::Wait, Fate::Absent]);
    // None of them.
    assert_eq!(fates(&members, &both, &["A", "B"]), [Fate::Absent; 3]);
    assert_eq!(fates(&members, &[], &[]), [Fate::Absent; 3]);

    // What tells its text is told apart from what does not.
    let mixed = [record("A", "bye", 1), blank("B", 3)];
    assert_eq!(fates(&members, &mixed, &[]), [Fate::Found(1), Fate::Found(0), Fate::Absent]);

    // A claim that still holds may be the one that was taken.
    let held = [Member { listed_at: None, ..members[0] }, members[1]];
    assert_eq!(fates(&held, &both[..1], &[]), [Fate::Wait, Fate::Wait]);
}

proptest! {
    #[test]
    fn of_n_equal_texts_of_which_k_are_listed_exactly_k_are_found_each_once(
        calls in proptest::collection::vec(0i64..200, 0..12),
        sends in proptest::collection::vec(0i64..200, 0..12),
        known in 0usize..4,
    ) {
        let members: Vec<_> = calls.iter().map(|second| member("hello", *second)).collect();
        let listed: Vec<_> = sends
            .iter()
            .enumerate()
            .map(|(n, second)| record(&format!("SM{n}"), "hello", *second))
            .collect();
        let known: HashSet<String> =
            listed.iter().take(known).map(|record| record.sid.clone()).collect();

        let fates = match_up(&members, &listed, &known, at(1_000));

        let mut found: Vec<usize> = fates
            .iter()
            .filter_map(|fate| match fate {
                Fate::Found(index) => Some(*index),
                Fate::Absent | Fate::Wait => None,
            })
            .collect();

        let free = listed.len() - known.len();
        prop_assert_eq!(found.len(), members.len().min(free));
        prop_assert!(found.iter().all(|index| !known.contains(&listed[*index].sid)));
        found.sort_unstable();
        found.dedup();
        prop_assert_eq!(found.len(), members.len().min(free), "a text was given twice");
        prop_assert!(!fates.contains(&Fate::Wait));
    }
}
