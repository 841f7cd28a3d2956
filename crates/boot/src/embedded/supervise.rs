//! Runs a server so that it dies with us, whatever kills us.
//!
//! The server is the child of a few lines of shell whose standard input is a pipe that only we
//! hold. When the pipe closes - we stop the server, we exit, or something ends us with
//! `kill -9` - the shell stops the server, gently first. The shell and the server are a process
//! group of their own, so a Ctrl-C at the terminal reaches only us and we can drain before we stop
//! what we depend on.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::account::Account;

/// What to run and how to end it.
pub(super) struct Program<'a> {
    /// The server binary.
    pub path: PathBuf,
    /// The arguments of the server binary.
    pub args: Vec<String>,
    /// The user it runs as, where that is not us.
    pub account: Option<&'a Account>,
    /// The signal, by its short name, that asks it to stop.
    pub stop_signal: &'static str,
    /// How long it may take to stop before it is killed, in whole seconds.
    pub grace: Duration,
    /// Where its output goes. A lock on this file lives as long as the server does.
    pub log: File,
}

/// A running server. Dropping it stops the server and waits until it has stopped.
#[derive(Debug)]
pub(super) struct Supervised {
    pid: Pid,
    grace: Duration,
    child: Mutex<Child>,
    /// Closing this is what stops the server.
    lifeline: Mutex<Option<ChildStdin>>,
}

/// Runs a server: `$1` is the stop signal, `$2` the grace in seconds, `$3` and the rest the
/// server's command. Prints the server's process id, then exits with the server's own exit code.
/// The watcher reads a pipe into which nobody writes: it wakes when the pipe closes. Only the
/// server keeps the log open.
const SHELL: &str = r#"
stop=$1 grace=$2
shift 2
exec 3<&0 </dev/null
"$@" >&2 3<&- &
server=$!
echo "$server"
exec >/dev/null
(
    read -r _ <&3
    kill -s "$stop" "$server"
    while [ "$grace" -gt 0 ] && kill -0 "$server"; do
        sleep 1 3<&-
        grace=$((grace - 1))
    done
    kill -s KILL "$server"
) 2>/dev/null &
watcher=$!
exec 3<&-
wait "$server"
code=$?
kill -s KILL "$watcher" 2>/dev/null
exit "$code"
"#;

/// How long a wait for the server's end sleeps before it looks again.
const POLL: Duration = Duration::from_millis(5);

impl Supervised {
    /// Starts the program. It may not be ready yet when this returns.
    ///
    /// The server does not get our environment: it holds our secrets, and variables such as
    /// `PGDATA` would change what the server does.
    pub(super) fn start(program: Program<'_>) -> std::io::Result<Self> {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", SHELL, "sh", program.stop_signal])
            .arg(program.grace.as_secs().to_string())
            .arg(&program.path)
            .args(&program.args)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LC_ALL", "C")
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(program.log);
        if let Some(account) = program.account {
            command.uid(account.uid).gid(account.gid);
        }

        let mut child = command.spawn()?;
        let lifeline = child.stdin.take();
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let pid = line.trim().parse().map_err(|_| std::io::Error::other("no process id"))?;

        Ok(Self {
            pid: Pid::from_raw(pid),
            grace: program.grace,
            child: Mutex::new(child),
            lifeline: Mutex::new(lifeline),
        })
    }

    /// The server's process id.
    pub(super) fn pid(&self) -> u32 {
        self.pid.as_raw().unsigned_abs()
    }

    /// How the server ended, or None while it runs.
    pub(super) fn exited(&self) -> Option<ExitStatus> {
        locked(&self.child).try_wait().ok().flatten()
    }

    /// Sends the server a signal, unless it has ended. One that is to stand still does so when this
    /// returns.
    pub(super) fn signal(&self, signal: Signal) {
        // The shell reaps the server and exits at once: while it lives, the id is the server's.
        if self.exited().is_none() {
            let _ = kill(self.pid, signal);
        }
        while signal == Signal::SIGSTOP && self.exited().is_none() && !stands_still(self.pid) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Asks the server to stop and waits until it has. The watcher kills it when its grace is over.
    pub(super) async fn stop(&self) -> Option<ExitStatus> {
        self.let_go();
        let deadline = self.deadline();
        loop {
            match self.exited() {
                Some(status) => return Some(status),
                None if Instant::now() > deadline => return None,
                None => tokio::time::sleep(POLL).await,
            }
        }
    }

    /// Closes the pipe, which is what makes the shell stop the server.
    fn let_go(&self) {
        locked(&self.lifeline).take();
    }

    /// When to give up waiting: the watcher kills after the grace, and two seconds more are for its
    /// own steps.
    fn deadline(&self) -> Instant {
        Instant::now() + self.grace + Duration::from_secs(2)
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.let_go();
        let deadline = self.deadline();
        while self.exited().is_none() && Instant::now() < deadline {
            std::thread::sleep(POLL);
        }
    }
}

/// A panic elsewhere cannot leave these values half changed, so a poisoned lock is as good.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Whether every thread of a process is stopped by a signal.
fn stands_still(pid: Pid) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task"));
    threads.into_iter().flatten().flatten().all(|thread| {
        let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        // The state comes after the name, which is in parentheses.
        stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['T', 't']))
    })
}
