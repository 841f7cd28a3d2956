//! The login of processes to Postgres: as `DATABASE_URL` says it, or made with a random password
//! and kept in a file.

use std::{io, path::Path};

use secrecy::{ExposeSecret, SecretString};

use crate::{files::write_durably, keys::random_password};

/// The name of a login that nobody has named, and of its database.
const NAME: &str = "millrace";

/// A login with its database, and the whole as `DATABASE_URL`.
#[derive(Debug)]
pub struct DatabaseLogin {
    /// The name that it logs in under.
    pub name: String,
    /// The password that it logs in with.
    pub password: SecretString,
    /// The database that it is for.
    pub database: String,
    /// The address for `DATABASE_URL`, with the password.
    pub url: SecretString,
}

/// What an address lacks that a login needs. Shows nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must name {0}: postgres://user:password@host:port/database")]
pub struct IncompleteUrl(&'static str);

/// The parts of an address: who, where, and how.
struct UrlParts<'a> {
    user: &'a str,
    host: &'a str,
    path: &'a str,
    query: &'a str,
}

impl DatabaseLogin {
    /// Reads a login from an address.
    ///
    /// # Errors
    /// It names no user, no password or no database.
    pub fn of_url(url: &SecretString) -> Result<Self, IncompleteUrl> {
        let parts = parts(url.expose_secret());
        let (name, password) = parts.user.split_once(':').ok_or(IncompleteUrl("a password"))?;
        let named = |text: &str, what| match decoded(text) {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(IncompleteUrl(what)),
        };
        Ok(Self {
            name: named(name, "a user")?,
            password: named(password, "a password")?.into(),
            database: named(parts.path, "a database")?,
            url: url.clone(),
        })
    }

    /// Reads the address in a file. Where there is none, makes a login with a random password at
    /// the administrator's server, and writes its address there for its owner alone.
    ///
    /// # Errors
    /// The file cannot be read or written, or holds no whole address; the administrator's address
    /// names no host.
    pub fn load_or_create(path: &Path, admin: &SecretString) -> io::Result<Self> {
        let wrong = |why: IncompleteUrl| io::Error::other(format!("{}: {why}", path.display()));
        match std::fs::read_to_string(path) {
            Ok(text) => Self::of_url(&text.trim().into()).map_err(wrong),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let parts = parts(admin.expose_secret());
                if parts.host.is_empty() {
                    return Err(wrong(IncompleteUrl("a host")));
                }
                let url = beside(&parts, random_password().expose_secret());
                write_durably(path, url.expose_secret().as_bytes())?;
                Self::of_url(&url).map_err(wrong)
            }
            Err(error) => Err(error),
        }
    }
}

/// The address of our own login at the server of another.
fn beside(admin: &UrlParts<'_>, password: &str) -> SecretString {
    // How it is reached holds for everybody; who the administrator is does not.
    let kept = admin.query.split('&').filter(|part| part.starts_with("ssl"));
    let query = kept.collect::<Vec<_>>().join("&");
    let query = if query.is_empty() { query } else { format!("?{query}") };
    format!("postgres://{NAME}:{password}@{}/{NAME}{query}", admin.host).into()
}

fn parts(url: &str) -> UrlParts<'_> {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    UrlParts { user, host, path, query }
}

/// A part of an address as it is meant: `%40` is an `@`. None where it is no such text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_login_is_read_from_an_address() {
        let url = "postgres://ana:p%40ss%2Fword@db:5433/texts?sslmode=require";
        let login = DatabaseLogin::of_url(&url.into()).expect("whole");
        assert_eq!((login.name.as_str(), login.database.as_str()), ("ana", "texts"));
        assert_eq!(login.password.expose_secret(), "p@ss/word");

        for part in ["postgres://ana@db/texts", "postgres://:x@db/texts", "postgres://a:b@db"] {
            let error = DatabaseLogin::of_url(&part.into()).expect_err(part);
            assert!(error.to_string().contains("must name a "), "{error}");
        }
    }

    #[test]
    fn a_login_is_made_once_and_for_the_owner_of_its_file_only() {
        let scratch = crate::embedded::Scratch::new().expect("scratch");
        let path = scratch.path().join("url");
        let admin = "postgres://root:hidden@db:5433/postgres?sslmode=require&user=x".into();

        let made = DatabaseLogin::load_or_create(&path, &admin).expect("made");
        let again = DatabaseLogin::load_or_create(&path, &admin).expect("read");
        assert_eq!(made.password.expose_secret(), again.password.expose_secret());
        let url = made.url.expose_secret();
        assert!(url.starts_with("postgres://millrace:"), "{url}");
        assert!(url.ends_with("@db:5433/millrace?sslmode=require"), "{url}");
        let mode = std::fs::metadata(&path).expect("file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
