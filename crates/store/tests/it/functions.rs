//! Which role may call which function of the schema: what it needs, and nothing else.

use std::collections::BTreeMap;

use sqlx::Row;
use store::{
    Role,
    core::privileges::{CALLERS, KEPT_FROM},
};
use testkit::Database;

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
        (name.to_owned(), roles.iter().map(|role| role.as_str().to_owned()).collect())
    });
    assert_eq!(found, BTreeMap::from(expected));
    Ok(())
}

#[tokio::test]
async fn the_tables_that_a_role_is_kept_from_are_those_of_the_list() -> anyhow::Result<()> {
    let database = Database::start().await?;
    let mut connection = database.superuser().await?;
    for (role, privilege, kept_from) in KEPT_FROM {
        let found: Vec<String> = sqlx::query_scalar(
            "select relname::text from pg_class
             where relnamespace = 'millrace'::regnamespace and relkind in ('r', 'p')
               and relname <> '_sqlx_migrations' and not has_table_privilege($1, oid, $2)
             order by 1",
        )
        .bind(role.as_str())
        .bind(privilege)
        .fetch_all(&mut connection)
        .await?;
        assert_eq!(found.join(" "), kept_from, "{} {privilege}", role.as_str());
    }
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
