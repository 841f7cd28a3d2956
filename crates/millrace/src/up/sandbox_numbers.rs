//! The numbers of the sandbox, which it forgets when it ends: at each start it learns anew which
//! ones the accounts that are called there have, and where their texts go. So whoever has made a
//! sender in an earlier run can answer it in this one.

use std::collections::BTreeMap;

use anyhow::Context;
use carriers::{Carrier, is_same_place};
use domain::{account::Access, ids::TenantId};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use store::{
    Store,
    core::seal::Sealer,
    settings::{accounts, senders, tenants},
};
use uuid::Uuid;

use crate::demo::client::HttpCaller;

/// How many tenants, accounts and senders are looked up at once.
const AT_ONCE: i64 = 1_000;

/// How many numbers of one account are told; a tenant with more tells the sandbox by itself.
const MOST: usize = 10_000;

/// Where a platform is reached, and its sandbox.
pub struct Places<'a> {
    /// The address of the sandbox.
    pub sandbox: &'a str,
    /// The address that carriers call the platform under.
    pub public_url: &'a str,
}

/// Tells the sandbox which numbers all tenants have at it. What it refuses is left out with a
/// warning: no text from there is needed to send one.
///
/// # Errors
/// The database is away.
pub async fn tell(store: &Store, sealer: &Sealer, at: &Places<'_>) -> anyhow::Result<()> {
    let sandbox = HttpCaller::new(at.sandbox, None)?;
    let mut after = String::new();
    loop {
        let found = tenants::after(store, &after, AT_ONCE).await?;
        for key in &found {
            let tenant = key.parse().context("a tenant's key")?;
            for account in of_tenant(store, &tenant, at.sandbox).await? {
                let Some(secret) = sealer.open_secret(&account.access.sealed_token) else {
                    continue;
                };
                if let Err(why) = account.tell(&sandbox, at.public_url, &secret).await {
                    let account = &account.handle;
                    tracing::warn!(account, %why, "the sandbox does not take its numbers");
                }
            }
        }
        match found.into_iter().next_back() {
            Some(last) => after = last,
            None => return Ok(()),
        }
    }
}

/// An account at the sandbox, with its numbers.
struct Numbered {
    handle: String,
    access: Access,
    numbers: Vec<String>,
}

/// The accounts of a tenant that are called at the sandbox, each with its senders' numbers.
async fn of_tenant(
    store: &Store,
    tenant: &TenantId,
    sandbox: &str,
) -> anyhow::Result<Vec<Numbered>> {
    let mut tx = store.scoped([tenant]).await?;
    let accounts = accounts::list(&mut tx, tenant, "", AT_ONCE).await?.into_iter();
    let at_sandbox = accounts.filter(|one| is_same_place(&one.access.base_url, sandbox));
    let mut found: BTreeMap<String, Numbered> = at_sandbox
        .map(|account| {
            let (handle, access) = (account.handle, account.access);
            (handle.clone(), Numbered { handle, access, numbers: Vec::new() })
        })
        .collect();

    let mut after = Uuid::nil();
    while !found.is_empty() {
        let page = senders::list(&mut tx, tenant, after, AT_ONCE).await?;
        let Some(last) = page.last() else { break };
        after = last.id.0;
        for sender in page {
            if let Some(account) = found.get_mut(&sender.account)
                && account.numbers.len() < MOST
            {
                account.numbers.push(sender.number);
            }
        }
    }
    Ok(found.into_values().filter(|account| !account.numbers.is_empty()).collect())
}

impl Numbered {
    /// Sets the numbers up, as the carrier's dashboard would.
    async fn tell(
        &self,
        sandbox: &HttpCaller,
        public_url: &str,
        secret: &SecretString,
    ) -> anyhow::Result<()> {
        match Carrier::from_name(&self.access.carrier) {
            Some(Carrier::Twilio) => self.tell_twilio(sandbox, public_url, secret).await,
            Some(Carrier::Bandwidth) => self.tell_bandwidth(sandbox, public_url, secret).await,
            Some(Carrier::WhatsappCloud) => self.tell_whatsapp(sandbox, public_url, secret).await,
            // The sandbox plays no other.
            _ => Ok(()),
        }
    }

    async fn tell_twilio(
        &self,
        sandbox: &HttpCaller,
        public_url: &str,
        secret: &SecretString,
    ) -> anyhow::Result<()> {
        let sid = &self.access.carrier_sid;
        let path = format!("/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers.json");
        let url = format!("{public_url}/webhooks/twilio/{}/inbound", self.handle);

        for number in &self.numbers {
            let form = [("PhoneNumber", number.as_str()), ("SmsUrl", &url), ("SmsMethod", "POST")];
            sandbox.post_form(&path, sid, secret.expose_secret(), &form).await?;
        }
        Ok(())
    }

    async fn tell_bandwidth(
        &self,
        sandbox: &HttpCaller,
        public_url: &str,
        secret: &SecretString,
    ) -> anyhow::Result<()> {
        let at_carrier = self.access.carrier_sid.split_once('/');
        let (account, application) = at_carrier.context("no account/application")?;
        let login = secret.expose_secret().split_once(':');
        let (user, password) = login.context("no user:password")?;

        let body = json!({
            "account": account,
            "callback_url": format!("{public_url}/webhooks/bandwidth/{}", self.handle),
            "user": user,
            "password": password,
            "numbers": self.numbers,
        });
        sandbox.put(&format!("/sandbox/applications/{application}"), &body).await.map(drop)
    }

    async fn tell_whatsapp(
        &self,
        sandbox: &HttpCaller,
        public_url: &str,
        secret: &SecretString,
    ) -> anyhow::Result<()> {
        let mut parts = secret.expose_secret().split(':');
        let (Some(access_token), Some(app_secret)) = (parts.next(), parts.next()) else {
            anyhow::bail!("no token:secret:verify");
        };

        let body = json!({
            "access_token": access_token,
            "app_secret": app_secret,
            "callback_url": format!("{public_url}/webhooks/whatsapp/{}", self.handle),
            "numbers": self.numbers,
        });
        let path = format!("/sandbox/businesses/{}", self.access.carrier_sid);
        sandbox.put(&path, &body).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use boot::clock::machine_now;
    use domain::{ids::SenderId, message::class::Channel};
    use store::{
        Role,
        settings::{accounts::Account, senders::Sender},
    };
    use testkit::{Database, world::sealer};

    use super::*;
    use crate::{demo::setup, serve};

    /// Makes an account that is called there, with one sender.
    async fn make(store: &Store, tenant: &TenantId, n: u128, base_url: &str) -> anyhow::Result<()> {
        let (name, now) = (format!("main{n}"), machine_now());
        let access =
            Access { base_url: base_url.to_owned(), ..setup::access(&name, base_url, &sealer()) };
        let account = Account {
            handle: name.clone(),
            name: name.clone(),
            access,
            confirms_opt_out: true,
            created_at: now,
        };
        let sender = Sender {
            id: SenderId(Uuid::from_u128(n)),
            account: name.clone(),
            account_name: name,
            number: format!("+1212555010{n}"),
            channel: Channel::Sms,
            country: "US".into(),
            time_zone: "UTC".into(),
            pace: 1,
            active_since: now,
            daily_cap: 100,
            usable: true,
            brand: None,
            created_at: now,
        };

        let mut tx = store.scoped([tenant]).await?;
        accounts::create(&mut tx, tenant, &account).await?;
        senders::create(&mut tx, tenant, &sender).await?;
        Ok(tx.commit().await?)
    }

    #[tokio::test]
    async fn a_sandbox_that_starts_anew_learns_the_numbers_of_its_accounts() -> anyhow::Result<()> {
        carriers::http::install_crypto();
        let database = Database::start().await?;
        let (tenant, store) = (database.tenant("acme").await?, database.store(Role::Api).await?);
        let first = serve::sandbox::start(([127, 0, 0, 1], 0).into()).await?;
        let at = format!("http://{}", first.addr);
        make(&store, &tenant, 1, &at).await?;
        make(&store, &tenant, 2, "https://api.twilio.com").await?;

        let places = Places { sandbox: &at, public_url: "http://127.0.0.1:1" };
        tell(&store, &sealer(), &places).await?;

        let sandbox = HttpCaller::new(&at, None)?;
        let sid = setup::sid("main1");
        let path = setup::numbers_path("main1");
        let known = sandbox.get_basic(&path, &sid, setup::TOKEN).await?;
        let [number] = known["incoming_phone_numbers"].as_array().context("numbers")?.as_slice()
        else {
            panic!("one number: {known}")
        };
        assert_eq!(number["phone_number"], "+12125550101");
        assert_eq!(number["sms_url"], "http://127.0.0.1:1/webhooks/twilio/main1/inbound");
        first.stop().await;
        Ok(())
    }
}
