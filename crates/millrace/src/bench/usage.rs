//! What processes cost: CPU time and memory, read from `/proc`.

use std::{collections::BTreeMap, fs};

use boot::embedded::Nats;

use crate::platform::Platform;

/// A named group: the processes whose root these are, with all their descendants.
#[derive(Debug, Clone)]
pub struct UsageGroup {
    /// The name of a part of the platform, `nats` or `postgres`.
    pub name: &'static str,
    /// Process ids of the roots; those of a part that is not running are left out.
    pub roots: Vec<u32>,
}

impl UsageGroup {
    /// Whether it is the platform's own: the sandbox is its carrier.
    pub fn is_ours(&self) -> bool {
        is_ours(self.name)
    }

    /// Whether it is a stage.
    pub fn is_stage(&self) -> bool {
        is_stage(self.name)
    }
}

/// Whether a group of this name is a stage.
pub fn is_stage(name: &str) -> bool {
    is_ours(name) && !matches!(name, "api" | "nats" | "postgres")
}

/// Whether a group of this name is the platform's own.
fn is_ours(name: &str) -> bool {
    name != "sandbox"
}

/// What a process has in memory, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct MemoryUse {
    /// All pages that are in memory, shared ones too.
    pub resident: u64,
    /// Its part of them: what processes share is split between them.
    pub proportional: u64,
    /// What of that part is shared memory, which a group has set aside for good.
    pub set_aside: u64,
}

/// Every kind of process of a platform, and both servers.
pub fn each(platform: &Platform) -> Vec<UsageGroup> {
    let mut groups: Vec<UsageGroup> = Vec::new();
    for part in &platform.parts {
        match groups.iter_mut().find(|group| group.name == part.name) {
            Some(group) => group.roots.extend(part.pid()),
            None => {
                groups.push(UsageGroup { name: part.name, roots: part.pid().into_iter().collect() })
            }
        }
    }

    let servers = platform.nats.iter().map(Nats::pid).collect();
    groups.push(UsageGroup { name: "nats", roots: servers });
    groups.push(UsageGroup { name: "postgres", roots: vec![platform.postgres.pid()] });
    groups
}

/// The kernel's clock ticks per second; 100 on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

/// CPU seconds of each group. What a process used stays counted when it has ended: its parent waits
/// for it and takes its time over.
pub fn cpu(groups: &[UsageGroup]) -> BTreeMap<&'static str, f64> {
    let table = processes();
    let seconds = |group: &UsageGroup| members(&table, group).map(|process| process.cpu).sum();
    groups.iter().map(|group| (group.name, seconds(group))).collect()
}

/// CPU seconds of each group between two looks.
pub fn spent(
    before: &BTreeMap<&'static str, f64>,
    after: &BTreeMap<&'static str, f64>,
) -> BTreeMap<&'static str, f64> {
    let since = |name: &str| before.get(name).copied().unwrap_or_default();
    after.iter().map(|(name, seconds)| (*name, seconds - since(name))).collect()
}

/// CPU seconds per 1,000 messages of everything that is ours to run.
pub fn per_thousand(spent: &BTreeMap<&'static str, f64>, messages: usize) -> f64 {
    let ours = spent.iter().filter(|(name, _)| is_ours(name));
    ours.map(|(_, seconds)| seconds).sum::<f64>() / messages as f64 * 1000.0
}

/// CPU seconds of one process alone; nought for one that has ended.
pub fn process_cpu(pid: u32) -> f64 {
    process(pid).map_or(0.0, |process| process.cpu)
}

/// The memory of each process of each group.
pub fn memory(groups: &[UsageGroup]) -> BTreeMap<&'static str, Vec<MemoryUse>> {
    let table = processes();
    let uses =
        |group: &UsageGroup| members(&table, group).map(|process| memory_of(process.pid)).collect();
    groups.iter().map(|group| (group.name, uses(group))).collect()
}

/// Bytes of memory of each group, without the shared memory that it has set aside for good, such
/// as the buffers of Postgres, which fill once, and without its vacuums, which come and go.
pub fn own_memory(groups: &[UsageGroup]) -> BTreeMap<&'static str, u64> {
    let table = processes();
    let own = |pid: u32| match is_vacuum(pid) {
        true => 0,
        false => {
            let MemoryUse { proportional, set_aside, .. } = memory_of(pid);
            proportional.saturating_sub(set_aside)
        }
    };
    let bytes = |group: &UsageGroup| members(&table, group).map(|process| own(process.pid)).sum();
    groups.iter().map(|group| (group.name, bytes(group))).collect()
}

/// Whether a process is one that autovacuum has begun for a table.
fn is_vacuum(pid: u32) -> bool {
    let title = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    title.starts_with(b"postgres: autovacuum worker")
}

struct Process {
    pid: u32,
    parent: u32,
    /// Seconds, with those of its children that have ended.
    cpu: f64,
}

/// The processes of a group: those from whose parents a root is reached.
fn members<'a>(
    table: &'a BTreeMap<u32, Process>,
    group: &'a UsageGroup,
) -> impl Iterator<Item = &'a Process> {
    table.values().filter(|process| {
        let mut pid = process.pid;
        loop {
            if group.roots.contains(&pid) {
                return true;
            }
            match table.get(&pid) {
                Some(process) if process.parent > 1 => pid = process.parent,
                Some(_) | None => return false,
            }
        }
    })
}

fn processes() -> BTreeMap<u32, Process> {
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, process(pid)?))).collect()
}

/// Fields of `/proc/<pid>/stat`, counted from behind the name: 1 parent, 11 to 14 times.
fn process(pid: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();

    let tick = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok());
    let ticks = tick(11)? + tick(12)? + tick(13)? + tick(14)?;

    Some(Process { pid, parent: fields.get(1)?.parse().ok()?, cpu: ticks / TICKS })
}

/// The memory of a process; nothing of one that has ended.
fn memory_of(pid: u32) -> MemoryUse {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let bytes = |what: &str| {
        let line = rollup.lines().find_map(|line| line.strip_prefix(what));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse().ok());
        kib.map_or(0, |kib: u64| kib * 1024)
    };
    MemoryUse {
        resident: bytes("Rss:"),
        proportional: bytes("Pss:"),
        set_aside: bytes("Pss_Shmem:"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_found_in_the_group_of_its_parent() {
        let this = std::process::id();
        let parent = processes()[&this].parent;
        let group = UsageGroup { name: "parent", roots: vec![parent] };

        assert!(members(&processes(), &group).any(|process| process.pid == this));
        let memory = memory(&[group]);
        let all: u64 = memory["parent"].iter().map(|process| process.proportional).sum();
        assert!(all > 1024 * 1024, "{memory:?}");
        assert!(memory["parent"].iter().all(|process| process.resident >= process.proportional));
    }

    #[test]
    fn what_the_carrier_takes_is_no_cost_of_a_message() {
        let before = BTreeMap::from([("api", 1.0), ("sandbox", 1.0)]);
        let after = BTreeMap::from([("api", 1.5), ("gate", 0.25), ("sandbox", 9.0)]);
        assert!((per_thousand(&spent(&before, &after), 1_500) - 0.5).abs() < 1e-9);
    }
}
