//! Finds the server programs that the embedded NATS and Postgres run, and checks their versions.
//!
//! It looks in this order: at the paths that `scripts/setup` wrote (`.millrace-tools/paths`, in the
//! current directory, beside this program or above either), on the `PATH`, and in the usual
//! directories of distributions. It takes the first that is new enough, so that an old one on the
//! `PATH` does not hide a good one.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

/// The oldest NATS server that Millrace works with: (major, minor).
pub const OLDEST_NATS: (u32, u32) = (2, 15);
/// The oldest major version of PostgreSQL that Millrace works with.
pub const OLDEST_POSTGRES: u32 = 14;

/// A NATS server binary that is new enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsServer {
    /// Where the binary is.
    pub path: PathBuf,
    /// The version that the binary says it has, such as `2.15.1`.
    pub version: String,
}

/// A directory with the server programs of one PostgreSQL version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresTools {
    /// The directory that holds `postgres` and `initdb`.
    pub bin: PathBuf,
    /// The major version, such as 15.
    pub major: u32,
}

/// A program is missing or too old. Its text is one line and names the fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {fix}")]
pub struct ToolError {
    /// What is wrong.
    pub what: String,
    /// What the reader can do about it.
    pub fix: String,
}

/// Finds a NATS server of [`OLDEST_NATS`] or newer.
///
/// # Errors
/// None is found, or only older ones.
pub fn nats_server() -> Result<NatsServer, ToolError> {
    let written = written_path("nats-server").into_iter();

    let mut too_old = None;
    for path in written.chain(search_path().map(|dir| dir.join("nats-server"))) {
        let Some(version) = says_version(&path) else { continue };
        if numbers(&version) >= Some(OLDEST_NATS) {
            return Ok(NatsServer { path, version });
        }
        too_old.get_or_insert((path, version));
    }

    let (major, minor) = OLDEST_NATS;
    let what = match too_old {
        Some((path, version)) => format!(
            "nats-server {major}.{minor} or newer is needed, {} is {version}",
            path.display()
        ),
        None => format!("nats-server {major}.{minor} or newer is missing"),
    };
    Err(ToolError { what, fix: "run scripts/setup, or put one on the PATH".to_owned() })
}

/// Finds the newest PostgreSQL server, or the one of exactly `major` where a data directory
/// needs it.
///
/// # Errors
/// None is found, only ones older than [`OLDEST_POSTGRES`], or not the one wanted.
pub fn postgres(major: Option<u32>) -> Result<PostgresTools, ToolError> {
    let found = installed_postgres();
    let fits = |tools: &&PostgresTools| match major {
        Some(wanted) => tools.major == wanted,
        None => tools.major >= OLDEST_POSTGRES,
    };
    if let Some(tools) = found.iter().find(fits) {
        return Ok(tools.clone());
    }

    let wanted = match major {
        Some(major) => format!("PostgreSQL {major}"),
        None => format!("PostgreSQL {OLDEST_POSTGRES} or newer"),
    };
    let what = match found.first() {
        Some(other) => format!("{wanted} is needed, found {}", other.major),
        None => format!("{wanted} (server) is missing"),
    };
    let fix = "run scripts/setup, or install it (Debian: apt-get install postgresql)";
    Err(ToolError { what, fix: fix.to_owned() })
}

/// Every PostgreSQL server of this machine, the newest first.
fn installed_postgres() -> Vec<PostgresTools> {
    let written = written_path("postgres-bin").into_iter();
    let mut found: Vec<PostgresTools> = Vec::new();
    for bin in written.chain(search_path()).chain(distribution_dirs()) {
        // Often a link into the directory of one version.
        let Ok(initdb) = bin.join("initdb").canonicalize() else { continue };
        let bin = initdb.parent().unwrap_or(&bin).to_owned();
        if found.iter().any(|known| known.bin == bin) {
            continue;
        }

        let version = says_version(&bin.join("postgres"));
        if let Some((major, _)) = version.as_deref().and_then(numbers) {
            found.push(PostgresTools { bin, major });
        }
    }

    // The sort is stable: of equal versions the first found stays first.
    found.sort_by_key(|tools| std::cmp::Reverse(tools.major));
    found
}

/// The Python interpreter that `scripts/setup --tests` made, with the stock NATS client that tests
/// use. None when the script has not run.
pub fn python() -> Option<PathBuf> {
    written_path("python").filter(|path| path.is_file())
}

/// The first two numbers of a version: `2.15.1` is (2, 15), `17beta1` is (17, 0).
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(|part| {
        let digits = part.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        digits.parse::<u32>().ok()
    });

    let major = parts.next().flatten()?;
    Some((major, parts.next().flatten().unwrap_or(0)))
}

/// What `program --version` prints, from its first digit to the next blank.
fn says_version(program: &Path) -> Option<String> {
    if !program.is_file() {
        return None;
    }

    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let start = text.find(|c: char| c.is_ascii_digit())?;
    text[start..].split_whitespace().next().map(str::to_owned)
}

/// The value of `key` in the nearest `.millrace-tools/paths`, if what it names still exists.
fn written_path(key: &str) -> Option<PathBuf> {
    let starts = [std::env::current_dir().ok(), std::env::current_exe().ok()];
    starts.iter().flatten().flat_map(|start| start.ancestors()).find_map(|dir| {
        let text = std::fs::read_to_string(dir.join(".millrace-tools/paths")).ok()?;
        let path = value_of(&text, key).map(PathBuf::from)?;
        path.exists().then_some(path)
    })
}

/// The value of a `key=value` line.
fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
}

/// The directories of the `PATH`.
#[expect(clippy::disallowed_methods, reason = "the home of the search for programs")]
fn search_path() -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).collect::<Vec<_>>().into_iter()
}

/// Where distributions keep the server programs, which most leave off the `PATH`.
fn distribution_dirs() -> impl Iterator<Item = PathBuf> {
    let versioned = |parent: &str, prefix: &'static str| {
        let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
        entries
            .filter(move |entry| starts_with(&entry.file_name(), prefix))
            .map(|entry| entry.path().join("bin"))
            .collect::<Vec<_>>()
    };

    let mut dirs = versioned("/usr/lib/postgresql", "");
    dirs.extend(versioned("/usr", "pgsql-"));
    dirs.extend(versioned("/opt/homebrew/opt", "postgresql"));
    dirs.extend(versioned("/usr/local/opt", "postgresql"));
    dirs.into_iter()
}

fn starts_with(name: &OsStr, prefix: &str) -> bool {
    name.as_encoded_bytes().starts_with(prefix.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_up_to_the_minor_number() {
        assert_eq!(numbers("2.15.1"), Some((2, 15)));
        assert_eq!(numbers("15.10"), Some((15, 10)));
        assert_eq!(numbers("17beta1"), Some((17, 0)));
        assert_eq!(numbers("v2"), None);
    }

    #[test]
    fn an_older_minor_version_is_older_whatever_its_digits() {
        assert!(numbers("2.9.10") < Some(OLDEST_NATS));
        assert!(numbers("2.15.0") >= Some(OLDEST_NATS));
        assert!(numbers("3.0.0") >= Some(OLDEST_NATS));
        assert!(None < Some(OLDEST_NATS));
    }

    #[test]
    fn a_missing_version_of_postgres_is_one_line_that_names_the_fix() {
        let error = postgres(Some(9)).expect_err("no machine has both");
        assert!(error.to_string().contains("PostgreSQL 9 is needed"), "{error}");
        assert!(error.to_string().contains("scripts/setup"), "{error}");
        assert!(!error.to_string().contains('\n'));
    }

    #[test]
    fn the_servers_of_this_machine_are_found() {
        let nats = nats_server().expect("scripts/setup has run");
        assert!(numbers(&nats.version) >= Some(OLDEST_NATS), "{nats:?}");
        let postgres = postgres(None).expect("scripts/setup has run");
        assert!(postgres.major >= OLDEST_POSTGRES);
        assert_eq!(value_of("a=1\nab=2\n", "ab"), Some("2"));
    }
}
