//! Consent: the ledger of a person, the do-not-contact list, and suppressions.

mod do_not_contact;
mod ledger;
mod reviews;
mod scope;
mod stop;
mod suppressions;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The routes of this group.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(do_not_contact::router())
        .merge(ledger::router())
        .merge(reviews::router())
        .merge(suppressions::router())
}
