//! What all parts of a running sandbox share.

mod accounts;
mod applications;
mod businesses;
mod templates;

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use crate::{
    clock::Clock, courier::Courier, dice::Dice, faults::Faults, job::Job, ledger::Ledger,
    mail::Mailbox, people::People, personas::Personas, schedule::Schedule, spoken::Spoken,
    stats::Stats,
};
pub(crate) use accounts::{Accounts, Number};
pub(crate) use applications::{Application, Applications};
pub(crate) use businesses::{Business, Businesses};
pub(crate) use templates::{NewTemplate, Template, TemplateEdit};

/// A running sandbox, apart from its sockets.
pub(crate) struct App {
    /// What chance is drawn from when faults and personas name no seed.
    pub(crate) seed: u64,
    /// Where mail is taken.
    pub(crate) smtp: SocketAddr,
    pub(crate) clock: Clock,
    pub(crate) schedule: Schedule,
    pub(crate) courier: Courier,
    state: Mutex<State>,
    faults: RwLock<Arc<Faults>>,
    personas: RwLock<Arc<Personas>>,
}

/// What changes with every text. Behind one lock, which is held for microseconds and never
/// across an await.
pub(crate) struct State {
    pub(crate) ledger: Ledger,
    pub(crate) accounts: Accounts,
    pub(crate) applications: Applications,
    pub(crate) businesses: Businesses,
    pub(crate) people: People,
    pub(crate) spoken: Spoken,
    pub(crate) stats: Stats,
    pub(crate) mail: Mailbox,
    /// How often each request was made, by the hash of what it is about; kept while faults ask.
    attempts: HashMap<u64, u32>,
}

impl App {
    #[expect(clippy::disallowed_methods, reason = "sids must differ from those of other runs")]
    pub(crate) fn new(seed: u64, callback_connections: usize, smtp: SocketAddr) -> Self {
        let nonce = uuid::Uuid::new_v4().as_u64_pair().0;
        Self {
            seed,
            smtp,
            clock: Clock::new(),
            schedule: Schedule::new(),
            courier: Courier::new(callback_connections),
            state: Mutex::new(State {
                ledger: Ledger::new(nonce),
                accounts: Accounts::default(),
                applications: Applications::default(),
                businesses: Businesses::default(),
                people: People::default(),
                spoken: Spoken::default(),
                stats: Stats::default(),
                mail: Mailbox::default(),
                attempts: HashMap::new(),
            }),
            faults: RwLock::new(Arc::new(Faults::default())),
            personas: RwLock::new(Arc::new(Personas::default())),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> Arc<Faults> {
        self.faults.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        *self.faults.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(faults);
    }

    pub(crate) fn personas(&self) -> Arc<Personas> {
        self.personas.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_personas(&self, personas: Personas) {
        *self.personas.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(personas);
    }

    /// The dice of one request: they depend on what it is about and, when `counted`, on which
    /// attempt this is.
    pub(crate) fn dice(&self, faults: &Faults, about: &[&str], counted: bool) -> Dice {
        let start = Dice::new(faults.seed.unwrap_or(self.seed));
        let dice = about.iter().fold(start, |dice, part| dice.text(part));
        if !counted {
            return dice;
        }

        let mut state = self.state();
        let attempt = state.attempts.entry(dice.value()).or_default();
        *attempt += 1;
        dice.number((*attempt).into())
    }

    /// Plans a job.
    pub(crate) fn later(&self, after: Duration, job: Job) {
        self.schedule.add(after, job);
    }

    /// Forgets texts, people and counts, and drops all planned work. With `all` also
    /// accounts, applications, businesses, numbers, faults and personas. The clock stays: it
    /// only goes forward.
    pub(crate) fn reset(&self, all: bool) {
        self.schedule.clear();
        self.courier.clear();

        let mut state = self.state();
        state.ledger.reset();
        state.people = People::default();
        state.spoken = Spoken::default();
        state.businesses.forget_people();
        state.stats = Stats::default();
        state.mail = Mailbox::default();
        state.attempts.clear();

        if all {
            state.accounts = Accounts::default();
            state.applications = Applications::default();
            state.businesses = Businesses::default();
            drop(state);
            self.set_faults(Faults::default());
            self.set_personas(Personas::default());
        }
    }
}
