//! Functions that lock many rows take them in any order, and answer in the order of their caller.

use domain::{
    gates::Gate,
    ids::{ContactId, MessageId, TenantId},
    message::{
        class::{Channel, MessageClass},
        passport::{Passport, Stamp},
        state::MessageState,
    },
    money::Micros,
};
use jiff::Timestamp;
use store::{
    Role, Scoped,
    messages::{
        enrich::{self, NewMessage},
        gate::{self, GateDecision},
        receipt::{self, Merged},
    },
};
use testkit::Database;
use uuid::Uuid;
use wire::message::Head;

fn now() -> Timestamp {
    "2026-03-04T15:00:00Z".parse().expect("an instant")
}

fn head(tenant: &TenantId, n: u128) -> Head {
    Head {
        id: MessageId(Uuid::from_u128(n)),
        tenant: tenant.clone(),
        turn: 1,
        class: MessageClass::Promo,
        channel: Channel::Sms,
        to: "+12125550100".parse().expect("an address"),
        campaign: None,
        submitted_at: now(),
        expires_at: None,
        on_late: None,
        trace: None,
    }
}

fn new<'a>(head: &'a Head, passport: &'a Passport) -> NewMessage<'a> {
    NewMessage {
        head,
        contact: ContactId::of(&head.tenant, head.to.as_str()),
        state: MessageState::Accepted,
        code: None,
        variant: None,
        text: "Hi",
        media: &[],
        segments: 1,
        cost: Micros(7_900),
        body_hash: b"hash",
        metadata: None,
        passport,
    }
}

/// Blocks every message, each by another gate.
fn decisions<'a>(heads: &'a [Head], passport: &'a Passport) -> Vec<GateDecision<'a>> {
    let decision = |(head, gate): (&'a Head, Gate)| GateDecision {
        tenant: &head.tenant,
        message: head.id,
        turn: head.turn,
        state: MessageState::Blocked,
        gate: Some(gate),
        code: None,
        due: None,
        admission: None,
        passport,
    };
    heads.iter().zip(Gate::ORDER).map(decision).collect()
}

fn merged<'a>(heads: &'a [Head], stamp: &'a Stamp) -> Vec<Merged<'a>> {
    let receipt = |head: &'a Head| Merged {
        tenant: &head.tenant,
        message: head.id,
        state: MessageState::Delivered,
        raised: true,
        code: None,
        sid: None,
        at: now(),
        reserved_at: None,
        settled: None,
        repriced: false,
        stamp,
    };
    heads.iter().map(receipt).collect()
}

async fn insert(tx: &mut Scoped, heads: &[Head]) -> anyhow::Result<Vec<bool>> {
    let passport = Passport::default();
    let messages: Vec<NewMessage<'_>> = heads.iter().map(|head| new(head, &passport)).collect();
    Ok(enrich::insert_messages(tx, now(), &messages).await?)
}

#[tokio::test]
async fn rows_are_locked_in_key_order_and_answered_in_the_callers() -> anyhow::Result<()> {
    let database = Database::start().await?;
    let (acme, zeta) = (database.tenant("acme").await?, database.tenant("zeta").await?);
    let store = database.store(Role::Pipeline).await?;
    let mut tx = store.scoped([&acme, &zeta]).await?;
    let heads = [head(&zeta, 1), head(&acme, 3), head(&zeta, 9), head(&acme, 2)];
    let ids = heads.each_ref().map(|head| head.id);

    // Two of them are there before, and one is named twice.
    insert(&mut tx, &[heads[2].clone(), heads[1].clone()]).await?;
    let twice: Vec<Head> = heads.iter().chain([&heads[0]]).cloned().collect();
    assert_eq!(insert(&mut tx, &twice).await?, [true, false, false, true, false]);

    let passport = Passport::default();
    let decided = gate::record(&mut tx, now(), &decisions(&heads, &passport)).await?;
    let rows = decided.iter().flatten().map(|row| (row.id, row.gate));
    let expected = ids.into_iter().zip(Gate::ORDER.map(Some));
    assert_eq!(rows.collect::<Vec<_>>(), expected.collect::<Vec<_>>());

    // None of them is open any more, but for one that is new.
    let later = [heads[3].clone(), head(&zeta, 4), heads[0].clone()];
    insert(&mut tx, &later[1..2]).await?;
    let decided = gate::record(&mut tx, now(), &decisions(&later, &passport)).await?;
    let rows = decided.iter().map(|row| row.as_ref().map(|row| row.id));
    assert_eq!(rows.collect::<Vec<_>>(), [None, Some(later[1].id), None]);

    let stamp = Stamp::plain("reconcile", now(), "delivered");
    let written = receipt::write(&mut tx, &merged(&heads, &stamp)).await?;
    assert_eq!(written.iter().flatten().map(|row| row.id).collect::<Vec<_>>(), ids);
    Ok(())
}
