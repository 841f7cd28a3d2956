//! How often codes may be asked for, counted in rows: by address, by place, by country. A country
//! to which many codes are texted of which few come back is held for a while: somebody earns money
//! with the texts (pumping).

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use stage::Fault;

use crate::{Scoped, fault};

/// What is counted, how long its window is, and how many codes may be asked for in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counted {
    /// An address from one place: so a stranger elsewhere does not use up what its person has.
    Pair,
    /// An address, from anywhere.
    Address,
    /// A place of the network.
    Place,
    /// A country's numbers; in North America those of an area.
    Prefix,
}

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;

/// How many codes of a prefix are texted, of this hour and the one before, until it is looked at
/// how many came back; and how many times as many may be texted as come back.
const SUSPICIOUS: i64 = 40;
const TIMES: i64 = 5;

/// How long a prefix is held: what made it suspicious is no longer counted then.
pub const HELD_FOR: SignedDuration = SignedDuration::from_hours(2);

impl Counted {
    /// The name in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pair => "pair",
            Self::Address => "address",
            Self::Place => "place",
            Self::Prefix => "prefix",
        }
    }

    /// How long a window is, in seconds.
    fn window(self) -> i64 {
        match self {
            Self::Pair | Self::Place | Self::Prefix => HOUR,
            Self::Address => DAY,
        }
    }

    /// How many codes may be asked for in a window.
    pub fn limit(self) -> i32 {
        match self {
            Self::Pair => 5,
            Self::Address => 20,
            Self::Place => 60,
            Self::Prefix => 1_000,
        }
    }

    /// When the window began that an instant is in.
    fn begun(self, machine: Timestamp) -> Timestamp {
        let second = machine.as_second();
        Timestamp::from_second(second - second.rem_euclid(self.window())).unwrap_or(machine)
    }
}

/// Who asks for a code.
#[derive(Debug, Clone, Copy)]
pub struct CodeRequest<'a> {
    /// The address that it is for.
    pub address: &'a str,
    /// Where the request comes from.
    pub place: &'a str,
    /// The country of a number; none of an address of mail.
    pub prefix: Option<&'a str>,
}

/// Whether a code may be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    /// It may be had.
    Granted,
    /// Too many were asked for, until this instant.
    UsedUp {
        /// What was counted.
        of: Counted,
        /// When its window ends.
        until: Timestamp,
    },
    /// No codes are texted to the country until this instant.
    Held {
        /// When it ends.
        until: Timestamp,
        /// Whether that was decided just now: the caller commits, and tells an operator.
        is_new: bool,
    },
}

/// Counts a request. Where it is not granted, the caller leaves the count as it was, by dropping
/// the transaction.
pub async fn count(
    tx: &mut Scoped,
    request: &CodeRequest<'_>,
    machine: Timestamp,
) -> Result<Allowance, Fault> {
    let pair = format!("{} {}", request.place, request.address);
    let keys = [
        (Counted::Address, Some(request.address)),
        (Counted::Pair, Some(pair.as_str())),
        (Counted::Place, Some(request.place)),
        (Counted::Prefix, request.prefix),
    ];

    // One after the other in the same order: so nobody waits for somebody who waits for them.
    for (of, key) in keys {
        let Some(key) = key else { continue };
        let begun = of.begun(machine);
        let asked = sqlx::query_scalar!(
            "insert into code_counts (kind, key, begun_at, asked) values ($1, $2, $3, 1)
             on conflict (kind, key, begun_at) do update set asked = code_counts.asked + 1
             returning asked",
            of.as_str(),
            key,
            begun.to_sqlx() as _,
        )
        .fetch_one(&mut **tx)
        .await
        .map_err(fault)?;
        if asked > of.limit() {
            let until = begun + SignedDuration::from_secs(of.window());
            return Ok(Allowance::UsedUp { of, until });
        }
    }

    match request.prefix {
        Some(prefix) => look_at(tx, prefix, machine).await,
        None => Ok(Allowance::Granted),
    }
}

/// Whether a country is held, or is to be from now on.
async fn look_at(tx: &mut Scoped, prefix: &str, machine: Timestamp) -> Result<Allowance, Fault> {
    let hour_before = Counted::Prefix.begun(machine) - SignedDuration::from_secs(HOUR);
    let found = sqlx::query!(
        r#"select (select ends_at from held_prefixes where prefix = $1 and ends_at > $2) as held,
                  coalesce(sum(texted), 0) as "texted!", coalesce(sum(verified), 0) as "verified!"
           from code_counts where kind = 'prefix' and key = $1 and begun_at >= $3"#,
        prefix,
        machine.to_sqlx() as _,
        hour_before.to_sqlx() as _,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)?;

    if let Some(until) = found.held {
        return Ok(Allowance::Held { until: until.to_jiff(), is_new: false });
    }
    if found.texted < SUSPICIOUS || found.verified * TIMES >= found.texted {
        return Ok(Allowance::Granted);
    }

    let until = machine + HELD_FOR;
    sqlx::query!(
        "insert into held_prefixes (prefix, ends_at) values ($1, $2)
         on conflict (prefix) do update set ends_at = excluded.ends_at",
        prefix,
        until.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(Allowance::Held { until, is_new: true })
}

/// Counts codes that become texts to a country: none or one, so that the same is done for numbers
/// that nobody has.
pub async fn note_texted(
    tx: &mut Scoped,
    prefix: &str,
    texts: i32,
    machine: Timestamp,
) -> Result<(), Fault> {
    sqlx::query!(
        "update code_counts set texted = texted + $3
         where kind = 'prefix' and key = $1 and begun_at = $2",
        prefix,
        Counted::Prefix.begun(machine).to_sqlx() as _,
        texts,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Counts a code that came back.
pub async fn note_verified(tx: &mut Scoped, prefix: &str, machine: Timestamp) -> Result<(), Fault> {
    sqlx::query!(
        "insert into code_counts (kind, key, begun_at, asked, verified)
         values ('prefix', $1, $2, 0, 1)
         on conflict (kind, key, begun_at) do update set verified = code_counts.verified + 1",
        prefix,
        Counted::Prefix.begun(machine).to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_begin_at_whole_hours_and_days() {
        let at: Timestamp = "2026-05-01T15:42:07Z".parse().expect("an instant");
        assert_eq!(Counted::Pair.begun(at).to_string(), "2026-05-01T15:00:00Z");
        assert_eq!(Counted::Address.begun(at).to_string(), "2026-05-01T00:00:00Z");
    }
}
