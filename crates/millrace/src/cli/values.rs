//! Words of the command line that are values of our own types.

use carriers::Carrier;
use domain::gates::SwitchMode;
use stage::StageName;
use store::settings::api_keys::KeyRole;

pub(crate) fn carrier(name: &str) -> Result<Carrier, String> {
    let known = || Carrier::ALL.iter().map(|known| known.as_str()).collect::<Vec<_>>().join(", ");
    Carrier::from_name(name).ok_or_else(|| format!("no such carrier; there are {}", known()))
}

pub(crate) fn switch_mode(text: &str) -> Result<SwitchMode, String> {
    SwitchMode::from_name(text).ok_or_else(|| "on, paused or stopped".to_owned())
}

pub(crate) fn key_role(text: &str) -> Result<KeyRole, String> {
    KeyRole::from_name(text).ok_or_else(|| KeyRole::ALL.map(KeyRole::as_str).join(", "))
}

pub(crate) fn stage_name(text: &str) -> Result<StageName, String> {
    let found = StageName::ALL.iter().copied().find(|name| name.as_str() == text);
    found.ok_or_else(|| format!("no such stage; there are {}", stages()))
}

/// What is said of a stage's name where one is wanted.
pub(crate) fn stage_help() -> String {
    format!("Which stage to run: {}", stages())
}

fn stages() -> String {
    StageName::ALL.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
}
