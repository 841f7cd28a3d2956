//! The embedded Postgres server, its database and its roles.

use std::{
    fmt,
    fs::File,
    path::Path,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    AssertSqlSafe, Connection,
    postgres::{PgConnectOptions, PgConnection, PgSslMode},
};

use super::{
    EmbeddedError, EmbeddedOptions, PORT_ATTEMPTS, READY_POLL, READY_WITHIN,
    cluster::{Cluster, SUPERUSER, Secrets},
    data_dir::lock_log,
    dump, failed, free_port, last_words, port_was_taken,
    supervise::{Program, Supervised},
};
use crate::keys::random_hex;

/// A private Postgres server with a database `millrace`. Dropping it stops it too.
///
/// The database belongs to the role `millrace_owner`; `millrace_api` and `millrace_pipeline` are
/// the roles that processes work as. None of the three can log in, is a superuser or passes over
/// row security. The login `millrace` has no rights of its own beyond connecting: a process says
/// which of the three it is when it connects, with `options=-c role=millrace_api`.
pub struct Postgres {
    cluster: Cluster,
    options: EmbeddedOptions,
    port: u16,
    urls: Urls,
    server: Supervised,
}

/// The database's name, and the name of the login.
const DATABASE: &str = "millrace";
/// The database that a new cluster has.
const FIRST: &str = "postgres";
/// The login of scripts.
const SCRIPTS: &str = "millrace_scripts";
/// How long the server may take to stop: it writes what it holds in memory first.
const GRACE: Duration = Duration::from_secs(60);
/// How long a server whose owner was killed may take until it has stopped.
const PATIENCE: Duration = Duration::from_secs(62);

impl Postgres {
    /// Starts a server that keeps its data in `dir/postgres`, makes cluster, roles and database
    /// the first time, and waits until it answers.
    ///
    /// For root the server runs as another user; where that user cannot reach `dir`, the data lie
    /// under `/var/tmp` and the file `dir/postgres/location` says where.
    ///
    /// # Errors
    /// No Postgres of the right version; a server already working there; it does not start.
    pub async fn start(dir: &Path, options: &EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let mut cluster = Cluster::open(dir)?;
        let log = lock_log("Postgres", cluster.log(), PATIENCE).await?;
        let (secrets, fresh) = cluster.ensure(options).await?;

        let preferred = options.ports.postgres.or_else(|| cluster.last_port());
        let (port, server) =
            start_on_some_port(&cluster, (&secrets, fresh), options, preferred, log).await?;
        if fresh {
            create_roles(&connect_options(port, &secrets.superuser, FIRST), &secrets.login).await?;
            cluster.finish(&secrets, options.ephemeral)?;
        }
        cluster.keep_port(port)?;

        let urls = Urls::new(port, &secrets);
        Ok(Self { cluster, options: options.clone(), port, urls, server })
    }

    /// The address for `DATABASE_URL`: the login role, whose password it holds.
    pub fn database_url(&self) -> &SecretString {
        &self.urls.database
    }

    /// The superuser's address of the same database: for tests that look from outside.
    pub fn superuser_url(&self) -> &SecretString {
        &self.urls.superuser
    }

    /// The address for scripts that join in: a login of theirs, with a new password each time, that
    /// may work as `millrace_api` and `millrace_pipeline` and not as the owner.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn make_scripts_url(&self) -> Result<SecretString, sqlx::Error> {
        let password = SecretString::from(random_hex(24));
        let mut connection = PgConnection::connect(self.superuser_url().expose_secret()).await?;
        run(&mut connection, scripts_login(&password)).await?;
        connection.close().await?;
        Ok(Urls::of(self.port, SCRIPTS, &password))
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id of the server's first process, parent of all others.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// Sends the server's first process a signal: tests use this to kill it.
    pub fn signal(&self, signal: Signal) {
        self.server.signal(signal);
    }

    /// Waits until the server has ended, which it should not do by itself.
    pub async fn exited(&self) {
        while self.server.exited().is_none() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Stops the server if it runs, and starts it again on the same data and, if it can be had, the
    /// same port.
    ///
    /// # Errors
    /// As for [`Postgres::start`].
    pub async fn restart(&mut self) -> Result<(), EmbeddedError> {
        self.server.stop().await;
        let log = lock_log("Postgres", self.cluster.log(), PATIENCE).await?;
        let (secrets, _) = self.cluster.ensure(&self.options).await?;

        let preferred = Some(self.port);
        let (port, server) =
            start_on_some_port(&self.cluster, (&secrets, false), &self.options, preferred, log)
                .await?;

        self.port = port;
        self.urls = Urls::new(port, &secrets);
        self.server = server;
        Ok(())
    }

    /// Drops what new databases are copied from, and the one that a cluster has at first: most of
    /// its files, and nobody makes another database.
    pub(super) async fn drop_templates(&self) -> Result<(), sqlx::Error> {
        let mut connection = PgConnection::connect(self.superuser_url().expose_secret()).await?;
        let free = "update pg_database set datistemplate = false";
        run(&mut connection, free.to_owned()).await?;
        for unused in ["template0", "template1", FIRST] {
            // A connection that has just been closed may still be ending.
            run(&mut connection, format!("drop database {unused} with (force)")).await?;
        }
        connection.close().await
    }

    /// Vacuums what a caller has loaded and writes it to disk, so that later statements do not pay
    /// for it.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn settle(&self) -> Result<(), sqlx::Error> {
        let mut connection = PgConnection::connect(self.superuser_url().expose_secret()).await?;
        run(&mut connection, "vacuum analyze".to_owned()).await?;
        run(&mut connection, "checkpoint".to_owned()).await?;
        connection.close().await
    }

    /// Dumps the database with `pg_dump` and throws the dump away; dropping the future ends it.
    ///
    /// # Errors
    /// The program is missing, or the server ends meanwhile.
    pub async fn dump_into_nothing(&self) -> Result<(), EmbeddedError> {
        dump::into_nothing(self.cluster.tools(), self.port, DATABASE, &self.urls.password).await
    }

    /// Stops the server and waits until it has. Open connections are ended, open transactions
    /// rolled back.
    pub async fn stop(self) {
        self.server.stop().await;
    }

    /// As [`Postgres::stop`], but leaves a cluster that needs no recovery, also when ephemeral,
    /// and that lies under its own directory, also where this user could not work there.
    pub(super) async fn stop_cleanly(self) -> Result<(), EmbeddedError> {
        self.server.signal(Signal::SIGINT);
        self.exited().await;
        self.cluster.bring_home()
    }
}

/// The addresses of the database, with user and password.
struct Urls {
    /// Of the login role.
    database: SecretString,
    superuser: SecretString,
    /// The superuser's password alone.
    password: SecretString,
}

impl Urls {
    fn new(port: u16, secrets: &Secrets) -> Self {
        Self {
            database: Self::of(port, DATABASE, &secrets.login),
            superuser: Self::of(port, SUPERUSER, &secrets.superuser),
            password: secrets.superuser.clone(),
        }
    }

    fn of(port: u16, user: &str, password: &SecretString) -> SecretString {
        let (password, options) = (password.expose_secret(), "sslmode=disable");
        format!("postgres://{user}:{password}@127.0.0.1:{port}/{DATABASE}?{options}").into()
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("port", &self.port).field("pid", &self.pid()).finish()
    }
}

/// Starts the server on the preferred port, and on others where it is taken. `fresh` says that our
/// database is still missing.
async fn start_on_some_port(
    cluster: &Cluster,
    (secrets, fresh): (&Secrets, bool),
    options: &EmbeddedOptions,
    preferred: Option<u16>,
    log: File,
) -> Result<(u16, Supervised), EmbeddedError> {
    let mut preferred = preferred;
    for _ in 0..PORT_ATTEMPTS {
        let port = match preferred.take() {
            Some(port) if port != 0 => port,
            Some(_) | None => free_port()?,
        };

        log.set_len(0).map_err(failed("emptying", cluster.log()))?;
        let log = log.try_clone().map_err(failed("opening", cluster.log()))?;
        if let Some(server) = try_port(cluster, (secrets, fresh), options, port, log).await? {
            return Ok((port, server));
        }
    }
    Err(cluster.not_started(last_words(cluster.log())))
}

/// Starts the server on this port and waits until it answers. None when the port is taken.
async fn try_port(
    cluster: &Cluster,
    (secrets, fresh): (&Secrets, bool),
    options: &EmbeddedOptions,
    port: u16,
    log: File,
) -> Result<Option<Supervised>, EmbeddedError> {
    let binary = cluster.tools().bin.join("postgres");
    let server = Supervised::start(Program {
        args: arguments(cluster.data(), port, options.ephemeral),
        account: cluster.account(),
        // Fast shutdown; at once, without writing anything, where the data are thrown away.
        stop_signal: if options.ephemeral { "QUIT" } else { "INT" },
        grace: GRACE,
        log,
        path: binary.clone(),
    })
    .map_err(failed("starting", &binary))?;

    // The password is random, but a copy of the data has the same: a server that lets us in must
    // also work in our directory.
    let database = if fresh { FIRST } else { DATABASE };
    let options = connect_options(port, &secrets.superuser, database);
    let deadline = Instant::now() + READY_WITHIN;
    while Instant::now() < deadline {
        if server.exited().is_some() {
            return match port_was_taken(cluster.log()) {
                true => Ok(None),
                false => Err(cluster.not_started(last_words(cluster.log()))),
            };
        }
        let attempt = data_directory(&options);
        if let Ok(Ok(dir)) = tokio::time::timeout(Duration::from_secs(5), attempt).await
            && Path::new(&dir) == cluster.data()
        {
            return Ok(Some(server));
        }
        tokio::time::sleep(READY_POLL).await;
    }

    let reason = format!("it did not answer within {} s", READY_WITHIN.as_secs());
    Err(cluster.not_started(reason))
}

/// Where the server that answers there keeps its data.
async fn data_directory(options: &PgConnectOptions) -> Result<String, sqlx::Error> {
    let mut connection = PgConnection::connect_with(options).await?;
    let dir = sqlx::query_scalar("select current_setting('data_directory')");
    let dir = dir.fetch_one(&mut connection).await?;

    // An error here says that the connection is closed already.
    let _ = connection.close().await;
    Ok(dir)
}

/// Settings of every embedded server.
const COMMON: [&str; 13] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "password_encryption=scram-sha-256",
    "timezone=UTC",
    "log_timezone=UTC",
    // Nobody replicates from an embedded server.
    "wal_level=minimal",
    "max_wal_senders=0",
    // Statements are short and prepared; compiling them costs more than it saves.
    "jit=off",
    "random_page_cost=1.1",
    "update_process_title=off",
    // Rows hold texts and phone numbers: no statement and no row may end up in the log.
    "log_min_messages=warning",
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
];

/// Settings for real data on a small machine.
const DURABLE: [&str; 10] = [
    "max_connections=200",
    "shared_buffers=256MB",
    "effective_cache_size=1GB",
    "work_mem=8MB",
    "maintenance_work_mem=64MB",
    "max_wal_size=2GB",
    "checkpoint_timeout=15min",
    "fsync=on",
    "synchronous_commit=on",
    "autovacuum_naptime=10s",
];

/// Settings for tests. Commits still reach the system, so a killed server process loses none.
const EPHEMERAL: [&str; 6] = [
    "max_connections=200",
    "shared_buffers=32MB",
    "max_wal_size=512MB",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=on",
];

/// The command line. It holds the settings, so that a new version of Millrace changes them for
/// existing data too.
fn arguments(data: &Path, port: u16, ephemeral: bool) -> Vec<String> {
    let mut arguments = vec!["-D".to_owned(), data.to_string_lossy().into_owned()];
    arguments.extend(["-p".to_owned(), port.to_string()]);

    let specific: &[&str] = if ephemeral { &EPHEMERAL } else { &DURABLE };
    for setting in COMMON.iter().chain(specific) {
        arguments.extend(["-c".to_owned(), (*setting).to_owned()]);
    }
    arguments
}

fn connect_options(port: u16, superuser: &SecretString, database: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(port)
        .username(SUPERUSER)
        .password(superuser.expose_secret())
        .database(database)
        .ssl_mode(PgSslMode::Disable)
}

/// Makes the roles and the database. The login's password is hexadecimal, so it needs no quoting.
async fn create_roles(
    options: &PgConnectOptions,
    login_password: &SecretString,
) -> Result<(), EmbeddedError> {
    // The roles.
    let mut connection = PgConnection::connect_with(options).await?;
    let no = "nosuperuser nobypassrls nocreatedb nocreaterole noreplication";
    let roles = format!(
        "create role millrace_owner nologin {no};
         create role millrace_api nologin {no};
         create role millrace_pipeline nologin {no};
         create role {DATABASE} login noinherit {no} password '{}';
         grant millrace_owner, millrace_api, millrace_pipeline to {DATABASE};",
        login_password.expose_secret()
    );
    run(&mut connection, roles).await?;

    // The database, in a statement of its own: it cannot be made inside a transaction.
    run(&mut connection, format!("create database {DATABASE} owner millrace_owner")).await?;
    let rights = format!(
        "revoke all on database {DATABASE} from public;
         grant connect on database {DATABASE} to {DATABASE};"
    );
    run(&mut connection, rights).await?;
    connection.close().await?;

    // Its schema, from within it.
    let mut connection = PgConnection::connect_with(&options.clone().database(DATABASE)).await?;
    let schema = "alter schema public owner to millrace_owner;
         revoke all on schema public from public;
         grant usage on schema public to millrace_api, millrace_pipeline;";
    run(&mut connection, schema.to_owned()).await?;
    connection.close().await?;
    Ok(())
}

/// Makes the login of scripts, or gives it another password. That is hexadecimal, so it needs no
/// quoting.
fn scripts_login(password: &SecretString) -> String {
    let no = "noinherit nosuperuser nobypassrls nocreatedb nocreaterole noreplication";
    format!(
        "do $$ begin
             if not exists (select from pg_roles where rolname = '{SCRIPTS}') then
                 create role {SCRIPTS};
             end if;
         end $$;
         alter role {SCRIPTS} login {no} password '{password}';
         grant millrace_api, millrace_pipeline to {SCRIPTS};
         grant connect on database {DATABASE} to {SCRIPTS};",
        password = password.expose_secret()
    )
}

async fn run(connection: &mut PgConnection, sql: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(drop)
}
