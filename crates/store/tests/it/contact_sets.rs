//! The addresses of one contact, on a real database: what stops one stops all of its channel group,
//! also while they come together, and a merge that is undone leaves each as it was.

use domain::{
    address::{Address, AddressKind, MAX_ADDRESSES},
    gates::Stops,
    ids::{ContactId, told_merge},
    message::class::Channel,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sqlx::Row;
use store::{
    Scoped,
    contacts::{
        addresses::{self, AddOutcome, NewAddress, RemoveOutcome},
        join::{self, ToldName},
        merge::{self, MergeAct, MergeOutcome, UndoOutcome},
        set,
    },
    drafts::ContactKey,
    messages::enrich::insert_contacts,
    recipients::consent::{self, Action, ConsentChange, ConsentMethod, Proof},
};
use testkit::world::{TestWorld, now, person};
use uuid::Uuid;

const BY: &str = "key:test";

/// When people said what they had said before their addresses came together.
fn before() -> Timestamp {
    now() - SignedDuration::from_hours(1)
}

fn carrier_id() -> Address {
    "US.13491208655302741918".parse().expect("an address")
}

fn id_of(world: &TestWorld, address: &Address) -> ContactId {
    ContactId::of(&world.tenant, address.as_str())
}

/// A tenant with a contact for each of these addresses.
async fn world(addresses: &[Address]) -> anyhow::Result<TestWorld> {
    let world = TestWorld::start().await?;
    let keys: Vec<ContactKey<'_>> = addresses
        .iter()
        .map(|address| ContactKey {
            tenant: &world.tenant,
            contact: id_of(&world, address),
            address,
            channel: Channel::Whatsapp,
            fields: false,
        })
        .collect();
    let mut tx = world.scoped().await?;
    insert_contacts(&mut tx, now(), &keys).await?;
    tx.commit().await?;
    Ok(world)
}

fn change(world: &TestWorld, address: &Address, channel: Channel, action: Action) -> ConsentChange {
    let named = format!("{address} {} {}", channel.as_str(), action.as_str());
    ConsentChange {
        tenant: world.tenant.clone(),
        consent_id: Uuid::new_v5(&Uuid::nil(), named.as_bytes()),
        address: address.clone(),
        channel,
        action,
        program: None,
        stops: None,
        method: ConsentMethod::Keyword,
        language: None,
        source: None,
        proof: Proof::default(),
        evidence: json!({}),
        at: before(),
        recorded_by: "stage:inbound".into(),
    }
}

async fn say(world: &TestWorld, changes: &[ConsentChange]) -> anyhow::Result<()> {
    let mut tx = world.scoped().await?;
    consent::record(&mut tx, changes[0].at, changes).await?;
    Ok(tx.commit().await?)
}

async fn add(
    world: &TestWorld,
    to: &Address,
    kind: AddressKind,
    text: &str,
) -> anyhow::Result<AddOutcome> {
    let mut tx = world.scoped().await?;
    let (tenant, contact) = (&world.tenant, id_of(world, to));
    let new = NewAddress { tenant, contact, kind, address: text, at: now(), by: BY };
    let outcome = addresses::add(&mut tx, &new).await?;
    tx.commit().await?;
    Ok(outcome)
}

async fn add_id(world: &TestWorld, to: &Address) -> anyhow::Result<AddOutcome> {
    add(world, to, AddressKind::CarrierId, carrier_id().as_str()).await
}

async fn merge(
    tx: &mut Scoped,
    world: &TestWorld,
    into: &Address,
    from: &Address,
) -> anyhow::Result<MergeOutcome> {
    let act = MergeAct {
        tenant: &world.tenant,
        id: MERGE,
        into: id_of(world, into),
        from: id_of(world, from),
        at: now(),
        by: BY,
        cause: "api",
    };
    Ok(merge::merge(tx, &act).await?)
}

const MERGE: Uuid = Uuid::from_u128(7);

async fn merged(world: &TestWorld, into: &Address, from: &Address) -> anyhow::Result<()> {
    let mut tx = world.scoped().await?;
    let outcome = merge(&mut tx, world, into, from).await?;
    assert!(matches!(outcome, MergeOutcome::Merged(_)));
    Ok(tx.commit().await?)
}

async fn undone(world: &TestWorld, at: Timestamp) -> anyhow::Result<UndoOutcome> {
    let mut tx = world.scoped().await?;
    let outcome = merge::undo(&mut tx, &world.tenant, MERGE, at, BY).await?;
    tx.commit().await?;
    Ok(outcome)
}

/// The statuses that stop something: address, channel and what.
async fn stopped(world: &TestWorld) -> anyhow::Result<Vec<String>> {
    let rows = sqlx::query(
        "select concat_ws(' ', number, channel, opt_out_cause, do_not_contact_stops,
                          nullif(stopped_programs, '{}')::text)
         from millrace.standings
         where opted_out_at is not null or do_not_contact_at is not null or stopped_programs <> '{}'
         order by number, channel",
    );
    let rows = rows.fetch_all(&mut world.database.superuser().await?).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

#[tokio::test]
async fn a_stop_reaches_every_address_of_the_contact_in_its_channel_group_alone()
-> anyhow::Result<()> {
    let (number, id) = (person(1), carrier_id());
    let world = world(&[number.clone(), person(2)]).await?;
    assert_eq!(add_id(&world, &number).await?, AddOutcome::Added);
    assert_eq!(add_id(&world, &number).await?, AddOutcome::Known);

    say(&world, &[change(&world, &id, Channel::Whatsapp, Action::Revoke)]).await?;
    let both = [format!("{number} whatsapp contact"), format!("{id} whatsapp keyword")];
    assert_eq!(stopped(&world).await?, both, "neither SMS nor anybody else");

    // No text goes to the id by SMS.
    say(&world, &[change(&world, &number, Channel::Sms, Action::Revoke)]).await?;
    let sms = format!("{number} sms keyword");
    assert_eq!(stopped(&world).await?, [sms.clone(), both[0].clone(), both[1].clone()]);

    // Taken back at either address, it is taken back.
    say(&world, &[change(&world, &number, Channel::Whatsapp, Action::Restore)]).await?;
    assert_eq!(stopped(&world).await?, [sms]);

    let consent = change(&world, &number, Channel::Whatsapp, Action::Grant);
    say(&world, &[consent]).await?;
    let consents = "select count(*) from millrace.standings where marketing_consent_at is not null";
    assert_eq!(world.number(consents).await?, 1, "consent is of its own address");
    Ok(())
}

#[tokio::test]
async fn an_address_that_joins_a_contact_is_stopped_as_the_others_are() -> anyhow::Result<()> {
    let (number, id) = (person(1), carrier_id());
    let world = world(std::slice::from_ref(&number)).await?;
    let listed = change(&world, &number, Channel::Whatsapp, Action::DoNotContact);
    let listed = ConsentChange { stops: Some(Stops::All), source: Some("angry".into()), ..listed };
    let left = change(&world, &number, Channel::Whatsapp, Action::Revoke);
    let left = ConsentChange { program: Some("news".into()), ..left };
    say(&world, &[listed, left]).await?;

    assert_eq!(add_id(&world, &number).await?, AddOutcome::Added);
    let all = [format!("{number} whatsapp all {{news}}"), format!("{id} whatsapp all {{news}}")];
    assert_eq!(stopped(&world).await?, all);

    // Taken away again, it keeps what stops it and is a contact of its own.
    let mut tx = world.scoped().await?;
    let (tenant, of) = (&world.tenant, id_of(&world, &number));
    let kind = AddressKind::CarrierId;
    let outcome = addresses::remove(&mut tx, tenant, of, kind, id.as_str()).await?;
    assert_eq!(outcome, RemoveOutcome::Removed);
    let first = addresses::remove(&mut tx, tenant, of, AddressKind::Phone, number.as_str()).await?;
    assert_eq!(first, RemoveOutcome::First);
    tx.commit().await?;
    assert_eq!(stopped(&world).await?, all);
    assert_eq!(add_id(&world, &number).await?, AddOutcome::OfAnother(id_of(&world, &id)));
    Ok(())
}

#[tokio::test]
async fn a_contact_has_so_many_addresses_and_no_more() -> anyhow::Result<()> {
    let number = person(1);
    let world = world(&[number.clone(), person(2)]).await?;
    for n in 1..MAX_ADDRESSES {
        let added = add(&world, &number, AddressKind::Username, &format!("ana{n}")).await?;
        assert_eq!(added, AddOutcome::Added, "{n}");
    }
    assert_eq!(add(&world, &number, AddressKind::Username, "one_more").await?, AddOutcome::TooMany);

    // Nor does a name come over that another has.
    let theirs = add(&world, &person(2), AddressKind::Username, "theirs").await?;
    assert_eq!(theirs, AddOutcome::Added);
    assert_eq!(add(&world, &number, AddressKind::Username, "theirs").await?, AddOutcome::TooMany);
    Ok(())
}

#[tokio::test]
async fn a_stop_that_waits_for_a_merge_reaches_whoever_the_merge_has_brought() -> anyhow::Result<()>
{
    let (one, other) = (person(1), person(2));
    let world = world(&[one.clone(), other.clone()]).await?;
    let stop = [change(&world, &one, Channel::Sms, Action::Revoke)];

    let mut tx = world.scoped().await?;
    merge(&mut tx, &world, &other, &one).await?;
    let (stopping, ()) = tokio::join!(say(&world, &stop), async {
        world.waiting(1).await.expect("the stop waits for the status");
        tx.commit().await.expect("the merge");
    });
    stopping?;

    let both = [format!("{one} sms keyword"), format!("{other} sms contact")];
    assert_eq!(stopped(&world).await?, both);
    Ok(())
}

#[tokio::test]
async fn a_merge_keeps_the_strictest_of_both_and_its_undo_gives_each_its_own_back()
-> anyhow::Result<()> {
    let (one, other) = (person(1), person(2));
    let world = world(&[one.clone(), other.clone()]).await?;
    say(&world, &[change(&world, &one, Channel::Sms, Action::Revoke)]).await?;
    let listed = change(&world, &other, Channel::Sms, Action::DoNotContact);
    say(&world, &[ConsentChange { stops: Some(Stops::Marketing), ..listed }]).await?;
    let apart = stopped(&world).await?;

    merged(&world, &other, &one).await?;
    let strictest =
        [format!("{one} sms keyword marketing"), format!("{other} sms contact marketing")];
    assert_eq!(stopped(&world).await?, strictest);
    let mut tx = world.scoped().await?;
    let found = set::contact_of(&mut tx, &world.tenant, id_of(&world, &one)).await?;
    assert_eq!(found, id_of(&world, &other), "one contact");
    drop(tx);

    assert!(matches!(undone(&world, now()).await?, UndoOutcome::Undone(..)));
    assert_eq!(stopped(&world).await?, apart);
    assert!(matches!(undone(&world, now()).await?, UndoOutcome::Before));
    let mut tx = world.scoped().await?;
    let found = set::contact_of(&mut tx, &world.tenant, id_of(&world, &one)).await?;
    assert_eq!(found, id_of(&world, &one), "two again");
    Ok(())
}

#[tokio::test]
async fn what_is_said_after_a_merge_outlives_its_undo() -> anyhow::Result<()> {
    let (one, other) = (person(1), person(2));
    let world = world(&[one.clone(), other.clone()]).await?;
    let listed = change(&world, &other, Channel::Sms, Action::DoNotContact);
    say(&world, &[ConsentChange { stops: Some(Stops::Marketing), ..listed }]).await?;
    merged(&world, &other, &one).await?;
    let stop = change(&world, &one, Channel::Sms, Action::Revoke);
    say(&world, &[ConsentChange { at: now(), ..stop }]).await?;
    let both = [format!("{one} sms keyword marketing"), format!("{other} sms contact marketing")];
    assert_eq!(stopped(&world).await?, both);

    let later = now() + SignedDuration::from_hours(30 * 24);
    let late = later + SignedDuration::from_secs(1);
    assert!(matches!(undone(&world, late).await?, UndoOutcome::TooLate));
    assert!(matches!(undone(&world, later).await?, UndoOutcome::Undone(..)));
    assert_eq!(stopped(&world).await?, both);
    Ok(())
}

#[tokio::test]
async fn a_stop_that_had_waited_for_a_merge_outlives_its_undo() -> anyhow::Result<()> {
    let (one, other) = (person(1), person(2));
    let world = world(&[one.clone(), other.clone()]).await?;
    say(&world, &[change(&world, &other, Channel::Sms, Action::Revoke)]).await?;
    merged(&world, &other, &one).await?;

    // Its time is from before the merge: it came in then, and was written when the merge was.
    say(&world, &[change(&world, &one, Channel::Sms, Action::Revoke)]).await?;
    assert!(matches!(undone(&world, now()).await?, UndoOutcome::Undone(..)));
    let both = [format!("{one} sms contact"), format!("{other} sms keyword")];
    assert_eq!(stopped(&world).await?, both);
    Ok(())
}

#[tokio::test]
async fn a_stop_that_the_other_side_of_a_merge_has_lifted_is_back_with_the_undo()
-> anyhow::Result<()> {
    let (one, other) = (person(1), person(2));
    let world = world(&[one.clone(), other.clone()]).await?;
    say(&world, &[change(&world, &one, Channel::Sms, Action::Revoke)]).await?;
    merged(&world, &other, &one).await?;

    let start = change(&world, &other, Channel::Sms, Action::Restore);
    say(&world, &[ConsentChange { at: now(), ..start }]).await?;
    assert!(stopped(&world).await?.is_empty(), "one contact, which wants texts");

    assert!(matches!(undone(&world, now()).await?, UndoOutcome::Undone(..)));
    assert_eq!(stopped(&world).await?, [format!("{one} sms contact")]);
    Ok(())
}

#[tokio::test]
async fn an_undo_lifts_no_stop_of_an_address_that_came_since() -> anyhow::Result<()> {
    let (one, other, number) = (person(1), person(2), person(3));
    let world = world(&[one.clone(), other.clone()]).await?;
    let stops = [&one, &number].map(|of| change(&world, of, Channel::Sms, Action::Revoke));
    say(&world, &stops).await?;
    merged(&world, &other, &one).await?;
    let added = add(&world, &other, AddressKind::Phone, number.as_str()).await?;
    assert_eq!(added, AddOutcome::Added);

    assert!(matches!(undone(&world, now()).await?, UndoOutcome::Undone(..)));
    let all = [
        format!("{one} sms keyword"),
        format!("{other} sms contact"),
        format!("{number} sms keyword"),
    ];
    assert_eq!(stopped(&world).await?, all);
    Ok(())
}

#[tokio::test]
async fn a_stop_reaches_a_contact_from_before_under_another_form_of_the_number()
-> anyhow::Result<()> {
    let [old, canonical]: [Address; 2] =
        ["+551187654321", "+5511987654321"].map(|text| text.parse().expect("an address"));
    let world = world(std::slice::from_ref(&old)).await?;
    say(&world, &[change(&world, &canonical, Channel::Sms, Action::Revoke)]).await?;
    let both = [format!("{old} sms contact"), format!("{canonical} sms keyword")];
    assert_eq!(stopped(&world).await?, both);

    say(&world, &[change(&world, &old, Channel::Sms, Action::Restore)]).await?;
    assert!(stopped(&world).await?.is_empty(), "from either side");

    // Of a number without such a contact the canonical form alone is kept.
    let other: Address = "+5511987654322".parse()?;
    say(&world, &[change(&world, &other, Channel::Sms, Action::Revoke)]).await?;
    assert_eq!(stopped(&world).await?, [format!("{other} sms keyword")]);
    Ok(())
}

#[tokio::test]
async fn what_a_carrier_tells_of_a_person_is_joined_once() -> anyhow::Result<()> {
    let (number, id) = (person(1), carrier_id());
    let world = world(std::slice::from_ref(&id)).await?;
    let told = |kind, name: &str| ToldName {
        tenant: world.tenant.clone(),
        address: number.clone(),
        kind,
        name: name.to_owned(),
        at: now(),
    };
    let all = [told(AddressKind::CarrierId, id.as_str()), told(AddressKind::Username, "ana.ruiz")];
    let store = world.pipeline().await?;
    for _ in 0..2 {
        assert_eq!(join::join(&store, &all).await?, 0);
    }

    let mut tx = world.scoped().await?;
    let contact = set::contact_of(&mut tx, &world.tenant, id_of(&world, &id)).await?;
    assert_eq!(contact, id_of(&world, &number), "the one with the number has taken the other in");
    let list = addresses::list(&mut tx, &world.tenant, &[contact.0]).await?;
    let texts: Vec<&str> = list[&contact.0].iter().map(|one| one.address.as_str()).collect();
    assert_eq!(texts, [number.as_str(), id.as_str(), "ana.ruiz"]);
    drop(tx);
    assert_eq!(world.number("select count(*) from millrace.contact_merges").await?, 1);

    // Somebody has undone it: the next text, which tells the same, does not do it again.
    let merged = told_merge(id_of(&world, &number), id_of(&world, &id));
    let mut tx = world.scoped().await?;
    let undone = merge::undo(&mut tx, &world.tenant, merged, now(), BY).await?;
    assert!(matches!(undone, UndoOutcome::Undone(..)));
    tx.commit().await?;
    assert_eq!(join::join(&store, &all[..1]).await?, 0);
    let mut tx = world.scoped().await?;
    let contact = set::contact_of(&mut tx, &world.tenant, id_of(&world, &id)).await?;
    assert_eq!(contact, id_of(&world, &id));
    Ok(())
}

/// The part of the migration that looks at the statuses from before it.
fn filling() -> &'static str {
    let migration = include_str!("../../../../migrations/0066_addresses_of_people.sql");
    let from = migration.find("do $$").expect("the migration looks at statuses");
    let to = migration[from..].find("end $$;").expect("and comes to an end");
    &migration[from..from + to + "end $$;".len()]
}

#[tokio::test]
async fn stops_from_before_the_migration_hold_under_the_canonical_form() -> anyhow::Result<()> {
    let world = TestWorld::start().await?;
    let out = json!({ "opted_out_at": now(), "opt_out_cause": "keyword" });
    let others = ["+551187654321", "+5215512345678", "+541123456789", "+551133334444"];
    world.recipients(others, out).await?;
    world.recipients(["+525512345678"], json!({ "marketing_consent_at": now() })).await?;

    let mut connection = world.database.superuser().await?;
    sqlx::raw_sql("set role millrace_owner; set search_path = millrace")
        .execute(&mut connection)
        .await?;
    sqlx::raw_sql(filling()).execute(&mut connection).await?;

    let mut expected: Vec<String> = others
        .into_iter()
        .chain(["+5511987654321", "+525512345678", "+5491123456789"])
        .map(|number| format!("{number} sms keyword"))
        .collect();
    expected.sort();
    let mut found = stopped(&world).await?;
    found.sort();
    assert_eq!(found, expected);
    Ok(())
}
