//! Consent: the ledger of a person, the do-not-contact list, and suppressions.

mod do_not_contact;
mod ledger;
mod scope;
mod stop;
mod suppressions;

use axum::Router;

use crate::app::App;

/// The routes of this group.
pub(super) fn router() -> Router<App> {
    Router::new()
        .merge(do_not_contact::router())
        .merge(ledger::router())
        .merge(suppressions::router())
}
