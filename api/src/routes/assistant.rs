//! `/v1/ai`: what the assistant is told and may look up, and what it would answer.

mod scope;
mod settings;
mod tool_trial;
mod tools;
mod trial;
mod usage;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The routes of this group.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(settings::router())
        .merge(tools::router())
        .merge(tool_trial::router())
        .merge(trial::router())
        .merge(usage::router())
}
