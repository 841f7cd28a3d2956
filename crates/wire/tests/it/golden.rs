//! Golden payloads: what is on the wire today, one file per payload and variant. A change that
//! these files do not survive needs a new subject version, for old and new stages run side by side.
//!
//! `golden/older` holds payloads as a version before their optional fields wrote them.

use std::{collections::BTreeSet, fs, path::PathBuf};

use domain::ids::{MessageId, event_id};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use uuid::Uuid;
use wire::{
    Admitted, DeadLetter, Enriched, Event, EventKind, InboundText, Relayed, Subject, Submitted,
    WebhookRequest,
    event::{
        BudgetData, CampaignData, ContactData, ConversationData, CountsData, MessageData,
        ReceivedData, SenderData,
    },
    frame::{Outgoing, pack, unpack},
    json::to_value,
    totals::Totals,
};

#[test]
fn every_payload_is_read_and_written_as_its_golden_file_says() {
    both_ways::<Submitted>("submitted_body_from_sender");
    both_ways::<Submitted>("submitted_template_from_any");
    both_ways::<Submitted>("submitted_campaign_from_pool");
    both_ways::<Submitted>("submitted_media_from_any");
    both_ways::<Submitted>("submitted_rich_file");
    both_ways::<Submitted>("submitted_rich_list");
    both_ways::<Submitted>("submitted_rich_reaction");

    both_ways::<Enriched>("enriched");
    both_ways::<Enriched>("enriched_rich");
    both_ways::<Admitted>("admitted");
    both_ways::<Relayed>("admitted");
    both_ways::<WebhookRequest>("webhook_request");
    both_ways::<InboundText>("inbound_text");
    both_ways::<InboundText>("inbound_text_choice");

    both_ways::<Event>("event_message");
    both_ways::<Event>("event_received");
    both_ways::<Event>("event_received_choice");
    both_ways::<Event>("event_contact");
    both_ways::<Event>("event_campaign");
    both_ways::<Event>("event_budget");
    both_ways::<Event>("event_sender");
    both_ways::<Event>("event_conversation");
    both_ways::<Event>("event_counts");
    both_ways::<Totals>("totals_dashboard");
    both_ways::<Totals>("totals_campaign");
    both_ways::<DeadLetter>("dead_letter");
    both_ways::<Vec<Submitted>>("frame_submitted");
}

#[test]
fn the_data_of_every_kind_of_event_is_read_and_written_as_its_golden_file_says() {
    data_both_ways::<MessageData>("event_message");
    data_both_ways::<ReceivedData>("event_received");
    data_both_ways::<ReceivedData>("event_received_choice");
    data_both_ways::<ContactData>("event_contact");
    data_both_ways::<CampaignData>("event_campaign");
    data_both_ways::<BudgetData>("event_budget");
    data_both_ways::<SenderData>("event_sender");
    data_both_ways::<ConversationData>("event_conversation");
    data_both_ways::<CountsData>("event_counts");
}

#[test]
fn what_an_older_version_wrote_is_still_read() {
    read_from_older::<Submitted>("submitted");
    read_from_older::<Enriched>("enriched");
    read_from_older::<Admitted>("admitted");
    read_from_older::<Relayed>("admitted");
    read_from_older::<WebhookRequest>("webhook_request");
    read_from_older::<InboundText>("inbound_text");
    read_from_older::<Totals>("totals");
    read_from_older::<DeadLetter>("dead_letter");
    for (name, read) in [
        ("event_message", data_is_read::<MessageData> as fn(&Value) -> bool),
        ("event_received", data_is_read::<ReceivedData>),
        ("event_contact", data_is_read::<ContactData>),
        ("event_campaign", data_is_read::<CampaignData>),
        ("event_counts", data_is_read::<CountsData>),
    ] {
        read_from_older::<Event>(name);
        assert!(read(&file(&format!("older/{name}"))), "the data of older/{name}.json");
    }
}

/// A newer stage may write fields that this one does not know; it must not choke on them.
#[test]
fn what_a_newer_version_adds_is_passed_over() {
    for (name, is_read) in [
        ("submitted_body_from_sender", reads::<Submitted> as fn(&Value) -> bool),
        ("enriched", reads::<Enriched>),
        ("admitted", reads::<Admitted>),
        ("admitted", reads::<Relayed>),
        ("webhook_request", reads::<WebhookRequest>),
        ("inbound_text", reads::<InboundText>),
        ("event_message", reads::<Event>),
        ("totals_dashboard", reads::<Totals>),
        ("dead_letter", reads::<DeadLetter>),
    ] {
        let mut value = file(name);
        value["from_a_newer_version"] = serde_json::json!({ "any": 1 });
        assert!(is_read(&value), "{name}.json with one more field");
    }
}

/// The address of a person whose number the carrier keeps stands where a number would.
#[test]
fn a_carriers_id_of_a_person_travels_in_the_field_of_their_number() {
    for (name, pointer, both_ways) in [
        ("submitted_body_from_sender", "/head/to", again::<Submitted> as fn(&Value) -> Value),
        ("enriched", "/head/to", again::<Enriched>),
        ("admitted", "/message/head/to", again::<Admitted>),
        ("inbound_text", "/number", again::<InboundText>),
    ] {
        let mut value = file(name);
        *value.pointer_mut(pointer).expect("a number") = "US.13491208655302741918".into();
        same(name, &both_ways(&value), &value);
    }
}

#[test]
fn every_golden_file_is_checked_by_a_test_here() {
    let source = include_str!("golden.rs");
    for (folder, named) in [("", ""), ("older", "older")] {
        for entry in fs::read_dir(folder_of(folder)).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("UTF-8");
                let known = source.contains(&format!("\"{stem}\""));
                assert!(known, "no test reads {named}/{stem}.json");
            }
        }
    }
}

#[test]
fn the_body_hash_of_a_message_never_changes() {
    for name in [
        "submitted_body_from_sender",
        "submitted_template_from_any",
        "submitted_campaign_from_pool",
    ] {
        let message: Submitted = decode(name);
        let again = message.clone().with_body_hash();
        assert_eq!(again.body_hash, message.body_hash, "{name}: repeats would be conflicts");
    }
}

#[test]
fn what_each_try_makes_anew_does_not_change_the_body_hash() {
    let first: Submitted = decode("submitted_body_from_sender");

    let mut second = first.clone();
    second.head.id = MessageId(Uuid::from_u128(1));
    second.head.turn = 9;
    second.head.trace = None;
    second.head.expires_at = None;
    second.head.submitted_at = jiff::Timestamp::UNIX_EPOCH;
    assert_eq!(second.clone().with_body_hash().body_hash, first.body_hash);

    let rich: Submitted = decode("submitted_rich_list");
    let other = Submitted { rich: rich.rich, ..first.clone() };
    assert_ne!(other.with_body_hash().body_hash, first.body_hash);

    second.metadata.insert("order".into(), "4712".into());
    assert_ne!(second.with_body_hash().body_hash, first.body_hash);
}

#[test]
fn golden_events_carry_the_id_that_their_entity_type_and_version_give() {
    for (name, entity) in [
        ("event_message", "message"),
        ("event_received", "inbound"),
        ("event_campaign", "campaign"),
        ("event_sender", "sender"),
        ("event_conversation", "conversation"),
        ("event_counts", "group"),
    ] {
        let value = file(name);
        let entity: Uuid =
            serde_json::from_value(value["data"][entity].clone()).expect("an entity's id");
        let event: Event = decode(name);
        assert_eq!(event.id, event_id(entity, event.kind.as_str(), event.version), "{name}");
    }
}

#[test]
fn an_event_is_named_on_the_wire_as_in_its_subject() {
    for &kind in EventKind::ALL {
        assert_eq!(to_value(&kind), kind.as_str());
    }

    let names: BTreeSet<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(names.len(), EventKind::ALL.len());
}

#[test]
fn a_whole_frame_is_what_its_golden_file_says_and_keeps_its_id() {
    let text = fs::read(path_of("frame_submitted")).expect("a golden file");
    let members: Vec<Submitted> = unpack(&text)
        .expect("a frame")
        .into_iter()
        .map(|member| member.expect("a member"))
        .collect();

    let subject = Subject::Submitted(domain::message::class::Lane::Bulk);
    let outgoing: Vec<Outgoing> =
        members.iter().map(|member| Outgoing::new(subject.clone(), member)).collect();
    let frames = pack("audience", &subject, &outgoing);

    assert_eq!(frames.len(), 1);
    let written: Value = serde_json::from_slice(&frames[0].bytes).expect("JSON");
    same("frame_submitted", &written, &file("frame_submitted"));
    // Made by another program from the ids, turns and body hashes of the file.
    assert_eq!(frames[0].id, "fNHIl2XPWE1BgIVxQZR1pg");
}

fn both_ways<T: DeserializeOwned + Serialize>(name: &str) {
    let golden = file(name);
    let written = to_value(&decode::<T>(name));
    same(name, &written, &golden);
}

/// Reads a payload, and writes what was read.
fn again<T: DeserializeOwned + Serialize>(value: &Value) -> Value {
    to_value(&serde_json::from_value::<T>(value.clone()).expect("a payload"))
}

fn data_both_ways<T: DeserializeOwned + Serialize>(name: &str) {
    let event: Event = decode(name);
    let data: T = serde_json::from_str(event.data.get()).expect("the data that the type has");
    same(name, &to_value(&data), &file(name)["data"]);
}

/// Reads the file and writes it again: everything that it says must still be said.
fn read_from_older<T: DeserializeOwned + Serialize>(name: &str) {
    let name = format!("older/{name}");
    let written = to_value(&decode::<T>(&name));
    assert!(holds(&written, &file(&name)), "{name}.json lost something:\n{written:#}");
}

fn holds(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, value)| whole.get(key).is_some_and(|is| holds(is, value)))
        }
        _ => whole == part,
    }
}

fn data_is_read<T: DeserializeOwned>(event: &Value) -> bool {
    reads::<T>(&event["data"])
}

/// From text, as on the wire: an event's data is kept as it came.
fn reads<T: DeserializeOwned>(value: &Value) -> bool {
    serde_json::from_str::<T>(&value.to_string()).is_ok()
}

fn decode<T: DeserializeOwned>(name: &str) -> T {
    let text = fs::read_to_string(path_of(name)).expect("a golden file");
    serde_json::from_str(&text).unwrap_or_else(|why| panic!("{name}.json is not read: {why}"))
}

fn file(name: &str) -> Value {
    decode(name)
}

fn same(name: &str, written: &Value, golden: &Value) {
    assert!(written == golden, "{name}.json says\n{golden:#}\nbut the code writes\n{written:#}");
}

fn path_of(name: &str) -> PathBuf {
    folder_of("").join(format!("{name}.json"))
}

fn folder_of(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}
