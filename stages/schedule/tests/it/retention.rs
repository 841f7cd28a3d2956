//! What is kept long enough goes, and nothing else does.

mod conversations;

use domain::{
    ids::{CampaignId, MessageId},
    message::{
        class::MessageClass,
        state::{MessageState, NO_RECEIPT},
    },
};
use jiff::{SignedDuration, Timestamp};
use schedule::RetentionSource;
use serde_json::{Value, json};
use stage::{Cx, Source};
use store::{
    Role,
    campaigns::ledger::{self, LedgerSums},
    retention::Keep,
};
use testkit::world::{message_row, with};
use uuid::Uuid;
use wire::Enriched;

use crate::world::{World, after, message, now};

const CAMPAIGN: CampaignId = CampaignId(Uuid::from_u128(7));

/// So many days before [`now`].
fn days_ago(days: i64) -> Timestamp {
    after(-days * 86_400)
}

/// Message `n` of the tenant, as it ended so many days ago.
fn ended(world: &World, n: u32, days: i64, state: MessageState) -> Value {
    let row = message_row(&message(&world.tenant, MessageClass::Promo, n));
    with(
        row,
        &json!({
            "state": state.code(), "version": 3, "submitted_at": days_ago(days),
            "changed_at": days_ago(days), "carrier_sid": format!("SM{n}"), "turn": 1,
            "code": null, "gate": null, "sender_id": null, "campaign_id": null,
        }),
    )
}

/// One more process.
async fn source(world: &World) -> anyhow::Result<RetentionSource> {
    Ok(RetentionSource::new(world.pipeline().await?, Keep::default()))
}

/// Steps until nothing is due at an instant. The machine's clock goes as business time does.
async fn settle(world: &World, now: Timestamp) -> anyhow::Result<()> {
    let source = source(world).await?;
    while source.step(&Cx::at(now, now)).await? {}
    Ok(())
}

/// The numbers of the messages that are kept, in order.
async fn kept(world: &World, of: u32) -> anyhow::Result<Vec<u32>> {
    let ids =
        world.one("select coalesce(string_agg(message_id::text, ' '), '') from millrace.messages");
    let ids = ids.await?;
    let is_kept = |n: &u32| ids.contains(&id(world, *n).to_string());
    Ok((0..of).filter(is_kept).collect())
}

fn id(world: &World, n: u32) -> MessageId {
    message(&world.tenant, MessageClass::Promo, n).head.id
}

#[tokio::test]
async fn a_message_goes_400_days_after_its_end_and_one_that_is_open_never() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let at = |n, state, columns: Value| with(ended(&world, n, 402, state), &columns);
    let rows = [
        at(0, MessageState::Delivered, json!({})),
        at(1, MessageState::Blocked, json!({})),
        at(2, MessageState::Sent, json!({ "code": NO_RECEIPT })),
        at(3, MessageState::Delivered, json!({ "changed_at": days_ago(399) })),
        at(4, MessageState::Sent, json!({})),
        at(5, MessageState::Held, json!({ "submitted_at": days_ago(900) })),
        at(6, MessageState::InDoubt, json!({})),
        at(7, MessageState::Failed, json!({})),
        at(8, MessageState::Unknown, json!({})),
        ended(&world, 9, 398, MessageState::Read),
    ];
    world.insert("messages", &rows).await?;

    // On two of those that have ended, something hangs still.
    let parked = json!({
        "tenant_id": world.tenant, "message_id": id(&world, 7), "turn": 1, "due": now(),
        "cause": "rate quota", "lane": "bulk", "payload": {}, "parked_at": days_ago(1), "rank": 2,
    });
    world.insert("parked", &[parked]).await?;
    let doubt = json!({
        "tenant_id": world.tenant, "message_id": id(&world, 8), "account": "main", "looks": 0,
        "raised_at": days_ago(1), "next_look": days_ago(1), "settled_version": 3,
    });
    world.insert("doubts", &[doubt]).await?;

    settle(&world, now()).await?;
    assert_eq!(kept(&world, 10).await?, [3, 4, 5, 6, 7, 8, 9]);
    settle(&world, after(23 * 3_600)).await?;
    assert_eq!(kept(&world, 10).await?, [3, 4, 5, 6, 7, 8, 9]);

    // What was left behind is found again once it is due, or has ended.
    world.run("delete from millrace.parked; delete from millrace.doubts").await?;
    settle(&world, after(25 * 3_600)).await?;
    assert_eq!(kept(&world, 10).await?, [4, 5, 6, 9]);
    settle(&world, after(4 * 86_400)).await?;
    assert_eq!(kept(&world, 10).await?, [4, 5, 6]);

    // What went is counted still.
    let gone = "select sum(messages)::bigint from millrace.gone_counts";
    assert_eq!(world.number(gone).await?, 7);
    let gone = "select detail from millrace.gone_counts where state = 20";
    assert_eq!(world.one(gone).await?, NO_RECEIPT);
    Ok(())
}

#[tokio::test]
async fn a_text_goes_90_days_after_the_end_of_its_message_and_the_record_stays()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let held = with(ended(&world, 2, 200, MessageState::Held), &json!({}));
    let rows = [
        ended(&world, 0, 92, MessageState::Delivered),
        ended(&world, 1, 89, MessageState::Delivered),
        held,
        with(ended(&world, 3, 92, MessageState::Read), &json!({ "changed_at": days_ago(88) })),
    ];
    world.insert("messages", &rows).await?;

    let with_text = async || {
        let kept = "select string_agg(body, ' ' order by body) from millrace.messages
                    where body <> '' and text_expired_at is null";
        world.one(kept).await
    };
    settle(&world, now()).await?;
    assert_eq!(with_text().await?, "Hello 1 Hello 2 Hello 3");
    let expired = "select count(*) from millrace.messages
                   where body = '' and text_expired_at = '2026-03-02T14:00:00Z'
                     and body_hash is not null and segments = 1 and version = 3";
    assert_eq!(world.number(expired).await?, 1);

    settle(&world, after(3 * 86_400)).await?;
    assert_eq!(with_text().await?, "Hello 2");
    assert_eq!(kept(&world, 4).await?, [0, 1, 2, 3]);
    Ok(())
}

#[tokio::test]
async fn a_ledger_adds_up_to_its_audience_when_recipients_are_no_longer_kept() -> anyhow::Result<()>
{
    let world = World::begin().await?;
    let (messages, sender) = campaign(&world).await?;
    let before = sums(&world).await?;
    assert_eq!((before.audience, before.never_fed, before.counts.segments()), (6, 2, 3));

    let sid = |n: u32| {
        json!({
            "tenant_id": world.tenant, "account": "main", "sid": format!("SM{n}"),
            "message_id": messages[n as usize].head.id, "taken_at": now(),
        })
    };
    world.insert("taken_sids", &[sid(0), sid(3)]).await?;
    let conflict = |n: usize| {
        json!({
            "tenant_id": world.tenant, "message_id": messages[n].head.id, "body_hash": "",
            "at": days_ago(402),
        })
    };
    world.insert("message_conflicts", &[conflict(1), conflict(3)]).await?;
    assert!(!sender.is_nil());

    settle(&world, now()).await?;
    let of = "select string_agg(seq::text, ' ' order by seq) from millrace.campaign_recipients";
    assert_eq!(world.one(of).await?, "3");
    let left = "select count(*) from millrace.taken_sids where sid = 'SM3'";
    assert_eq!(world.number(left).await?, 1);
    assert_eq!(world.number("select count(*) from millrace.taken_sids").await?, 1);
    assert_eq!(world.number("select count(*) from millrace.message_conflicts").await?, 1);
    assert_eq!(as_map(&sums(&world).await?), as_map(&before));

    settle(&world, after(5 * 86_400)).await?;
    assert_eq!(world.number("select count(*) from millrace.campaign_recipients").await?, 0);
    assert_eq!(as_map(&sums(&world).await?), as_map(&before));
    Ok(())
}

/// A campaign to six people that was stopped before it came to the last two: their messages, of
/// which the last is younger, and the sender.
async fn campaign(world: &World) -> anyhow::Result<(Vec<Enriched>, Uuid)> {
    let sender = world.sender("+12125550101", json!({})).await?.0;
    let messages: Vec<Enriched> =
        (0..6).map(|n| message(&world.tenant, MessageClass::Promo, n)).collect();
    world.campaign(CAMPAIGN, &messages).await?;
    world
        .run("update millrace.campaigns set created_at = '2025-01-01', cursor = 4, audience_size = 6")
        .await?;

    let states =
        [MessageState::Delivered, MessageState::Blocked, MessageState::Sent, MessageState::Read];
    let row = |(n, state): (u32, MessageState)| {
        let days = if n == 3 { 398 } else { 402 };
        let columns = json!({
            "campaign_id": CAMPAIGN, "sender_id": sender, "turn": 1 + n % 2,
            "gate": (state == MessageState::Blocked).then_some("dnc"),
            "code": (state == MessageState::Sent).then_some(NO_RECEIPT),
            "carrier_sid": (state != MessageState::Blocked).then(|| format!("SM{n}")),
        });
        with(ended(world, n, days, state), &columns)
    };
    let rows: Vec<Value> = (0..).zip(states).map(row).collect();
    world.insert("messages", &rows).await?;
    Ok((messages, sender))
}

async fn sums(world: &World) -> anyhow::Result<LedgerSums> {
    let store = world.database.store(Role::Api).await?;
    let found = ledger::read(&store, (&world.tenant, None), CAMPAIGN).await?;
    found.ok_or_else(|| anyhow::anyhow!("the campaign is there"))
}

/// What a ledger says, whatever the order and the cut of its groups.
fn as_map(sums: &LedgerSums) -> std::collections::BTreeMap<String, i64> {
    let mut map = std::collections::BTreeMap::from([
        ("audience".into(), sums.audience),
        ("waiting".into(), sums.waiting),
        ("never fed".into(), sums.never_fed),
        ("ended".into(), sums.counts.ended()),
        ("segments".into(), sums.counts.segments()),
        ("cost".into(), sums.counts.cost().0),
        ("released".into(), sums.counts.released()),
    ]);
    let states = MessageState::ALL.into_iter();
    map.extend(states.map(|state| (state.as_str().to_owned(), sums.counts.of(state))));
    map
}

#[tokio::test]
async fn two_processes_remove_each_message_once_and_count_it_once() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let messages: Vec<Enriched> =
        (0..1_700).map(|n| message(&world.tenant, MessageClass::Promo, n)).collect();
    world.campaign(CAMPAIGN, &messages).await?;
    let row = |n| {
        let columns = json!({ "campaign_id": CAMPAIGN });
        with(ended(&world, n, 402, MessageState::Delivered), &columns)
    };
    let rows: Vec<Value> = (0..1_700).map(row).collect();
    world.insert("messages", &rows).await?;

    let (one, other) = (source(&world).await?, source(&world).await?);
    let cx = Cx::at(now(), now());
    for _ in 0..40 {
        let (first, second) = tokio::join!(one.step(&cx), other.step(&cx));
        first?;
        second?;
        if kept(&world, 1_700).await?.is_empty() {
            break;
        }
    }

    assert_eq!(kept(&world, 1_700).await?, [0_u32; 0]);
    let gone = "select sum(messages)::bigint from millrace.gone_counts";
    assert_eq!(world.number(gone).await?, 1_700);
    Ok(())
}

#[tokio::test]
async fn who_holds_a_row_is_not_waited_for() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world
        .insert("messages", &[0, 1].map(|n| ended(&world, n, 402, MessageState::Delivered)))
        .await?;

    let mut held = world.scoped().await?;
    sqlx::query("select 1 from messages where message_id = $1 for update")
        .bind(id(&world, 0).0)
        .execute(&mut *held)
        .await?;
    settle(&world, now()).await?;
    assert_eq!(kept(&world, 2).await?, [0]);

    held.commit().await?;
    settle(&world, after(86_400)).await?;
    assert_eq!(kept(&world, 2).await?, [0_u32; 0]);
    Ok(())
}

#[tokio::test]
async fn a_tick_is_one_step_however_much_is_due() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let rows: Vec<Value> =
        (0..600).map(|n| ended(&world, n, 402, MessageState::Delivered)).collect();
    world.insert("messages", &rows).await?;

    let source = source(&world).await?;
    let tick = source.tick(&Cx::at(now(), now())).await?;
    assert!(!tick.more && tick.say.is_empty());
    assert_eq!(world.number("select count(*) from millrace.messages").await?, 100);

    // A rule of which nothing is due rests for a minute.
    source.tick(&Cx::at(now(), now())).await?;
    assert_eq!(world.number("select count(*) from millrace.messages").await?, 0);
    world.insert("messages", &[ended(&world, 700, 401, MessageState::Delivered)]).await?;
    source.tick(&Cx::at(after(0), after(59))).await?;
    assert_eq!(world.number("select count(*) from millrace.messages").await?, 1);
    source.tick(&Cx::at(after(0), after(60))).await?;
    assert_eq!(world.number("select count(*) from millrace.messages").await?, 0);
    Ok(())
}

#[tokio::test]
async fn texts_of_conversations_go_like_those_of_messages() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let inbound = |n: u128, days| {
        json!({
            "tenant_id": world.tenant, "inbound_id": Uuid::from_u128(n), "body": format!("In {n}"),
            "conversation_id": Uuid::nil(), "contact_id": Uuid::nil(), "sender_id": Uuid::nil(),
            "meaning": "text", "epoch": 1, "received_at": days_ago(days),
        })
    };
    let answer = |n: u128, days, body: Option<String>| {
        json!({
            "tenant_id": world.tenant, "message_id": Uuid::from_u128(n), "body": body,
            "conversation_id": Uuid::nil(), "inbound_id": Uuid::from_u128(n), "reason": "answered",
            "input_tokens": 0, "output_tokens": 0, "at": days_ago(days),
        })
    };
    let days = [401, 91, 89];
    let texts: Vec<Value> = (1..).zip(days).map(|(n, days)| inbound(n, days)).collect();
    world.insert("inbound_texts", &texts).await?;
    let mut answers: Vec<Value> =
        (1..).zip(days).map(|(n, days)| answer(n, days, Some(format!("Out {n}")))).collect();
    answers.push(answer(4, 91, None));
    world.insert("ai_replies", &answers).await?;

    settle(&world, now()).await?;
    let texts = "select string_agg(body, ',' order by inbound_id) from millrace.inbound_texts";
    assert_eq!(world.one(texts).await?, ",In 3");
    let answers = "select string_agg(coalesce(body, 'none'), ',' order by message_id)
                   from millrace.ai_replies";
    assert_eq!(world.one(answers).await?, ",Out 3,none");
    Ok(())
}

#[tokio::test]
async fn keys_marks_imports_and_windows_go_by_their_own_age() -> anyhow::Result<()> {
    let world = World::begin().await?;
    for (table, rows) in aged(&world) {
        world.insert(table, &rows).await?;
    }

    settle(&world, now()).await?;
    // Of each table one row is due: it goes, and the younger ones stay.
    for (table, rows) in aged(&world) {
        let count = format!("select count(*) from millrace.{table}");
        assert_eq!(world.number(count.leak()).await?, rows.len() as i64 - 1, "{table}");
    }
    let meters = "select count(*) from millrace.counters where kind = 'admitted_bulk'";
    assert_eq!(world.number(meters).await?, 1);
    Ok(())
}

/// Rows by table: the first of each is due, the others are not.
fn aged(world: &World) -> Vec<(&'static str, Vec<Value>)> {
    let id = Uuid::from_u128;
    let row = |columns: Value| with(json!({ "tenant_id": world.tenant }), &columns);
    let hours_ago = |hours: i64| now() - SignedDuration::from_hours(hours);
    let counter = |kind: &str, start: Timestamp| {
        row(json!({ "kind": kind, "key": "", "window_start": start, "used": 1 }))
    };
    let event = |n, days| row(json!({ "event_id": id(n), "counted_at": days_ago(days) }));
    let mark = |n, days| row(json!({ "message_id": id(n), "at": days_ago(days) }));
    let batch = |n, days| row(json!({ "batch_id": id(n), "body_hash": "", "at": days_ago(days) }));
    let conflict =
        |n, days| row(json!({ "message_id": id(n), "body_hash": "", "at": days_ago(days) }));
    let key = |key: &str, hours| {
        row(json!({
            "key": key, "body_hash": "", "status": 200, "response": {},
            "created_at": hours_ago(hours),
        }))
    };
    let sid = |sid: &str, days| {
        row(json!({
            "account": "main", "sid": sid, "message_id": id(1), "taken_at": days_ago(days),
        }))
    };
    let alert = |days| {
        row(json!({
            "kind": "spend_month", "key": "", "window_start": days_ago(days), "level": "warning",
            "at": days_ago(days),
        }))
    };
    let import = |n, days, state: &str| {
        row(json!({
            "import_id": id(n), "state": state, "created_at": days_ago(days),
            "progressed_at": days_ago(days), "total": 1, "created": 0, "updated": 0,
            "unchanged": 0, "duplicate": 0, "invalid": 1, "rows_kept": n != 1,
        }))
    };
    let line =
        |n| row(json!({ "import_id": id(n), "line": 2, "outcome": "invalid", "reason": "" }));

    vec![
        (
            "counters",
            vec![
                counter("quota_minute", hours_ago(49)),
                counter("quota_minute", hours_ago(47)),
                counter("spend_month", days_ago(32)),
                counter("spend_day", days_ago(2)),
                counter("admitted_bulk", Timestamp::UNIX_EPOCH),
                counter("a_newer_kind", days_ago(500)),
            ],
        ),
        ("counted_events", vec![event(1, 401), event(2, 399)]),
        ("batch_keys", vec![batch(1, 401), batch(2, 399)]),
        // Of no message that is stored.
        ("message_conflicts", vec![conflict(1, 401), conflict(2, 399)]),
        ("cancel_marks", vec![mark(1, 401), mark(2, 399)]),
        ("idempotency_keys", vec![key("old", 25), key("new", 23)]),
        ("taken_sids", vec![sid("SM1", 401), sid("SM2", 399)]),
        ("budget_alerts", vec![alert(34), alert(32)]),
        (
            "imports",
            vec![
                import(1, 401, "completed"),
                import(2, 31, "completed"),
                import(3, 29, "failed"),
                import(4, 1, "running"),
            ],
        ),
        ("import_rows", vec![line(2), line(3), line(4)]),
        ("api_keys", keys(world)),
    ]
}

/// API keys, of which the first was revoked 91 days ago.
fn keys(world: &World) -> Vec<Value> {
    let key = |n: u8, ends: Option<i64>, revoked: Option<i64>| {
        json!({
            "tenant_id": world.tenant, "key_id": Uuid::from_u128(n.into()),
            "hash": format!("\\x{n:02x}"), "name": "shop", "role": "viewer", "is_test": false,
            "created_at": days_ago(400), "expires_at": ends.map(days_ago),
            "revoked_at": revoked.map(days_ago),
        })
    };
    vec![
        key(1, Some(10), Some(91)),
        key(2, Some(89), None),
        key(3, None, Some(89)),
        key(4, None, None),
    ]
}
