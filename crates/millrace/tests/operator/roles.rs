//! `millrace migrate --create-roles`: one command makes a fresh Postgres one that processes use.

use std::{os::unix::fs::PermissionsExt, path::Path};

use boot::embedded::{EmbeddedOptions, Postgres, Scratch};
use secrecy::ExposeSecret;
use sqlx::{Connection, PgConnection};

use crate::world::{Ended, World};

/// Makes a server as it comes: without a role, a login or a database of ours. Gives its
/// superuser's address too.
async fn bare_postgres(scratch: &Scratch) -> anyhow::Result<(Postgres, String)> {
    let postgres = Postgres::start(scratch.path(), &EmbeddedOptions::for_tests()).await?;
    let url = postgres.superuser_url().expose_secret().replace("/millrace?", "/postgres?");
    let mut connection = PgConnection::connect(&url).await?;
    for statement in [
        "drop database millrace with (force)",
        "drop role millrace, millrace_owner, millrace_api, millrace_pipeline",
    ] {
        sqlx::raw_sql(statement).execute(&mut connection).await?;
    }
    Ok((postgres, url))
}

/// Runs the command without a `DATABASE_URL`.
async fn set_up(world: &World, admin: &str, file: &Path) -> anyhow::Result<Ended> {
    let file = file.to_string_lossy();
    let words = ["migrate", "--create-roles", "--database-url-to", &file];
    let settings = [("MILLRACE_ADMIN_URL", admin), ("DATABASE_URL", "")];
    world.millrace_with(&words, &settings).await
}

#[tokio::test]
async fn one_command_sets_a_fresh_postgres_up_and_a_repeat_makes_nothing() -> anyhow::Result<()> {
    let (world, scratch) = (World::begin().await?, Scratch::new()?);
    let (postgres, admin) = bare_postgres(&scratch).await?;
    let file = scratch.path().join("database-url");

    let ended = set_up(&world, &admin, &file).await?;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for made in [
        "role millrace_owner",
        "role millrace_pipeline",
        "login millrace",
        "database millrace",
        "schema is up to date",
    ] {
        assert!(ended.stderr.contains(made), "{made} is not in {}", ended.stderr);
    }
    assert_eq!(std::fs::metadata(&file)?.permissions().mode() & 0o777, 0o600);

    let url = std::fs::read_to_string(&file)?;
    let password = url.split([':', '@']).nth(2).unwrap_or_default();
    assert!(password.len() >= 24 && !ended.stderr.contains(password), "{}", ended.stderr);
    for secret in [&url, &admin] {
        assert!(!ended.stderr.contains(secret.as_str()) && !ended.stdout.contains(secret.as_str()));
    }

    // Processes find what they need.
    let ended = world.millrace_with(&["doctor"], &[("DATABASE_URL", &url)]).await?;
    ended.says("ok    Postgres: ", "as millrace");
    ended.says("ok    database roles: ", "millrace_api");
    ended.says("ok    database privileges: ", "api and pipeline");
    ended.says("ok    schema: ", "migrations");
    let ended =
        world.millrace_with(&["tenant", "create", "acme"], &[("DATABASE_URL", &url)]).await?;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);

    let again = set_up(&world, &admin, &file).await?;
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert!(!again.stderr.contains("made"), "{}", again.stderr);
    assert_eq!(std::fs::read_to_string(&file)?, url);
    postgres.stop().await;
    Ok(())
}

#[tokio::test]
async fn an_administrator_that_is_no_superuser_makes_the_login_that_is_named() -> anyhow::Result<()>
{
    let (world, scratch) = (World::begin().await?, Scratch::new()?);
    let (postgres, superuser) = bare_postgres(&scratch).await?;
    let mut connection = PgConnection::connect(&superuser).await?;
    sqlx::raw_sql("create role chief login createrole createdb password 'of-the-chief'")
        .execute(&mut connection)
        .await?;
    let (_, server) = superuser.rsplit_once('@').unwrap_or_default();
    let admin = format!("postgres://chief:of-the-chief@{server}");
    let named = server.replace("/postgres?", "/texts?");
    let named = format!("postgres://worker:it%27s%20%22quoted%22@{named}");

    let words = ["migrate", "--create-roles", "--admin-url", &admin];
    let settings = [("DATABASE_URL", named.as_str())];
    for _ in 0..2 {
        let ended = world.millrace_with(&words, &settings).await?;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
    let ended = world.millrace_with(&["doctor"], &settings).await?;
    ended.says("ok    Postgres: ", "as worker");
    ended.says("ok    database roles: ", "millrace_api");
    ended.says("ok    schema: ", "migrations");

    // Nobody else gets in.
    let outsider = "create role outsider login password 'outside'";
    sqlx::raw_sql(outsider).execute(&mut connection).await?;
    let outsider = server.replace("/postgres?", "/texts?");
    let outsider = PgConnection::connect(&format!("postgres://outsider:outside@{outsider}")).await;
    assert!(outsider.is_err_and(|why| why.to_string().contains("permission denied")));

    let alone = world.millrace(&["migrate", "--create-roles"]).await?;
    assert_eq!(alone.code, Some(64), "{}", alone.stderr);
    assert!(alone.stderr.contains("MILLRACE_ADMIN_URL: is not set"), "{}", alone.stderr);

    // An administrator who is named for nothing is told so.
    let for_nothing = world.millrace_with(&["migrate", "--admin-url", &admin], &settings).await?;
    assert_eq!(for_nothing.code, Some(64), "{}", for_nothing.stderr);
    assert!(for_nothing.stderr.contains("for --create-roles alone"), "{}", for_nothing.stderr);
    postgres.stop().await;
    Ok(())
}
