//! What processes cost: CPU time and memory, read from `/proc`.

use std::{collections::BTreeMap, fs};

use boot::embedded::Nats;

use crate::platform::{Part, Platform};

/// A named group: the processes whose root these are, with all their descendants.
#[derive(Debug, Clone)]
pub struct UsageGroup {
    /// `api`, `stages`, `nats`, `postgres`, `sandbox`.
    pub name: &'static str,
    /// Process ids of the roots; those of a part that is not running are left out.
    pub roots: Vec<u32>,
}

/// The processes of a platform by group.
pub fn groups(platform: &Platform) -> Vec<UsageGroup> {
    let of = |wanted: &dyn Fn(&str) -> bool| {
        let parts = platform.parts.iter().filter(|part| wanted(part.name));
        parts.filter_map(Part::pid).collect()
    };

    vec![
        UsageGroup { name: "api", roots: of(&|name| name == "api") },
        UsageGroup { name: "stages", roots: of(&|name| name != "api" && name != "sandbox") },
        UsageGroup { name: "nats", roots: platform.nats.iter().map(Nats::pid).collect() },
        UsageGroup { name: "postgres", roots: vec![platform.postgres.pid()] },
        UsageGroup { name: "sandbox", roots: of(&|name| name == "sandbox") },
    ]
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

    let servers = self::groups(platform).into_iter();
    groups.extend(servers.filter(|group| matches!(group.name, "nats" | "postgres")));
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

/// CPU seconds of one process alone; nought for one that has ended.
pub fn process_cpu(pid: u32) -> f64 {
    process(pid).map_or(0.0, |process| process.cpu)
}

/// Bytes of memory of each group; what processes share is split between them.
pub fn memory(groups: &[UsageGroup]) -> BTreeMap<&'static str, u64> {
    measured(groups, |pid| rollup(pid, "Pss:"))
}

/// Likewise without the shared memory that a group has set aside for good, such as the buffers of
/// Postgres, which fill once, and without its vacuums, which come and go.
pub fn own_memory(groups: &[UsageGroup]) -> BTreeMap<&'static str, u64> {
    measured(groups, |pid| match is_vacuum(pid) {
        true => 0,
        false => rollup(pid, "Pss:").saturating_sub(rollup(pid, "Pss_Shmem:")),
    })
}

/// Whether a process is one that autovacuum has begun for a table.
fn is_vacuum(pid: u32) -> bool {
    let title = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    title.starts_with(b"postgres: autovacuum worker")
}

fn measured(groups: &[UsageGroup], of: impl Fn(u32) -> u64) -> BTreeMap<&'static str, u64> {
    let table = processes();
    let bytes = |group: &UsageGroup| members(&table, group).map(|process| of(process.pid)).sum();
    groups.iter().map(|group| (group.name, bytes(group))).collect()
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

/// A sum over the memory of a process, in bytes; nought for one that has ended.
fn rollup(pid: u32, what: &str) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix(what));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok());

    kib.unwrap_or_default() * 1024
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
        assert!(memory(&[group])["parent"] > 1024 * 1024);
    }
}
