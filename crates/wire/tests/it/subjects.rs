//! Subjects: how each is written, which shard an account has, and that nobody can write into
//! another tenant's.

use domain::{ids::TenantId, message::class::Lane};
use proptest::prelude::*;
use uuid::Uuid;
use wire::{
    EventKind, Stream, Subject,
    subject::{SHARDS, Scope, Token, WebhookKind, shard_of},
};

#[test]
fn a_subject_is_written_as_the_contract_says() {
    let (demo, id) = (tenant("demo"), Uuid::from_u128(0xC001));
    let all = [
        (Subject::Submitted(Lane::Urgent), "msg.submitted.urgent"),
        (Subject::Enriched(Lane::Bulk), "msg.enriched.bulk"),
        (Subject::Admitted(Lane::Urgent, 0), "msg.admitted.urgent.0"),
        (Subject::Released(Lane::Bulk, 31), "msg.released.bulk.31"),
        (carrier("twilio", "main-1", WebhookKind::Status), "carrier.twilio.main-1.status"),
        (carrier("twilio", "main-1", WebhookKind::Inbound), "carrier.twilio.main-1.inbound"),
        (carrier("bandwidth", "au_2", WebhookKind::Mixed), "carrier.bandwidth.au_2.mixed"),
        (Subject::Inbound(demo.clone()), "inbound.demo"),
        (Subject::Event(demo.clone(), EventKind::MessageSent), "events.demo.message.sent"),
        (Subject::Event(demo.clone(), EventKind::InDoubtRaised), "events.demo.in_doubt.raised"),
        (Subject::Analytics(demo.clone(), Scope::Dashboard), "analytics.demo.dashboard"),
        (
            Subject::Analytics(demo.clone(), Scope::Campaign(id)),
            "analytics.demo.campaign.00000000-0000-0000-0000-00000000c001",
        ),
        (Subject::Dead("gate", Some(demo)), "dead.gate.demo"),
        (Subject::Dead("enrich", None), "dead.enrich._"),
    ];

    for (subject, written) in all {
        assert_eq!(subject.to_string(), written);
        let stream = subject.stream();
        assert!(takes(stream, written), "{} does not take {written}", stream.name());
    }
}

#[test]
fn a_subject_belongs_to_one_stream_only() {
    for kind in EventKind::ALL {
        let subject = Subject::Event(tenant("demo"), *kind).to_string();
        let taking: Vec<_> = Stream::ALL.into_iter().filter(|s| takes(*s, &subject)).collect();
        assert_eq!(taking, [Stream::Events], "{subject}");
    }

    let dead = Subject::Dead("gate", None).to_string();
    let taking: Vec<_> = Stream::ALL.into_iter().filter(|s| takes(*s, &dead)).collect();
    assert_eq!(taking, [Stream::Dead]);
}

/// The first three are the published FNV-1a vectors: 0x811c9dc5, 0xe40c292c and 0xbf9cf968.
#[test]
fn an_account_never_changes_its_shard() {
    for (account, shard) in
        [("", 5), ("a", 12), ("foobar", 8), ("twilio-main", 13), ("acme-au", 16)]
    {
        assert_eq!(shard_of(account), shard, "{account:?}");
    }
}

#[test]
fn shards_are_used_about_evenly() {
    let mut counts = [0_u32; SHARDS as usize];
    for n in 0..3_200 {
        counts[usize::from(shard_of(&format!("account-{n}")))] += 1;
    }

    assert!(counts.iter().all(|count| (60..=140).contains(count)), "{counts:?}");
}

#[test]
fn a_token_refuses_what_would_change_the_subject() {
    for bad in ["", ".", "a.b", "*", "a*", ">", "a>", " ", "a b", "a\t", "a\n", "\u{e9}", "$"] {
        assert_eq!(Token::new(bad), None, "{bad:?}");
    }
    assert_eq!(Token::new(&"a".repeat(65)), None);

    for good in ["a", "Twilio_main-1", &"a".repeat(64)] {
        assert_eq!(Token::new(good).expect("a token").as_str(), good);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a tenant calls itself, its subjects have the tokens that they should have, the
    /// tenant's own name is one of them, and no wildcard is.
    #[test]
    fn a_tenant_never_writes_a_token_of_its_own(name in any_name()) {
        let Ok(tenant) = name.parse::<TenantId>() else { return Ok(()) };
        let id = Uuid::from_u128(7);
        for (subject, tokens, own) in [
            (Subject::Inbound(tenant.clone()), 2, 1),
            (Subject::Event(tenant.clone(), EventKind::MessageSent), 4, 1),
            (Subject::Analytics(tenant.clone(), Scope::Dashboard), 3, 1),
            (Subject::Analytics(tenant.clone(), Scope::Campaign(id)), 4, 1),
            (Subject::Dead("gate", Some(tenant.clone())), 3, 2),
        ] {
            let written = subject.to_string();
            let found: Vec<&str> = written.split('.').collect();

            prop_assert_eq!(found.len(), tokens, "{}", &written);
            prop_assert_eq!(found[own], name.as_str());
            prop_assert!(found.iter().all(|token| is_plain(token)), "{}", &written);
            prop_assert!(takes(subject.stream(), &written));
        }
    }

    /// On the wire a tenant's key is checked like anywhere else.
    #[test]
    fn a_tenant_that_is_no_key_is_not_read_from_a_payload(name in any_name()) {
        let json = serde_json::to_string(&name).expect("a string");
        let read = serde_json::from_str::<TenantId>(&json);
        prop_assert_eq!(read.is_ok(), name.parse::<TenantId>().is_ok());
    }

    #[test]
    fn an_account_never_writes_a_token_of_its_own(name in any_name()) {
        let Some(account) = Token::new(&name) else { return Ok(()) };
        let carrier = Token::new("twilio").expect("a token");
        let written = Subject::Carrier(carrier, account, WebhookKind::Mixed).to_string();
        let found: Vec<&str> = written.split('.').collect();

        prop_assert_eq!(found.len(), 4, "{}", &written);
        prop_assert!(found.iter().all(|token| is_plain(token)), "{}", &written);
    }

    #[test]
    fn a_shard_is_always_one_of_those_there_are(account in any::<String>()) {
        prop_assert!(u32::from(shard_of(&account)) < SHARDS);
    }
}

/// Names near the allowed ones, wildcards and dots among them, and anything at all.
fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9-]{1,34}",
        "[a-z0-9.*>_ $-]{1,8}",
        "[a-z]{1,3}[.*> \\t\\r\\n\u{0}][a-z*>]{1,3}",
        any::<String>(),
    ]
}

fn is_plain(token: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !token.is_empty() && token.chars().all(plain)
}

/// Whether a stream takes a subject, by the broker's rules: `*` is one token, `>` one or more.
fn takes(stream: Stream, subject: &str) -> bool {
    stream.subjects().iter().any(|pattern| covers(pattern, subject))
}

fn covers(pattern: &str, subject: &str) -> bool {
    let mut tokens = subject.split('.');
    for wanted in pattern.split('.') {
        match (wanted, tokens.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (exact, Some(token)) if exact == token => {}
            (_, _) => return false,
        }
    }
    tokens.next().is_none()
}

fn tenant(key: &str) -> TenantId {
    key.parse().expect("a valid key")
}

fn carrier(carrier: &str, account: &str, kind: WebhookKind) -> Subject {
    let token = |name| Token::new(name).expect("a token");
    Subject::Carrier(token(carrier), token(account), kind)
}
