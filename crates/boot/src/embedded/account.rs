//! The system user that Postgres runs as: it refuses to run as root.

use std::{
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
};

use nix::unistd::{Uid, User};

use super::EmbeddedError;

/// A user of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Account {
    /// The user to run Postgres as: for root `postgres`, which its packages create, else `nobody`.
    /// None for an ordinary user, who runs it as itself.
    pub(super) fn for_postgres() -> Result<Option<Self>, EmbeddedError> {
        if !Uid::effective().is_root() {
            return Ok(None);
        }

        let known = |name: &str| User::from_name(name).ok().flatten();
        match known("postgres").or_else(|| known("nobody")) {
            Some(user) => {
                Ok(Some(Self { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() }))
            }
            None => Err(EmbeddedError::NoAccount),
        }
    }

    /// Whether this user can reach a directory. This asks the system, since modes, groups and
    /// access lists of every directory on the way decide it together.
    pub(super) fn can_enter(&self, dir: &Path) -> bool {
        Command::new("/bin/sh")
            .args(["-c", "cd \"$1\"", "sh"])
            .arg(dir)
            .current_dir("/")
            .uid(self.uid)
            .gid(self.gid)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    /// Makes this user the owner of a file or directory.
    pub(super) fn give(&self, path: &Path) -> std::io::Result<()> {
        std::os::unix::fs::lchown(path, Some(self.uid), Some(self.gid))
    }
}
