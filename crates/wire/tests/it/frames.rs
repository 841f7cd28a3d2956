//! Frames: what fits into one, what names it, and what a member that cannot be read does to the
//! others.

use domain::{
    ids::{CampaignId, ContactId, MessageId, TenantId},
    message::class::Lane,
};
use jiff::Timestamp;
use proptest::{collection::vec, prelude::*};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use wire::{
    MemberKey, Payload, Subject,
    frame::{Frame, FrameError, MAX_BYTES, MAX_MESSAGES, Outgoing, pack, unpack},
    json,
    message::{Content, From, Head, Submitted},
    subject::Scope,
};

/// The smallest payload there is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Note {
    id: Uuid,
    turn: u32,
    text: String,
    tenant: TenantId,
}

impl Payload for Note {
    fn key(&self) -> MemberKey {
        MemberKey { id: self.id, turn: self.turn, body: self.text.len() as u64 }
    }

    fn tenant(&self) -> Option<&TenantId> {
        Some(&self.tenant)
    }

    fn trace(&self) -> Option<&str> {
        self.text.strip_prefix("trace ")
    }
}

#[test]
fn a_frame_holds_256_messages_at_most() {
    let frames = bulk(&notes(2 * MAX_MESSAGES + 1, "x"));
    assert_eq!(frames.iter().map(|frame| frame.len).collect::<Vec<_>>(), [256, 256, 1]);
    assert_eq!(bulk(&notes(MAX_MESSAGES, "x")).len(), 1);
}

#[test]
fn a_frame_holds_256_kib_at_most() {
    let texts = notes(100, &"x".repeat(10_000));
    let frames = bulk(&texts);
    assert_eq!(frames.iter().map(|frame| frame.len).sum::<usize>(), texts.len());
    assert!(frames.iter().all(|frame| frame.bytes.len() <= MAX_BYTES));

    let next = outgoing(&texts[0]).json.len();
    let last = frames.len() - 1;
    let full = frames[..last].iter().all(|frame| frame.bytes.len() + next + 1 > MAX_BYTES);
    assert!(full, "as few frames as the limit allows");
}

#[test]
fn a_message_longer_than_a_frame_travels_alone() {
    let mut texts = notes(3, "x");
    texts[1].text = "x".repeat(MAX_BYTES);

    assert_eq!(bulk(&texts).iter().map(|frame| frame.len).collect::<Vec<_>>(), [1, 1, 1]);
}

#[test]
fn no_messages_are_no_frame() {
    assert!(bulk(&[]).is_empty());
}

#[test]
fn messages_keep_their_order_across_frames() {
    let texts = notes(600, "x");

    let read: Vec<Note> = bulk(&texts).iter().flat_map(read).collect();
    assert_eq!(read, texts);
}

#[test]
fn an_identical_frame_has_the_same_id() {
    assert_eq!(id(&notes(3, "x")), id(&notes(3, "x")));
}

#[test]
fn the_id_depends_on_the_order_and_on_each_id_turn_and_body() {
    let texts = notes(3, "x");
    let changed = |i: usize, change: fn(&mut Note)| {
        let mut texts = texts.clone();
        change(&mut texts[i]);
        id(&texts)
    };
    let mut swapped = texts.clone();
    swapped.swap(0, 2);

    let ids = [
        id(&texts),
        id(&swapped),
        id(&texts[..2]),
        changed(1, |note| note.turn = 2),
        changed(1, |note| note.text.push('y')),
        changed(2, |note| note.id = Uuid::from_u128(99)),
    ];
    for (i, id) in ids.iter().enumerate() {
        assert!(!ids[..i].contains(id), "variant {i} is not told from an earlier one");
    }
}

#[test]
fn the_id_depends_on_who_says_it_and_where() {
    let texts: Vec<Outgoing> = notes(3, "x").iter().map(outgoing).collect();
    let (bulk, urgent) = (Subject::Submitted(Lane::Bulk), Subject::Submitted(Lane::Urgent));
    let id = |by, subject| pack(by, subject, &texts)[0].id.clone();

    assert_ne!(id("api", &bulk), id("audience", &bulk));
    assert_ne!(id("api", &bulk), id("api", &urgent));
}

#[test]
fn another_body_under_the_same_message_id_is_another_frame() {
    let tenant: TenantId = "demo".parse().expect("valid");
    let message = |text: &str| {
        let to: domain::address::Address = "+12125550123".parse().expect("valid");
        let contact = ContactId::of(&tenant, to.as_str());
        let head = Head {
            id: MessageId::from_campaign(CampaignId(Uuid::nil()), contact, 0),
            tenant: tenant.clone(),
            turn: 1,
            class: domain::message::class::MessageClass::Promo,
            channel: domain::message::class::Channel::Sms,
            to,
            campaign: None,
            submitted_at: Timestamp::UNIX_EPOCH,
            expires_at: None,
            on_late: None,
            trace: None,
        };

        let content = Content::Body(text.into());
        let (body_hash, metadata) = Default::default();
        let (rich, from, batch) = (None, From::Any, None);
        let message = Submitted { head, content, rich, from, body_hash, metadata, batch };

        let subject = Subject::Submitted(Lane::Bulk);
        let outgoing = Outgoing::new(subject.clone(), &message.with_body_hash());
        pack("api", &subject, &[outgoing])[0].id.clone()
    };

    assert_eq!(message("hello"), message("hello"));
    assert_ne!(message("hello"), message("hullo"));
}

#[test]
fn a_frame_carries_the_first_trace_of_its_members() {
    let mut texts = notes(3, "x");
    texts[1].text = "trace 00-a-b-01".into();
    texts[2].text = "trace 00-c-d-01".into();

    assert_eq!(bulk(&texts)[0].trace.as_deref(), Some("00-a-b-01"));
}

#[test]
fn totals_travel_bare_one_to_a_message() {
    let tenant: TenantId = "demo".parse().expect("valid");
    let subject = Subject::Analytics(tenant, Scope::Dashboard);
    let texts = notes(3, "x");
    let outgoing: Vec<Outgoing> =
        texts.iter().map(|note| Outgoing::new(subject.clone(), note)).collect();

    let frames = pack("rollup", &subject, &outgoing);

    assert_eq!(frames.iter().map(|frame| frame.len).collect::<Vec<_>>(), [1, 1, 1]);
    for (frame, note) in frames.iter().zip(&texts) {
        assert_eq!(&serde_json::from_slice::<Note>(&frame.bytes).expect("an object"), note);
    }
}

#[test]
fn a_member_that_cannot_be_read_does_not_hold_the_others() {
    let texts = notes(2, "x");
    let secret = r#"{"turn":"+12125550123","text":"my code is 1234"}"#;
    let (first, last) = (json::to_string(&texts[0]), json::to_string(&texts[1]));
    let frame = format!("[{first}, {secret}, {last}]");

    let read = unpack::<Note>(frame.as_bytes()).expect("an array");

    assert_eq!(read[0].as_ref().expect("the first"), &texts[0]);
    assert_eq!(read[2].as_ref().expect("the last"), &texts[1]);

    let left = read[1].as_ref().expect_err("the second");
    assert_eq!(left.bytes, secret);
    assert!(left.why.contains("column"), "{}", left.why);
    assert!(!left.why.contains("+1") && !left.why.contains("1234"), "{}", left.why);
}

#[test]
fn what_is_no_array_of_1_to_256_members_is_no_frame() {
    for bytes in ["", "null", "{}", "[1", "\u{0}"] {
        let read = unpack::<Note>(bytes.as_bytes());
        assert!(matches!(read, Err(FrameError::Json(_))), "{bytes:?}: {read:?}");
    }

    let many = format!("[{}]", vec!["7"; MAX_MESSAGES + 1].join(","));
    let long = json::to_string(&notes(MAX_MESSAGES + 1, "x"));
    for (bytes, size) in [("[]", 0), (many.as_str(), 257), (long.as_str(), 257)] {
        let read = unpack::<Note>(bytes.as_bytes());
        assert!(matches!(read, Err(FrameError::Size(n)) if n == size), "{size}: {read:?}");
    }
}

fn notes(count: usize, text: &str) -> Vec<Note> {
    let tenant: TenantId = "demo".parse().expect("valid");
    let note = |n: usize| Note {
        id: Uuid::from_u128(n as u128),
        turn: 1,
        text: text.into(),
        tenant: tenant.clone(),
    };
    (0..count).map(note).collect()
}

fn outgoing(note: &Note) -> Outgoing {
    Outgoing::new(Subject::Submitted(Lane::Bulk), note)
}

fn bulk(notes: &[Note]) -> Vec<Frame> {
    let outgoing: Vec<Outgoing> = notes.iter().map(outgoing).collect();
    pack("api", &Subject::Submitted(Lane::Bulk), &outgoing)
}

fn id(notes: &[Note]) -> String {
    bulk(notes)[0].id.clone()
}

fn read(frame: &Frame) -> Vec<Note> {
    let members = unpack(&frame.bytes).expect("a frame");
    members.into_iter().map(|member| member.expect("a member")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_as_a_frame_is_read_or_refused(
        bytes in prop_oneof![vec(any::<u8>(), 0..200), "[\\[\\]{}\":,a-z0-9 ]{0,80}".prop_map(String::into_bytes)],
    ) {
        if let Ok(members) = unpack::<Submitted>(&bytes) {
            prop_assert!(members.len() <= bytes.len());
        }
    }

    #[test]
    fn whatever_is_packed_comes_out_again(texts in vec(".{0,40}", 1..40)) {
        let mut notes = notes(texts.len(), "x");
        for (note, text) in notes.iter_mut().zip(texts) {
            note.text = text;
        }
        let found: Vec<Note> = bulk(&notes).iter().flat_map(read).collect();
        prop_assert_eq!(found, notes);
    }
}
