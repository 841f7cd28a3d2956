//! Which role may call which function of the schema: what it needs, and nothing else.

use std::collections::BTreeMap;

use sqlx::Row;
use store::Role;
use testkit::Database;

const API: &[&str] = &["millrace_api"];
const PIPELINE: &[&str] = &["millrace_pipeline"];
const BOTH: &[&str] = &["millrace_api", "millrace_pipeline"];
/// Migrations alone call it, as the owner, or a trigger.
const NOBODY: &[&str] = &[];

/// Every function and procedure, and who may call it.
const CALLERS: [(&str, &[&str]); 60] = [
    ("account_rate", PIPELINE),
    ("accounts_directory", API),
    ("active_campaigns", PIPELINE),
    ("add_counts", PIPELINE),
    ("add_stamp", PIPELINE),
    ("aged_totals", PIPELINE),
    ("all_accounts", API),
    ("companies_of", API),
    ("count_folded", NOBODY),
    ("count_gone", NOBODY),
    ("count_made", NOBODY),
    ("count_moved", NOBODY),
    ("count_nothing", NOBODY),
    ("counters_after", PIPELINE),
    ("doubts_count", PIPELINE),
    ("due_doubts", PIPELINE),
    ("due_parked", PIPELINE),
    ("due_receipt_watches", PIPELINE),
    ("due_unmatched_receipts", PIPELINE),
    ("end_account_rest", API),
    ("ended_campaigns_after", PIPELINE),
    ("find_api_key", API),
    ("find_invitation", API),
    ("find_key", API),
    ("fold_waiting", NOBODY),
    ("imports_with_aged_rows", PIPELINE),
    ("is_platform_account", API),
    ("keep_first_address", NOBODY),
    ("late_doubts", PIPELINE),
    ("lock_waiting", NOBODY),
    ("note_doubts", NOBODY),
    ("note_parked", NOBODY),
    ("note_unpublished", NOBODY),
    ("open_to_lookups", NOBODY),
    ("open_doubts", PIPELINE),
    ("open_wakes", PIPELINE),
    ("pace_lines", PIPELINE),
    ("parked_causes", NOBODY),
    ("parked_count", PIPELINE),
    ("past_claims", PIPELINE),
    ("platform_mode", BOTH),
    ("protect", NOBODY),
    ("retention_waiting", PIPELINE),
    ("rows_by_age", PIPELINE),
    ("seen_now", PIPELINE),
    ("sender_owners", PIPELINE),
    ("senders_in_line", PIPELINE),
    ("state_detail", BOTH),
    ("session_member", API),
    ("stood", BOTH),
    ("take_cancel_marks", PIPELINE),
    ("tenants_after", API),
    ("tenants_in_scope", BOTH),
    ("tenants_with_aged", PIPELINE),
    ("tenants_with_parked", PIPELINE),
    ("tenants_with_unsaid_events", API),
    ("unfolded_counts", PIPELINE),
    ("unpublished_totals", PIPELINE),
    ("unpublished_transitions", API),
    ("waiting_count", NOBODY),
];

/// Who may call something: the two roles, and whoever has no role at all.
const ROLES: [&str; 3] = ["millrace_api", "millrace_pipeline", "public"];

#[tokio::test]
async fn each_role_may_call_what_it_needs_and_nobody_else_may_call_anything() -> anyhow::Result<()>
{
    assert_eq!([Role::Api, Role::Pipeline].map(Role::as_str), ROLES[..2]);
    let database = Database::start().await?;
    let mut connection = database.superuser().await?;

    let rows = sqlx::query(
        "select p.proname::text, r.name, has_function_privilege(r.name, p.oid, 'execute')
         from pg_proc p cross join unnest($1::text[]) as r (name)
         where p.pronamespace = 'millrace'::regnamespace",
    )
    .bind(ROLES.map(str::to_owned))
    .fetch_all(&mut connection)
    .await?;
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in &rows {
        let callers = found.entry(row.get(0)).or_default();
        callers.extend(row.get::<bool, _>(2).then(|| row.get::<String, _>(1)));
    }

    assert_eq!(rows.len(), CALLERS.len() * ROLES.len(), "one function of each name");
    let expected = CALLERS.map(|(name, roles)| {
        (name.to_owned(), roles.iter().map(|role| (*role).to_owned()).collect())
    });
    assert_eq!(found, BTreeMap::from(expected));
    Ok(())
}

#[tokio::test]
async fn a_function_of_a_later_migration_is_nobodys_until_it_is_granted() -> anyhow::Result<()> {
    let database = Database::start().await?;
    let mut connection = database.superuser().await?;
    sqlx::raw_sql(
        "set role millrace_owner;
         create function millrace.later() returns integer language sql as 'select 1';
         reset role",
    )
    .execute(&mut connection)
    .await?;

    for role in ROLES {
        let may = "select has_function_privilege($1, 'millrace.later()', 'execute')";
        let may: bool = sqlx::query_scalar(may).bind(role).fetch_one(&mut connection).await?;
        assert!(!may, "{role}");
    }
    Ok(())
}
