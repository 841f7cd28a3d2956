//! A Postgres cluster on disk: where it lies, which version made it, how it is made.
//!
//! `dir/postgres` holds `server.log`, `secrets.json`, `port` and the cluster itself in `data`. A
//! file `unfinished` is there from before the cluster is made until its roles are made. A cluster
//! that is found with it is made anew: nothing of value can be in it yet.

use std::{
    fs,
    os::unix::{
        fs::{DirBuilderExt, MetadataExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wire::json;

use super::{
    EmbeddedError, EmbeddedOptions, account::Account, copy::copy_cluster, data_dir::make_dir,
    failed,
};
use crate::{
    files::{write_durably, write_private},
    keys::random_hex,
    tools::{self, PostgresTools},
};

/// The superuser of embedded clusters.
pub(super) const SUPERUSER: &str = "postgres";

/// A cluster's directory, and the programs that fit it.
#[derive(Debug)]
pub(super) struct Cluster {
    dir: PathBuf,
    log: PathBuf,
    data: PathBuf,
    account: Option<Account>,
    tools: PostgresTools,
}

/// The passwords of a cluster.
#[derive(Debug, Clone)]
pub(super) struct Secrets {
    pub(super) superuser: SecretString,
    pub(super) login: SecretString,
}

impl Cluster {
    /// Looks at `dir/postgres`, making it if it is not there.
    pub(super) fn open(dir: &Path) -> Result<Self, EmbeddedError> {
        let dir = make_dir(&dir.join("postgres"), 0o755)?;
        let account = Account::for_postgres()?;
        let data = data_path(&dir, account.as_ref())?;
        let tools = tools_for(&dir, &data)?;
        Ok(Self { log: dir.join("server.log"), dir, data, account, tools })
    }

    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    pub(super) fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    pub(super) fn tools(&self) -> &PostgresTools {
        &self.tools
    }

    /// Makes the cluster unless it is there. True says that its roles and database are still
    /// missing. The caller holds the lock of the log.
    pub(super) async fn ensure(
        &mut self,
        options: &EmbeddedOptions,
    ) -> Result<(Secrets, bool), EmbeddedError> {
        let unfinished = self.dir.join("unfinished");
        let exists = self.data.join("PG_VERSION").is_file();
        if exists && !unfinished.exists() {
            return Ok((read_secrets(&self.dir)?, false));
        }

        write_private(&unfinished, b"").map_err(failed("writing", &unfinished))?;
        empty_dir(&self.data, self.account.as_ref())?;
        if let Some(template) = &options.template {
            let secrets = self.copy_from(&template.join("postgres")).await?;
            self.finish(&secrets, options.ephemeral)?;
            return Ok((secrets, false));
        }

        let secrets = Secrets { superuser: random_hex(24).into(), login: random_hex(24).into() };
        self.init(&secrets.superuser, options.ephemeral).await?;
        Ok((secrets, true))
    }

    /// Copies the data of a template, and gives the passwords that are in them.
    async fn copy_from(&self, template: &Path) -> Result<Secrets, EmbeddedError> {
        let (from, to) = (template.join("data"), self.data.clone());
        tokio::task::spawn_blocking(move || copy_cluster(&from, &to))
            .await
            .map_err(std::io::Error::other)
            .flatten()
            .map_err(failed("copying the template", template))?;

        read_secrets(template)
    }

    /// Notes that cluster, roles and database are complete.
    pub(super) fn finish(&self, secrets: &Secrets, ephemeral: bool) -> Result<(), EmbeddedError> {
        let path = self.dir.join("secrets.json");
        let stored = StoredSecrets {
            superuser: secrets.superuser.expose_secret().to_owned(),
            login: secrets.login.expose_secret().to_owned(),
        };
        let write = if ephemeral { write_private } else { write_durably };
        write(&path, &json::to_vec(&stored)).map_err(failed("writing", &path))?;

        let unfinished = self.dir.join("unfinished");
        fs::remove_file(&unfinished).map_err(failed("removing", &unfinished))
    }

    /// Moves a stopped cluster that lies elsewhere into its own directory.
    pub(super) fn bring_home(self) -> Result<(), EmbeddedError> {
        let home = self.dir.join("data");
        let Some(far) = self.data.parent().filter(|_| self.data != home) else { return Ok(()) };

        empty_dir(&home, self.account.as_ref())?;
        copy_cluster(&self.data, &home).map_err(failed("copying", &self.data))?;
        fs::remove_dir_all(far).map_err(failed("removing", far))?;

        let note = self.dir.join("location");
        fs::remove_file(&note).map_err(failed("removing", &note))
    }

    pub(super) fn last_port(&self) -> Option<u16> {
        fs::read_to_string(self.dir.join("port")).ok()?.trim().parse().ok()
    }

    pub(super) fn keep_port(&self, port: u16) -> Result<(), EmbeddedError> {
        let path = self.dir.join("port");
        write_private(&path, port.to_string().as_bytes()).map_err(failed("writing", &path))
    }

    pub(super) fn not_started(&self, reason: String) -> EmbeddedError {
        EmbeddedError::NotStarted { server: "Postgres", reason, log: self.log.clone() }
    }

    /// Makes the cluster with `initdb`. The locale `C.UTF-8` sorts by code point, the same on every
    /// machine, and knows the case of all letters; where the system lacks it, plain `C` has to do.
    async fn init(&self, password: &SecretString, fast: bool) -> Result<(), EmbeddedError> {
        let mut refusal = String::new();
        for locale in ["C.UTF-8", "C"] {
            empty_dir(&self.data, self.account.as_ref())?;
            match self.run_initdb(password, fast, locale).await? {
                Ok(()) => return Ok(()),
                Err(reason) => refusal = reason,
            }
        }
        Err(self.not_started(refusal))
    }

    /// Runs `initdb` once. The inner error is what `initdb` said.
    async fn run_initdb(
        &self,
        password: &SecretString,
        fast: bool,
        locale: &str,
    ) -> Result<Result<(), String>, EmbeddedError> {
        // Beside the data, not in it: the directory must be empty.
        let password_file = self.data.with_extension("password");
        write_private(&password_file, password.expose_secret().as_bytes())
            .map_err(failed("writing", &password_file))?;
        if let Some(account) = &self.account {
            account.give(&password_file).map_err(failed("giving away", &password_file))?;
        }

        let binary = self.tools.bin.join("initdb");
        let mut command = self.initdb(&binary, &password_file, fast, locale);
        let output = tokio::task::spawn_blocking(move || command.output()).await;
        let _ = fs::remove_file(&password_file);
        let output = output.map_err(std::io::Error::other).flatten();
        let output = output.map_err(failed("running", &binary))?;
        if output.status.success() {
            return Ok(Ok(()));
        }

        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let error = said.lines().find(|line| line.contains("error:")).map(str::to_owned);
        Ok(Err(error.unwrap_or_else(|| said.trim().replace('\n', "; "))))
    }

    /// The command that makes the cluster, as the user it is for.
    fn initdb(&self, binary: &Path, password_file: &Path, fast: bool, locale: &str) -> Command {
        let mut command = Command::new(binary);
        command
            .args(["--encoding=UTF8", "--no-instructions"])
            .arg(format!("--username={SUPERUSER}"))
            .arg(format!("--locale={locale}"))
            .arg(format!("--pwfile={}", password_file.display()))
            .arg("--pgdata")
            .arg(&self.data)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::null());

        if fast {
            // Small log segments make a template cheap to copy. The password goes over loopback as
            // it is: the exchange that hides it takes 0.2 s per connection in a debug build.
            command.args(["--no-sync", "--wal-segsize=1", "--auth=password"]);
        } else {
            command.arg("--auth=scram-sha-256");
        }
        if let Some(account) = &self.account {
            command.uid(account.uid).gid(account.gid);
        }
        command
    }
}

/// How passwords lie in `secrets.json`, which only its owner may read.
#[derive(Serialize, Deserialize)]
struct StoredSecrets {
    superuser: String,
    login: String,
}

fn read_secrets(dir: &Path) -> Result<Secrets, EmbeddedError> {
    let path = dir.join("secrets.json");
    let stored = fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let stored: StoredSecrets = stored.ok_or_else(|| EmbeddedError::Damaged {
        path,
        what: "with the passwords of the database cannot be read",
        start_anew: start_anew(dir),
    })?;

    Ok(Secrets { superuser: stored.superuser.into(), login: stored.login.into() })
}

/// What the user removes to start anew: the data directory that holds `dir`.
fn start_anew(dir: &Path) -> PathBuf {
    dir.parent().unwrap_or(dir).to_owned()
}

/// The programs of the version that made the data, or the newest where there are none yet.
fn tools_for(dir: &Path, data: &Path) -> Result<PostgresTools, EmbeddedError> {
    let Ok(version) = fs::read_to_string(data.join("PG_VERSION")) else {
        return Ok(tools::postgres(None)?);
    };

    let made_by = version.trim().to_owned();
    let fitting = made_by.parse().ok().map(|major| tools::postgres(Some(major)));
    match fitting {
        Some(Ok(tools)) => Ok(tools),
        Some(Err(_)) | None => {
            let found = match tools::postgres(None) {
                Ok(tools) => format!("only PostgreSQL {} is installed", tools.major),
                Err(_) => "none is installed".to_owned(),
            };
            let start_anew = start_anew(dir);
            Err(EmbeddedError::OtherVersion { dir: data.to_owned(), made_by, found, start_anew })
        }
    }
}

/// Where the cluster lies: `dir/data`, or under `/var/tmp` where Postgres' user cannot reach that.
/// The file `location` says so then, and is there once the directory under `/var/tmp` is.
fn data_path(dir: &Path, account: Option<&Account>) -> Result<PathBuf, EmbeddedError> {
    let near = dir.join("data");
    let Some(account) = account.filter(|account| !account.can_enter(dir)) else {
        return Ok(near);
    };

    let digest = Sha256::digest(dir.as_os_str().as_encoded_bytes());
    let far = Path::new("/var/tmp").join(format!("millrace-{}", wire::hex(&digest[..8])));
    let note = dir.join("location");
    if !note.exists() {
        make_far(&far, &note, account)?;
    }

    if !far.exists() {
        let (what, start_anew) = ("with the database is gone", start_anew(dir));
        return Err(EmbeddedError::Damaged { path: far, what, start_anew });
    }
    check_owner(&far, &[0])?;
    Ok(far.join("data"))
}

/// Makes the directory under `/var/tmp`, and the note that says where it is.
fn make_far(far: &Path, note: &Path, account: &Account) -> Result<(), EmbeddedError> {
    // Without the note it is of a directory that somebody removed to start anew.
    if far.symlink_metadata().is_ok() {
        check_owner(far, &[0, account.uid])?;
        fs::remove_dir_all(far).map_err(failed("removing", far))?;
    }
    let mut builder = fs::DirBuilder::new();
    builder.mode(0o755).create(far).map_err(failed("making the directory", far))?;

    let text = format!(
        "{}\nholds the Postgres data of this directory, because the user `{}` cannot reach \
         it here.\nRemove both to start anew.\n",
        far.display(),
        account.name
    );
    write_durably(note, text.as_bytes()).map_err(failed("writing", note))
}

/// Anyone may write into `/var/tmp`: what lies there is ours only if it is a directory of ours.
fn check_owner(path: &Path, owners: &[u32]) -> Result<(), EmbeddedError> {
    let found = path.symlink_metadata().map_err(failed("reading", path))?;
    if found.is_dir() && owners.contains(&found.uid()) {
        return Ok(());
    }

    Err(failed("using", path)(std::io::Error::other("it belongs to somebody else")))
}

/// Makes `data` a new empty directory of Postgres' user.
fn empty_dir(data: &Path, account: Option<&Account>) -> Result<(), EmbeddedError> {
    if data.exists() {
        fs::remove_dir_all(data).map_err(failed("emptying", data))?;
    }

    let mut builder = fs::DirBuilder::new();
    builder.mode(0o700).create(data).map_err(failed("making the directory", data))?;
    match account {
        Some(account) => account.give(data).map_err(failed("giving away", data)),
        None => Ok(()),
    }
}
