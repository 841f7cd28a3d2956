//! Asking carriers what became of texts, each by its id: a bounded number at once, for a bounded
//! time. An account that does not answer is left alone until its rows are due again.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use carriers::{Carrier, Client, Clients, Doubt, ReadError, ReportedStatus};
use domain::ids::TenantId;
use futures::{StreamExt, stream};
use store::{
    messages::receipt::poll::{ReceiptWatch, Watched},
    settings::accounts::Access,
};
use tokio::time::{Instant, timeout_at};

use super::plan::Times;
use crate::{receipts::report::Key, under_way::Account};

/// Texts of an account asked about at once.
const AT_ONCE: usize = 16;

/// How long the fetching of one look may take: what it is about is leased for longer.
const LONGEST: Duration = Duration::from_secs(15);

/// What the carriers said.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// The texts that they know.
    pub(super) told: HashMap<Key, (Carrier, ReportedStatus)>,
    /// Messages that could not be asked about, each with how long its carrier wants to be left
    /// alone.
    pub(super) left_out: HashMap<Key, Duration>,
}

/// One text to ask about.
struct Question {
    key: Key,
    account: Account,
    client: Client,
    sid: String,
}

/// Accounts that are not asked any more in this look, and for how long they want to be left alone.
#[derive(Default)]
struct Stopped(Mutex<HashMap<Account, Duration>>);

/// Asks about every text that has waited long enough.
pub(super) async fn ask(
    clients: &Clients,
    times: &Times,
    watches: &[ReceiptWatch],
    accounts: &HashMap<Account, Access>,
) -> Asked {
    let clients = clients_of(clients, accounts);
    let questions = questions(times, watches, &clients);
    let mut silent: HashSet<Key> = questions.keys().cloned().collect();

    let stopped = Stopped::default();
    let asking = questions.into_values().map(|question| fetch(question, &stopped));
    let mut answers = stream::iter(asking).buffer_unordered(AT_ONCE);

    let mut asked = Asked::default();
    let time_up = Instant::now() + LONGEST;
    while let Ok(Some((key, answer))) = timeout_at(time_up, answers.next()).await {
        silent.remove(&key);
        match answer {
            Answer::Told(carrier, status) => drop(asked.told.insert(key, (carrier, status))),
            Answer::NotTold => {}
            Answer::LeftOut(wait) => drop(asked.left_out.insert(key, wait)),
        }
    }

    // Those whose answer did not come in time were left out, too.
    asked.left_out.extend(silent.into_iter().map(|key| (key, Duration::ZERO)));
    asked
}

/// The clients of accounts that can be used, and whose carrier tells of one text by its id.
fn clients_of<'a>(
    clients: &Clients,
    accounts: &'a HashMap<Account, Access>,
) -> HashMap<&'a Account, Client> {
    let mut usable = HashMap::with_capacity(accounts.len());
    for (account, access) in accounts {
        match clients.of(access) {
            Ok(client) if client.carrier().abilities().fetches => {
                usable.insert(account, client);
            }
            Ok(_) => {}
            Err(why) => {
                let (tenant, account) = account;
                tracing::warn!(%tenant, account, %why, "texts of an account cannot be fetched");
            }
        }
    }
    usable
}

/// One question for each text that is due. A text whose sender or account is gone cannot be asked
/// about: it has none.
fn questions(
    times: &Times,
    watches: &[ReceiptWatch],
    clients: &HashMap<&Account, Client>,
) -> BTreeMap<Key, Question> {
    let due = watches.iter().flat_map(|watch| {
        let due = watch.messages.iter().filter(|one| times.is_due(one, watch.looked_at));
        due.map(|one| (&watch.tenant, one))
    });

    let question = |(tenant, one): (&TenantId, &Watched)| {
        let account = (tenant.clone(), one.account.clone()?);
        let (client, sid) = (clients.get(&account)?.clone(), one.sid.clone()?);
        let key = (tenant.clone(), one.id);
        Some((key.clone(), Question { key, account, client, sid }))
    };
    due.filter_map(question).collect()
}

/// How one fetch ended.
enum Answer {
    /// The carrier has the text, and says where it stands.
    Told(Carrier, ReportedStatus),
    /// The carrier has no such text, or says what cannot be read: no more is learnt by asking soon.
    NotTold,
    /// Nobody answered, or nobody was asked.
    LeftOut(Duration),
}

async fn fetch(question: Question, stopped: &Stopped) -> (Key, Answer) {
    let Question { key, account, client, sid } = question;
    if let Some(wait) = stopped.get(&account) {
        return (key, Answer::LeftOut(wait));
    }

    let (answer, outcome) = match client.fetch(&sid).await {
        Ok(Some(record)) => (Answer::Told(client.carrier(), record.status), "told"),
        Ok(None) => (Answer::NotTold, "missing"),
        Err(why) => match stops(&why) {
            None => (Answer::NotTold, "unreadable"),
            Some(wait) => {
                stopped.stop(account, wait, &why);
                (Answer::LeftOut(wait), "unanswered")
            }
        },
    };

    metrics::counter!("millrace_receipt_fetches_total", "outcome" => outcome).increment(1);
    (key, answer)
}

/// Whether the account is left alone after this, and for how long at least; none where only this
/// text's answer is of no use.
fn stops(why: &ReadError) -> Option<Duration> {
    match why {
        ReadError::Throttled(throttle) => Some(throttle.retry_after.unwrap_or_default()),
        ReadError::Stopped { .. } | ReadError::NoConnection | ReadError::TooMany(_) => {
            Some(Duration::ZERO)
        }
        ReadError::NotOffered => None,
        ReadError::Unavailable(doubt) => match doubt {
            Doubt::TimedOut | Doubt::Broken | Doubt::Status { .. } => Some(Duration::ZERO),
            Doubt::Unreadable { .. } => None,
        },
    }
}

// === impl Stopped ===

impl Stopped {
    fn get(&self, account: &Account) -> Option<Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(account).copied()
    }

    fn stop(&self, account: Account, wait: Duration, why: &ReadError) {
        let mut stopped = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !stopped.contains_key(&account) {
            let (tenant, name) = (&account.0, &account.1);
            tracing::warn!(%tenant, account = name, %why, "texts could not be fetched");
        }

        let longest = stopped.entry(account).or_default();
        *longest = wait.max(*longest);
    }
}
