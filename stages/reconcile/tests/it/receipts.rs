//! What receipts make of messages, however they come.

use domain::message::{
    passport::{Passport, Stamp},
    state::MessageState,
};
use jiff::Timestamp;
use serde_json::json;
use store::{
    Role,
    messages::sent::{self, Taken},
};
use testkit::ids;
use uuid::Uuid;
use wire::WebhookRequest;

use crate::world::{World, said};

#[tokio::test]
async fn a_receipt_raises_the_state_and_announces_it() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let message = world.message(1, MessageState::Sent).await?;

    let outcomes = world.receive(vec![world.receipt(message, "delivered", 1)]).await?;
    assert_eq!(said(&outcomes), ["message.delivered"]);

    let stored = world.stored(message).await?;
    assert_eq!((stored.state, stored.version), (MessageState::Delivered, 4));
    assert_eq!(stored.verdicts, ["delivered"]);
    Ok(())
}

#[tokio::test]
async fn receipts_in_any_order_and_five_times_end_the_same() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let statuses = ["sent", "delivered", "undelivered&ErrorCode=30003", "queued"];
    let orders: [[usize; 4]; 6] =
        [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 1, 0, 3], [2, 3, 0, 1], [1, 3, 2, 0]];

    for (n, order) in (1_u128..).zip(orders) {
        let message = world.message(n, MessageState::Queued).await?;
        for _ in 0..5 {
            for index in order {
                let second = i64::try_from(index)?;
                world.receive(vec![world.receipt(message, statuses[index], second)]).await?;
            }
        }

        let stored = world.stored(message).await?;
        assert_eq!((stored.state, stored.code), (MessageState::Delivered, None), "{order:?}");
        assert_eq!(stored.sid, Some(format!("SM{n}")));
        assert!(stored.version <= 6, "{order:?}: only a raised state makes a version");
    }
    Ok(())
}

#[tokio::test]
async fn receipts_of_one_message_in_one_batch_make_one_version_and_one_event() -> anyhow::Result<()>
{
    let world = World::begin().await?;
    let message = world.message(1, MessageState::Queued).await?;
    let other = world.message(2, MessageState::Sent).await?;

    let outcomes = world
        .receive(vec![
            world.receipt(message, "delivered", 2),
            world.receipt(other, "failed&ErrorCode=30005", 1),
            world.receipt(message, "sent", 1),
            world.receipt(message, "delivered", 2),
        ])
        .await?;

    assert_eq!(said(&outcomes), ["message.delivered", "message.failed"]);
    assert_eq!(world.stored(message).await?.version, 4);
    let failed = world.stored(other).await?;
    assert_eq!((failed.state, failed.code.as_deref()), (MessageState::Failed, Some("30005")));
    Ok(())
}

#[tokio::test]
async fn a_redelivered_receipt_says_the_same_event_and_a_repeated_one_says_nothing()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let message = world.message(1, MessageState::Sent).await?;

    let receipt = world.receipt(message, "delivered", 1);
    let first = world.receive(vec![receipt.clone()]).await?;
    let redelivered = world.receive(vec![receipt]).await?;
    assert_eq!(ids(&first), ids(&redelivered));

    let repeated = world.receive(vec![world.receipt(message, "delivered", 9)]).await?;
    let lower = world.receive(vec![world.receipt(message, "sent", 0)]).await?;
    assert_eq!((said(&repeated).len(), said(&lower).len()), (0, 0));
    assert_eq!(world.stored(message).await?.version, 4);
    Ok(())
}

#[tokio::test]
async fn a_late_callback_resolves_a_call_in_doubt() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let message = world.message(1, MessageState::InDoubt).await?;

    let outcomes = world.receive(vec![world.receipt(message, "sending", 1)]).await?;
    assert_eq!(said(&outcomes), ["message.sent"]);

    let stored = world.stored(message).await?;
    assert_eq!((stored.state, stored.sid.as_deref()), (MessageState::Sent, Some("SM1")));
    let reserved = "select count(*) from millrace.messages where reserved_at is not null";
    assert_eq!(world.number(reserved).await?, 1, "what the carrier took is billed");
    Ok(())
}

#[tokio::test]
async fn a_receipt_before_the_record_of_the_answer_is_not_lowered_by_it() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let message = world.message(1, MessageState::Queued).await?;
    let owner = Uuid::from_u128(9);
    world
        .run(
            "update millrace.messages set attempt = 1, call_by = now(),
                    claim_owner = '00000000-0000-0000-0000-000000000009'",
        )
        .await?;

    world.receive(vec![world.receipt(message, "delivered", 1)]).await?;

    let mut tx = world.database.store(Role::Pipeline).await?.scoped([&world.tenant]).await?;
    let taken = Taken {
        tenant: &world.tenant,
        message,
        attempt: 1,
        sid: "SM1",
        billed: None,
        passport: &Passport::default(),
        stamp: &Stamp::plain("send", Timestamp::UNIX_EPOCH, "sent"),
    };
    sent::sent(&mut tx, owner, Timestamp::UNIX_EPOCH, &[taken]).await?;
    tx.commit().await?;

    let stored = world.stored(message).await?;
    assert_eq!((stored.state, stored.version), (MessageState::Delivered, 4));
    assert_eq!(stored.verdicts, ["delivered", "sent"]);
    Ok(())
}

#[tokio::test]
async fn the_codes_of_the_store_raise_states_as_merge_does() {
    use MessageState::{Delivered, Failed, Read, Sent};
    for state in MessageState::ALL {
        for evidence in [Sent, Failed, Delivered, Read] {
            let by_code = state.code().max(evidence.code());
            assert_eq!(state.merge(evidence).code(), by_code, "{state:?} {evidence:?}");
        }
    }
}

#[tokio::test]
async fn a_message_that_the_carrier_has_is_not_released_from_its_parked_row() -> anyhow::Result<()>
{
    let world = World::begin().await?;
    let message = world.message(1, MessageState::Deferred).await?;
    world
        .run(
            "insert into millrace.parked (tenant_id, message_id, turn, due, cause, lane, payload,
                                          parked_at)
             select tenant_id, message_id, turn, now(), 'send:no_connection', 'bulk', '{}', now()
             from millrace.messages",
        )
        .await?;

    let outcomes = world.receive(vec![world.receipt(message, "delivered", 1)]).await?;
    assert_eq!(said(&outcomes), ["message.delivered"]);
    assert_eq!(world.number("select count(*) from millrace.parked").await?, 0);
    Ok(())
}

#[tokio::test]
async fn an_opt_out_that_a_receipt_tells_of_is_recorded_once() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let message = world.message(1, MessageState::Sent).await?;
    let receipt = world.receipt(message, "undelivered&ErrorCode=63033", 1);

    let first = world.receive(vec![receipt.clone()]).await?;
    assert_eq!(said(&first), ["message.failed", "contact.opted_out"]);

    let out = "select count(*) from millrace.standings where opted_out_at is not null";
    assert_eq!(world.number(out).await?, 1);

    world.run("update millrace.standings set opted_out_at = null, opt_out_cause = null").await?;
    let again = world.receive(vec![receipt]).await?;
    assert_eq!(ids(&first), ids(&again));
    assert_eq!(world.number(out).await?, 0, "who has come back since is not sent away again");

    assert_eq!(world.number("select count(*) from millrace.consents").await?, 1);
    let trail = "select count(*) from millrace.audit_log where actor = 'stage:reconcile'";
    assert_eq!(world.number(trail).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_receipt_without_our_reference_is_taken_by_the_id_of_its_text() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let message = world.message(1, MessageState::Sent).await?;
    world
        .run(
            "insert into millrace.contacts (tenant_id, contact_id, number, country, created_at,
                                            updated_at)
             select tenant_id, contact_id, number, 'US', now(), now() from millrace.messages",
        )
        .await?;

    let without = |sid: &str, to: &str| {
        let mut receipt = world.receipt(message, "delivered", 1);
        receipt.query = String::new();
        let form = format!("MessageSid={sid}&MessageStatus=delivered&To={to}&From=%2B12025550171");
        WebhookRequest { body: form.into_bytes(), ..receipt }
    };
    let strange = vec![without("SM9", "%2B13125550001"), without("SM1", "%2B13125550002")];
    assert_eq!(said(&world.receive(strange).await?), [""; 0]);

    let ours = world.receive(vec![without("SM1", "%2B13125550001")]).await?;
    assert_eq!(said(&ours), ["message.delivered"]);
    assert_eq!(world.stored(message).await?.state, MessageState::Delivered);
    Ok(())
}

#[tokio::test]
async fn a_receipt_without_reference_and_numbers_is_taken_by_the_id_within_its_account()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(json!({})).await?;
    let sender = world.sender("+12025550171", json!({})).await?;
    let (young, old) =
        (world.message(1, MessageState::Sent).await?, world.message(2, MessageState::Sent).await?);
    world.run(&format!("update millrace.messages set sender_id = '{sender}'")).await?;
    world
        .run(&format!(
            "insert into millrace.receipt_watches (tenant_id, due, messages)
             values ('acme', now(), array['{old}'::uuid])"
        ))
        .await?;

    let bare = |message, account: &str| {
        let account = account.to_owned();
        WebhookRequest { query: String::new(), account, ..world.receipt(message, "delivered", 1) }
    };
    assert_eq!(said(&world.receive(vec![bare(young, "other")]).await?), [""; 0]);
    let shared = WebhookRequest { tenant: None, ..bare(young, "main") };
    assert_eq!(said(&world.receive(vec![shared.clone()]).await?), [""; 0], "nobody shares it");

    let ours = world.receive(vec![bare(old, "main")]).await?;
    assert_eq!(said(&ours), ["message.delivered"]);
    world
        .run(
            "insert into millrace.platform_accounts
                 (account, carrier, carrier_sid, base_url, sealed_token, created_at)
             values ('main', 'twilio', 'AC1', 'http://localhost', '', now());
             insert into millrace.account_shares (tenant_id, account) values ('acme', 'main')",
        )
        .await?;
    assert_eq!(said(&world.receive(vec![shared]).await?), ["message.delivered"]);
    Ok(())
}

#[tokio::test]
async fn what_is_not_about_a_message_of_ours_changes_nothing() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let message = world.message(1, MessageState::Sent).await?;
    let unknown = world.receipt(Uuid::from_u128(77).into(), "delivered", 1);
    let mut other = world.receipt(message, "delivered", 1);
    other.query = format!("tenant=umbrella&message={message}");
    let mut without = world.receipt(message, "delivered", 1);
    without.query = String::new();
    without.body = b"MessageSid=SM9&MessageStatus=delivered".to_vec();
    let mut malformed = world.receipt(message, "delivered", 1);
    malformed.body = b"MessageStatus=delivered".to_vec();

    let outcomes = world.receive(vec![unknown, other, without, malformed]).await?;
    assert_eq!(said(&outcomes), ["dead receipt_malformed"]);
    assert_eq!(world.stored(message).await?.state, MessageState::Sent);
    Ok(())
}
