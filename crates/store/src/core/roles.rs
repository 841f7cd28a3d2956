//! A fresh Postgres: the roles that processes work as, their login, and the database, made by
//! somebody who may. What is there stays.

use secrecy::{ExposeSecret, SecretString};
use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgConnectOptions};

use super::scope::Role;

/// What no role of ours may.
const NO: &str = "nosuperuser nobypassrls nocreatedb nocreaterole noreplication";

/// The login of processes, and the database that it is for.
#[derive(Debug)]
pub struct NewLogin {
    /// The name of the login.
    pub name: String,
    /// Its password, which it has afterwards, whatever it had before.
    pub password: SecretString,
    /// The database that it is for.
    pub database: String,
}

/// Makes what is missing, as this administrator: one that may make roles and databases. Gives what
/// was made.
///
/// # Errors
/// The server is away, or the administrator may not.
pub async fn create(admin: &str, login: &NewLogin) -> Result<Vec<String>, sqlx::Error> {
    let admin: PgConnectOptions = admin.parse()?;
    let mut connection = PgConnection::connect_with(&admin).await?;
    let mut made = Vec::new();

    for role in [Role::Owner, Role::Api, Role::Pipeline] {
        let name = role.as_str();
        if !is_role(&mut connection, name).await? {
            run(&mut connection, format!("create role {name} nologin {NO}")).await?;
            made.push(format!("role {name}"));
        }
    }
    made.extend(make_login(&mut connection, login).await?);
    made.extend(make_database(&mut connection, login).await?);
    connection.close().await?;
    Ok(made)
}

async fn make_login(
    connection: &mut PgConnection,
    login: &NewLogin,
) -> Result<Option<String>, sqlx::Error> {
    let is_there = is_role(connection, &login.name).await?;
    let sentence = if is_there {
        "alter role %I login password %L".to_owned()
    } else {
        format!("create role %I login noinherit {NO} password %L")
    };
    let password = login.password.expose_secret();
    run_with(connection, &sentence, &[&login.name, password]).await?;
    let grant = "grant millrace_owner, millrace_api, millrace_pipeline to %I";
    run_with(connection, grant, &[&login.name]).await?;
    Ok((!is_there).then(|| format!("login {}", login.name)))
}

async fn make_database(
    connection: &mut PgConnection,
    login: &NewLogin,
) -> Result<Option<String>, sqlx::Error> {
    let is_there: bool =
        sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
            .bind(&login.database)
            .fetch_one(&mut *connection)
            .await?;
    if !is_there {
        // Whoever is no superuser gives databases to roles that they are members of alone.
        let is_superuser: bool =
            sqlx::query_scalar("select current_setting('is_superuser') = 'on'")
                .fetch_one(&mut *connection)
                .await?;
        if !is_superuser {
            run(connection, "grant millrace_owner to current_user".to_owned()).await?;
        }
        let create = "create database %I owner millrace_owner";
        run_with(connection, create, &[&login.database]).await?;
    }

    // Of a database that was there, others' rights are theirs.
    let is_ours: bool = sqlx::query_scalar(
        "select pg_get_userbyid(datdba) = 'millrace_owner' from pg_database where datname = $1",
    )
    .bind(&login.database)
    .fetch_one(&mut *connection)
    .await?;
    if is_ours {
        run_with(connection, "revoke all on database %I from public", &[&login.database]).await?;
    } else {
        let grant = "grant create on database %I to millrace_owner";
        run_with(connection, grant, &[&login.database]).await?;
    }
    let grant = "grant connect on database %I to %I";
    run_with(connection, grant, &[&login.database, &login.name]).await?;
    Ok((!is_there).then(|| format!("database {}", login.database)))
}

async fn is_role(connection: &mut PgConnection, name: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)")
        .bind(name)
        .fetch_one(connection)
        .await
}

/// Runs a statement with names (%I) and texts (%L), which the server quotes.
async fn run_with(
    connection: &mut PgConnection,
    sentence: &str,
    values: &[&str],
) -> Result<(), sqlx::Error> {
    let statement: String = sqlx::query_scalar("select format($1, variadic $2::text[])")
        .bind(sentence)
        .bind(values)
        .fetch_one(&mut *connection)
        .await?;
    run(connection, statement).await
}

async fn run(connection: &mut PgConnection, statement: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.map(drop)
}
