//! Tenants cannot see each other, whatever a query forgets: who is connected, and what the schema
//! promises for every table.

use sqlx::Row;
use store::{Role, Store};
use testkit::Database;

/// Tables of the platform itself. Every other table belongs to tenants.
const OF_THE_PLATFORM: [&str; 15] = [
    "account_pace",
    "account_turns",
    "code_counts",
    "codes",
    "full_counts",
    "held_prefixes",
    "notices",
    "persons",
    "platform_accounts",
    "platform_switch",
    "platform_url",
    "refresh_tokens",
    "retention_walks",
    "sessions",
    "waiting_totals",
];

#[tokio::test]
async fn each_store_works_as_its_role_and_none_bypasses_the_row_rules() -> anyhow::Result<()> {
    let database = Database::start().await?;
    for role in [Role::Owner, Role::Api, Role::Pipeline] {
        let store: Store = database.store(role).await?;
        let mut tx = store.scoped(Vec::<domain::ids::TenantId>::new()).await?;
        let row = sqlx::query(
            "select session_user::text as login, current_user::text as role,
                    rolsuper or rolbypassrls as strong
             from pg_roles where rolname = current_user",
        )
        .fetch_one(&mut *tx)
        .await?;

        assert_eq!(row.get::<String, _>("login"), "millrace");
        assert_eq!(row.get::<String, _>("role"), role.as_str());
        assert!(!row.get::<bool, _>("strong"), "{role:?}");
    }
    Ok(())
}

#[tokio::test]
async fn every_tenant_table_forces_row_level_security_and_its_key_starts_with_the_tenant()
-> anyhow::Result<()> {
    let database = Database::start().await?;
    let mut connection = database.superuser().await?;
    let rows = sqlx::query(
        "select c.relname::text as name, c.relrowsecurity and c.relforcerowsecurity as forced,
                a.attname::text as first,
                exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'tenant')
                    as scoped
         from pg_class c
         left join pg_index i on i.indrelid = c.oid and i.indisprimary
         left join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
         where c.relkind in ('r', 'p') and c.relnamespace = 'millrace'::regnamespace
           and c.relname not like '\\_%'",
    )
    .fetch_all(&mut connection)
    .await?;

    assert!(rows.len() > 20, "only {} tables", rows.len());
    for row in rows {
        let name: String = row.get("name");
        let of_a_tenant = row.get::<bool, _>("forced") && row.get::<bool, _>("scoped");
        assert_eq!(of_a_tenant, !OF_THE_PLATFORM.contains(&name.as_str()), "{name}");
        let first: Option<String> = row.get("first");
        assert!(!of_a_tenant || first.as_deref() == Some("tenant_id"), "{name}: {first:?}");
    }
    Ok(())
}

/// What is unique beyond one tenant, and why nobody learns anything by it.
const UNIQUE_ON_THE_PLATFORM: [(&str, &str); 4] = [
    ("api_keys_by_hash", "32 random bytes, which the platform chooses"),
    ("invitations_by_hash", "32 random bytes, which the platform chooses"),
    ("senders_by_account", "of accounts that are lent: texts to a number have one reader"),
    ("tenants_by_twin", "whose twin it is: the platform makes it"),
];

#[tokio::test]
async fn what_must_be_unique_is_unique_per_tenant() -> anyhow::Result<()> {
    let database = Database::start().await?;
    let mut connection = database.superuser().await?;
    let found: Vec<String> = sqlx::query_scalar(
        "select n.relname::text from pg_index i
         join pg_class n on n.oid = i.indexrelid
         join pg_class t on t.oid = i.indrelid and t.relnamespace = 'millrace'::regnamespace
         join pg_attribute a on a.attrelid = t.oid and a.attname = 'tenant_id'
         where i.indisunique and not exists (
             select from unnest(i.indkey::int2[]) k (place) where k.place = a.attnum)
         order by 1",
    )
    .fetch_all(&mut connection)
    .await?;

    let known: Vec<&str> = UNIQUE_ON_THE_PLATFORM.iter().map(|(name, _)| *name).collect();
    assert_eq!(found, known, "a name that is taken tells one tenant of another");
    Ok(())
}

#[tokio::test]
async fn a_transaction_sees_and_writes_the_rows_of_its_tenants_alone() -> anyhow::Result<()> {
    let database = Database::start().await?;
    let (acme, other) = (database.tenant("acme").await?, database.tenant("other").await?);
    for role in [Role::Api, Role::Pipeline] {
        let store = database.store(role).await?;
        let seen = async |scope: Vec<&domain::ids::TenantId>| {
            let mut tx = store.scoped(scope).await?;
            let sql = "select tenant_id from tenants order by 1";
            let rows = sqlx::query(sql).fetch_all(&mut *tx).await?;
            anyhow::Ok(rows.iter().map(|row| row.get(0)).collect::<Vec<String>>())
        };

        assert_eq!(seen(vec![]).await?, Vec::<String>::new(), "{role:?}");
        assert_eq!(seen(vec![&acme]).await?, ["acme"], "{role:?}");
        assert_eq!(seen(vec![&other, &acme]).await?, ["acme", "other"], "{role:?}");

        let mut tx = store.scoped([&acme]).await?;
        let theirs = "insert into policies (tenant_id, version, body, created_at)
                      values ('other', 1, '{}', now())";
        let refused = sqlx::query(theirs).execute(&mut *tx).await.expect_err("not ours");
        assert!(refused.to_string().contains("row-level security"), "{refused}");
    }
    Ok(())
}
