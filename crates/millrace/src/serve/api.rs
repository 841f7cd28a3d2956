//! `millrace api`: the ingress.

use std::{net::SocketAddr, process::ExitCode, sync::Arc};

use anyhow::Context;
use api::{ApiSettings, App, KeptMedia, Parts, SignInWays, Tls};
use boot::settings::{DEFAULT_LISTEN, Settings};
use pipeline::Broker;
use secrecy::{ExposeSecret, SecretBox};
use store::{Role, Store};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::stage::{ai_client, tool_caller};
use crate::{cli, gauges, process::ProcessParts, public_url::PublicUrlUse};

/// Connections to Postgres of one ingress process.
pub const CONNECTIONS: u32 = 8;

/// Runs the ingress until it is told to end.
pub async fn run(args: cli::Serve) -> anyhow::Result<ExitCode> {
    let mut process = ProcessParts::begin(args.common)?;
    process.end_in_time();
    let broker = process.broker("api").await?;
    process.follow_clock(&broker).await?;
    let store = process.store(Role::Api, CONNECTIONS).await?;
    gauges::keep(store.clone());
    process.agree_on_public_url(&store, PublicUrlUse::Answers).await?;

    let default: SocketAddr = DEFAULT_LISTEN.parse().context("the default address")?;
    let listen = process.settings.listen_or(default);
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| crate::process::in_use("MILLRACE_LISTEN", listen))?;

    let end = CancellationToken::new();
    let (serving, app) = serve(&process, listener, store.clone(), broker.clone())?;

    let health = process.health(&broker, &store).check("accounts", move || {
        let ready = app.is_ready();
        async move { ready.then_some(()).ok_or_else(|| "not loaded yet".to_owned()) }
    });
    let address = process.answer_health(health, end.clone()).await?;
    tracing::info!(%listen, health = %address, "running");

    serving.await??;
    end.cancel();
    Ok(ExitCode::SUCCESS)
}

/// Serves the api on this listener until the process is told to end; gives the running task, and
/// the app to ask whether it is ready.
///
/// # Errors
/// A setting that it needs is missing.
pub fn serve(
    process: &ProcessParts,
    listener: TcpListener,
    store: Store,
    broker: Broker,
) -> anyhow::Result<(JoinHandle<std::io::Result<()>>, App)> {
    let settings = &process.settings;
    let keys = settings.jwt_keys.as_ref().map(|keys| keys.all()).unwrap_or_default();
    let jwt_keys = keys.iter().map(|key| SecretBox::new(Box::new(*key.expose_secret()))).collect();

    let parts = Parts {
        store,
        broker,
        sealer: process.sealer()?,
        settings: ApiSettings {
            public_url: process.public_url.clone(),
            jwt_keys,
            subscribers: settings.nats_subscribers.clone(),
            carrier_hosts: settings.carrier_hosts.clone(),
            sandbox_url: settings.sandbox_url.clone(),
            ai: ai_client(settings)?,
            tools: Some(tool_caller(settings)?),
            tls: tls(settings)?,
            trusted_proxies: settings.edge.trusted_proxies.clone(),
            sign_in: SignInWays {
                mail: settings.sign_in.mail.is_some(),
                texts: settings.sign_in.codes_tenant.is_some(),
                sign_up: settings.sign_in.sign_up,
            },
            cors_origins: settings.edge.cors_origins.clone(),
            media: process
                .objects()?
                .map(|objects| KeptMedia { objects, hosts: settings.media.hosts.clone() }),
            ..ApiSettings::default()
        },
        now: Arc::clone(&process.clock()),
    };

    let app = App::new(parts);
    let serving = tokio::spawn(api::serve(listener, app.clone(), process.stop.clone()));
    Ok((serving, app))
}

/// The certificate of the ingress, where it answers https itself.
fn tls(settings: &Settings) -> anyhow::Result<Option<Arc<Tls>>> {
    let Some(files) = &settings.edge.tls else { return Ok(None) };
    let tls = Tls::read(&files.cert, &files.key).context("MILLRACE_TLS_CERT")?;
    Ok(Some(Arc::new(tls)))
}
