//! The keys, credentials and accounts of a broker in operator mode, as a folder. What is there
//! stays: made again, it has the same keys, and what this version allows.
//!
//! `accounts.conf` is for the server and holds no secret. `creds` has a file for each kind of
//! process, `subscribers.key` signs what tenants log in with. `keys` has the seeds of the operator
//! and of the accounts, which no process needs.

use std::{
    fmt, fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use nkeys::{KeyPair, KeyPairType};
use pipeline::{
    access::{ClaimsError, Grants, ProcessKind, claims},
    credentials,
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    clock::machine_now,
    files::{write_durably, write_private},
};

/// The longest line of the protocol: a login carries its JWT in one.
const LONGEST_LINE: &str = "32KB";

/// A folder with everything that a broker and its clients need to know of each other.
#[derive(Clone)]
pub struct NatsAccess {
    folder: PathBuf,
    account: String,
    /// What the server is configured with; no secret is in it.
    accounts: String,
}

/// The keys that vouch for others.
struct Vouchers {
    operator: KeyPair,
    system: KeyPair,
    account: KeyPair,
    /// The account of subscribers, and what signs for them in it.
    subscribers: KeyPair,
    signer: KeyPair,
}

impl NatsAccess {
    /// Makes what is missing in the folder, and brings what this version allows up to date.
    ///
    /// # Errors
    /// A file cannot be read or written, or is not what it should be.
    pub fn make(folder: &Path) -> io::Result<Self> {
        Self::write(folder, write_durably)
    }

    /// The same for servers of tests, whose files need not survive the machine.
    pub(crate) fn make_quickly(folder: &Path) -> io::Result<Self> {
        Self::write(folder, write_private)
    }

    fn write(folder: &Path, write: fn(&Path, &[u8]) -> io::Result<()>) -> io::Result<Self> {
        // keys
        for dir in [folder.to_owned(), folder.join("keys"), folder.join("creds")] {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        let key = |name: &str, kind| key_in(&folder.join("keys").join(name), kind, write);
        let keys = Vouchers {
            operator: key("operator.seed", KeyPairType::Operator)?,
            system: key("system.seed", KeyPairType::Account)?,
            account: key("account.seed", KeyPairType::Account)?,
            subscribers: key("subscribers.seed", KeyPairType::Account)?,
            signer: key("signer.seed", KeyPairType::Account)?,
        };
        let account = keys.account.public_key();
        let this = Self { folder: folder.to_owned(), accounts: String::new(), account };

        // accounts
        let now = machine_now();
        let accounts = keys.accounts(now)?;
        write_changed(&this.config(), accounts.as_bytes(), write, is_same_config)?;
        let accounts = fs::read_to_string(this.config())?;
        let subscribers = keys.subscribers.public_key();
        let signer = format!("{subscribers} {}\n", seed(&keys.signer)?.expose_secret());
        write_changed(&this.subscriber_key(), signer.as_bytes(), write, |a, b| a == b)?;

        // logins
        for kind in ProcessKind::all() {
            write_credentials(&this.credentials(kind), kind, &keys.account, now, write)?;
        }
        Ok(Self { accounts, ..this })
    }

    /// The accounts, as a part of the server's configuration.
    pub fn config(&self) -> PathBuf {
        self.folder.join("accounts.conf")
    }

    /// What that file says.
    pub(crate) fn accounts(&self) -> &str {
        &self.accounts
    }

    /// The platform's account, by its public key.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The credentials of a kind of process.
    pub fn credentials(&self, kind: ProcessKind) -> PathBuf {
        self.folder.join("creds").join(format!("{kind}.creds"))
    }

    /// The credentials of the process that these words of a command line start: its own, or where
    /// it has none the operator's.
    pub fn credentials_for(&self, words: &[&str]) -> PathBuf {
        let name = words.iter().find(|word| **word != "stage").copied().unwrap_or_default();
        let kind = ProcessKind::all().find(|kind| kind.as_str() == name);
        self.credentials(kind.unwrap_or(ProcessKind::Operator))
    }

    /// What the ingress signs credentials of subscribers with.
    pub fn subscriber_key(&self) -> PathBuf {
        self.folder.join("subscribers.key")
    }
}

impl fmt::Debug for NatsAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsAccess").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Vouchers {
    /// The operator, its accounts, and that no others are known.
    fn accounts(&self, now: Timestamp) -> io::Result<String> {
        let of = KeyPair::public_key;
        let (system, platform) = (of(&self.system), of(&self.account));
        let (subscribers, signer) = (of(&self.subscribers), of(&self.signer));
        let by = &self.operator;

        let operator = claims::operator(by, &system, now).map_err(wrong)?;
        let of_system = claims::system_account(by, &system, now).map_err(wrong)?;
        let of_platform = claims::platform_account(by, &platform, now).map_err(wrong)?;
        let both = (subscribers.as_str(), platform.as_str());
        let of_subscribers = claims::subscriber_account(by, both, &signer, now).map_err(wrong)?;

        Ok(format!(
            "# Written by `millrace nats config`: who may log in, and what each may do.\n\
             operator: {operator}\nsystem_account: {system}\nresolver: MEMORY\n\
             resolver_preload {{\n  {system}: {of_system}\n  {platform}: {of_platform}\n  \
             {subscribers}: {of_subscribers}\n}}\nmax_control_line: {LONGEST_LINE}\n"
        ))
    }
}

/// Whether two configurations differ in nothing but when they were signed.
fn is_same_config(one: &str, other: &str) -> bool {
    let told = |text: &str| -> Vec<_> { text.split_whitespace().map(unsigned).collect() };
    told(one) == told(other)
}

/// What a JWT says, without when it was signed; another word as it is.
fn unsigned(word: &str) -> serde_json::Value {
    let Some(mut claims) = credentials::read(word) else { return word.into() };
    for of_signing in ["iat", "jti"] {
        claims[of_signing].take();
    }
    claims
}

/// The credentials of a kind of process: its key stays, and what it may do is that of this version.
fn write_credentials(
    path: &Path,
    kind: ProcessKind,
    account: &KeyPair,
    now: Timestamp,
    write: fn(&Path, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let key = match fs::read_to_string(path) {
        Ok(text) => {
            let seed = credentials::seed_of(&text).ok_or_else(|| not_a_key(path))?;
            KeyPair::from_seed(seed.expose_secret()).map_err(|_| not_a_key(path))?
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => KeyPair::new_user(),
        Err(error) => return Err(error),
    };

    let grants = Grants::of(kind);
    let jwt = claims::user(account, &key.public_key(), kind.as_str(), grants.as_ref(), now);
    let text = credentials::credentials(&jwt.map_err(wrong)?, &seed(&key)?);
    write_changed(path, text.expose_secret().as_bytes(), write, is_same_config)
}

/// Writes a file unless it says the same already.
fn write_changed(
    path: &Path,
    content: &[u8],
    write: fn(&Path, &[u8]) -> io::Result<()>,
    is_same: fn(&str, &str) -> bool,
) -> io::Result<()> {
    let known = fs::read_to_string(path).unwrap_or_default();
    if is_same(&known, &String::from_utf8_lossy(content)) {
        return Ok(());
    }
    write(path, content)
}

/// The key in a file, made if there is none.
fn key_in(
    path: &Path,
    kind: KeyPairType,
    write: fn(&Path, &[u8]) -> io::Result<()>,
) -> io::Result<KeyPair> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let key = KeyPair::from_seed(text.trim()).ok();
            key.filter(|key| key.key_pair_type() == kind).ok_or_else(|| not_a_key(path))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = KeyPair::new(kind);
            write(path, format!("{}\n", seed(&key)?.expose_secret()).as_bytes())?;
            Ok(key)
        }
        Err(error) => Err(error),
    }
}

fn seed(key: &KeyPair) -> io::Result<SecretString> {
    key.seed().map(SecretString::from).map_err(|_| wrong(ClaimsError))
}

fn wrong(why: ClaimsError) -> io::Error {
    io::Error::other(why)
}

fn not_a_key(path: &Path) -> io::Error {
    io::Error::other(format!("{} holds no key of NATS of its kind", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::embedded::Scratch;

    fn text(path: &Path) -> String {
        fs::read_to_string(path).expect("a file")
    }

    #[test]
    fn keys_are_made_once_and_for_their_owner_only() {
        let scratch = Scratch::new().expect("scratch");
        let folder = scratch.path().join("nats");
        let first = NatsAccess::make(&folder).expect("made");
        let before: Vec<String> = ProcessKind::all().map(|k| text(&first.credentials(k))).collect();

        let again = NatsAccess::make(&folder).expect("made");
        let after: Vec<String> = ProcessKind::all().map(|k| text(&again.credentials(k))).collect();
        assert_eq!(before, after);
        assert_eq!(first.account(), again.account());
        assert_eq!(first.accounts(), again.accounts());
        for path in [first.credentials(ProcessKind::Api), first.subscriber_key()] {
            assert_eq!(fs::metadata(path).expect("file").permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn what_a_process_may_do_is_brought_up_to_date_and_its_key_stays() {
        let scratch = Scratch::new().expect("scratch");
        let access = NatsAccess::make_quickly(scratch.path()).expect("made");
        let path = access.credentials(ProcessKind::Api);
        let known = text(&path);
        let seed = credentials::seed_of(&known).expect("a seed");

        // An earlier version allowed less.
        let account = KeyPair::from_seed(text(&scratch.path().join("keys/account.seed")).trim());
        let key = KeyPair::from_seed(seed.expose_secret()).expect("a key").public_key();
        let less = Grants::default();
        let jwt =
            claims::user(&account.expect("a key"), &key, "api", Some(&less), Timestamp::UNIX_EPOCH);
        let earlier = credentials::credentials(&jwt.expect("signed"), &seed);
        fs::write(&path, earlier.expose_secret()).expect("written");

        NatsAccess::make_quickly(scratch.path()).expect("made again");
        let now = text(&path);
        assert!(is_same_config(&now, &known));
        assert_eq!(
            credentials::seed_of(&now).expect("a seed").expose_secret(),
            seed.expose_secret()
        );
    }

    #[test]
    fn no_seed_is_in_what_the_server_reads() {
        let scratch = Scratch::new().expect("scratch");
        let access = NatsAccess::make_quickly(scratch.path()).expect("made");
        for file in fs::read_dir(scratch.path().join("keys")).expect("keys") {
            let seed = text(&file.expect("a file").path());
            assert!(!access.accounts().contains(seed.trim()) && seed.len() > 50);
        }
    }

    #[test]
    fn a_file_that_holds_another_key_is_refused_and_not_shown() {
        let scratch = Scratch::new().expect("scratch");
        NatsAccess::make_quickly(scratch.path()).expect("made");
        let user = KeyPair::new_user().seed().expect("a seed");
        fs::write(scratch.path().join("keys/operator.seed"), &user).expect("written");

        let error = NatsAccess::make_quickly(scratch.path()).expect_err("another kind");
        assert!(error.to_string().contains("operator.seed") && !error.to_string().contains(&user));
    }
}
