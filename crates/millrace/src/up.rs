//! `millrace up`: everything in one process, on private servers unless others are named.

mod codes;
mod console;
mod sandbox_numbers;
mod sandbox_port;
mod servers;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, bail};
use boot::{
    embedded::DataDir,
    keys::Keys,
    settings::{Common, DEFAULT_LISTEN},
};
use pipeline::{access::ProcessKind, run::StageConfig};
use sandbox_numbers::Places;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use servers::Servers;
use stage::StageName;
use store::{
    Role, Store,
    core::migrate,
    settings::{
        api_keys::{self, KeyKind, KeyRole},
        tenants::{self, Tenant},
    },
};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    admin, cli,
    demo::{self, Endpoints},
    process::{ProcessParts, listen_for_health},
    public_url::{self, PublicUrlUse},
    serve,
};

/// The tenant that `up` makes.
pub const TENANT: &str = "demo";

/// How long stages may take to finish what they hold.
const DRAIN: Duration = Duration::from_secs(25);

/// Starts everything, runs the demo if asked, and stays until it is told to end.
pub async fn run(args: cli::Up) -> anyhow::Result<ExitCode> {
    // Settings that are wrong, and an address that cannot be had, end it before anything is made.
    let mut common = args.common;
    quiet_logs(&mut common);
    common.health_listen.get_or_insert_with(|| "127.0.0.1:0".to_owned());
    let settings = common.clone().resolve()?;
    if settings.edge.tls.is_some() {
        bail!("MILLRACE_TLS_CERT: `up` answers plain http; leave it out, or run `millrace api`");
    }
    let usual = common.listen.is_none().then(|| SocketAddr::from(serve::sandbox::DEFAULT_LISTEN));
    let listeners = (listen(&mut common).await?, listen_for_health(settings.health_listen).await?);
    servers::named_ones_answer(&settings).await?;

    let data = DataDir::open(&args.data_dir)?;
    let announced = Announced::at(data.path());
    eprintln!("starting servers under {}", data.path().display());
    let servers = Servers::start(data.path(), &mut common).await?;
    let sandbox = sandbox_port::start(data.path(), usual).await?;
    embedded_defaults(data.path(), &mut common, &sandbox)?;

    let mut process = ProcessParts::begin(common)?;
    process.logins = servers.access().cloned();
    let demo = Demo { run: args.demo, then_exit: args.exit };
    let ended =
        serve_all(process, sandbox, listeners, (data.path(), &announced), demo, &servers).await;
    drop(announced);
    servers.stop().await;
    ended
}

/// The file that says where everything answers, for scripts that join in. It is there while `up`
/// answers: one that an earlier process was killed over goes at the start.
struct Announced(PathBuf);

impl Announced {
    fn at(data: &Path) -> Self {
        let this = Self(data.join("endpoints.json"));
        this.remove();
        this
    }

    fn remove(&self) {
        // It need not be there.
        let _ = fs::remove_file(&self.0);
    }

    /// Writes the addresses, and what scripts log in with: as the operator at the broker, and at a
    /// database of our own as nobody who owns it.
    async fn write(
        &self,
        process: &ProcessParts,
        servers: &Servers,
        endpoints: &Endpoints,
        health: &str,
    ) -> anyhow::Result<()> {
        let settings = &process.settings;
        let database = match servers.scripts_database().await? {
            Some(of_scripts) => of_scripts,
            None => settings.need_database()?.clone(),
        };
        let body = json!({
            "api": endpoints.api,
            "sandbox": endpoints.sandbox,
            "health": health,
            "nats": settings.need_nats()?.expose_secret(),
            "nats_credentials": settings.nats_creds,
            "database": database.expose_secret(),
        });
        write_private(&self.0, &format!("{body:#}\n"))
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        self.remove();
    }
}

/// What is asked of the demo.
struct Demo {
    run: bool,
    /// End after it.
    then_exit: bool,
}

async fn serve_all(
    mut process: ProcessParts,
    sandbox: sandbox::Sandbox,
    (listener, for_health): (TcpListener, TcpListener),
    (data, announced): (&Path, &Announced),
    demo: Demo,
    servers: &Servers,
) -> anyhow::Result<ExitCode> {
    make_schema(&process, servers).await?;

    let broker = process.broker("up").await?;
    let (streams, consumers) =
        (admin::streams_of(&process.settings), admin::consumers_of(process.settings.ack_wait));
    admin::apply_to_own(&broker, &streams, &consumers).await?;
    process.follow_clock(&broker).await?;
    let of_sandbox = process.broker_of(ProcessKind::Sandbox).await?;
    serve::sandbox::bridge(&sandbox, of_sandbox, process.stop.clone()).await?;

    let store = process.store(Role::Api, 8).await?;
    if servers.has_database() {
        keep_database_url(&process, data)?;
        // Nobody else says where this platform is reached, and a start may take another port.
        public_url::move_to(&process.settings, &store).await?;
    } else {
        process.agree_on_public_url(&store, PublicUrlUse::Answers).await?;
    }

    sandbox_port::keep(data, &store, sandbox.addr).await?;
    let at = format!("http://{}", sandbox.addr);
    let places = Places { sandbox: &at, public_url: &process.public_url };
    sandbox_numbers::tell(&store, &process.sealer()?, &places).await?;
    if process.settings.sign_in.codes_tenant.as_ref().is_some_and(|of| of.as_str() == codes::TENANT)
    {
        codes::make(&store, &process.sealer()?, &at, process.time.now()).await?;
    }
    let api_key = first_key(&process, &store, data).await?;
    let endpoints =
        Endpoints { api: format!("http://{}", listener.local_addr()?), sandbox: at, api_key };

    let way_in = console::way_in(&process, &store, &endpoints.api, &TENANT.parse()?).await?;

    let end = CancellationToken::new();
    let health = format!("http://{}", for_health.local_addr()?);
    tokio::spawn(process.health(&broker, &store).serve(for_health, end.clone()));
    let mut running = stages(&process).await?;
    let of_api = process.broker_of(ProcessKind::Api).await?;
    let (api, _) = serve::api::serve(&process, listener, store, of_api)?;

    announced.write(&process, servers, &endpoints, &health).await?;
    eprintln!("console  {way_in}\napi      {}\ndocs     {0}/docs", endpoints.api);
    eprintln!("sandbox  {}\nhealth   {health}", endpoints.sandbox);
    eprintln!("api key  {} (tenant {TENANT})", data.join("api-key").display());

    let balanced = if demo.run { demo::run(&endpoints, &process.stop).await } else { Ok(true) };
    if !demo.then_exit && !process.stop.is_cancelled() {
        eprintln!("console  {way_in}");
        eprintln!("running; Ctrl-C ends it");
        process.stop.cancelled().await;
    }

    process.stop.cancel();
    let drained = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        tracing::warn!("some stages did not drain in time; what they held comes again");
    }
    api.await??;
    sandbox.stop().await;
    end.cancel();
    Ok(if balanced? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Brings the schema up to date. Only a database of the data directory can be removed with it.
async fn make_schema(process: &ProcessParts, servers: &Servers) -> anyhow::Result<()> {
    let url = process.settings.need_database()?.expose_secret();
    let of_ours = "the data directory may be from another version; remove it to start anew";
    let context = if servers.has_database() { of_ours } else { "DATABASE_URL" };
    migrate::migrate(url).await.context(context)
}

/// Every stage in this process, each with its own connections.
async fn stages(process: &ProcessParts) -> anyhow::Result<JoinSet<()>> {
    let mut running = JoinSet::new();
    for &name in StageName::ALL {
        let broker = process.broker_of(ProcessKind::Stage(name)).await?;
        let store = process.store(Role::Pipeline, serve::stage::CONNECTIONS).await?;
        let (process, sealer) = (process.clone(), process.sealer()?);

        running.spawn(async move {
            let runtime = process.runtime(broker, sealer.clone());
            let config =
                StageConfig { ack_wait: process.settings.ack_wait, ..StageConfig::default() };
            let ran = serve::stage::stage(name, &process, &runtime, store, sealer, &config).await;
            if let Err(why) = ran {
                tracing::error!(stage = name.as_str(), %why, "the stage cannot run");
                process.stop.cancel();
            }
        });
    }
    Ok(running)
}

/// Keeps the address that processes and operators use, who may work as the owner: scripts get
/// another one.
fn keep_database_url(process: &ProcessParts, data: &Path) -> anyhow::Result<()> {
    let url = process.settings.need_database()?;
    write_private(&data.join("database-url"), url.expose_secret())
}

/// Shows warnings alone, unless somebody asks for more: people look at the demo.
fn quiet_logs(common: &mut Common) {
    common.log_filter.get_or_insert_with(|| "warn".to_owned());
}

/// Binds the api's address now, so that callbacks can name the port.
async fn listen(common: &mut Common) -> anyhow::Result<TcpListener> {
    let wanted = common.listen.clone().unwrap_or_else(|| DEFAULT_LISTEN.to_owned());
    let why = || format!("MILLRACE_LISTEN: cannot listen on {wanted}; name another with --listen");
    let listener = TcpListener::bind(&wanted).await.with_context(why)?;

    let bound = listener.local_addr()?;
    common.listen = Some(bound.to_string());
    Ok(listener)
}

/// What nobody has to set on one machine: keys, the sandbox as carrier and AI.
fn embedded_defaults(
    data: &Path,
    common: &mut Common,
    sandbox: &sandbox::Sandbox,
) -> anyhow::Result<()> {
    if common.master_key.is_none() && common.master_key_file.is_none() {
        common.master_key_file = Some(key_file(&data.join("master-key"))?);
    }
    if common.jwt_secret.is_none() && common.jwt_secret_file.is_none() {
        common.jwt_secret_file = Some(key_file(&data.join("jwt-secret"))?);
    }

    common.sandbox.get_or_insert_with(|| "1".to_owned());
    common.allow_carrier_host(sandbox.addr);
    common.allow_tool_hosts.get_or_insert_with(|| sandbox.addr.to_string());
    common.sandbox_url.get_or_insert_with(|| format!("http://{}", sandbox.addr));

    if common.anthropic_api_key.is_none() && common.anthropic_api_key_file.is_none() {
        common.anthropic_api_key = Some("sandbox".into());
        common.anthropic_base_url = Some(format!("http://{}", sandbox.addr));
    }

    let media = || format!("file://{}", data.join("media").display());
    common.media.media_url.get_or_insert_with(media);

    let sign_in = &mut common.sign_in;
    if sign_in.smtp_url.is_none() && sign_in.smtp_url_file.is_none() {
        sign_in.smtp_url = Some(format!("smtp://{}", sandbox.smtp).into());
        sign_in.mail_from.get_or_insert_with(|| "Millrace <codes@millrace.example>".to_owned());
    }
    sign_in.codes_tenant.get_or_insert_with(|| codes::TENANT.to_owned());
    Ok(())
}

/// Makes the key in this file, if there is none yet.
fn key_file(path: &Path) -> anyhow::Result<PathBuf> {
    Keys::load_or_create(path).with_context(|| path.display().to_string())?;
    Ok(path.to_owned())
}

/// The key in the data directory, made with its tenant the first time.
async fn first_key(
    process: &ProcessParts,
    store: &Store,
    data: &Path,
) -> anyhow::Result<SecretString> {
    let path = data.join("api-key");
    let tenant = TENANT.parse().context("the demo tenant's key")?;
    let now = process.time.now();
    tenants::create(store, &Tenant::named(&tenant, "Demo"), now).await?;

    // Earlier versions made a test key, which works no more.
    let known = fs::read_to_string(&path).ok();
    if let Some(key) = known.filter(|key| key.starts_with(KeyKind::Live.prefix())) {
        return Ok(key.trim().into());
    }

    let key = api_keys::create(store, &tenant, "millrace up", KeyRole::Admin, now).await?;
    write_private(&path, key.expose_secret())?;
    Ok(key)
}

/// Writes a file that only its owner can read.
fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};

    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    let mut file = file.with_context(|| path.display().to_string())?;
    file.write_all(text.as_bytes()).with_context(|| path.display().to_string())
}
