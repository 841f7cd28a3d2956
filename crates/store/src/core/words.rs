//! Words of rows: values of a fixed set that a column holds by name or number. One that this
//! version does not know was stored by a newer one. It is never taken for another: a batch waits
//! for a version that can read it, a source leaves its row out.

use domain::{
    address::Address,
    gates::{Basis, Gate, OnLate, Stops, SwitchMode},
    health::{HealthCause, HealthState},
    ids::TenantId,
    message::{
        class::{Channel, Lane, MessageClass},
        state::MessageState,
    },
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::types::Uuid;
use stage::Fault;
use wire::subject::Scope;

/// A value that columns hold by its name.
pub(crate) trait Word: Sized {
    /// The kind of value, for faults and logs.
    const WHAT: &'static str;

    fn named(name: &str) -> Option<Self>;
}

/// Makes enums words: each has a `from_name` of its own.
macro_rules! words {
    ($($word:ty = $what:literal),* $(,)?) => {
        $(impl $crate::core::words::Word for $word {
            const WHAT: &'static str = $what;

            fn named(name: &str) -> Option<Self> {
                <$word>::from_name(name)
            }
        })*
    };
}
pub(crate) use words;

words! {
    Basis = "basis of consent",
    Channel = "channel",
    Gate = "gate",
    HealthCause = "cause of a sender's health",
    HealthState = "state of a sender's health",
    Lane = "lane",
    MessageClass = "message class",
    OnLate = "end of a late message",
    Stops = "what an entry stops",
    SwitchMode = "mode of a switch",
}

/// A stored value that this version does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    what: &'static str,
    value: String,
}

impl From<Unreadable> for Fault {
    fn from(Unreadable { what, value }: Unreadable) -> Self {
        Self::Newer { what, value }
    }
}

/// Reads a word.
pub(crate) fn word<W: Word>(name: &str) -> Result<W, Unreadable> {
    W::named(name).ok_or_else(|| Unreadable { what: W::WHAT, value: name.to_owned() })
}

/// Reads a word where there is one.
pub(crate) fn optional<W: Word>(name: Option<&str>) -> Result<Option<W>, Unreadable> {
    name.map(word).transpose()
}

/// Reads the state of a row's number.
pub(crate) fn state(code: i16) -> Result<MessageState, Unreadable> {
    let unknown = || Unreadable { what: "message state", value: code.to_string() };
    MessageState::from_code(code).ok_or_else(unknown)
}

/// Reads a document of a column. The value may hold a text, so its column alone is told.
pub(crate) fn document<T: DeserializeOwned>(
    value: Value,
    column: &'static str,
) -> Result<T, Unreadable> {
    let unknown = |_| Unreadable { what: "document in column", value: column.to_owned() };
    serde_json::from_value(value).map_err(unknown)
}

/// Reads a tenant's key that a look-up outside any scope has found.
pub(crate) fn tenant(key: &str) -> Result<TenantId, Unreadable> {
    key.parse().map_err(|_| Unreadable { what: "tenant's key", value: key.to_owned() })
}

/// Reads an address; none where it is empty, as in a row that was made for a letter without one.
pub(crate) fn address(text: &str) -> Result<Option<Address>, Unreadable> {
    if text.is_empty() {
        return Ok(None);
    }
    // The text is a person's: the fault must not repeat it.
    let unknown = |_| Unreadable { what: "address", value: "(not shown)".to_owned() };
    text.parse().map(Some).map_err(unknown)
}

/// Reads what totals are of. The dashboard's id is nil.
pub(crate) fn scope(name: &str, id: Uuid) -> Result<Scope, Unreadable> {
    let known = [Scope::Dashboard, Scope::Campaign(id)];
    let unknown = || Unreadable { what: "scope of totals", value: name.to_owned() };
    known.into_iter().find(|scope| scope.as_str() == name).ok_or_else(unknown)
}

/// Leaves out what this version cannot read: a source must not stand still for one row. The row
/// stays as it is, and a version that can read it finds it.
pub(crate) fn readable<T>(read: Result<T, Unreadable>) -> Option<T> {
    let told = read.inspect_err(|Unreadable { what, value }| {
        tracing::warn!(what, value, "a row of a newer version is left out");
        metrics::counter!("millrace_rows_left_out_total", "what" => *what).increment(1);
    });
    told.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_read_by_its_name_and_an_unknown_one_is_of_a_newer_version() {
        assert_eq!(word::<Gate>("dnc"), Ok(Gate::Dnc));
        assert_eq!(optional::<Gate>(None), Ok(None));

        let unknown = word::<Gate>("weather").expect_err("no such gate");
        assert_eq!(readable::<Gate>(Err(unknown.clone())), None);
        let fault = Fault::from(unknown);
        assert_eq!(fault.to_string(), "a newer version stored the gate \"weather\"");
    }

    #[test]
    fn an_address_of_another_form_is_of_a_newer_version_and_is_not_repeated() {
        let read = |text| address(text).map(|read| read.map(|address| address.to_string()));
        assert_eq!(read("US.13491208655302741918"), Ok(Some("US.13491208655302741918".into())));
        assert_eq!(read(""), Ok(None));

        let fault = Fault::from(read("2125550123").expect_err("no address"));
        assert_eq!(fault.to_string(), "a newer version stored the address \"(not shown)\"");
    }

    #[test]
    fn an_unknown_state_and_an_unknown_tenant_are_no_others() {
        assert_eq!(state(20), Ok(MessageState::Sent));
        assert!(state(99).is_err());
        assert!(tenant("acme").is_ok());
        assert!(tenant("Acme Inc.").is_err());
    }
}
