//! Where carriers reach the platform, which every process goes by: whoever calls a carrier names
//! the address whose signatures the api checks.

use anyhow::bail;
use boot::settings::Settings;
use domain::platform::{Agreement, PublicUrl};
use store::{Store, settings::public_url};

/// What a process has to do with the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicUrlUse {
    /// It is reached there.
    Answers,
    /// It names it to carriers.
    Names,
    /// None of both.
    Neither,
}

/// The address that this process goes by: the platform's. An api says it where nobody has.
///
/// # Errors
/// The process would go by another one, or names one to carriers and nobody knows any; the database
/// is away.
pub async fn agree(settings: &Settings, store: &Store, of: PublicUrlUse) -> anyhow::Result<String> {
    let is_api = of == PublicUrlUse::Answers;
    let own = (is_api || settings.names_public_url).then(|| own(settings));

    let mut known = public_url::read(store).await?;
    if let (Some(own), None) = (&own, &known) {
        // Others may start at the same time: one of them is first.
        public_url::say_first(store, own).await?;
        known = public_url::read(store).await?;
    }

    match Agreement::of(own, known, is_api) {
        Agreement::Adopt(url) => Ok(url),
        Agreement::Say(own) => {
            public_url::replace(store, &own).await?;
            Ok(own.url)
        }
        Agreement::Unknown if of == PublicUrlUse::Names => bail!(
            "MILLRACE_PUBLIC_URL: is not set, and no api of this platform has said where it is \
             reached: set it as for `millrace api`, or start that first"
        ),
        Agreement::Unknown => Ok(settings.public_url.clone()),
        Agreement::Refuse { own, platform } => bail!(
            "MILLRACE_PUBLIC_URL: this process would go by {own}, and the platform goes by \
             {platform}: set the same for every process, or move the platform with `millrace \
             migrate --public-url {own}`"
        ),
    }
}

/// Makes the address of this process that of the platform, whatever it was.
///
/// # Errors
/// The database is away.
pub async fn move_to(settings: &Settings, store: &Store) -> anyhow::Result<()> {
    Ok(public_url::replace(store, &own(settings)).await?)
}

fn own(settings: &Settings) -> PublicUrl {
    PublicUrl { url: settings.public_url.clone(), is_named: settings.names_public_url }
}
