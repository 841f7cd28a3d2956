//! What a process of its own says about itself, beside its work: memory, and connections to
//! Postgres.

use std::{fs, time::Duration};

use store::Store;

/// How often the gauges are set.
const EVERY: Duration = Duration::from_secs(5);

/// Sets the gauges of this process for as long as it runs.
pub fn keep(store: Store) {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(EVERY);
        loop {
            ticks.tick().await;
            set(&store);
        }
    });
}

fn set(store: &Store) {
    if let Some(bytes) = memory() {
        metrics::gauge!("millrace_process_memory_bytes").set(bytes as f64);
    }

    let pool = store.pool_use();
    metrics::gauge!("millrace_database_connections_busy").set(f64::from(pool.busy));
    metrics::gauge!("millrace_database_connections_limit").set(f64::from(pool.limit));
}

/// Bytes of memory that this process has; none where the system does not say.
fn memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_its_memory() {
        let bytes = memory().expect("the system says it");
        assert!((1 << 20..1 << 40).contains(&bytes), "{bytes}");
    }
}
