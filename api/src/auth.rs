//! Who asks: a JSON Web Token (HS256) or an API key, checked before any route of `/v1` runs, and
//! what their role allows, by the table in [`roles`]. A browser may send its token in a cookie.

mod admit;
mod attempts;
mod cache;
mod caller;
pub(crate) mod credentials;
mod hs256;
mod keyed;
mod pages;
pub(crate) mod passwords;
mod permission;
mod reach;
pub(crate) mod roles;
mod sessions;
pub(crate) mod tokens;

pub(crate) use admit::{archived, authenticate, known};
pub(crate) use caller::{Caller, SignedIn};
pub(crate) use pages::check_page;
pub(crate) use permission::{
    Allowed, CancelMessages, EditCampaigns, EditContacts, EditNumbers, EditSettings, ManageKeys,
    ManagePeople, Needs, Read, SendMessages,
};
pub(crate) use reach::Reach;
