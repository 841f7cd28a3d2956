//! Directories that servers keep their data in: made, locked against a second user, and, for tests,
//! removed again.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io::{Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::sys::statvfs::statvfs;

use super::{EmbeddedError, failed};
use crate::{files::open_private, keys::random_hex};

/// A data directory that only this process uses, until this value is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Held, not read: the system gives the lock free however this process ends.
    _lock: File,
}

impl DataDir {
    /// Makes the directory if it is not there, and locks it.
    ///
    /// # Errors
    /// [`EmbeddedError::InUse`] when another process has it; [`EmbeddedError::Io`].
    pub fn open(path: &Path) -> Result<Self, EmbeddedError> {
        let path = make_dir(path, 0o755)?;
        let lock_path = path.join("lock");
        let mut lock = open_private(&lock_path).map_err(failed("opening", &lock_path))?;

        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let _ = lock.read_to_string(&mut pid);
                let owner = match pid.trim() {
                    "" => String::new(),
                    pid => format!(" (process {pid})"),
                };
                return Err(EmbeddedError::InUse { dir: path, owner });
            }
            Err(TryLockError::Error(error)) => return Err(failed("locking", &lock_path)(error)),
        }

        lock.set_len(0).map_err(failed("writing", &lock_path))?;
        writeln!(lock, "{}", std::process::id()).map_err(failed("writing", &lock_path))?;
        Ok(Self { path, _lock: lock })
    }

    /// Where it is, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A directory for one test, removed when dropped. The next [`Scratch::new`] removes those that
/// killed tests left behind.
#[derive(Debug)]
pub struct Scratch {
    dir: DataDir,
}

/// Room in memory, bytes: several times what the tests that run at the same time use.
const ENOUGH_ROOM: u64 = 2 * 1024 * 1024 * 1024;
/// What the names of scratch directories start with.
const SCRATCH_PREFIX: &str = "millrace-test-";

impl Scratch {
    /// Makes a new directory: in memory where there is room, else under the system's directory for
    /// temporary files. Making and removing the thousand files of a cluster takes most of a second
    /// on some disks.
    ///
    /// # Errors
    /// [`EmbeddedError::Io`].
    pub fn new() -> Result<Self, EmbeddedError> {
        let in_memory = Path::new("/dev/shm");
        let room = statvfs(in_memory).map_or(0, |it| it.blocks_available() * it.fragment_size());
        let parent = if room >= ENOUGH_ROOM { in_memory.to_owned() } else { std::env::temp_dir() };
        Self::under(&parent)
    }

    /// Makes a new directory under this one, for what measures a disk.
    ///
    /// # Errors
    /// [`EmbeddedError::Io`].
    pub fn under(parent: &Path) -> Result<Self, EmbeddedError> {
        remove_abandoned(parent);
        let path = parent.join(format!("{SCRATCH_PREFIX}{}", random_hex(8)));
        Ok(Self { dir: DataDir::open(&path)? })
    }

    /// Where it is, absolute.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove_dir(self.path());
    }
}

/// Makes a directory and those above it, the new ones with this mode. Gives its path, absolute and
/// without symbolic links.
pub(super) fn make_dir(path: &Path, mode: u32) -> Result<PathBuf, EmbeddedError> {
    let made = DirBuilder::new().recursive(true).mode(mode).create(path);
    made.map_err(failed("making the directory", path))?;
    path.canonicalize().map_err(failed("reading the directory", path))
}

/// Opens a server's log, emptied and locked. The server inherits the lock with its output, so a
/// log that cannot be locked means that the server of an earlier run still works here.
///
/// A server whose owner was killed is about to stop: it gets `patience` to do so.
pub(super) async fn lock_log(
    server: &'static str,
    log: &Path,
    patience: Duration,
) -> Result<File, EmbeddedError> {
    let file = open_private(log).map_err(failed("opening", log))?;

    let deadline = Instant::now() + patience;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(TryLockError::WouldBlock) => {
                let dir = log.parent().unwrap_or(log).to_owned();
                return Err(EmbeddedError::StillRunning { server, dir });
            }
            Err(TryLockError::Error(error)) => return Err(failed("locking", log)(error)),
        }
    }

    file.set_len(0).map_err(failed("emptying", log))?;
    Ok(file)
}

/// Removes a directory, into which a dying server may still write.
pub(super) fn remove_dir(path: &Path) {
    for _ in 0..20 {
        match fs::remove_dir_all(path) {
            Ok(()) => return,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
    tracing::warn!(dir = %path.display(), "the directory could not be removed");
}

/// Removes scratch directories of ours that no process has locked. What cannot be removed is left
/// to the next scratch directory.
fn remove_abandoned(parent: &Path) {
    let ours = nix::unistd::Uid::effective().as_raw();
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_scratch = entry.file_name().to_string_lossy().starts_with(SCRATCH_PREFIX);
        let is_ours = entry.metadata().is_ok_and(|it| it.is_dir() && it.uid() == ours);
        if !is_scratch || !is_ours {
            continue;
        }

        let lock = File::open(entry.path().join("lock"));
        if lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[tokio::test]
    async fn a_log_stays_locked_as_long_as_the_server_that_writes_it_lives() {
        let scratch = Scratch::new().expect("scratch");
        let log = scratch.path().join("server.log");
        let lock = || lock_log("NATS", &log, Duration::ZERO);
        let mut server = Command::new("sleep")
            .arg("60")
            .stdout(lock().await.expect("nobody has it"))
            .spawn()
            .expect("sleep runs");

        // Our own handle is closed: what is left is what the server inherited.
        let error = lock().await.expect_err("the server lives");
        assert!(matches!(error, EmbeddedError::StillRunning { server: "NATS", .. }), "{error}");

        server.kill().expect("killed");
        server.wait().expect("ended");
        lock().await.expect("nobody has it any more");
    }

    #[test]
    fn what_a_killed_test_left_is_removed_by_the_next_and_nothing_else() {
        let scratch = Scratch::new().expect("scratch");
        let make = |name: &str| {
            let path = scratch.path().join(name);
            fs::create_dir(&path).expect("made");
            fs::write(path.join("lock"), "").expect("made");
            path
        };
        let (left, other) = (make("millrace-test-1"), make("other"));
        let held = DataDir::open(&scratch.path().join("millrace-test-2")).expect("ours");

        remove_abandoned(scratch.path());

        assert!(!left.exists() && other.exists() && held.path().exists());
    }
}
