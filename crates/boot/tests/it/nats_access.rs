//! What the broker lets each kind of process do, as the server itself says.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_nats::{Client, ConnectOptions, Event};
use boot::embedded::{EmbeddedOptions, Nats, Scratch};
use pipeline::{
    access::{ProcessKind, processes::SAID},
    consumers::CONSUMERS,
};
use stage::StageName;

/// What the server has refused, as it says so.
type Refusals = Arc<Mutex<Vec<String>>>;

/// What nobody but an operator may publish on or subscribe to, whoever they are.
const NOBODYS: [&str; 9] = [
    "any.thing",
    "$JS.API.STREAM.DELETE.EVENTS",
    "$JS.API.STREAM.PURGE.SUBMITTED",
    "$JS.API.CONSUMER.DELETE.EVENTS.rollup",
    "$JS.API.CONSUMER.CREATE.EVENTS.rollup",
    "$JS.API.CONSUMER.CREATE.EVENTS.rollup.events.demo.message.sent",
    "$JS.API.CONSUMER.CREATE.EVENTS",
    "$SYS.REQ.SERVER.PING",
    "_INBOX.somebody.x",
];

async fn connect(nats: &Nats, kind: ProcessKind) -> (Client, Refusals) {
    let refusals = Refusals::default();
    let noted = Arc::clone(&refusals);
    let options = ConnectOptions::with_credentials_file(nats.access().credentials(kind));
    let options = options.await.unwrap().event_callback(move |event| {
        if let Event::ServerError(why) = event {
            noted.lock().unwrap().push(why.to_string().to_lowercase());
        }
        std::future::ready(())
    });
    (options.connect(nats.url()).await.unwrap(), refusals)
}

/// A subject of a pattern.
fn sample(pattern: &str) -> String {
    pattern.replace('*', "demo")
}

/// Every subject that is said, a sample of each.
fn said() -> impl Iterator<Item = String> {
    let dead = StageName::ALL.iter().map(|stage| format!("dead.{}.demo", stage.as_str()));
    SAID.iter().map(|(_, pattern, _)| sample(pattern)).chain(dead)
}

/// What is a process' own to say.
fn own(kind: ProcessKind) -> BTreeSet<String> {
    let said = SAID.iter().filter(|(_, _, by)| by.contains(&kind));
    let said = said.map(|(_, pattern, _)| sample(pattern));
    let letters = CONSUMERS.iter().filter(|spec| kind == ProcessKind::Stage(spec.stage));
    let letters = letters.map(|spec| format!("dead.{}.demo", spec.stage.as_str()));
    said.chain(letters).collect()
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "it tries what the broker refuses")]
async fn each_process_publishes_what_is_its_own_and_nothing_else() {
    let scratch = Scratch::new().unwrap();
    let nats = Nats::start(scratch.path(), &EmbeddedOptions::for_tests()).await.unwrap();
    let stages = StageName::ALL.iter().copied().map(ProcessKind::Stage);

    for kind in stages.chain([ProcessKind::Api, ProcessKind::Sandbox, ProcessKind::Top]) {
        let (client, refusals) = connect(&nats, kind).await;
        let tried: Vec<String> = said().chain(NOBODYS.map(str::to_owned)).collect();
        for subject in &tried {
            client.publish(subject.clone(), "[]".into()).await.unwrap();
        }
        client.flush().await.unwrap();
        let own = own(kind);
        for _ in 0..100 {
            if refusals.lock().unwrap().len() >= tried.len() - own.len() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }

        let refusals = refusals.lock().unwrap().join("\n");
        let taken: BTreeSet<String> = tried
            .into_iter()
            .filter(|subject| !refusals.contains(&format!("\"{}\"", subject.to_lowercase())))
            .collect();
        assert_eq!(taken, own, "{kind}");
    }
}

#[tokio::test]
async fn each_process_hears_the_answers_to_itself_alone() {
    let scratch = Scratch::new().unwrap();
    let nats = Nats::start(scratch.path(), &EmbeddedOptions::for_tests()).await.unwrap();
    let (client, refusals) = connect(&nats, ProcessKind::Stage(StageName::Gate)).await;
    let others =
        [">", "_INBOX.>", "_INBOX_api.>", "events.>", "msg.enriched.*", "$JS.>", "$KV.CLOCK.>"];
    let mut kept = vec![client.subscribe("_INBOX_gate.x").await.unwrap()];
    for subject in others {
        kept.push(client.subscribe(subject).await.unwrap());
    }
    client.flush().await.unwrap();
    for _ in 0..100 {
        if refusals.lock().unwrap().len() >= others.len() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(refusals.lock().unwrap().len(), others.len(), "{refusals:?}");
}
