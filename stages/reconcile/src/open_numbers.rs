//! Orders and releases of numbers that nobody has settled (docs/adr/0027): the process that asked
//! the carrier died, or its answer was lost. The list of the account says what came of them: what
//! it has is owned, what it does not have a quarter of an hour after it was ordered was not given,
//! and what it has still though it was given back is given back again. A list that cannot be read
//! settles nothing.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use carriers::{Clients, NumberReply, OwnedNumber, http::REQUEST_TIMEOUT};
use domain::ids::SenderId;
use futures::{StreamExt, stream};
use jiff::Timestamp;
use stage::{Cx, Fault, Source, StageName, Tick};
use store::{
    Store,
    core::seal::Sealer,
    settings::numbers::{
        NumberState,
        open::{self, OpenAccount, OpenNumber, SettledNumbers},
    },
};
use tokio::time::{Instant, timeout_at};
use wire::Stream;

/// How many accounts one tick asks, and how many of them at once.
const ACCOUNTS: i64 = 64;
const AT_ONCE: usize = 8;

/// How long one tick asks: a number is leased for longer.
const LONGEST: Duration = Duration::from_secs(30);

/// How open numbers are looked after.
#[derive(Debug, Clone)]
pub struct OpenNumbersConfig {
    /// `MILLRACE_ALLOW_CARRIER_HOSTS`: hosts besides the carrier's own that accounts may name.
    pub allow_hosts: Vec<String>,
    /// `MILLRACE_REQUEST_TIMEOUT`: how long a carrier call may take.
    pub request_timeout: Duration,
}

impl Default for OpenNumbersConfig {
    /// The carriers' own hosts alone.
    fn default() -> Self {
        Self { allow_hosts: Vec::new(), request_timeout: REQUEST_TIMEOUT }
    }
}

/// The source that looks after numbers whose order or release is open.
pub struct OpenNumbers {
    store: Store,
    clients: Clients,
}

impl OpenNumbers {
    /// A source over this store. `http` is `carriers::http::client()`, `sealer` opens the accounts'
    /// tokens.
    pub fn new(
        store: Store,
        sealer: Sealer,
        http: reqwest::Client,
        config: OpenNumbersConfig,
    ) -> Self {
        let open = Arc::new(move |sealed: &str| sealer.open_secret(sealed));
        let OpenNumbersConfig { allow_hosts, request_timeout } = config;
        Self { store, clients: Clients::new(http, allow_hosts, request_timeout, open) }
    }

    /// An account with what its list settles; none where it gives no whole list.
    async fn look(
        &self,
        machine: Timestamp,
        account: OpenAccount,
    ) -> (OpenAccount, Option<SettledNumbers>) {
        let settled = self.ask(machine, &account).await;
        (account, settled)
    }

    /// Asks an account for its numbers, and asks it again for what it should have taken back.
    async fn ask(&self, machine: Timestamp, account: &OpenAccount) -> Option<SettledNumbers> {
        let (tenant, name) = (&account.tenant, &account.account);
        let client = match self.clients.of(&account.access) {
            Ok(client) => client,
            Err(why) => {
                tracing::warn!(%tenant, account = name, %why, "open numbers cannot be looked up");
                return None;
            }
        };
        let listed = match client.owned_numbers().await {
            Ok(listed) => listed,
            Err(why) => {
                tracing::warn!(%tenant, account = name, %why, "open numbers cannot be looked up");
                return None;
            }
        };

        let (mut settled, again) = decide(machine, &account.numbers, &listed);
        for (number, id) in again {
            match client.release_number(&id).await {
                NumberReply::Done { .. } | NumberReply::Taken => settled.released.push(number),
                NumberReply::Refused { .. } => settled.kept.push(number),
                NumberReply::NotAsked | NumberReply::Unknown { .. } => {}
            }
        }
        Some(settled)
    }
}

impl Source for OpenNumbers {
    const NAME: StageName = StageName::Reconcile;
    const FILLS: &'static [Stream] = &[];

    async fn tick(&self, cx: &Cx) -> Result<Tick, Fault> {
        // load
        let accounts = open::lease_open(&self.store, cx.machine, ACCOUNTS).await?;
        let more = accounts.len() as i64 >= ACCOUNTS;

        // ask and decide, account by account; record what each has settled
        let looks = accounts.into_iter().map(|account| self.look(cx.machine, account));
        let mut looks = stream::iter(looks).buffer_unordered(AT_ONCE);
        let time_up = Instant::now() + LONGEST;
        while let Ok(Some((account, settled))) = timeout_at(time_up, looks.next()).await {
            let Some(settled) = settled else { continue };
            let asked: BTreeMap<_, _> =
                account.numbers.iter().map(|number| (number.id, number.asked_at)).collect();
            let mut tx = self.store.scoped([&account.tenant]).await?;
            open::settle_open(&mut tx, &account.tenant, &asked, &settled).await?;
            tx.commit().await.map_err(store::fault)?;
            count(&settled);
        }
        Ok(Tick { more, ..Tick::default() })
    }
}

/// What a list settles, and the numbers that are to be given back again, each by the carrier's name
/// of it.
fn decide(
    machine: Timestamp,
    numbers: &[OpenNumber],
    listed: &[OwnedNumber],
) -> (SettledNumbers, Vec<(SenderId, String)>) {
    let by_number: BTreeMap<&str, &str> =
        listed.iter().map(|one| (one.number.as_str(), one.id.as_str())).collect();
    let (mut settled, mut again) = (SettledNumbers::default(), Vec::new());

    for number in numbers {
        let id = by_number.get(number.number.as_str()).map(|id| (*id).to_owned());
        let is_old = machine.duration_since(number.asked_at) >= open::SETTLED_AFTER;
        match (number.state, id) {
            (NumberState::Ordered | NumberState::InDoubt, Some(id)) => {
                settled.owned.push((number.id, id));
            }
            (NumberState::Ordered | NumberState::InDoubt, None) if is_old => {
                settled.failed.push(number.id);
            }
            (NumberState::Releasing, Some(id)) => again.push((number.id, id)),
            (NumberState::Releasing, None) => settled.released.push(number.id),
            (
                NumberState::Ordered
                | NumberState::InDoubt
                | NumberState::Owned
                | NumberState::Failed
                | NumberState::Gone,
                _,
            ) => {}
        }
    }
    (settled, again)
}

fn count(settled: &SettledNumbers) {
    for (outcome, numbers) in [
        ("owned", settled.owned.len()),
        ("failed", settled.failed.len()),
        ("released", settled.released.len()),
        ("kept", settled.kept.len()),
    ] {
        metrics::counter!("millrace_open_numbers_settled_total", "outcome" => outcome)
            .increment(numbers as u64);
    }
}
