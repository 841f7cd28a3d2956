//! Counters are locked in one order, also by whoever makes them.

use domain::gates::{CounterKey, CounterKind};
use store::{Role, capacity::counters};
use testkit::Database;
use wire::stream::ACK_WAIT;

fn key(window_start: &str) -> CounterKey {
    CounterKey {
        tenant: "acme".parse().expect("a tenant"),
        kind: CounterKind::QuotaMinute,
        target: None,
        window_start: window_start.parse().expect("an instant"),
    }
}

#[tokio::test]
async fn who_waits_for_a_counter_to_be_made_holds_no_other() -> anyhow::Result<()> {
    let database = Database::start().await?;
    let tenant = database.tenant("acme").await?;
    let store = database.store(Role::Pipeline).await?;
    let (new, old) = (key("2026-03-04T15:00:00Z"), key("2026-03-04T15:01:00Z"));
    let mut tx = store.scoped([&tenant]).await?;
    counters::lock(&mut tx, std::slice::from_ref(&old)).await?;
    tx.commit().await?;

    // One has made the first of two counters, another wants both, the one wants the second too.
    let mut one = store.scoped([&tenant]).await?;
    counters::lock(&mut one, std::slice::from_ref(&new)).await?;
    let both = async {
        let mut other = store.scoped([&tenant]).await?;
        let used = counters::lock(&mut other, &[new.clone(), old.clone()]).await?;
        other.commit().await?;
        anyhow::Ok(used)
    };

    let second = async {
        let mut watch = database.superuser().await?;
        let waiting = "select exists (select from pg_locks where not granted)";
        while !sqlx::query_scalar::<_, bool>(waiting).fetch_one(&mut watch).await? {
            tokio::task::yield_now().await;
        }
        counters::lock(&mut one, std::slice::from_ref(&old)).await?;
        counters::add(&mut one, &[(old.clone(), 7)]).await?;
        one.commit().await?;
        anyhow::Ok(())
    };

    let (used, done) = tokio::join!(both, second);
    done?;
    assert_eq!(used?, [0, 7]);
    Ok(())
}

#[tokio::test]
async fn a_frozen_process_holds_counters_for_less_than_the_lease_of_its_work() -> anyhow::Result<()>
{
    let database = Database::start().await?;
    let tenant = database.tenant("acme").await?;
    let store = database.store(Role::Pipeline).await?;
    let key = key("2026-03-04T15:00:00Z");

    // One stops between two statements, and says nothing more.
    let mut still = store.scoped([&tenant]).await?;
    counters::lock(&mut still, std::slice::from_ref(&key)).await?;
    counters::add(&mut still, &[(key.clone(), 7)]).await?;

    let mut other = store.scoped([&tenant]).await?;
    let used = counters::lock(&mut other, std::slice::from_ref(&key)).await?;
    let waited = "select clock_timestamp() - now() < make_interval(secs => $1)";
    let in_time: bool =
        sqlx::query_scalar(waited).bind(ACK_WAIT.as_secs_f64()).fetch_one(&mut *other).await?;
    other.commit().await?;
    assert!(in_time, "who gets the other's work finds nothing locked");
    assert_eq!(used, [0], "what the other had counted is undone");

    let went_on = counters::add(&mut still, &[(key, 7)]).await;
    assert!(went_on.is_err(), "its transaction has ended");
    Ok(())
}
