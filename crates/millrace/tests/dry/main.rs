//! Simulates a campaign, and then has the stages really run it at the same instant, on one
//! database: the gates must say the same about everybody.

mod world;

use std::collections::{BTreeMap, BTreeSet};

use domain::{gates::Gate, ids::ContactId};
use uuid::Uuid;
use world::{COST, Said, Simulated, Tenant, World};

const POLICY: &str = r#"{"suppression_days": 90}"#;

#[tokio::test]
async fn with_no_counter_binding_the_real_run_says_the_same_about_everybody() -> anyhow::Result<()>
{
    let world = World::begin().await?;
    let tenant = world.tenant("acme", POLICY).await?;
    let campaign = world.campaign(&tenant, "promo", None).await?;

    let simulated = world.simulate(&tenant, campaign).await?;
    assert_eq!(world.counted(&tenant, "quota_day").await?, 0, "a simulation reserves nothing");

    let real = world.really(&tenant, campaign).await?;
    same(&simulated.people, &real);

    let codes: BTreeSet<_> = real.values().filter_map(|said| said.2.as_deref()).collect();
    let every = [
        "country_not_allowed",
        "do_not_contact",
        "frequency",
        "missing_variable",
        "no_consent",
        "opted_out",
        "quiet_hours",
        "suppressed",
    ];
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), every);

    agree_on_spend(&world, &tenant, &simulated, 0).await?;
    let by_sender: i64 = world.counted(&tenant, "sender_day").await?;
    assert_eq!(simulated.sum["admitted"], by_sender);

    // The next campaign finds what the first has left: its counters, and its marketing.
    let next = world.campaign(&tenant, "journey", Some(3_600)).await?;
    let simulated = world.simulate(&tenant, next).await?;
    let real = world.really(&tenant, next).await?;
    same(&simulated.people, &real);
    assert!(real.values().any(|said| said.0 == "expire" && said.1 == Some(Gate::QuietHours)));
    Ok(())
}

#[tokio::test]
async fn a_switch_holds_and_blocks_in_both() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let tenant = world.tenant("acme", POLICY).await?;
    let campaign = world.campaign(&tenant, "promo", None).await?;

    world
        .run(
            "insert into millrace.switches
             select tenant_id, 'sender', sender_id::text, 'paused', '', now()
             from millrace.senders;",
        )
        .await?;

    let simulated = world.simulate(&tenant, campaign).await?;
    same(&simulated.people, &world.really(&tenant, campaign).await?);
    assert!(simulated.sum["held"].as_u64() > Some(20), "{}", simulated.sum);
    Ok(())
}

#[tokio::test]
async fn with_counters_that_bind_number_and_spend_agree_within_one_message() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let free = world.tenant("free", POLICY).await?;
    let campaign = world.campaign(&free, "promo", None).await?;
    let truth = about_the_person(&free, &world.really(&free, campaign).await?);

    let capped = world.tenant("capped", POLICY).await?;
    world
        .run(&format!(
            "insert into millrace.budgets values ('capped', 'tenant', '', {}, null)",
            5 * COST + 100
        ))
        .await?;

    let campaign = world.campaign(&capped, "promo", None).await?;
    let simulated = world.simulate(&capped, campaign).await?;
    let real = world.really(&capped, campaign).await?;

    let waiting = real.values().filter(|said| said.1 == Some(Gate::Budget)).count();
    assert!(waiting > 5, "the budget binds: {waiting}");
    agree_on_spend(&world, &capped, &simulated, COST).await?;
    assert_eq!(by_number(&capped, &simulated), truth);

    let metered = world.tenant("metered", r#"{"quota": {"per_day": 4}}"#).await?;

    let campaign = world.campaign(&metered, "promo", None).await?;
    let simulated = world.simulate(&metered, campaign).await?;
    let real = world.really(&metered, campaign).await?;

    assert!(real.values().any(|said| said.2.as_deref() == Some("quota_day")), "the quota binds");
    agree_on_spend(&world, &metered, &simulated, COST).await?;
    assert_eq!(by_number(&metered, &simulated), truth);

    // The next campaign finds the quota used up, and others in line for it: nobody of it is fed.
    let next = world.campaign(&metered, "journey", None).await?;
    let simulated = world.simulate(&metered, next).await?;
    assert_eq!(simulated.sum["admitted"], 0);
    assert_eq!(world.really(&metered, next).await?.len(), 0);
    Ok(())
}

/// Everybody is in both, with the same verdict, gate, code, reason and instant.
#[track_caller]
fn same(simulated: &BTreeMap<Uuid, Said>, real: &BTreeMap<Uuid, Said>) {
    assert_eq!(simulated.len(), real.len());
    for (contact, said) in real {
        assert_eq!(simulated.get(contact), Some(said), "{contact}");
    }
}

/// Whether the number admitted and what they cost differ by no more than one message.
async fn agree_on_spend(
    world: &World,
    tenant: &Tenant,
    simulated: &Simulated,
    within: i64,
) -> anyhow::Result<()> {
    let spent = world.counted(tenant, "spend_day").await?;
    let admitted = world.counted(tenant, "quota_day").await?;

    let said = &simulated.sum["reserved"]["cost"]["amount"];
    let said: domain::money::Micros = said.as_str().unwrap_or_default().parse()?;
    assert!((said.0 - spent).abs() <= within, "{said} is said, {spent} is spent");

    let said = simulated.sum["admitted"].as_i64().unwrap_or_default();
    assert!((said - admitted).abs() <= within.signum(), "{said} are said, {admitted} admitted");

    assert!(admitted > 0);
    Ok(())
}

/// The numbers of those whom gates 3 to 5 stop, with the code: what the simulation lists.
fn by_number(tenant: &Tenant, simulated: &Simulated) -> BTreeMap<String, String> {
    let stopped = simulated.about_the_person.iter();
    let stopped = stopped.filter_map(|(contact, code)| Some((*contact, code.clone()?)));
    named(tenant, stopped)
}

/// The same of a real run in which no budget comes before: there these gates decided.
fn about_the_person(tenant: &Tenant, real: &BTreeMap<Uuid, Said>) -> BTreeMap<String, String> {
    let about = [Some(Gate::Dnc), Some(Gate::Suppression), Some(Gate::QuietHours)];
    let stopped = real.iter().filter(|(_, said)| about.contains(&said.1));
    named(tenant, stopped.filter_map(|(contact, said)| Some((*contact, said.2.clone()?))))
}

fn named(
    tenant: &Tenant,
    stopped: impl Iterator<Item = (Uuid, String)>,
) -> BTreeMap<String, String> {
    let numbers = world::numbers();
    let name = |contact: Uuid| {
        let found = numbers.iter().find(|number| ContactId::of(&tenant.id, number).0 == contact);
        found.expect("everybody has a number").clone()
    };

    // Eligibility comes before, and it stops one of them in the real run alone.
    let about = stopped.map(|(contact, code)| (name(contact), code));
    about.filter(|(number, _)| number.starts_with("+1")).collect()
}
