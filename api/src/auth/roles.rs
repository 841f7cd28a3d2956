//! What each role may do: the one table of permissions.

use axum::http::Method;
use store::settings::api_keys::KeyRole;

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Look at something.
    Read,
    /// Send messages to single people.
    Send,
    /// Withdraw messages, whoever sent them.
    Cancel,
    /// Change contacts, their consent and the do-not-contact list.
    People,
    /// Run campaigns, write templates, throw switches.
    Campaigns,
    /// Change accounts, senders, budgets, policies.
    Settings,
    /// See and revoke API keys.
    Keys,
}

impl Act {
    /// The act, as it reads behind "may not".
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read this",
            Self::Send => "send messages",
            Self::Cancel => "cancel messages",
            Self::People => "change contacts",
            Self::Campaigns => "change campaigns, templates or switches",
            Self::Settings => "change accounts, senders, budgets or policies",
            Self::Keys => "see or revoke API keys",
        }
    }
}

/// Whether a role allows an act.
pub(crate) fn allows(role: KeyRole, act: Act) -> bool {
    match (role, act) {
        (KeyRole::Owner | KeyRole::Admin, _) => true,
        (KeyRole::Operator, Act::Read | Act::Send | Act::People) => true,
        (KeyRole::Operator, Act::Cancel | Act::Campaigns) => true,
        (KeyRole::Operator, Act::Settings | Act::Keys) => false,
        (KeyRole::Agent, Act::Read | Act::Send | Act::People) => true,
        (KeyRole::Agent, Act::Cancel | Act::Campaigns | Act::Settings | Act::Keys) => false,
        (KeyRole::Viewer, act) => act == Act::Read,
    }
}

/// What a request on a route does. A route that is not in the table needs the most.
pub(crate) fn needed(method: &Method, route: &str) -> Act {
    if route.starts_with("/v1/api-keys") {
        return Act::Keys;
    }

    // Two questions that are posted because they need a body; they change nothing.
    let asks = matches!(route, "/v1/explain" | "/v1/campaigns/{id}/simulate");
    if method == Method::GET || method == Method::HEAD || asks {
        return Act::Read;
    }

    if route == "/v1/messages/{id}/cancel" {
        return Act::Cancel;
    }

    let resource = route.strip_prefix("/v1/").and_then(|rest| rest.split('/').next());
    match resource {
        Some("messages") => Act::Send,
        Some("contacts" | "do-not-contact") => Act::People,
        Some("campaigns" | "templates" | "kill-switch") => Act::Campaigns,
        Some(_) | None => Act::Settings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_reads_and_nothing_else() {
        let others =
            [Act::Send, Act::Cancel, Act::People, Act::Campaigns, Act::Settings, Act::Keys];
        for act in others {
            assert!(!allows(KeyRole::Viewer, act), "{act:?}");
            assert!(allows(KeyRole::Owner, act) && allows(KeyRole::Admin, act), "{act:?}");
        }

        assert!(KeyRole::ALL.into_iter().all(|role| allows(role, Act::Read)));
    }

    #[test]
    fn a_route_that_nobody_classified_needs_the_most() {
        assert_eq!(needed(&Method::POST, "/v1/new-thing"), Act::Settings);
        assert_eq!(needed(&Method::DELETE, "/elsewhere"), Act::Settings);
        assert_eq!(needed(&Method::PUT, "/v1/budgets"), Act::Settings);
        assert_eq!(needed(&Method::POST, "/v1/campaigns/{id}/start"), Act::Campaigns);
        assert_eq!(needed(&Method::GET, "/v1/budgets"), Act::Read);
        assert_eq!(needed(&Method::GET, "/v1/api-keys"), Act::Keys);
        assert_eq!(needed(&Method::DELETE, "/v1/api-keys/{id}"), Act::Keys);
        assert_eq!(needed(&Method::DELETE, "/v1/contacts/{id}"), Act::People);
        assert_eq!(needed(&Method::POST, "/v1/explain"), Act::Read);
        assert_eq!(needed(&Method::POST, "/v1/campaigns/{id}/simulate"), Act::Read);
        assert_eq!(needed(&Method::POST, "/v1/messages"), Act::Send);
        assert_eq!(needed(&Method::POST, "/v1/messages/{id}/cancel"), Act::Cancel);
    }
}
