//! What `millrace doctor` asks the database: whom it is connected to, what the roles may do, which
//! migrations there are. It reads alone, and of the catalogue, which no migration makes: so these
//! statements are not checked at compile time.

use std::str::FromStr;

use jiff::Timestamp;
use sqlx::{Connection, PgConnection, Row, postgres::PgConnectOptions};

use super::{
    migrate,
    privileges::{CALLERS, KEPT_FROM},
    scope::Role,
};

/// The roles that processes work as.
const ROLES: [Role; 3] = [Role::Owner, Role::Api, Role::Pipeline];

/// A connection as the login itself, in which the database refuses every write.
pub struct Inspection(PgConnection);

/// Whom the login is connected to.
#[derive(Debug, Clone)]
pub struct ServerFacts {
    /// The version as the server says it, such as `15.10`.
    pub version: String,
    /// Its first number.
    pub major: u32,
    /// The name of the login.
    pub login: String,
    /// Whether the login is a superuser.
    pub is_superuser: bool,
}

/// One of the roles that processes work as.
#[derive(Debug, Clone)]
pub struct RoleFacts {
    /// Which role it is.
    pub role: Role,
    /// Whether there is such a role.
    pub is_there: bool,
    /// Whether the login may work as it.
    pub is_granted: bool,
    /// Whether it would see every tenant's rows: it is a superuser, or passes over row security.
    pub sees_all: bool,
}

/// What the migrations of this version and those of the database have to do with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaState {
    /// They are the same, so many.
    Current(usize),
    /// So many are not applied yet, or all of them.
    Missing(usize),
    /// This one was applied with another text.
    Changed(i64),
    /// A newer version has applied this one.
    Newer(i64),
}

impl Inspection {
    /// Connects as the login.
    ///
    /// # Errors
    /// The URL cannot be read, or the server is away.
    pub async fn begin(url: &str) -> Result<Self, sqlx::Error> {
        let options = PgConnectOptions::from_str(url)?
            .options([("default_transaction_read_only", "on")])
            .application_name("millrace doctor");
        Ok(Self(PgConnection::connect_with(&options).await?))
    }

    /// Who answers, and as whom.
    ///
    /// # Errors
    /// The server is away.
    pub async fn server(&mut self) -> Result<ServerFacts, sqlx::Error> {
        let row = sqlx::query(
            "select current_setting('server_version'),
                    current_setting('server_version_num')::int / 10000,
                    current_user::text, current_setting('is_superuser') = 'on'",
        )
        .fetch_one(&mut self.0)
        .await?;
        let version: String = row.get(0);
        Ok(ServerFacts {
            // Distributions add their own after a blank.
            version: version.split(' ').next().unwrap_or_default().to_owned(),
            major: row.get::<i32, _>(1).unsigned_abs(),
            login: row.get(2),
            is_superuser: row.get(3),
        })
    }

    /// The database's clock.
    ///
    /// # Errors
    /// The server is away.
    pub async fn clock(&mut self) -> Result<Timestamp, sqlx::Error> {
        let time: jiff_sqlx::Timestamp =
            sqlx::query_scalar("select clock_timestamp()").fetch_one(&mut self.0).await?;
        Ok(time.to_jiff())
    }

    /// What the login may work as.
    ///
    /// # Errors
    /// The server is away.
    pub async fn roles(&mut self) -> Result<Vec<RoleFacts>, sqlx::Error> {
        let mut roles = Vec::new();
        for role in ROLES {
            let row = sqlx::query(
                "select pg_has_role(current_user, oid, 'member'), rolsuper or rolbypassrls
                 from pg_roles where rolname = $1",
            )
            .bind(role.as_str())
            .fetch_optional(&mut self.0)
            .await?;
            let flag = |column: usize| row.as_ref().is_some_and(|row| row.get(column));
            let (is_there, is_granted, sees_all) = (row.is_some(), flag(0), flag(1));
            roles.push(RoleFacts { role, is_there, is_granted, sees_all });
        }
        Ok(roles)
    }

    /// What api and pipeline may not do, and should by the migrations of this version: one text
    /// for each privilege on a table or function.
    ///
    /// # Errors
    /// The server is away, or a role is not there.
    pub async fn lacking(&mut self) -> Result<Vec<String>, sqlx::Error> {
        let mut lacking = Vec::new();
        for (role, privilege, kept_from) in KEPT_FROM {
            let kept_from: Vec<&str> = kept_from.split(' ').collect();
            let tables: Vec<String> = sqlx::query_scalar(
                "select c.relname::text
                 from pg_class c join pg_namespace n on n.oid = c.relnamespace
                 where n.nspname = 'millrace' and c.relkind in ('r', 'p')
                   and c.relname <> '_sqlx_migrations' and c.relname <> all ($3::text[])
                   and not has_table_privilege($1, c.oid, $2)
                 order by 1",
            )
            .bind(role.as_str())
            .bind(privilege)
            .bind(kept_from)
            .fetch_all(&mut self.0)
            .await?;
            let text = |table: &String| format!("{} may not {privilege} {table}", role.as_str());
            lacking.extend(tables.iter().map(text));
        }

        for (function, roles) in CALLERS {
            for role in roles {
                let is_refused: bool = sqlx::query_scalar(
                    "select coalesce(
                         bool_or(not has_function_privilege($1, p.oid, 'execute')), false)
                     from pg_proc p join pg_namespace n on n.oid = p.pronamespace
                     where n.nspname = 'millrace' and p.proname = $2",
                )
                .bind(role.as_str())
                .bind(function)
                .fetch_one(&mut self.0)
                .await?;
                let text = format!("{} may not call {function}", role.as_str());
                lacking.extend(is_refused.then_some(text));
            }
        }
        Ok(lacking)
    }
}

/// Holds the migrations of a database against those of this version, as the owner.
///
/// # Errors
/// The server is away, or the login may not work as the owner.
pub async fn schema(url: &str) -> Result<SchemaState, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?.options([
        ("role", Role::Owner.as_str()),
        ("search_path", "millrace"),
        ("default_transaction_read_only", "on"),
    ]);
    let mut connection = PgConnection::connect_with(&options).await?;
    let is_there: bool = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null")
        .fetch_one(&mut connection)
        .await?;
    let applied: Vec<(i64, Vec<u8>)> = if is_there {
        sqlx::query_as("select version, checksum from _sqlx_migrations where success order by 1")
            .fetch_all(&mut connection)
            .await?
    } else {
        Vec::new()
    };
    connection.close().await?;
    Ok(compare(&migrate::known().collect::<Vec<_>>(), &applied))
}

fn compare(known: &[(i64, &[u8])], applied: &[(i64, Vec<u8>)]) -> SchemaState {
    for (version, checksum) in applied {
        match known.iter().find(|(known, _)| known == version) {
            None => return SchemaState::Newer(*version),
            Some((_, own)) if own != checksum => return SchemaState::Changed(*version),
            Some(_) => {}
        }
    }
    match known.len() - applied.len() {
        0 => SchemaState::Current(known.len()),
        missing => SchemaState::Missing(missing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_older_newer_or_another_than_this_version() {
        let known: [(i64, &[u8]); 2] = [(1, b"a"), (2, b"b")];
        let applied = |rows: &[(i64, &[u8])]| {
            rows.iter().map(|(version, sum)| (*version, sum.to_vec())).collect::<Vec<_>>()
        };

        assert_eq!(compare(&known, &applied(&known)), SchemaState::Current(2));
        assert_eq!(compare(&known, &applied(&known[..1])), SchemaState::Missing(1));
        assert_eq!(compare(&known, &applied(&[(1, b"a"), (2, b"c")])), SchemaState::Changed(2));
        let newer = [known[0], known[1], (3, b"c")];
        assert_eq!(compare(&known, &applied(&newer)), SchemaState::Newer(3));
    }
}
