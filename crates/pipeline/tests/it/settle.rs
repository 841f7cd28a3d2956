//! Every row of the table from outcomes and faults to settlements.

use std::time::Duration;

use domain::message::class::Lane;
use jiff::{SignedDuration, Timestamp};
use pipeline::settle::{NEWER_PATIENCE, Settlement, Situation, settle};
use stage::{Cause, Dependency, Fault, Outcome};
use uuid::Uuid;
use wire::{MemberKey, Stream, Subject, frame::Outgoing};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const DEPENDENCIES: [Dependency; 3] = [Dependency::Database, Dependency::Broker, Dependency::Ai];

fn situation(failures: u32, batch: usize, from: Stream) -> Situation {
    Situation { failures, batch, waited: Duration::ZERO, from, now: NOW, chance: 0.0 }
}

/// A settlement, as a line of the table of outcomes.
fn line(said: Result<Outcome, &Fault>, situation: &Situation) -> String {
    match settle(said, situation) {
        Settlement::Publish(say) => format!("publish {}", say.len()),
        Settlement::Again { after } => format!("again in {} ms", after.as_millis()),
        Settlement::Retry { after } => format!("retry in {} ms", after.as_millis()),
        Settlement::Halve => "halve".into(),
        Settlement::DeadLetter { cause, detail } => format!("dead {cause}: {detail}"),
        Settlement::Leave { cause } => format!("leave {cause}"),
    }
}

fn outgoing() -> Outgoing {
    let key = MemberKey::of(Uuid::nil());
    Outgoing { subject: Subject::Enriched(Lane::Bulk), key, trace: None, json: b"{}".to_vec() }
}

fn every_outcome() -> Vec<(Outcome, &'static str)> {
    let wait = |ms| Outcome::Wait { until: NOW + SignedDuration::from_millis(ms) };
    let park = |due, say| Outcome::Park { due, cause: Cause("quiet_hours"), say };

    vec![
        (Outcome::DONE, "publish 0"),
        (Outcome::Emit(vec![outgoing(), outgoing()]), "publish 2"),
        (park(Some(NOW), vec![outgoing()]), "publish 1"),
        (park(None, vec![]), "publish 0"),
        (wait(250), "again in 250 ms"),
        (wait(1000), "again in 1000 ms"),
        (wait(60_000), "again in 1000 ms"),
        (wait(0), "again in 5 ms"),
        (wait(-60_000), "again in 5 ms"),
        (Outcome::Dead { cause: Cause("no_route") }, "dead refused_by_stage: no_route"),
    ]
}

#[test]
fn every_outcome_settles_the_same_whatever_the_batch_and_the_failures_before() {
    for stream in Stream::ALL {
        for failures in [1, 2, 100] {
            for batch in [1, 300] {
                for (outcome, expected) in every_outcome() {
                    let expected = match (stream, &outcome) {
                        (Stream::Dead, Outcome::Dead { .. }) => "leave refused_by_stage",
                        _ => expected,
                    };
                    assert_eq!(line(Ok(outcome), &situation(failures, batch, stream)), expected);
                }
            }
        }
    }
}

#[test]
fn an_outage_is_retried_forever_and_never_a_dead_letter() {
    let expected = [(0, 100), (1, 100), (2, 200), (3, 400), (4, 800), (5, 1600), (6, 3200)];
    for what in DEPENDENCIES {
        let fault = Fault::Unavailable { what, source: "away".into() };
        for stream in Stream::ALL {
            for batch in [1, 2, 512] {
                for (failures, ms) in expected.into_iter().chain([(7, 5000), (u32::MAX, 5000)]) {
                    let line = line(Err(&fault), &situation(failures, batch, stream));
                    assert_eq!(line, format!("retry in {ms} ms"));
                }
            }
        }
    }
}

#[test]
fn a_back_off_is_jittered() {
    let fault = Fault::Unavailable { what: Dependency::Database, source: "away".into() };
    let situation = Situation { chance: 0.5, ..situation(2, 1, Stream::Submitted) };
    assert!(matches!(
        settle(Err(&fault), &situation),
        Settlement::Retry { after } if after == Duration::from_millis(150)
    ));
}

fn isolating_faults() -> Vec<(Fault, &'static str)> {
    let refused = |what| Fault::Refused { what, source: "no".into() };
    vec![
        (refused(Dependency::Database), "refused_by_database"),
        (refused(Dependency::Broker), "refused_by_broker"),
        (refused(Dependency::Ai), "refused_by_ai"),
        (Fault::Panicked("x".into()), "panicked"),
    ]
}

#[test]
fn a_fault_of_the_data_halves_until_the_culprit_is_alone() {
    for (fault, cause) in isolating_faults() {
        for stream in Stream::ALL {
            for failures in [1, 10] {
                for batch in [2, 3, 512] {
                    assert_eq!(line(Err(&fault), &situation(failures, batch, stream)), "halve");
                }

                let alone = match stream {
                    Stream::Dead => format!("leave {cause}"),
                    _ => format!("dead {cause}: {}", fault.notice()),
                };
                assert_eq!(line(Err(&fault), &situation(failures, 1, stream)), alone);
            }
        }
    }
}

fn newer() -> Fault {
    Fault::Newer { what: "message state", value: "99".into() }
}

#[test]
fn a_value_of_a_newer_version_halves_waits_alone_and_is_a_dead_letter_after_ten_minutes() {
    assert_eq!(NEWER_PATIENCE, Duration::from_secs(600));
    let fault = newer();
    let waits = [(0, 100), (100, 100), (150, 150), (400, 400), (5_000, 5_000), (599_999, 5_000)];
    for stream in Stream::ALL {
        for failures in [1, 10] {
            for batch in [2, 3, 512] {
                assert_eq!(line(Err(&fault), &situation(failures, batch, stream)), "halve");
            }

            let alone = |ms| {
                let waited = Duration::from_millis(ms);
                line(Err(&fault), &Situation { waited, ..situation(failures, 1, stream) })
            };
            for (waited, after) in waits {
                assert_eq!(alone(waited), format!("again in {after} ms"));
            }
            let late = match stream {
                // Who died is written down by whoever can read the row, however late.
                Stream::Dead => "again in 5000 ms".to_owned(),
                _ => format!("dead not_understood: {}", fault.notice()),
            };
            assert_eq!([alone(600_000), alone(u64::MAX / 2)], [late.clone(), late]);
        }
    }
}

#[test]
fn the_wait_for_a_newer_version_is_jittered() {
    let at = Situation {
        chance: 1.0,
        waited: Duration::from_secs(2),
        ..situation(1, 1, Stream::Enriched)
    };
    assert_eq!(line(Err(&newer()), &at), "again in 1000 ms");
}

#[test]
fn a_dead_letter_never_quotes_the_fault_itself() {
    let fault = Fault::Refused { what: Dependency::Database, source: "key +15550001111".into() };
    let text = line(Err(&fault), &situation(1, 1, Stream::Submitted));
    assert!(!text.contains("1555"), "{text}");

    let late = Situation { waited: NEWER_PATIENCE, ..situation(1, 1, Stream::Submitted) };
    let text = line(Err(&newer()), &late);
    assert!(!text.contains("99"), "{text}");
}
