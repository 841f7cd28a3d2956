//! `subjects.md` says what the code says: streams, subjects, payloads, retention, event types,
//! totals and examples. Who consumes is compared in `pipeline`, where the consumers are declared.

use std::{any::type_name, collections::BTreeSet, fs, path::PathBuf};

use domain::{
    gates::Gate,
    ids::TenantId,
    message::{class::Lane, state::MessageState},
};
use serde_json::Value;
use wire::{
    Admitted, DeadLetter, Enriched, Event, EventKind, InboundText, Stream, Subject, Submitted,
    WebhookRequest,
    event::{
        BudgetData, CampaignData, ContactData, ConversationData, CountsData, MessageData,
        ReceivedData, SenderData,
    },
    stream::Retention,
    subject::{SHARDS, Scope, Token, WebhookKind},
    totals::Totals,
};

use crate::tables::{blocks, code, covers, document, links, name, path, pattern, table};

const STREAMS: [&str; 7] =
    ["stream", "subject", "payload", "producer", "consumers", "dedup key", "retention"];

#[test]
fn the_document_lists_the_streams_in_the_order_of_the_code() {
    let mut listed: Vec<String> = table(&STREAMS).into_iter().map(|row| row[0].clone()).collect();
    listed.dedup();
    assert_eq!(listed, Stream::ALL.map(Stream::name));
}

#[test]
fn every_subject_of_the_code_is_one_row_of_the_document() {
    let rows = table(&STREAMS);
    let mut used = vec![false; rows.len()];
    for subject in one_of_each() {
        let (stream, written) = (subject.stream().name(), subject.to_string());
        let fits = |row: &[String]| row[0] == stream && covers(&pattern(name(&row[1])), &written);
        let hits: Vec<usize> = (0..rows.len()).filter(|i| fits(&rows[*i])).collect();

        assert_eq!(hits.len(), 1, "{written} of {stream} is in the rows {hits:?}");
        used[hits[0]] = true;
    }

    for (row, used) in rows.iter().zip(used) {
        assert!(used, "the code has no subject like {} in {}", row[1], row[0]);
    }
}

#[test]
fn every_subject_of_the_document_goes_into_its_stream() {
    for row in table(&STREAMS) {
        let (stream, pattern) = (stream_of(&row[0]), pattern(name(&row[1])));
        let takes = stream.subjects().iter().any(|taken| covers(taken, &pattern));
        assert!(takes, "{} takes {:?}, not {pattern}", stream.name(), stream.subjects());
    }
}

#[test]
fn every_payload_is_named_as_in_the_code() {
    for row in table(&STREAMS) {
        let stream = stream_of(&row[0]);
        let framed = if stream.is_framed() { "frame of" } else { "one" };
        assert_eq!(row[2], format!("{framed} `{}`", payload_of(stream)), "{}", row[1]);
    }
}

#[test]
fn every_retention_is_the_one_of_the_code() {
    for row in table(&STREAMS) {
        let stream = stream_of(&row[0]);
        assert_eq!(row[6], retention(stream), "{}", row[1]);
    }
}

#[test]
fn every_shard_and_the_deduplication_window_are_as_in_the_code() {
    let text = document();
    assert!(text.contains(&format!("`0` to `{}`", SHARDS - 1)));
    for stream in Stream::ALL {
        assert_eq!(stream.dedup_window().as_secs(), 120, "subjects.md says 120 seconds");
    }
    assert!(text.contains("within 120 seconds"));
}

#[test]
fn every_type_of_event_is_a_row_of_the_document() {
    let rows = table(&["type", "entity", "data", "when"]);
    let listed: Vec<&str> = rows.iter().map(|row| name(&row[0])).collect();
    let known: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(listed, known);

    for (row, &kind) in rows.iter().zip(EventKind::ALL) {
        let (entity, _what) = kind.as_str().split_once('.').expect("<entity>.<what>");
        assert_eq!(row[1], entity, "{}", row[0]);
        assert_eq!(name(&row[2]), data_of(kind), "{}", row[0]);
        assert!(!row[3].is_empty(), "when is {} said?", row[0]);
    }
}

#[test]
fn every_name_of_a_total_is_a_row_of_the_document() {
    let rows = table(&["name", "counts"]);
    let listed: BTreeSet<&str> = rows.iter().map(|row| name(&row[0])).collect();
    let states = MessageState::ALL.into_iter().map(|state| state.as_str().to_owned());
    let mut known: BTreeSet<String> = states.collect();
    for file in ["totals_dashboard", "totals_campaign"] {
        let totals: Totals = serde_json::from_value(golden(file)).expect("totals");
        known.extend(totals.totals.into_keys());
    }

    let gates: Vec<&str> = Gate::ORDER.map(Gate::as_str).to_vec();
    for gate in &gates {
        known.remove(&format!("blocked.{gate}"));
    }
    known.insert("blocked.<gate>".to_owned());

    assert_eq!(listed, known.iter().map(String::as_str).collect());
    let by_gate = rows.iter().find(|row| row[0].contains("<gate>")).expect("just compared");
    assert_eq!(code(&by_gate[1]), gates);
}

#[test]
fn every_example_is_a_golden_file() {
    let examples = blocks("json");
    assert!(examples.len() >= 4, "the document shows payloads");
    for (link, text) in examples {
        let file = link.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
        let shown: Value = serde_json::from_str(&text).expect("an example is JSON");
        assert!(shown == golden(file), "the example of {link} is not what the file says");
    }
}

#[test]
fn every_golden_file_is_linked_under_its_payload() {
    let rows = table(&["payload", "golden files"]);
    let listed: BTreeSet<&str> = rows.iter().map(|row| name(&row[0])).collect();
    let known = Stream::ALL.map(payload_of);
    assert_eq!(listed, known.into_iter().collect());

    let linked: BTreeSet<PathBuf> =
        rows.iter().flat_map(|row| links(&row[1])).map(from_root).collect();
    let there = fs::read_dir(from_root("crates/wire/tests/golden".into())).expect("the folder");
    let there = there.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file());
    assert_eq!(linked, there.collect());
}

/// One subject of each variant. A new variant does not compile until it is listed here.
fn one_of_each() -> Vec<Subject> {
    let tenant: TenantId = "demo".parse().expect("valid");
    let token = |name| Token::new(name).expect("a token");

    let mut all = Vec::new();
    for stream in Stream::ALL {
        all.extend(match stream {
            Stream::Submitted => Lane::ALL.map(Subject::Submitted).to_vec(),
            Stream::Enriched => Lane::ALL.map(Subject::Enriched).to_vec(),
            Stream::Admitted => Lane::ALL.map(|lane| Subject::Admitted(lane, 0)).to_vec(),
            Stream::Released => Lane::ALL.map(|lane| Subject::Released(lane, 31)).to_vec(),
            Stream::Carrier => {
                vec![Subject::Carrier(token("twilio"), token("main"), WebhookKind::Status)]
            }
            Stream::Texts => [WebhookKind::Inbound, WebhookKind::Mixed]
                .map(|kind| Subject::Carrier(token("twilio"), token("main"), kind))
                .to_vec(),
            Stream::Inbound => vec![Subject::Inbound(tenant.clone())],
            Stream::Events => {
                EventKind::ALL.iter().map(|kind| Subject::Event(tenant.clone(), *kind)).collect()
            }
            Stream::Analytics => [Scope::Dashboard, Scope::Campaign(uuid::Uuid::nil())]
                .map(|scope| Subject::Analytics(tenant.clone(), scope))
                .to_vec(),
            Stream::Dead => {
                vec![Subject::Dead("gate", Some(tenant.clone())), Subject::Dead("gate", None)]
            }
        });
    }

    all.iter().for_each(is_known);
    all
}

/// Does not compile while [`one_of_each`] leaves out a subject, a kind or a scope.
fn is_known(subject: &Subject) {
    match subject {
        Subject::Submitted(Lane::Urgent | Lane::Bulk) | Subject::Enriched(_) => {}
        Subject::Admitted(..) | Subject::Released(..) => {}
        Subject::Carrier(_, _, WebhookKind::Status | WebhookKind::Inbound | WebhookKind::Mixed) => {
        }
        Subject::Inbound(_) | Subject::Event(..) | Subject::Dead(..) => {}
        Subject::Analytics(_, Scope::Dashboard | Scope::Campaign(_)) => {}
    }
}

fn payload_of(stream: Stream) -> &'static str {
    short(match stream {
        Stream::Submitted => type_name::<Submitted>(),
        Stream::Enriched => type_name::<Enriched>(),
        Stream::Admitted | Stream::Released => type_name::<Admitted>(),
        Stream::Carrier | Stream::Texts => type_name::<WebhookRequest>(),
        Stream::Inbound => type_name::<InboundText>(),
        Stream::Events => type_name::<Event>(),
        Stream::Analytics => type_name::<Totals>(),
        Stream::Dead => type_name::<DeadLetter>(),
    })
}

fn data_of(kind: EventKind) -> &'static str {
    use EventKind as K;

    short(match kind {
        K::MessageAccepted
        | K::MessageRejected
        | K::MessageBlocked
        | K::MessageDeferred
        | K::MessageHeld
        | K::MessageSent
        | K::MessageDelivered
        | K::MessageRead
        | K::MessageFailed
        | K::MessageUnknown
        | K::MessageCancelled
        | K::MessageExpired
        | K::InDoubtRaised => type_name::<MessageData>(),
        K::MessageReceived => type_name::<ReceivedData>(),
        K::ContactOptedOut
        | K::ContactOptedIn
        | K::ContactReviewed
        | K::ContactMerged
        | K::ContactUnmerged => type_name::<ContactData>(),
        K::CampaignStarted
        | K::CampaignPaused
        | K::CampaignResumed
        | K::CampaignStopped
        | K::CampaignCompleted
        | K::CampaignAudienceFixed => type_name::<CampaignData>(),
        K::BudgetWarning | K::BudgetExhausted => type_name::<BudgetData>(),
        K::SenderQuarantined | K::SenderRecovered => type_name::<SenderData>(),
        K::ConversationOpened
        | K::ConversationReplied
        | K::ConversationNoted
        | K::ConversationRead
        | K::ConversationLabelled
        | K::ConversationAssigned
        | K::ConversationSnoozed
        | K::ConversationClosed
        | K::ConversationReopened
        | K::ConversationTakenOver
        | K::ConversationHandedBack
        | K::ConversationHandedOff => type_name::<ConversationData>(),
        K::CountsMoved => type_name::<CountsData>(),
    })
}

fn retention(stream: Stream) -> String {
    let kept = match stream.retention() {
        Retention::WorkQueue => "work queue".to_owned(),
        Retention::Limits(age) => format!("{} days", age.as_secs() / (24 * 60 * 60)),
        Retention::LastValue => "last value per subject".to_owned(),
    };

    let mib = stream.max_bytes() / (1024 * 1024);
    let size = if mib % 1024 == 0 { format!("{} GiB", mib / 1024) } else { format!("{mib} MiB") };
    format!("{kept}, at most {size}")
}

fn stream_of(name: &str) -> Stream {
    let found = Stream::ALL.into_iter().find(|stream| stream.name() == name);
    found.unwrap_or_else(|| panic!("there is no stream {name}"))
}

fn short(path: &'static str) -> &'static str {
    path.rsplit("::").next().unwrap_or(path)
}

fn golden(name: &str) -> Value {
    let text = fs::read_to_string(from_root(format!("crates/wire/tests/golden/{name}.json")));
    serde_json::from_str(&text.expect("a golden file")).expect("JSON")
}

fn from_root(below: String) -> PathBuf {
    path().with_file_name("").join(below)
}
