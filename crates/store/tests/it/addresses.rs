//! People whom a carrier knows by an id of its own, on a real database: what is kept of them holds
//! at the gates and at the claim, and each contact has its address.

use std::collections::BTreeSet;

use domain::{
    address::Address,
    gates::{
        self, ClaimFacts, Counters, Gate, LEAD_TIME, Memo, Recheck, Stops, Verdict, counter_keys,
        evaluate, recheck,
    },
    ids::{ContactId, SenderId, TenantId},
    message::class::{Channel, MessageClass},
    money::Micros,
};
use jiff::SignedDuration;
use serde_json::json;
use sqlx::{Connection, Row};
use store::{
    Role, Scoped,
    capacity::release::{Reservation, release},
    contacts,
    drafts::{self, ContactKey},
    facts::{self, Rows, Wanted},
    messages::{
        claim,
        enrich::{insert_contacts, insert_recipients},
        gate::{Marketed, market},
    },
    parked::park::{self, Parking},
    recipients::{
        consent::{self, Action, ConsentChange, ConsentMethod, Proof},
        opt_out::{self, CarrierOptOut},
        status,
    },
};
use testkit::world::{TestWorld, enriched, now, person};
use uuid::Uuid;
use wire::Enriched;

const SENDER: &str = "+12125550001";

/// Somebody whose number the carrier keeps to itself.
fn carrier_id() -> Address {
    "US.13491208655302741918".parse().expect("an address")
}

/// A tenant with a sender, and a person who has just written from an address without a number.
struct World {
    base: TestWorld,
    sender: SenderId,
    message: Enriched,
}

impl World {
    async fn begin(class: MessageClass) -> anyhow::Result<Self> {
        let base = TestWorld::start().await?;
        base.account(json!({})).await?;
        let sender = base.sender(SENDER, json!({ "channel": "whatsapp" })).await?;
        let status = json!({
            "channel": "whatsapp", "last_inbound_at": now(), "marketing_consent_at": now(),
        });
        base.recipients([carrier_id().as_str()], status).await?;

        let mut message = enriched(&base.tenant, 1);
        (message.head.class, message.head.channel) = (class, Channel::Whatsapp);
        message.head.to = carrier_id();
        message.contact = ContactId::of(&base.tenant, carrier_id().as_str());
        message.senders = vec![sender];
        Ok(Self { base, sender, message })
    }

    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            tenant: &self.base.tenant,
            class: self.message.head.class,
            campaign: None,
            senders: &self.message.senders,
            address: &self.message.head.to,
            channel: self.message.head.channel,
        }
    }

    /// What the gate stage would decide, in words.
    async fn gates_say(&self) -> anyhow::Result<String> {
        let mut tx = self.base.scoped().await?;
        let facts = facts::load(&mut tx, &[self.wanted()], Rows::Lock).await?;

        let (mut memo, mut counters) = (Memo::new(now()), Counters::default());
        let candidate = self.message.candidate();
        for key in counter_keys(&candidate, &facts, &mut memo) {
            counters.load(key, 0);
        }

        Ok(match evaluate(&candidate, &facts, &mut counters, &mut memo).verdict {
            Verdict::Admit { .. } => "admit".into(),
            Verdict::Block { cause, .. } => format!("block {} {}", cause.gate.as_str(), cause.code),
            Verdict::Defer { cause, .. } => format!("defer {} {}", cause.gate.as_str(), cause.code),
            other => format!("{other:?}"),
        })
    }

    /// What the last look before the call would decide, as the claim of send loads its facts.
    async fn last_look(&self) -> anyhow::Result<Recheck> {
        let (tenant, mut tx) = (&self.base.tenant, self.base.scoped().await?);
        let keys = BTreeSet::from([self.message.candidate().recipient()]);
        let recipients = status::lock(&mut tx, &keys).await?;
        let mut facts = facts::load_for_claim(&mut tx, &[self.wanted()], recipients).await?;
        let senders = claim::senders(&mut tx, &[(tenant.clone(), self.sender)]).await?;
        let of_tenant = facts.tenants.get_mut(tenant).expect("the tenant's facts");
        of_tenant.senders.extend(senders.into_iter().flatten().map(|one| (self.sender, one.facts)));

        let claim = ClaimFacts { facts: &facts, admitted_under: 0, longest_call: LEAD_TIME };
        Ok(recheck(&self.message.candidate(), &claim, &mut Memo::new(now())))
    }

    async fn commit<T>(&self, work: impl AsyncFnOnce(&mut Scoped) -> T) -> anyhow::Result<T> {
        let mut tx = self.base.scoped().await?;
        let done = work(&mut tx).await;
        tx.commit().await?;
        Ok(done)
    }

    async fn opt_out(&self, address: Address, channel: Channel) -> anyhow::Result<()> {
        let change = ConsentChange {
            tenant: self.base.tenant.clone(),
            consent_id: Uuid::new_v5(&Uuid::nil(), format!("{address} {channel:?}").as_bytes()),
            address,
            channel,
            action: Action::Revoke,
            program: None,
            stops: None,
            method: ConsentMethod::Keyword,
            language: None,
            source: None,
            proof: Proof::default(),
            evidence: json!({}),
            at: now(),
            recorded_by: "stage:inbound".into(),
        };
        Ok(self.commit(async |tx| consent::record(tx, now(), &[change]).await).await??)
    }
}

#[tokio::test]
async fn an_opt_out_of_a_carriers_id_holds_at_the_gates_and_at_the_claim() -> anyhow::Result<()> {
    let world = World::begin(MessageClass::Transactional).await?;
    assert_eq!(world.gates_say().await?, "admit");
    assert_eq!(world.last_look().await?, Recheck::Admit);

    // Of another address, and of another channel: neither is theirs.
    world.opt_out(person(1), Channel::Whatsapp).await?;
    world.opt_out(carrier_id(), Channel::Sms).await?;
    assert_eq!(world.gates_say().await?, "admit");

    let told = CarrierOptOut {
        tenant: &world.base.tenant,
        message: world.message.head.id,
        contact: world.message.contact,
        address: &world.message.head.to,
        channel: Channel::Whatsapp,
        code: 131_050,
        stops: Stops::All,
        at: now(),
        by: "reconcile",
    };
    world.commit(async |tx| opt_out::opt_out(tx, &[told]).await).await??;

    assert_eq!(world.gates_say().await?, "block dnc opted_out");
    let Recheck::Block { cause } = world.last_look().await? else { panic!("not blocked") };
    assert_eq!((cause.gate, cause.code), (Gate::Dnc, "opted_out"));

    let mut tx = world.base.scoped().await?;
    let lines = consent::list(&mut tx, &world.base.tenant, &[carrier_id()], None, 10).await?;
    let of_channels: BTreeSet<Channel> = lines.iter().map(|line| line.channel).collect();
    assert_eq!(of_channels, BTreeSet::from(Channel::ALL), "the ledger has both");
    Ok(())
}

#[tokio::test]
async fn what_is_parked_for_a_carriers_id_is_due_with_its_opt_out() -> anyhow::Result<()> {
    let world = World::begin(MessageClass::Promo).await?;
    let head = &world.message.head;
    let parking = Parking {
        tenant: &head.tenant,
        message: head.id,
        turn: 1,
        due: Some(now() + SignedDuration::from_hours(9)),
        cause: "quiet_hours:quiet_hours".into(),
        cause_key: None,
        held: false,
        lane: head.class.lane(),
        payload: wire::json::to_string(&world.message),
    };
    world.commit(async |tx| park::insert(tx, now(), &[parking]).await).await??;

    let due = "select count(*) from millrace.parked where due = '2026-03-02T17:00:00Z'";
    assert_eq!(world.base.number(due).await?, 0);
    world.opt_out(carrier_id(), Channel::Whatsapp).await?;
    assert_eq!(world.base.number(due).await?, 1);
    Ok(())
}

#[tokio::test]
async fn marketing_counts_by_the_carriers_id_and_is_given_back_by_it() -> anyhow::Result<()> {
    let world = World::begin(MessageClass::Journey).await?;
    let (tenant, address) = (&world.base.tenant, &world.message.head.to);
    let channel = Channel::Whatsapp;

    let most = i32::from(gates::Policy::default().frequency.messages);
    let marketed = Marketed { tenant, address, channel, promo: false, count: most };
    world.commit(async |tx| market(tx, now(), &[marketed]).await).await??;
    assert_eq!(world.gates_say().await?, "defer rate frequency");

    let unsent = Reservation {
        tenant,
        class: MessageClass::Journey,
        campaign: None,
        sender: world.sender,
        reserved_at: Some(now()),
        segments: 1,
        claimed: false,
        cost: Micros(0),
        unsent: Some((address, channel)),
        over: true,
    };
    world.commit(async |tx| release(tx, now(), &[unsent]).await).await??;
    assert_eq!(world.gates_say().await?, "admit");
    Ok(())
}

/// Makes the contacts and recipient statuses of these addresses, as enrich does.
async fn make(world: &TestWorld, addresses: &[Address]) -> anyhow::Result<()> {
    let tenant = &world.tenant;
    let key = |address| ContactKey {
        tenant,
        contact: ContactId::of(tenant, Address::as_str(address)),
        address,
        channel: Channel::Whatsapp,
        fields: false,
    };
    let keys: Vec<ContactKey<'_>> = addresses.iter().map(key).collect();
    let recipients: Vec<_> =
        addresses.iter().map(|address| (tenant, address, Channel::Whatsapp)).collect();

    let mut tx = world.scoped().await?;
    insert_contacts(&mut tx, now(), &keys).await?;
    insert_recipients(&mut tx, &recipients).await?;
    let found = drafts::contacts(&mut tx, &keys).await?;
    assert!(found.iter().all(|found| found.contact.is_some() && found.recipient));
    tx.commit().await?;
    Ok(())
}

/// Every address that is kept: kind, address, contact.
async fn kept(world: &TestWorld) -> anyhow::Result<Vec<(String, String, Uuid)>> {
    let rows = sqlx::query_as(
        "select kind, address, contact_id from millrace.contact_addresses order by kind, address",
    );
    Ok(rows.fetch_all(&mut world.database.superuser().await?).await?)
}

/// An address of a contact that was made with it.
fn first(tenant: &TenantId, address: &Address) -> (String, String, Uuid) {
    let contact = ContactId::of(tenant, address.as_str());
    (address.kind().as_str().to_owned(), address.to_string(), contact.0)
}

#[tokio::test]
async fn a_contact_has_the_address_that_it_was_made_with() -> anyhow::Result<()> {
    let world = TestWorld::start().await?;
    let (tenant, number, id) = (&world.tenant, person(1), carrier_id());
    make(&world, &[number.clone(), id.clone()]).await?;
    make(&world, &[number.clone(), person(2)]).await?;
    let expected = vec![first(tenant, &id), first(tenant, &number), first(tenant, &person(2))];
    assert_eq!(kept(&world).await?, expected, "once, also where it is made again");

    // What is said about a contact later changes nothing of its address.
    let mut tx = world.database.store(Role::Api).await?.scoped([tenant]).await?;
    let mut known = contacts::load(&mut tx, tenant, &[expected[1].2], true).await?;
    known[0].first_name = "Ana".into();
    contacts::save(&mut tx, tenant, &known).await?;
    tx.commit().await?;
    assert_eq!(kept(&world).await?, expected);
    Ok(())
}

#[tokio::test]
async fn an_address_that_changes_is_exchanged_and_one_of_another_contact_stays_theirs()
-> anyhow::Result<()> {
    let world = TestWorld::start().await?;
    let (tenant, old, new) = (&world.tenant, person(1), person(3));
    make(&world, &[old.clone(), person(2)]).await?;
    let contact = first(tenant, &old).2;
    let change = async |to: &Address| {
        let sql = "update millrace.contacts set number = $1 where contact_id = $2";
        let mut connection = world.database.superuser().await?;
        sqlx::query(sql).bind(to.as_str()).bind(contact).execute(&mut connection).await?;
        anyhow::Ok(())
    };

    change(&new).await?;
    let exchanged = ("phone".to_owned(), new.to_string(), contact);
    assert_eq!(kept(&world).await?, [first(tenant, &person(2)), exchanged]);

    change(&person(2)).await?;
    assert_eq!(kept(&world).await?, [first(tenant, &person(2))]);
    Ok(())
}

#[tokio::test]
async fn a_tenant_neither_sees_nor_writes_the_addresses_of_another() -> anyhow::Result<()> {
    let world = TestWorld::start().await?;
    let other = world.database.tenant("other").await?;
    make(&world, &[person(1)]).await?;

    for role in [Role::Api, Role::Pipeline] {
        let store = world.database.store(role).await?;
        for (tenant, seen) in [(&world.tenant, 1), (&other, 0)] {
            let mut tx = store.scoped([tenant]).await?;
            let rows = sqlx::query("select from contact_addresses").fetch_all(&mut *tx).await?;
            assert_eq!(rows.len(), seen, "{role:?} {tenant}");
        }

        let mut tx = store.scoped([&other]).await?;
        let theirs = "insert into contact_addresses
                      values ('acme', 'phone', '+12125550009', gen_random_uuid(), now())";
        let refused = sqlx::query(theirs).execute(&mut *tx).await.expect_err("not ours");
        assert!(refused.to_string().contains("row-level security"), "{refused}");
    }
    Ok(())
}

/// The part of the migration that looks at the contacts from before it.
fn filling() -> &'static str {
    let migration = include_str!("../../../../migrations/0026_addresses.sql");
    let from = migration.find("do $$").expect("the migration fills the table");
    let to = migration[from..].find("end $$;").expect("and comes to an end");
    &migration[from..from + to + "end $$;".len()]
}

#[tokio::test]
async fn contacts_from_before_the_migration_get_their_addresses_by_it() -> anyhow::Result<()> {
    let world = TestWorld::start().await?;
    let other = world.database.tenant("other").await?;
    make(&world, &[person(1), carrier_id()]).await?;
    let theirs = json!({
        "tenant_id": other, "contact_id": ContactId::of(&other, person(1).as_str()),
        "number": person(1), "country": "US", "created_at": now(), "updated_at": now(),
    });
    world.insert("contacts", &[theirs]).await?;
    let before = kept(&world).await?;
    assert_eq!(before.len(), 3);

    // As the owner, to whom the rows of tenants are closed as to everybody.
    let mut connection = world.database.superuser().await?;
    sqlx::raw_sql("delete from millrace.contact_addresses").execute(&mut connection).await?;
    sqlx::raw_sql("set role millrace_owner; set search_path = millrace")
        .execute(&mut connection)
        .await?;
    let mut tx = connection.begin().await?;
    sqlx::raw_sql(filling()).execute(&mut *tx).await?;
    let scope =
        sqlx::query("select current_setting('millrace.tenants')").fetch_one(&mut *tx).await?;
    assert_eq!(scope.get::<&str, _>(0), "", "what follows works for no tenant");
    tx.commit().await?;
    assert_eq!(kept(&world).await?, before);
    Ok(())
}
