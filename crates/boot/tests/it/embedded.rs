//! The embedded servers, started for real.

use std::{net::TcpListener, os::unix::fs::PermissionsExt, path::Path};

use boot::embedded::{
    EmbeddedError, EmbeddedOptions, Nats, Postgres, Scratch, template, template_root,
};
use nix::{sys::signal::Signal, unistd::Uid};
use pipeline::Broker;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    Connection,
    postgres::{PgConnectOptions, PgConnection},
    query_scalar,
};

async fn connect(url: &SecretString) -> PgConnection {
    PgConnection::connect(url.expose_secret()).await.unwrap()
}

async fn connected(nats: &Nats) -> async_nats::jetstream::Context {
    Broker::connect(&nats.url(), Some(&nats.creds()), "test").await.unwrap().jetstream
}

/// A connection as processes make it: the login, working as one of the three roles.
async fn connect_as(url: &SecretString, role: &str) -> PgConnection {
    let options: PgConnectOptions = url.expose_secret().parse().unwrap();
    PgConnection::connect_with(&options.options([("role", role)])).await.unwrap()
}

/// Options with an empty cluster to copy, shared by these tests.
async fn quick() -> EmbeddedOptions {
    let path = template(&template_root(), "bare", "1", async |_| Ok(())).await.unwrap();
    EmbeddedOptions { template: Some(path), ..EmbeddedOptions::for_tests() }
}

/// A port that is in use as long as the listener lives.
fn taken_port() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a client of before, which is no stage")]
async fn streams_of_a_server_without_accounts_become_the_platforms_own() {
    // A server as there was before accounts, on the store of `up`.
    let scratch = Scratch::new().unwrap();
    let store = scratch.path().join("nats/jetstream");
    let port = boot::ports::free_loopback().unwrap().port();
    let mut before = tokio::process::Command::new(boot::tools::nats_server().unwrap().path)
        .args(["--jetstream", "--addr", "127.0.0.1", "--port", &port.to_string(), "--store_dir"])
        .arg(&store)
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let options = async_nats::ConnectOptions::new().retry_on_initial_connect();
    let client = options.connect(format!("nats://127.0.0.1:{port}")).await.unwrap();
    let jetstream = async_nats::jetstream::new(client);
    let config = || async_nats::jetstream::stream::Config {
        name: "KEPT".into(),
        subjects: vec!["kept.>".into()],
        ..Default::default()
    };
    let made = async {
        while jetstream.get_or_create_stream(config()).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), made).await.unwrap();
    for n in 0..3 {
        let published = jetstream.publish(format!("kept.{n}"), "entry".into()).await;
        published.unwrap().await.unwrap();
    }
    let pid = nix::unistd::Pid::from_raw(before.id().unwrap().try_into().unwrap());
    nix::sys::signal::kill(pid, Signal::SIGTERM).unwrap();
    before.wait().await.unwrap();
    assert!(store.join("jetstream/$G").is_dir());

    // This version takes them over, once: they are there after another start too.
    for entries in [3, 4] {
        let nats = Nats::start(scratch.path(), &EmbeddedOptions::for_tests()).await.unwrap();
        let jetstream = connected(&nats).await;
        let mut kept = jetstream.get_stream("KEPT").await.unwrap();
        assert_eq!(kept.info().await.unwrap().state.messages, entries);
        jetstream.publish("kept.more", "entry".into()).await.unwrap().await.unwrap();
        nats.stop().await;
    }
    assert!(!store.join("jetstream/$G").exists());
}

#[tokio::test]
async fn nats_keeps_what_it_acknowledged_over_a_restart() {
    let scratch = Scratch::new().unwrap();
    let mut nats = Nats::start(scratch.path(), &EmbeddedOptions::default()).await.unwrap();
    let jetstream = connected(&nats).await;
    let config = async_nats::jetstream::kv::Config { bucket: "TEST".into(), ..Default::default() };
    let store = jetstream.create_key_value(config).await.unwrap();
    store.put("key", "value".into()).await.unwrap();

    let port = nats.port();
    nats.signal(Signal::SIGKILL);
    nats.exited().await;
    nats.restart().await.unwrap();

    assert_eq!(nats.port(), port);
    let jetstream = connected(&nats).await;
    let store = jetstream.get_key_value("TEST").await.unwrap();
    assert_eq!(store.get("key").await.unwrap().unwrap(), "value");
    nats.stop().await;
}

#[tokio::test]
async fn nats_lets_nobody_in_without_credentials() {
    let scratch = Scratch::new().unwrap();
    let nats = Nats::start(scratch.path(), &EmbeddedOptions::for_tests()).await.unwrap();
    assert!(async_nats::connect(nats.url()).await.is_err());
    assert_eq!(mode(&scratch.path().join("nats")), 0o700);
    assert_eq!(mode(&nats.creds()), 0o600);
}

#[tokio::test]
async fn a_server_whose_port_is_taken_starts_on_another() {
    let scratch = Scratch::new().unwrap();
    let ((_nats_taken, nats_port), (_pg_taken, pg_port)) = (taken_port(), taken_port());
    let mut options = quick().await;
    options.ports.nats = Some(nats_port);
    options.ports.postgres = Some(pg_port);

    let nats = Nats::start(scratch.path(), &options).await.unwrap();
    assert_ne!(nats.port(), nats_port);
    connected(&nats).await;

    let postgres = Postgres::start(scratch.path(), &options).await.unwrap();
    assert_ne!(postgres.port(), pg_port);
    connect(postgres.database_url()).await;
}

#[tokio::test]
async fn the_login_has_no_rights_but_those_of_the_role_it_takes() {
    let scratch = Scratch::new().unwrap();
    let options = quick().await;
    let postgres = Postgres::start(scratch.path(), &options).await.unwrap();
    for role in ["millrace_owner", "millrace_api", "millrace_pipeline"] {
        let mut connection = connect_as(postgres.database_url(), role).await;
        let who = "select session_user || ' ' || current_user";
        let who: String = query_scalar(who).fetch_one(&mut connection).await.unwrap();
        assert_eq!(who, format!("millrace {role}"));
        let create = sqlx::raw_sql("create table t (id int)").execute(&mut connection).await;
        assert_eq!(create.is_ok(), role == "millrace_owner", "{role}");
    }

    let mut login = connect(postgres.database_url()).await;
    sqlx::raw_sql("select * from t").execute(&mut login).await.expect_err("no rights of its own");

    let strong = "select count(*) from pg_roles where rolname like 'millrace%' \
                  and (rolsuper or rolbypassrls or rolcreatedb or rolcreaterole or rolinherit \
                  and rolname = 'millrace')";
    let strong: i64 = query_scalar(strong).fetch_one(&mut login).await.unwrap();
    assert_eq!(strong, 0);
}

#[tokio::test]
async fn real_data_are_on_disk_before_a_commit_returns() {
    let scratch = Scratch::new().unwrap();
    let postgres = Postgres::start(scratch.path(), &EmbeddedOptions::default()).await.unwrap();
    let mut connection = connect(postgres.database_url()).await;
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let sql = "select current_setting($1)";
        let value: String =
            query_scalar(sql).bind(setting).fetch_one(&mut connection).await.unwrap();
        assert_eq!(value, "on", "{setting}");
    }

    let config = scratch.path().join("nats/nats.conf");
    let nats = Nats::start(scratch.path(), &EmbeddedOptions::default()).await.unwrap();

    assert!(std::fs::read_to_string(config).unwrap().contains("sync_interval: \"always\""));

    nats.stop().await;
    postgres.stop().await;
}

#[tokio::test]
async fn a_killed_test_database_loses_no_commit() {
    let scratch = Scratch::new().unwrap();
    let options = quick().await;
    let mut postgres = Postgres::start(scratch.path(), &options).await.unwrap();
    let mut owner = connect_as(postgres.database_url(), "millrace_owner").await;
    let create = "create table t as select 7 as number";
    sqlx::raw_sql(create).execute(&mut owner).await.unwrap();
    postgres.signal(Signal::SIGKILL);
    postgres.exited().await;
    postgres.restart().await.unwrap();

    let mut owner = connect_as(postgres.database_url(), "millrace_owner").await;
    let number: i32 = query_scalar("select number from t").fetch_one(&mut owner).await.unwrap();
    assert_eq!(number, 7);
}

#[tokio::test]
async fn a_cluster_of_a_version_that_is_not_installed_says_how_to_start_anew() {
    let scratch = Scratch::new().unwrap();
    let options = quick().await;
    Postgres::start(scratch.path(), &options).await.unwrap().stop().await;
    std::fs::write(scratch.path().join("postgres/data/PG_VERSION"), "9\n").unwrap();

    let error = Postgres::start(scratch.path(), &options).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::OtherVersion { .. }), "{error}");
    let line = error.to_string();
    assert!(line.contains("was made by PostgreSQL 9"), "{line}");
    assert!(line.ends_with(&format!("rm -rf {}", scratch.path().display())), "{line}");
    assert!(!line.contains('\n'));
}

#[tokio::test]
async fn lost_passwords_are_one_line_and_no_reason_to_remove_the_data() {
    let scratch = Scratch::new().unwrap();
    let options = quick().await;
    Postgres::start(scratch.path(), &options).await.unwrap().stop().await;

    let secrets = scratch.path().join("postgres/secrets.json");
    assert_eq!(mode(&secrets), 0o600);

    std::fs::remove_file(secrets).unwrap();
    let error = Postgres::start(scratch.path(), &options).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::Damaged { .. }), "{error}");
    assert!(scratch.path().join("postgres/data/PG_VERSION").exists());
}

#[tokio::test]
async fn a_cluster_that_was_not_finished_is_made_anew() {
    let scratch = Scratch::new().unwrap();
    let options = quick().await;
    Postgres::start(scratch.path(), &options).await.unwrap().stop().await;
    let home = scratch.path().join("postgres");
    std::fs::write(home.join("unfinished"), "").unwrap();
    std::fs::remove_file(home.join("secrets.json")).unwrap();
    let postgres = Postgres::start(scratch.path(), &options).await.unwrap();
    connect(postgres.database_url()).await;

    assert!(!home.join("unfinished").exists());
}

#[tokio::test]
async fn a_template_is_made_once_and_copied() {
    let scratch = Scratch::new().unwrap();
    let root = scratch.path().join("templates");
    for round in 0..2 {
        let path = template(&root, "test", "v1", async |postgres| {
            assert_eq!(round, 0, "the second time it is there");
            let mut owner = connect_as(postgres.database_url(), "millrace_owner").await;
            sqlx::raw_sql("create table t (id int)").execute(&mut owner).await?;
            Ok(())
        });
        let path = path.await.unwrap();

        let mut options = EmbeddedOptions::for_tests();
        options.template = Some(path);
        let dir = scratch.path().join(format!("copy-{round}"));
        let postgres = Postgres::start(&dir, &options).await.unwrap();

        let mut owner = connect_as(postgres.database_url(), "millrace_owner").await;
        sqlx::raw_sql("insert into t values (1)").execute(&mut owner).await.unwrap();
        let rows: i64 = query_scalar("select count(*) from t").fetch_one(&mut owner).await.unwrap();
        assert_eq!(rows, 1, "a copy of its own");
    }
}

#[tokio::test]
async fn root_keeps_the_database_elsewhere_where_its_user_cannot_reach() {
    let scratch = Scratch::new().unwrap();
    let closed = scratch.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o700)).unwrap();
    let options = quick().await;
    let postgres = Postgres::start(&closed, &options).await.unwrap();
    connect(postgres.database_url()).await;

    let note = std::fs::read_to_string(closed.join("postgres/location"));
    assert_eq!(note.is_ok(), Uid::effective().is_root());

    postgres.stop().await;
    if let Ok(note) = note {
        let far = Path::new(note.lines().next().unwrap());
        assert!(far.starts_with("/var/tmp") && far.join("data/PG_VERSION").exists());

        // The directory was removed to start anew: the data elsewhere do not come back.
        std::fs::remove_dir_all(&closed).unwrap();
        std::fs::create_dir(&closed).unwrap();
        std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o700)).unwrap();
        Postgres::start(&closed, &options).await.unwrap().stop().await;
        std::fs::remove_dir_all(far).unwrap();
    }
}

#[tokio::test]
async fn a_template_is_complete_also_where_the_user_of_the_database_cannot_reach() {
    let scratch = Scratch::new().unwrap();
    let closed = scratch.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o700)).unwrap();

    let path = template(&closed, "far", "1", async |_| Ok(())).await.unwrap();
    assert!(path.join("postgres/data/PG_VERSION").is_file());
    assert!(!path.join("postgres/location").exists());

    let options = EmbeddedOptions { template: Some(path), ..EmbeddedOptions::for_tests() };
    let postgres = Postgres::start(&scratch.path().join("copy"), &options).await.unwrap();
    connect(postgres.database_url()).await;
}
