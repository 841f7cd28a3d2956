//! The end of a run of many texts: what the rows, the carrier and the totals say of each, side by
//! side. A text takes 24 bytes here, so that millions can be compared.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use domain::{ids::MessageId, message::state::MessageState};
use serde::Deserialize;
use store::{Role, messages::census};
use uuid::Uuid;

use crate::{
    demo::check,
    platform::{self, Platform},
    verdict,
};

/// Rows that are read at once.
const PAGE: i64 = 10_000;

/// How often it is looked whether messages are open.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What was found.
pub struct Tally {
    /// Texts that the api accepted.
    accepted: usize,
    /// Messages by state, those that the platform made by itself included.
    states: BTreeMap<String, usize>,
    /// Texts in the carrier's ledger.
    carrier: usize,
    /// What does not agree; empty is well.
    wrong: Vec<String>,
}

/// What is known of a message.
struct Known {
    id: Uuid,
    /// Where its row says that it stands.
    state: MessageState,
    /// How often the carrier has it, at most 255.
    times: u8,
}

/// What is read of a line of the carrier's ledger.
#[derive(Deserialize)]
struct Line<'a> {
    reference: Option<&'a str>,
    status: &'a str,
}

/// Waits until no message of any tenant is open.
///
/// # Errors
/// Some are when the time is up.
pub async fn settle(platform: &Platform, limit: Duration) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let states = states(platform).await?;
        let open = verdict::OPEN.iter().filter_map(|state| states.get(*state)).sum::<usize>();
        if open == 0 {
            return Ok(());
        }
        if begun.elapsed() > limit {
            bail!("{open} messages are open after {limit:?}: {states:?}");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Messages of all tenants by state, as the rows have them.
async fn states(platform: &Platform) -> anyhow::Result<BTreeMap<String, usize>> {
    let mut states = BTreeMap::new();
    for counts in by_tenant(platform).await? {
        for (state, count) in counts {
            *states.entry(state).or_insert(0) += count;
        }
    }
    Ok(states)
}

async fn by_tenant(platform: &Platform) -> anyhow::Result<Vec<BTreeMap<String, usize>>> {
    let store = platform.store(Role::Pipeline).await?;
    let mut all = Vec::with_capacity(platform.tenants());
    for index in 0..platform.tenants() {
        let tenant = platform::tenant(index)?;
        let mut tx = store.scoped([&tenant]).await?;
        let counts = census::counts(&mut tx, &tenant).await?;
        let name = |state: MessageState| state.as_str().to_owned();
        all.push(counts.into_iter().map(|(state, n)| (name(state), n as usize)).collect());
    }
    store.close().await;
    Ok(all)
}

/// Reads everything and compares. `accepted` holds each id that the api gave, once.
///
/// # Errors
/// Somebody does not answer.
pub async fn reach(platform: &Platform, mut accepted: Vec<Uuid>) -> anyhow::Result<Tally> {
    let mut wrong = Vec::new();
    accepted.sort_unstable();
    let texts = accepted.len();
    accepted.dedup();
    if accepted.len() < texts {
        wrong.push(format!("{} ids were given twice", texts - accepted.len()));
    }

    let mut known = rows(platform).await?;
    let missing = accepted.iter().filter(|id| find(&known, **id).is_none()).count();
    if missing > 0 {
        wrong.push(format!("{missing} of {texts} accepted messages have no row"));
    }

    let carrier = against_carrier(platform, &mut known, &mut wrong).await?;
    let states = states(platform).await?;
    verdict::final_states(&states, known.len(), &mut wrong);
    for (tenant, counts) in by_tenant(platform).await?.iter().enumerate() {
        verdict::against_rollup(&platform.client(tenant)?, counts, &mut wrong).await?;
        verdict::against_rows(platform, tenant, &mut wrong).await?;
        verdict::against_events(platform, tenant, counts, &mut wrong).await?;
    }
    Ok(Tally { accepted: texts, states, carrier, wrong })
}

/// Every message of every tenant, in the order of ids.
async fn rows(platform: &Platform) -> anyhow::Result<Vec<Known>> {
    let store = platform.store(Role::Pipeline).await?;
    let mut known = Vec::new();
    for index in 0..platform.tenants() {
        let tenant = platform::tenant(index)?;
        let mut after = MessageId(Uuid::nil());
        loop {
            let mut tx = store.scoped([&tenant]).await?;
            let page = census::page(&mut tx, &tenant, after, PAGE).await?;
            let Some((last, _)) = page.last() else { break };
            after = *last;
            known.extend(page.iter().map(|(id, state)| Known {
                id: id.0,
                state: *state,
                times: 0,
            }));
        }
    }
    store.close().await;
    known.sort_unstable_by_key(|message| message.id);
    Ok(known)
}

/// Checks that the carrier holds each message at most once, none that we do not have, and tells
/// each one's fate as we do; gives how many texts it has.
async fn against_carrier(
    platform: &Platform,
    known: &mut [Known],
    wrong: &mut Vec<String>,
) -> anyhow::Result<usize> {
    let (mut texts, mut strange, mut different) = (0, 0, 0);
    let mut example = None;
    let mut read = |line: &str| {
        let line: Line = serde_json::from_str(line)?;
        let reference: Uuid = line.reference.context("a text without a reference")?.parse()?;
        texts += 1;
        let Some(index) = find(known, reference) else {
            strange += 1;
            return Ok(());
        };
        let message = &mut known[index];
        message.times = message.times.saturating_add(1);
        let state = message.state.as_str();
        if !check::agree(state, Some(line.status)) {
            different += 1;
            example = Some(format!("{reference} is {state} here, {} there", line.status));
        }
        Ok(())
    };
    platform.sandbox.each_line("/sandbox/ledger", &mut read).await?;

    let twice = known.iter().filter(|message| message.times > 1).count();
    let absent =
        |message: &&Known| message.times == 0 && !check::agree(message.state.as_str(), None);
    let absent = known.iter().filter(absent).count();
    let found = [
        (twice, "messages are more than once at the carrier"),
        (strange, "texts of the carrier are no messages of ours"),
        (absent, "messages should be at the carrier, and are not"),
        (different, "messages are told differently by the carrier"),
    ];
    wrong.extend(found.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")));
    wrong.extend(example);
    Ok(texts)
}

fn find(known: &[Known], id: Uuid) -> Option<usize> {
    known.binary_search_by_key(&id, |message| message.id).ok()
}

// === impl Tally ===

impl Tally {
    /// Whether everything agrees.
    pub fn passes(&self) -> bool {
        self.wrong.is_empty()
    }

    /// Prints the counts and what is wrong.
    pub fn print(&self) {
        verdict::print_counts(self.accepted, &self.states, self.carrier, &self.wrong);
    }
}
