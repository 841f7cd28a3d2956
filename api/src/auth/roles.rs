//! What each role may do: the one table of roles and permissions. Which permission a route needs is
//! in its handler's signature, by [`Allowed`](super::Allowed).

use store::settings::api_keys::KeyRole;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    /// Look at everything but API keys, event consumers and people; ask what would happen.
    Read,
    /// Send messages to single people.
    SendMessages,
    /// Withdraw messages, whoever sent them.
    CancelMessages,
    /// Change contacts, their consent and the do-not-contact list.
    EditContacts,
    /// Run campaigns, write templates, throw switches.
    EditCampaigns,
    /// Change accounts, senders, pools, budgets, policies.
    EditSettings,
    /// Order, assign and give back numbers, which costs money at the carrier.
    EditNumbers,
    /// Make, see and revoke API keys and event consumers.
    ManageKeys,
    /// See who works for the company, invite people, change their roles, have them leave.
    ManagePeople,
}

domain::described_words! {
    Permission, "What somebody may do; the security scheme lists the permissions of each role.";
}

impl Permission {
    /// Every permission, as the document lists them.
    pub(crate) const ALL: [Self; 9] = [
        Self::Read,
        Self::SendMessages,
        Self::CancelMessages,
        Self::EditContacts,
        Self::EditCampaigns,
        Self::EditSettings,
        Self::EditNumbers,
        Self::ManageKeys,
        Self::ManagePeople,
    ];

    /// The name in the document.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::SendMessages => "send_messages",
            Self::CancelMessages => "cancel_messages",
            Self::EditContacts => "edit_contacts",
            Self::EditCampaigns => "edit_campaigns",
            Self::EditSettings => "edit_settings",
            Self::EditNumbers => "edit_numbers",
            Self::ManageKeys => "manage_keys",
            Self::ManagePeople => "manage_people",
        }
    }

    /// The permission of this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.as_str() == name)
    }

    /// What it allows, as it reads behind "may not".
    pub(crate) fn as_act(self) -> &'static str {
        match self {
            Self::Read => "read this",
            Self::SendMessages => "send messages",
            Self::CancelMessages => "cancel messages",
            Self::EditContacts => "change contacts",
            Self::EditCampaigns => "change campaigns, templates or switches",
            Self::EditNumbers => "order, assign or give back numbers",
            Self::EditSettings => "change accounts, senders, budgets or policies",
            Self::ManageKeys => "make, see or revoke API keys and event consumers",
            Self::ManagePeople => "see or change who works here",
        }
    }
}

/// Whether a role has a permission.
pub(crate) fn allows(role: KeyRole, permission: Permission) -> bool {
    use Permission::{
        CancelMessages, EditCampaigns, EditContacts, EditNumbers, EditSettings, ManageKeys,
        ManagePeople, Read, SendMessages,
    };
    match (role, permission) {
        (KeyRole::Owner | KeyRole::Admin, _) => true,
        (KeyRole::Operator, Read | SendMessages | CancelMessages) => true,
        (KeyRole::Operator, EditContacts | EditCampaigns) => true,
        (KeyRole::Operator, EditSettings | EditNumbers | ManageKeys | ManagePeople) => false,
        (KeyRole::Agent, Read | SendMessages | EditContacts) => true,
        (KeyRole::Agent, CancelMessages | EditCampaigns) => false,
        (KeyRole::Agent, EditSettings | EditNumbers | ManageKeys | ManagePeople) => false,
        (KeyRole::Viewer, permission) => permission == Read,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_reads_and_nothing_else() {
        for permission in Permission::ALL {
            let is_reading = permission == Permission::Read;
            assert_eq!(allows(KeyRole::Viewer, permission), is_reading, "{permission:?}");
            assert!(allows(KeyRole::Owner, permission) && allows(KeyRole::Admin, permission));
        }

        assert!(KeyRole::ALL.into_iter().all(|role| allows(role, Permission::Read)));
    }
}
