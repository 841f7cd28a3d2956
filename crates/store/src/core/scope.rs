//! Who is connected, and for which tenants. Every statement on a tenant table runs inside a
//! [`Scoped`] transaction; without one, row-level security shows nothing.

use std::{
    borrow::Borrow,
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::ids::TenantId;
use sqlx::{AssertSqlSafe, PgPool, Postgres, Transaction, postgres::PgPoolOptions, types::Uuid};

use super::{
    fault::fault,
    reach::{self, ConnectError},
};

/// The transaction of one tenant or one batch.
pub type Scoped = Transaction<'static, Postgres>;

/// How much of their tenant somebody sees who does not see all of it: row-level security shows
/// these brands and inboxes, and what belongs to them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sight {
    /// The brands whose senders, pools, campaigns and messages they see.
    pub brands: Vec<Uuid>,
    /// The inboxes that they see.
    pub inboxes: Vec<Uuid>,
}

impl Sight {
    /// As a look-up gives it; none where everything is seen.
    pub(crate) fn of(brands: Option<Vec<Uuid>>, inboxes: Option<Vec<Uuid>>) -> Option<Self> {
        Some(Self { brands: brands?, inboxes: inboxes.unwrap_or_default() })
    }

    /// The statements that hold a transaction to it. An empty list is none of them, and not all.
    fn statements(&self) -> String {
        let list = |ids: &[Uuid]| {
            let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
            format!("'{{{}}}'", ids.join(","))
        };
        format!(
            "; set local millrace.brands = {}; set local millrace.inboxes = {}",
            list(&self.brands),
            list(&self.inboxes)
        )
    }
}

/// The database role that a process works as. None is a superuser or bypasses row-level security.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Owns the schema: migrations alone.
    Owner,
    /// The api: one tenant per transaction.
    Api,
    /// The stages: the tenants of a batch.
    Pipeline,
}

impl Role {
    /// The role's name in Postgres.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "millrace_owner",
            Self::Api => "millrace_api",
            Self::Pipeline => "millrace_pipeline",
        }
    }

    /// Settings of its own about plans. The api's lists have filters that are often left out, which
    /// a plan for the question at hand passes over.
    fn plans(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Pipeline => &KEPT,
            Self::Owner | Self::Api => &[],
        }
    }
}

/// Rows are looked up by whole keys. A plan that was made while a table was small is kept, and must
/// not scan the table that it grows into (docs/adr/0005).
const PLANS: [(&str, &str); 6] = [
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_material", "off"),
    ("random_page_cost", "1.1"),
    ("jit", "off"),
];

/// A stage's statements are planned once for any number of keys. Left to itself, Postgres compares
/// the plan that it keeps, which it takes to be for ten keys, with what a plan for the keys at hand
/// would cost: where batches are small it finds that one cheaper, and plans every statement at
/// every execution.
const KEPT: [(&str, &str); 1] = [("plan_cache_mode", "force_generic_plan")];

/// After so many transactions of a pool, a connection plans its statements anew: what was planned
/// while a table was empty may join in the wrong order. A prime, so that no connection is left out.
const PLAN_ANEW: u64 = 61;

/// How long a transaction may wait for its client. A process that is frozen between two statements
/// holds counters that other tenants' messages need, so this is shorter than the lease of what it
/// had in hand (`MILLRACE_ACK_WAIT`): who gets that next finds nothing locked. A healthy process
/// needs some milliseconds, and on a machine that is overloaded a second; one that is slower still
/// repeats its batch. Milliseconds.
const IDLE_IN_TRANSACTION: &str = "4000";

/// How long a statement may wait for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// A pool of connections that all work as one role.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
    /// Transactions so far.
    begun: Arc<AtomicU64>,
}

/// The connections of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    /// Those that somebody holds.
    pub busy: u32,
    /// As many as there may be.
    pub limit: u32,
}

impl Store {
    /// Opens a pool. `DATABASE_URL` names a login that is a member of the role.
    ///
    /// # Errors
    /// When the URL cannot be read, or the server takes no connection within 5 seconds.
    pub async fn connect(url: &str, role: Role, connections: u32) -> Result<Self, ConnectError> {
        let options = reach::options(url)?
            .options([("role", role.as_str()), ("search_path", "millrace")])
            .options(PLANS)
            .options(role.plans().iter().copied())
            .options([("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION)])
            .application_name(role.as_str());
        // The pool would only say that it has waited for a connection, and not why in vain.
        reach::reach(&options).await?;
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .connect_lazy_with(options);
        Ok(Self { pool, begun: Arc::default() })
    }

    /// The pool, for statements outside any tenant: the look-ups of migration 0015.
    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Begins a transaction that sees and writes these tenants' rows alone.
    ///
    /// # Errors
    /// `Fault::Unavailable` when no connection is to be had.
    pub async fn scoped<T: Borrow<TenantId>>(
        &self,
        tenants: impl IntoIterator<Item = T>,
    ) -> Result<Scoped, stage::Fault> {
        let mut distinct: BTreeSet<TenantId> = BTreeSet::new();
        for tenant in tenants {
            let tenant: &TenantId = tenant.borrow();
            if !distinct.contains(tenant) {
                distinct.insert(tenant.clone());
            }
        }
        let names: Vec<&str> = distinct.iter().map(TenantId::as_str).collect();
        self.begin("begin", &names.join(","), None).await
    }

    /// Begins a transaction that sees and writes the rows of one tenant, and where somebody does
    /// not see all of it only what they see.
    ///
    /// # Errors
    /// `Fault::Unavailable` when no connection is to be had.
    pub async fn limited(
        &self,
        tenant: &TenantId,
        sight: Option<&Sight>,
    ) -> Result<Scoped, stage::Fault> {
        self.begin("begin", tenant.as_str(), sight).await
    }

    /// The same, of rows as they are at its start; the database refuses every write and every lock.
    ///
    /// # Errors
    /// `Fault::Unavailable` when no connection is to be had.
    pub async fn reading(
        &self,
        tenant: &TenantId,
        sight: Option<&Sight>,
    ) -> Result<Scoped, stage::Fault> {
        let begin = "begin isolation level repeatable read read only";
        self.begin(begin, tenant.as_str(), sight).await
    }

    async fn begin(
        &self,
        begin: &str,
        tenants: &str,
        sight: Option<&Sight>,
    ) -> Result<Scoped, stage::Fault> {
        // A tenant key holds a-z, 0-9 and '-' alone, so it cannot end the literal.
        let count = self.begun.fetch_add(1, Ordering::Relaxed);
        let is_turn = count % PLAN_ANEW == PLAN_ANEW - 1;
        // In a transaction of its own: it would be the first statement of this one.
        let anew = if is_turn { "begin; discard plans; commit; " } else { "" };
        let sight = sight.map(Sight::statements).unwrap_or_default();
        let begin = format!("{anew}{begin}; set local millrace.tenants = '{tenants}'{sight}");
        self.pool.begin_with(AssertSqlSafe(begin)).await.map_err(fault)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// What it said instead.
    pub async fn ping(&self) -> Result<(), sqlx::Error> {
        sqlx::query("select 1").execute(&self.pool).await.map(drop)
    }

    /// How many of its connections are in use, and how many there may be.
    pub fn pool_use(&self) -> PoolUse {
        let idle = u32::try_from(self.pool.num_idle()).unwrap_or(u32::MAX);
        PoolUse {
            busy: self.pool.size().saturating_sub(idle),
            limit: self.pool.options().get_max_connections(),
        }
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
