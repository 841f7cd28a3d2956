//! An account of the platform: lent to tenants, with a weight each and one pace for all of them.

use std::collections::BTreeSet;

use domain::{
    ids::{SenderId, TenantId},
    message::class::Lane,
};
use jiff::Timestamp;
use sqlx::PgConnection;
use store::{
    Role, Store,
    capacity::{meters, pace},
    facts,
    messages::claim,
    settings::{
        accounts::{self, Access},
        platform_accounts::{self, PlatformAccount, Share},
        senders::{self, Sender},
    },
};
use testkit::Database;

const HANDLE: &str = "shared";
const NUMBERS: [&str; 2] = ["+12125550001", "+12125550002"];

fn account() -> PlatformAccount {
    PlatformAccount {
        handle: HANDLE.into(),
        access: Access {
            carrier: "twilio".into(),
            carrier_sid: "AC1".into(),
            base_url: "https://api.twilio.com".into(),
            sealed_token: "first".into(),
        },
        confirms_opt_out: true,
        pace: Some(10),
        created_at: Timestamp::UNIX_EPOCH,
    }
}

fn sender(tenant: &TenantId, number: &str) -> Sender {
    Sender {
        channel: domain::message::class::Channel::Sms,
        id: SenderId::of(tenant, number),
        account: HANDLE.into(),
        account_name: "lent".into(),
        number: number.into(),
        country: "US".into(),
        time_zone: "America/New_York".into(),
        pace: 100,
        active_since: Timestamp::UNIX_EPOCH,
        daily_cap: 100,
        usable: true,
        brand: None,
        created_at: Timestamp::UNIX_EPOCH,
    }
}

/// Two tenants with a sender each on the account, the second with a weight of 3.
async fn lent(database: &Database) -> anyhow::Result<[(TenantId, SenderId); 2]> {
    let owner = database.store(Role::Owner).await?;
    assert!(platform_accounts::create(&owner, &account()).await?);
    assert!(!platform_accounts::create(&owner, &account()).await?, "it is there");

    let api = database.store(Role::Api).await?;
    let mut keys = Vec::new();
    for (name, number, weight) in [("acme", NUMBERS[0], 1), ("other", NUMBERS[1], 3)] {
        let tenant = database.tenant(name).await?;
        let share = Share { tenant: tenant.clone(), weight };
        let now = Timestamp::UNIX_EPOCH;
        assert!(platform_accounts::share(&owner, &account(), "lent", &share, now).await?);

        let mut tx = api.scoped([&tenant]).await?;
        assert!(senders::create(&mut tx, &tenant, &sender(&tenant, number)).await?);
        tx.commit().await?;
        keys.push((tenant.clone(), SenderId::of(&tenant, number)));
    }
    Ok(keys.try_into().expect("two"))
}

#[tokio::test]
async fn a_shared_account_has_one_pace_and_a_weight_for_each_tenant() -> anyhow::Result<()> {
    let database = Database::start().await?;
    let keys = lent(&database).await?;
    let stages: Store = database.store(Role::Pipeline).await?;
    let mut tx = stages.scoped(keys.iter().map(|(tenant, _)| tenant)).await?;

    let wanted = keys.iter().map(|(tenant, id)| (tenant, *id)).collect();
    let mut weights = Vec::new();
    for (tenant, facts) in facts::senders(&mut tx, &wanted).await? {
        weights.push((tenant.to_string(), facts.weight));
    }
    weights.sort_unstable();
    assert_eq!(weights, [("acme".to_owned(), 1), ("other".to_owned(), 3)]);

    let claimed = claim::senders(&mut tx, &keys).await?;
    let paces = claimed.iter().map(|sender| sender.as_ref().and_then(|one| one.account_pace));
    assert_eq!(paces.collect::<Vec<_>>(), [Some(10), Some(10)]);
    let senders = keys.iter().cloned().collect();
    let accounts = BTreeSet::from([(HANDLE.to_owned(), true)]);
    let locks = pace::lock_pace(&mut tx, &senders, &accounts, &BTreeSet::new()).await?;
    assert_eq!(locks.accounts.len(), 1, "one row for both");
    assert_eq!(locks.senders.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_tenants_part_of_an_account_is_shared_among_its_senders_that_have_texts_in_line()
-> anyhow::Result<()> {
    let database = Database::start().await?;
    let [(acme, first), _] = lent(&database).await?;
    let api = database.store(Role::Api).await?;
    let mut tx = api.scoped([&acme]).await?;
    assert!(senders::create(&mut tx, &acme, &sender(&acme, "+12125550003")).await?);
    tx.commit().await?;
    let second = SenderId::of(&acme, "+12125550003");

    let stages = database.store(Role::Pipeline).await?;
    let mut db = database.superuser().await?;
    let paces = async || paces_of(&stages, &acme, [first, second]).await;

    assert_eq!(paces().await?, [[10.0; 2]; 2], "nobody waits");
    for (lane, expected) in [("bulk", [10.0, 5.0]), ("urgent", [5.0, 5.0])] {
        stand_in_line(&mut db, lane, [first, second]).await?;
        assert_eq!(paces().await?, [expected; 2], "each has half; urgent sees urgent alone");
    }
    Ok(())
}

#[tokio::test]
async fn a_tenants_own_pace_is_shared_among_all_of_its_senders_that_have_texts_in_line()
-> anyhow::Result<()> {
    let database = Database::start().await?;
    let [(acme, first), _] = lent(&database).await?;
    let api = database.store(Role::Api).await?;
    let mut tx = api.scoped([&acme]).await?;
    assert!(senders::create(&mut tx, &acme, &sender(&acme, "+12125550003")).await?);
    tx.commit().await?;
    let ids = [first, SenderId::of(&acme, "+12125550003")];

    let stages = database.store(Role::Pipeline).await?;
    let mut db = database.superuser().await?;
    sqlx::query("update millrace.platform_accounts set pace = null").execute(&mut db).await?;
    let paces = async || paces_of(&stages, &acme, ids).await;
    assert_eq!(paces().await?, [[100.0; 2]; 2], "as fast as the senders");

    sqlx::query("update millrace.tenants set pace = 4").execute(&mut db).await?;
    assert_eq!(paces().await?, [[4.0; 2]; 2], "nobody waits");
    stand_in_line(&mut db, "bulk", ids).await?;
    assert_eq!(paces().await?, [[4.0, 2.0]; 2], "each has half; urgent sees urgent alone");
    Ok(())
}

/// The paces that the meters of senders go by, in the urgent lane and in bulk.
async fn paces_of(
    stages: &Store,
    tenant: &TenantId,
    [first, second]: [SenderId; 2],
) -> anyhow::Result<Vec<[f64; 2]>> {
    let mut tx = stages.scoped([tenant]).await?;
    let wanted = [(tenant, first), (tenant, second)].into();
    let found = facts::senders(&mut tx, &wanted).await?;
    let found: Vec<_> = found.iter().map(|(tenant, facts)| (tenant, facts)).collect();

    let mut paces = Vec::new();
    for (_, _, meter) in meters::of(&mut tx, &found).await? {
        let pace = |lane| (1.0 / meter.segment.of(lane).as_secs_f64()).round();
        paces.push([Lane::Urgent, Lane::Bulk].map(pace));
    }
    Ok(paces)
}

/// Senders of `acme` have texts in line.
async fn stand_in_line(
    db: &mut PgConnection,
    lane: &str,
    senders: [SenderId; 2],
) -> anyhow::Result<()> {
    for sender in senders {
        sqlx::query("insert into millrace.lines values ('acme', $1, now())")
            .bind(format!("admitted_{lane}:{sender}"))
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_number_of_a_shared_account_is_one_tenants_and_none_sees_the_others_share()
-> anyhow::Result<()> {
    let database = Database::start().await?;
    let [(acme, _), (other, _)] = lent(&database).await?;
    let api = database.store(Role::Api).await?;

    let mut tx = api.scoped([&acme]).await?;
    assert!(!senders::create(&mut tx, &acme, &sender(&acme, NUMBERS[1])).await?, "it is other's");
    let seen: Vec<String> =
        sqlx::query_scalar("select tenant_id from account_shares").fetch_all(&mut *tx).await?;
    assert_eq!(seen, ["acme"]);
    tx.commit().await?;

    let stages = database.store(Role::Pipeline).await?;
    let texts = [NUMBERS[1], "+12125550003", NUMBERS[0]]
        .map(|number| (HANDLE.to_owned(), number.to_owned()));
    let owners = store::conversations::inbound::owners(&stages, &texts).await?;
    let owner = texts.map(|text| owners.get(&text).cloned());
    assert_eq!(owner, [Some(other), None, Some(acme)]);
    Ok(())
}

#[tokio::test]
async fn accounts_follow_a_carrier_that_has_moved_and_what_waits_for_them_goes_on()
-> anyhow::Result<()> {
    const TWILIO: &str = "https://api.twilio.com";
    const MOVED: &str = "http://127.0.0.1:9";
    let database = Database::start().await?;
    let [(acme, _), (other, _)] = lent(&database).await?;
    let api = database.store(Role::Api).await?;

    for (from, at, woken) in [("http://127.0.0.1:8", TWILIO, 0), (TWILIO, MOVED, 1)] {
        let mut tx = api.scoped([&acme]).await?;
        accounts::move_base_url(&mut tx, &acme, from, MOVED).await?;
        let account = accounts::by_name(&mut tx, &acme, "lent").await?.expect("lent");
        assert_eq!(account.access.base_url, at);
        let wakes: i64 =
            sqlx::query_scalar("select count(*) from wakes").fetch_one(&mut *tx).await?;
        assert_eq!(wakes, woken);
        tx.commit().await?;
    }

    let mut tx = api.scoped([&other]).await?;
    let account = accounts::by_name(&mut tx, &other, "lent").await?.expect("lent");
    assert_eq!(account.access.base_url, TWILIO, "another tenant's stays");
    Ok(())
}

#[tokio::test]
async fn a_new_secret_is_everybodys_and_ends_the_accounts_rest() -> anyhow::Result<()> {
    let database = Database::start().await?;
    let [(acme, _), (other, _)] = lent(&database).await?;
    let mut db = database.superuser().await?;
    sqlx::query("insert into millrace.account_pace values ($1, now() + interval '1 h')")
        .bind(HANDLE)
        .execute(&mut db)
        .await?;

    let owner = database.store(Role::Owner).await?;
    assert!(platform_accounts::set_token(&owner, HANDLE, "second").await?);
    assert!(!platform_accounts::set_token(&owner, "nobody's", "second").await?);
    let api = database.store(Role::Api).await?;
    for tenant in [&acme, &other] {
        let mut tx = api.scoped([tenant]).await?;
        let account = accounts::by_name(&mut tx, tenant, "lent").await?.expect("lent");
        assert_eq!(account.access.sealed_token, "second");
    }
    let resting: i64 =
        sqlx::query_scalar("select count(*) from millrace.account_pace").fetch_one(&mut db).await?;
    assert_eq!(resting, 0);
    let woken: i64 =
        sqlx::query_scalar("select count(*) from millrace.wakes").fetch_one(&mut db).await?;
    assert_eq!(woken, 2, "what was held for it goes back to the gates");
    Ok(())
}
