//! Reading DEAD itself: what cannot be handled is left there, and nothing is written about it.

use std::time::Duration;

use pipeline::StageConfig;
use stage::{Batch, Cause, Cx, Dependency, Fault, Outcome, Stage, StageName};
use wire::{DeadLetter, Stream};

use crate::common::{Item, World};

/// Reads DEAD as `reconcile` does, and cannot handle anything but item 1.
struct Reader;

impl Stage for Reader {
    const NAME: StageName = StageName::Reconcile;
    const FROM: &'static [Stream] = &[Stream::Dead];
    type In = Item;

    async fn handle(&self, _: &Cx, batch: Batch<Item>) -> Result<(), Fault> {
        for (index, item) in batch.items().iter().enumerate() {
            match item.n {
                1 => batch.answer(index, Outcome::DONE),
                2 => batch.answer(index, Outcome::Dead { cause: Cause("no_use") }),
                3 => panic!("a bug"),
                _ => {
                    let what = Dependency::Database;
                    return Err(Fault::Refused { what, source: "a zero byte".into() });
                }
            }
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_letter_that_cannot_be_handled_stays_in_dead_and_makes_no_other() {
    let world = World::new().await;
    let item = |n| serde_json::to_string(&Item::new(n)).unwrap();
    let (one, two, three, four) = (item(1), item(2), item(3), item(4));
    let frames =
        [format!("[{one},{two},\"odd\"]"), "no frame at all".into(), format!("[{three},{four}]")];
    for frame in &frames {
        let sent = world.broker.api.publish("dead.enrich.acme", frame.clone().into());
        sent.await.unwrap().await.unwrap();
    }
    let runtime = world.runtime().await;
    let running = tokio::spawn({
        let runtime = runtime.clone();
        async move { pipeline::run(Reader, &runtime, &StageConfig::default()).await.unwrap() }
    });
    all_acked(&world, frames.len() as u64).await;
    runtime.stop.cancel();

    assert_eq!(running.await.unwrap().left, 0);

    let stored = world.stored(Stream::Dead).await;
    let kept: Vec<String> =
        stored.into_iter().map(|(_, bytes)| String::from_utf8(bytes).unwrap()).collect();
    assert_eq!(kept, frames, "every letter stays, and there is no letter about a letter");
}

#[tokio::test]
async fn a_letter_names_a_message_only_with_its_tenant_and_says_in_which_turn_it_died() {
    let world = World::new().await;
    let id = Item::new(9).id;
    let whole = format!(r#"{{"head":{{"id":"{id}","tenant":"acme","turn":4}}}}"#);
    let nobodys = format!(r#"{{"head":{{"id":"{id}","turn":4}}}}"#);
    world.submit_raw(format!("[{whole},{nobodys}]")).await;
    let (probe, runtime) = (crate::common::probe::Probe::relay(), world.runtime().await);
    let running = probe.run(&runtime, StageConfig::default());
    world.empty(Stream::Submitted).await;
    crate::common::probe::stop(&runtime, running).await;

    let named = |letter: &DeadLetter| (letter.tenant.to_string(), letter.message, letter.turn);
    let mut letters: Vec<_> = world.letters().await.iter().map(named).collect();
    letters.sort();
    assert_eq!(letters, [("acme".into(), Some(id), Some(4)), ("platform".into(), None, None)]);
}

/// Waits until the consumer has acked this many frames of DEAD.
async fn all_acked(world: &World, frames: u64) {
    let stream = world.broker.api.get_stream(Stream::Dead.name()).await.unwrap();
    for _ in 0..3000 {
        let info = stream.consumer_info("reconcile-dead").await.unwrap();
        if info.ack_floor.stream_sequence >= frames && info.num_pending == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("DEAD was not read to its end");
}
