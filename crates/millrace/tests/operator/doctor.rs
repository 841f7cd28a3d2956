//! `millrace doctor`: all is well, everything is wrong, and everything is away.

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::account::Access;
use jiff::Timestamp;
use pipeline::room;
use store::{
    Role,
    core::seal::Sealer,
    settings::platform_accounts::{self, PlatformAccount},
};
use wire::stream::Stream;

use crate::world::{MASTER_KEY, World};

/// What the world holds: entries that each stream ever had, and rows of some tables.
async fn held(world: &World) -> anyhow::Result<(Vec<u64>, Vec<i64>)> {
    let mut entries = Vec::new();
    for stream in Stream::ALL {
        entries.push(room::fill(&world.nats, stream).await.map_or(0, |fill| fill.last));
    }

    let mut connection = world.database.superuser().await?;
    let written = "select sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint from pg_stat_user_tables
                   where schemaname = 'millrace' group by relname order by relname";
    let written = sqlx::query_scalar(written).fetch_all(&mut connection).await?;
    Ok((entries, written))
}

#[tokio::test]
async fn a_platform_on_which_all_is_well_passes_every_check_and_nothing_is_written()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let api = world.start_api(&[]).await?;
    let account = |handle: &str, key: [u8; 32]| PlatformAccount {
        handle: handle.into(),
        access: Access {
            carrier: "twilio".into(),
            carrier_sid: handle.into(),
            base_url: "https://api.twilio.com".into(),
            sealed_token: Sealer::new(&[key]).seal(b"secret-of-the-carrier"),
        },
        confirms_opt_out: true,
        pace: None,
        created_at: Timestamp::UNIX_EPOCH,
    };
    let owner = world.database.store(Role::Owner).await?;
    platform_accounts::create(&owner, &account("ours", MASTER_KEY)).await?;

    let before = held(&world).await?;
    let ended = world.millrace(&["doctor"]).await?;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(held(&world).await?, before);
    for (check, found) in [
        ("ok    NATS: ", "nats-server 2."),
        ("ok    NATS permissions: ", "takes publishes"),
        ("ok    streams: ", "10 as declared"),
        ("ok    consumers: ", "14 as declared"),
        ("ok    stream space: ", "640 MiB"),
        ("ok    stream fill: ", "at most 0 %"),
        ("ok    Postgres: ", "as millrace"),
        ("ok    database roles: ", "millrace_pipeline"),
        ("ok    database privileges: ", "api and pipeline"),
        ("ok    schema: ", "migrations, as this version has them"),
        ("ok    clocks: ", "NATS is "),
        ("ok    clocks: ", "from Postgres"),
        ("ok    public URL: ", "an api of ours answers"),
        ("ok    MILLRACE_MASTER_KEY: ", "one key"),
        ("ok    sealed secrets: ", "the master key opens all 1"),
    ] {
        ended.says(check, found);
    }

    // No secret is printed, whatever is in the settings.
    let url = world.database.url();
    let (login, _) = url.rsplit_once('@').expect("a login");
    let (_, password) = login.rsplit_once(':').expect("a password");
    let logs_in_with = world.broker.access().credentials_for(&["doctor"]);
    let logs_in_with = std::fs::read_to_string(logs_in_with).expect("its credentials");
    let seed = logs_in_with.lines().find(|line| line.starts_with("SU")).expect("a seed");
    let passwords = [password.to_owned(), seed.to_owned()];
    let keys = [STANDARD.encode(MASTER_KEY), STANDARD.encode([8; 32]), "secret-of".into()];
    for secret in passwords.iter().chain(&keys) {
        assert!(!ended.stdout.contains(secret.as_str()), "{}", ended.stdout);
    }

    // What another key has sealed is named, and not shown.
    platform_accounts::create(&owner, &account("theirs", [9; 32])).await?;
    let ended = world.millrace(&["doctor"]).await?;
    ended.says("FAIL  sealed secrets: ", "1 of 2 do not open: theirs");
    assert_eq!(ended.code, Some(1));
    drop(api);
    Ok(())
}

#[tokio::test]
async fn whatever_is_wrong_is_told_with_its_fix() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let mut connection = world.database.superuser().await?;
    sqlx::raw_sql(
        "set search_path = millrace;
         revoke update on messages from millrace_pipeline;
         revoke execute on function accounts_directory() from millrace_api;
         update _sqlx_migrations set checksum = 'x' where version = 3;
         insert into platform_url (url, is_named) values ('https://elsewhere.test', true);
         alter role millrace_api bypassrls",
    )
    .execute(&mut connection)
    .await?;
    world.nats.api.delete_stream(Stream::Inbound.name()).await?;

    let settings = [
        ("MILLRACE_ACK_WAIT", "7"),
        ("MILLRACE_CALL_BY", "soon"),
        ("MILLRACE_SANDBOX", "1"),
        ("MILLRACE_MASTER_KEY", ""),
    ];
    let ended = world.millrace_with(&["doctor"], &settings).await?;
    assert_eq!(ended.code, Some(1));
    for (check, found) in [
        ("FAIL  settings: MILLRACE_CALL_BY: ", "'soon' must be seconds"),
        ("warn  settings: MILLRACE_SANDBOX=1 ", "unset it"),
        ("FAIL  streams: stream INBOUND: missing", "run `millrace streams apply`"),
        ("FAIL  consumers: consumer reply: missing", "run `millrace streams apply`"),
        ("FAIL  consumers: consumer gate-bulk: ack_wait 6s -> 7s", "apply"),
        ("FAIL  database roles: millrace_api passes over row-level security", "nobypassrls"),
        ("FAIL  database privileges: millrace_pipeline may not update messages", "grant it"),
        ("FAIL  database privileges: millrace_api may not call accounts_directory", "grant it"),
        ("FAIL  schema: migration 3 was another one", "version"),
        ("FAIL  public URL: ", "the platform goes by https://elsewhere.test"),
        ("FAIL  MILLRACE_MASTER_KEY: is not set", "head -c 32 /dev/urandom"),
    ] {
        ended.says(check, found);
    }

    sqlx::raw_sql("delete from millrace._sqlx_migrations where version = 3 or version > 40")
        .execute(&mut connection)
        .await?;
    let ended = world.millrace(&["doctor"]).await?;
    ended.says("FAIL  schema: ", "migrations are missing; run `millrace migrate`");
    Ok(())
}

#[tokio::test]
async fn parts_that_are_away_are_told_and_the_others_are_looked_at() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let nobody = boot::ports::free_loopback()?;

    let away = format!("nats://somebody:hidden-word@{nobody}");
    let ended = world.millrace_with(&["doctor"], &[("NATS_URL", &away)]).await?;
    assert_eq!(ended.code, Some(1));
    ended.says("FAIL  NATS: ", &format!("nats://{nobody}"));
    ended.says("ok    schema: ", "migrations");
    ended.says("ok    clocks: ", "Postgres is ");
    ended.says("FAIL  public URL: ", "is not reached");
    assert!(!ended.stdout.contains("hidden-word"), "{}", ended.stdout);

    let away = format!("postgres://somebody:hidden-word@{nobody}/millrace");
    let ended = world.millrace_with(&["doctor"], &[("DATABASE_URL", &away)]).await?;
    assert_eq!(ended.code, Some(1));
    ended.says("FAIL  Postgres: ", "correct DATABASE_URL");
    ended.says("ok    streams: ", "10 as declared");
    ended.says("warn  sealed secrets: ", "it takes the database");
    assert!(!ended.stdout.contains("hidden-word"), "{}", ended.stdout);

    // A login that is refused is no server that is away.
    let url = world.database.url();
    let (login, server) = url.rsplit_once('@').expect("a login");
    let (name, _) = login.rsplit_once(':').expect("a password");
    let wrong = format!("{name}:hidden-word@{server}");
    let ended = world.millrace_with(&["doctor"], &[("DATABASE_URL", &wrong)]).await?;
    ended.says("FAIL  Postgres: ", "correct the login and its password in DATABASE_URL");
    assert!(!ended.stdout.contains("hidden-word"), "{}", ended.stdout);
    let ended = world.millrace_with(&["doctor"], &[("NATS_CREDS", "")]).await?;
    ended.says("FAIL  NATS: ", "name creds/doctor.creds in NATS_CREDS");
    ended.says("FAIL  NATS: ", "refuses the login, which is that of NATS_URL, as NATS_CREDS");

    let nothing = [("NATS_URL", ""), ("DATABASE_URL", "")];
    let ended = world.millrace_with(&["doctor"], &nothing).await?;
    ended.says("FAIL  NATS: NATS_URL: is not set", "nats://host:4222");
    ended.says("FAIL  Postgres: DATABASE_URL: is not set", "postgres://");
    Ok(())
}
