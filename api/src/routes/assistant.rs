//! `/v1/ai`: what the assistant is told, and what it would answer.

mod scope;
mod settings;
mod trial;
mod usage;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The routes of this group.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().merge(settings::router()).merge(trial::router()).merge(usage::router())
}
