//! Whether the platform is reached where carriers are told to reach it.

use boot::settings::Settings;
use domain::platform::{Agreement, PublicUrl};
use secrecy::ExposeSecret;
use serde_json::Value;
use store::{Role, Store, settings::public_url};

use super::report::{Report, within};

const WHAT: &str = "public URL";

pub(super) async fn check(report: &mut Report, settings: &Settings) {
    let known = match known(settings).await {
        Ok(known) => known,
        Err(why) => {
            report.skip(WHAT, format!("what the platform goes by takes the database: {why}"));
            if settings.names_public_url {
                reach(report, &settings.public_url).await;
            }
            return;
        }
    };
    let own = settings
        .names_public_url
        .then(|| PublicUrl { url: settings.public_url.clone(), is_named: true });

    let url = match Agreement::of(own, known, true) {
        Agreement::Adopt(url) => {
            report.ok(WHAT, format!("the platform goes by {url}"));
            url
        }
        Agreement::Say(own) => {
            let found =
                format!("the platform will go by {} with the next start of an api", own.url);
            report.ok(WHAT, found);
            own.url
        }
        Agreement::Refuse { own, platform } => {
            let found = format!("the settings say {own}, and the platform goes by {platform}");
            let fix = format!(
                "set MILLRACE_PUBLIC_URL to that, or run `millrace migrate --public-url {own}`"
            );
            report.fail(WHAT, found, fix);
            platform
        }
        Agreement::Unknown => {
            let found = "nobody has said it, and no text can be sent";
            report.warn(WHAT, found, "set MILLRACE_PUBLIC_URL, or start `millrace api`");
            return;
        }
    };
    reach(report, &url).await;
}

/// What the platform has agreed on.
async fn known(settings: &Settings) -> Result<Option<PublicUrl>, String> {
    let url = settings.need_database().map_err(|why| why.to_string())?.expose_secret();
    let store = within(Store::connect(url, Role::Api, 1)).await?;
    within(public_url::read(&store)).await
}

async fn reach(report: &mut Report, url: &str) {
    let asked = async {
        let client = carriers::http::client()?;
        let answer = client.get(format!("{url}/openapi.json")).send().await?;
        let status = answer.status();
        Ok::<_, reqwest::Error>((status, answer.bytes().await?))
    };
    let fix = "start `millrace api`, or see to the proxy before it";
    match within(asked).await {
        Err(why) => report.fail(WHAT, format!("{url} is not reached: {why}"), fix),
        Ok((status, body)) if status.is_success() && is_ours(&body) => {
            report.ok(WHAT, format!("an api of ours answers at {url}"));
        }
        Ok((status, _)) => {
            report.fail(WHAT, format!("{url} answers {status}, and is no api of ours"), fix);
        }
    }
}

/// Whether this is the document of our own api.
fn is_ours(body: &[u8]) -> bool {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    document["paths"].get("/v1/messages").is_some()
}
