//! What goes wrong with messages: poison, garbage, panics, silence, outages.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use pipeline::StageConfig;
use stage::{Batch, Cause, Dependency, Fault, Outcome};
use wire::Stream;

use crate::common::{
    Item, World, eventually,
    probe::{Probe, answer_all, relayed, stop},
    unseal,
};

fn refused() -> Fault {
    Fault::Refused { what: Dependency::Database, source: "the text holds a zero byte".into() }
}

fn holds(batch: &Batch<Item>, n: u64) -> bool {
    batch.items().iter().any(|item| item.n == n)
}

/// Runs a stage over 300 messages, of which one makes it fail, and looks at what is left.
async fn one_culprit_of_300(probe: Probe, cause: &str) {
    let world = World::new().await;
    world.submit(0..300, 100).await;
    let runtime = world.runtime().await;
    let running = probe.run(&runtime, StageConfig { batches_under_way: 1, ..Default::default() });
    world.empty(Stream::Submitted).await;
    stop(&runtime, running).await;

    let others: Vec<u64> = (0..300).filter(|&n| n != 123).collect();
    assert_eq!(world.sorted(Stream::Enriched).await, others);

    let letters = world.letters().await;
    let [letter] = letters.as_slice() else { panic!("{} letters", letters.len()) };
    assert_eq!((letter.cause.as_str(), letter.stage.as_str()), (cause, "enrich"));
    assert_eq!(letter.subject, "msg.submitted.bulk");
    assert_eq!(letter.message, Some(Item::new(123).id));
    assert_eq!(letter.tenant, Item::new(123).tenant);
    let sealed: Item = serde_json::from_str(&unseal(&letter.sealed)).unwrap();
    assert_eq!(sealed, Item::new(123));
    assert_eq!(world.stored(Stream::Dead).await[0].0, "dead.enrich.acme");

    let hand_overs = probe.sizes().len();
    assert!(hand_overs <= 24, "halving took {hand_overs} hand-overs");
}

#[tokio::test]
async fn halving_isolates_one_poison_message_of_300() {
    let probe = Probe::new(|batch| async move {
        if holds(&batch, 123) {
            return Err(refused());
        }
        answer_all(&batch);
        Ok(())
    });
    one_culprit_of_300(probe, "refused_by_database").await;
}

#[tokio::test]
async fn a_message_that_makes_the_stage_panic_is_isolated() {
    let probe = Probe::new(|batch| async move {
        assert!(!holds(&batch, 123), "a bug");
        answer_all(&batch);
        Ok(())
    });
    one_culprit_of_300(probe, "panicked").await;
}

#[tokio::test]
async fn a_message_that_the_stage_forgets_is_not_lost() {
    let probe = Probe::new(|batch| async move {
        for (index, item) in batch.items().iter().enumerate() {
            if item.n != 123 {
                batch.answer(index, relayed(item));
            }
        }
        Ok(())
    });

    one_culprit_of_300(probe, "panicked").await;
}

#[tokio::test]
async fn what_is_answered_before_a_fault_stays_answered() {
    let world = World::new().await;
    world.submit(0..100, 100).await;

    let probe = Probe::new(|batch| async move {
        for (index, item) in batch.items().iter().enumerate() {
            if item.n == 50 {
                return Err(refused());
            }
            batch.answer(index, relayed(item));
            batch.answer(index, Outcome::Dead { cause: Cause("a_second_answer") });
        }
        batch.answer(1_000_000, Outcome::DONE);
        Ok(())
    });

    let runtime = world.runtime().await;
    let running = probe.run(&runtime, StageConfig::default());
    world.empty(Stream::Submitted).await;
    stop(&runtime, running).await;

    let seen = probe.seen();
    assert!((0..50).all(|n| seen.iter().filter(|&&s| s == n).count() == 1), "{seen:?}");
    assert_eq!(world.letters().await.len(), 1);
    assert_eq!(world.numbers(Stream::Enriched).await.len(), 99);
}

#[tokio::test]
async fn what_does_not_decode_goes_to_dead_and_its_neighbours_flow() {
    let world = World::new().await;
    let good = serde_json::to_string(&Item::new(1)).unwrap();
    let id = Item::new(9).id;
    let odd = format!(r#"{{"head":{{"id":"{id}","tenant":"acme","to":"+15550001111"}}}}"#);
    world.submit_raw(format!("[{good},{odd},\"+15550002222\"]")).await;
    world.submit_raw("no frame at all").await;
    world.submit_raw("[]").await;
    world.submit(2..4, 2).await;
    let (probe, runtime) = (Probe::relay(), world.runtime().await);
    let running = probe.run(&runtime, StageConfig::default());
    world.empty(Stream::Submitted).await;
    stop(&runtime, running).await;

    assert_eq!(world.sorted(Stream::Enriched).await, [1, 2, 3]);

    let mut letters = world.letters().await;
    letters.sort_by_key(|letter| letter.sealed.len());
    assert!(letters.iter().all(|l| l.cause == "undecodable" && !l.detail.contains("1555")));
    let sealed: Vec<String> = letters.iter().map(|letter| unseal(&letter.sealed)).collect();
    assert_eq!(sealed, ["[]", "\"+15550002222\"", "no frame at all", odd.as_str()]);
    assert_eq!(letters[3].message, Some(id));
    assert_eq!([letters[0].tenant.as_str(), letters[3].tenant.as_str()], ["platform", "acme"]);
    let subjects: Vec<String> =
        world.stored(Stream::Dead).await.into_iter().map(|(subject, _)| subject).collect();
    assert!(subjects.contains(&"dead.enrich._".to_owned()), "{subjects:?}");
}

#[tokio::test]
async fn an_outage_is_waited_for_and_nothing_dies_of_it() {
    let world = World::new().await;
    world.submit(0..40, 10).await;
    let down = Arc::new(AtomicUsize::new(3));

    let probe = Probe::new({
        let down = Arc::clone(&down);
        move |batch| {
            let away = down.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok();
            async move {
                if away {
                    let what = Dependency::Database;
                    return Err(Fault::Unavailable { what, source: "connection refused".into() });
                }
                answer_all(&batch);
                Ok(())
            }
        }
    });

    let runtime = world.runtime().await;
    let running = probe.run(&runtime, StageConfig { batches_under_way: 1, ..Default::default() });
    world.empty(Stream::Submitted).await;
    stop(&runtime, running).await;

    assert_eq!(world.sorted(Stream::Enriched).await, (0..40).collect::<Vec<_>>());
    assert!(world.letters().await.is_empty());
}

/// Waits until so many items are on ENRICHED.
async fn through(world: &World, items: usize) {
    while world.numbers(Stream::Enriched).await.len() < items {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_only_a_newer_version_can_read_waits_alone_and_its_neighbours_flow() {
    let world = World::new().await;
    world.submit(0..300, 100).await;
    let is_readable = Arc::new(AtomicBool::new(false));
    let probe = Probe::new({
        let is_readable = Arc::clone(&is_readable);
        move |batch| {
            let newer = holds(&batch, 123) && !is_readable.load(Relaxed);
            async move {
                if newer {
                    return Err(Fault::Newer { what: "message state", value: "99".into() });
                }
                answer_all(&batch);
                Ok(())
            }
        }
    });
    let runtime = world.runtime().await;
    let running = probe.run(&runtime, StageConfig { batches_under_way: 1, ..Default::default() });

    // The others of its batch are through, and so are those that come later.
    through(&world, 299).await;
    world.submit(300..310, 10).await;
    through(&world, 309).await;
    let alone = |batches: &[usize]| batches.iter().filter(|size| **size == 1).count();
    eventually("it is handed over again", || alone(&probe.sizes()) >= 4).await;

    is_readable.store(true, Relaxed);
    world.empty(Stream::Submitted).await;
    stop(&runtime, running).await;
    assert_eq!(world.sorted(Stream::Enriched).await, (0..310).collect::<Vec<_>>());
    assert!(world.letters().await.is_empty());
}

#[tokio::test]
async fn what_the_stage_gives_up_is_a_dead_letter_with_its_word() {
    let world = World::new().await;
    world.submit(0..3, 3).await;

    let probe = Probe::new(|batch| async move {
        for (index, item) in batch.items().iter().enumerate() {
            match item.n {
                1 => batch.answer(index, Outcome::Dead { cause: Cause("no_route") }),
                _ => batch.answer(index, relayed(item)),
            }
        }
        Ok(())
    });

    let runtime = world.runtime().await;
    let running = probe.run(&runtime, StageConfig::default());
    world.empty(Stream::Submitted).await;
    stop(&runtime, running).await;

    let letters = world.letters().await;
    let said: Vec<_> = letters.iter().map(|l| (&*l.cause, &*l.detail, l.attempts)).collect();
    assert_eq!(said, [("refused_by_stage", "no_route", 1)]);
    assert_eq!(world.sorted(Stream::Enriched).await, [0, 2]);
}

#[tokio::test]
async fn an_output_larger_than_the_broker_takes_is_a_dead_letter() {
    let world = World::new().await;
    world.submit(0..3, 3).await;

    let probe = Probe::new(|batch| async move {
        for (index, item) in batch.items().iter().enumerate() {
            let mut item = item.clone();
            if item.n == 1 {
                item.text = "x".repeat(2 * 1024 * 1024);
            }
            batch.answer(index, relayed(&item));
        }
        Ok(())
    });

    let runtime = world.runtime().await;
    let running = probe.run(&runtime, StageConfig::default());
    world.empty(Stream::Submitted).await;
    stop(&runtime, running).await;

    assert_eq!(world.letters().await[0].cause, "too_large");
    assert_eq!(world.sorted(Stream::Enriched).await, [0, 2]);
}

#[tokio::test]
async fn a_stage_that_answers_nothing_is_not_ready() {
    let world = World::new().await;
    world.submit(0..3, 3).await;
    let probe = Probe::new(|_batch| async move {
        std::future::pending::<()>().await;
        Ok(())
    });
    let runtime = world.runtime().await;
    let config = StageConfig { drain: Duration::from_millis(50), ..Default::default() };
    let running = probe.run(&runtime, config);
    eventually("handed over", || probe.seen().len() == 3).await;

    assert_eq!(runtime.progress.ready(Duration::from_secs(60)), Ok(()));

    let limit = Duration::from_millis(20);
    eventually("not ready", || runtime.progress.ready(limit).is_err()).await;
    let drained = stop(&runtime, running).await;

    assert_eq!((drained.left, drained.in_time), (3, false));
}
