//! The outside world of Millrace, simulated: carriers, the people behind the phones, and the AI.
//!
//! One server speaks enough of Twilio, Bandwidth and Anthropic for their official SDKs, and of
//! WhatsApp's Cloud API for what Millrace asks of it; another takes mail, as SMTP has it. They
//! remember every text they accepted (the ledger), call back with signed requests, play people who
//! answer, and break on demand. Each phone has a page, `/sandbox/phone/{number}`, to read along and
//! to answer by hand. They share no codec with `carriers`: a shared codec would share its faults.
//!
//! Where it differs from the real services, on purpose:
//! - A callback that cannot connect, times out or gets a 5xx is retried five times (a fault
//!   setting). Twilio retries once, and only a failed connection, unless the URL says otherwise
//!   (`#rc=5&rp=all`): `callbacks.overrides` plays that.
//! - Callbacks go to `http` URLs only; one to `https` counts as failed at once.
//! - A message may name any sender; a Messaging Service is a name for all numbers of its account.
//! - The first credentials seen for an account stand, and its password signs the callbacks.
//! - TwiML answers to an inbound webhook are read and ignored.
//! - A Bandwidth application, with its numbers and where it is called back, is set up by a control
//!   call, not by the dashboard's API; a message of Bandwidth goes to one recipient, and a number
//!   that is ordered goes to the account's first application.
//! - A WhatsApp Business Account, with its numbers and where it is called back, is set up by a
//!   control call as well. Its templates are approved at once.
//! - A number may be registered whether it was on offer or not.

mod anthropic;
mod app;
mod attempt;
mod bandwidth;
mod clock;
mod control;
mod courier;
mod delivery;
mod dice;
mod encode;
mod faults;
mod inbound;
mod job;
mod kind;
mod ledger;
mod mail;
mod people;
mod personas;
mod phone;
mod phone_text;
mod phrases;
mod picture;
mod posting;
mod range;
mod rate;
mod reaction;
mod receipts;
mod reply;
mod retries;
mod schedule;
mod segments;
mod server;
mod smtp;
mod spoken;
mod stats;
mod stock;
mod tag;
mod tools;
mod twilio;
mod whatsapp;
mod worker;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use domain::clock::BusinessClock;
use tokio::{net::TcpListener, sync::watch};

use crate::{app::App, server::Running};

/// What a sandbox is started with. Everything else is set over its control API.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The port on which it takes mail, of the same address; 0 takes a free one.
    pub smtp_port: u16,
    /// What all chance is drawn from, unless faults or personas name their own seed.
    pub seed: u64,
    /// The most connections that call back to one host at once (1 to 1,024). A platform gathers
    /// what it stores, so that each call takes it some ten milliseconds, however many come.
    pub callback_connections: usize,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8090)),
            smtp_port: 0,
            seed: 1,
            callback_connections: 192,
        }
    }
}

/// The `X-Twilio-Signature` of a form that is posted to a URL, as the sandbox signs its own: for
/// those who deliver more texts than its control calls would.
pub fn twilio_signature(token: &str, url: &str, form: &[(&str, &str)]) -> String {
    twilio::signature::sign(token, url, form)
}

/// A running sandbox. Dropping it ends it at once; [`Sandbox::stop`] lets answers finish.
pub struct Sandbox {
    /// The address that it listens on.
    pub addr: SocketAddr,
    /// Where it takes mail.
    pub smtp: SocketAddr,
    /// The business clock, as last set by `PUT /sandbox/clock`; `None` until then.
    pub clock: watch::Receiver<Option<BusinessClock>>,
    app: Arc<App>,
    running: Running,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("addr", &self.addr).finish_non_exhaustive()
    }
}

/// Starts a sandbox on the current tokio runtime.
///
/// # Errors
/// When the address cannot be bound.
pub async fn start(config: SandboxConfig) -> io::Result<Sandbox> {
    let listener = TcpListener::bind(config.listen).await?;
    let addr = listener.local_addr()?;
    let mail = TcpListener::bind((addr.ip(), config.smtp_port)).await?;
    let smtp = mail.local_addr()?;
    let app = Arc::new(App::new(config.seed, config.callback_connections.clamp(1, 1_024), smtp));
    let clock = app.clock.subscribe();

    let running = Running::start(listener, mail, Arc::clone(&app));
    Ok(Sandbox { addr, smtp, clock, app, running })
}

impl Sandbox {
    /// Goes on with a clock that was set before this sandbox started, unless one was set since.
    /// [`Sandbox::clock`] tells only what is set over the control API.
    pub fn restore_clock(&self, clock: BusinessClock) {
        self.app.clock.restore(clock);
    }

    /// Answers the requests under way (for at most a second), then ends. Callbacks that are not
    /// due yet are dropped.
    pub async fn stop(self) {
        self.running.stop().await;
    }
}
