//! Where tables go: over each other at a terminal, else one after the other.

use std::io::{IsTerminal, Read, Write};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use tokio_util::sync::CancellationToken;

/// To the first place, without what was there.
const FROM_THE_TOP: &str = "\x1b[H";
/// The rest of the line goes.
const CLEAR_LINE: &str = "\x1b[K";
/// What is below goes.
const CLEAR_BELOW: &str = "\x1b[J";
/// Everything on it goes.
const CLEAR_ALL: &str = "\x1b[2J";

/// Standard output, as a terminal or a file.
pub(super) struct Screen {
    is_terminal: bool,
    /// How the terminal was, to be so again.
    before: Option<Termios>,
}

impl Screen {
    /// Begins; at a terminal, `q` ends the command like Ctrl-C.
    pub(super) fn begin(stop: CancellationToken) -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        let before = if is_terminal { listen(stop) } else { None };
        if is_terminal {
            print!("{CLEAR_ALL}");
        }
        Self { is_terminal, before }
    }

    /// Shows a table.
    ///
    /// # Errors
    /// Nobody reads any more.
    pub(super) fn show(&mut self, table: &str) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        if self.is_terminal {
            let lines: String = table.lines().map(|line| format!("{line}{CLEAR_LINE}\n")).collect();
            write!(out, "{FROM_THE_TOP}{lines}q ends{CLEAR_LINE}{CLEAR_BELOW}")?;
        } else {
            writeln!(out, "{table}")?;
        }
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // The terminal may be gone.
            let _ = tcsetattr(std::io::stdin(), SetArg::TCSANOW, before);
            println!();
        }
    }
}

/// Takes keys one by one and unseen, and ends the command at a `q`. Gives how the terminal was;
/// none where standard input is no terminal.
fn listen(stop: CancellationToken) -> Option<Termios> {
    let before = tcgetattr(std::io::stdin()).ok()?;
    let mut keys = before.clone();
    keys.local_flags &= !(LocalFlags::ICANON | LocalFlags::ECHO);
    tcsetattr(std::io::stdin(), SetArg::TCSANOW, &keys).ok()?;

    // Reading blocks, so it has a thread of its own, which ends with the process.
    std::thread::spawn(move || {
        let mut keys = std::io::stdin().lock().bytes();
        while let Some(Ok(key)) = keys.next() {
            if key == b'q' {
                return stop.cancel();
            }
        }
    });
    Some(before)
}
