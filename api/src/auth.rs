//! Who asks: a JSON Web Token (HS256) or an API key, checked before any route of `/v1` runs, and
//! what their role allows, by the table in [`roles`].

mod admit;
mod cache;
mod caller;
pub(crate) mod credentials;
mod hs256;
mod permission;
pub(crate) mod roles;

pub(crate) use admit::authenticate;
pub(crate) use caller::Caller;
pub(crate) use permission::{
    Allowed, CancelMessages, EditCampaigns, EditContacts, EditSettings, ManageKeys, Needs, Read,
    SendMessages,
};
