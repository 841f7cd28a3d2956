//! The settings of how people come and sign in: by mail, by texts, and whether anybody may.

use std::path::PathBuf;

use domain::ids::TenantId;
use secrecy::{ExposeSecret, SecretString};

use super::{
    error::SettingsError,
    parse::{given, secret_or_file, switch},
};

/// How people come and sign in, as it is given.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct SignIn {
    /// Mail server that codes and links are handed to: smtps://user:password@host, or
    /// smtp://user:password@host:587?tls=required [default: none, no mail]
    #[arg(long, env = "MILLRACE_SMTP_URL", hide_env_values = true, value_name = "URL")]
    #[arg(value_parser = super::secret)]
    pub smtp_url: Option<SecretString>,
    /// File that holds MILLRACE_SMTP_URL
    #[arg(long, env = "MILLRACE_SMTP_URL_FILE", value_name = "PATH", value_parser = super::path())]
    pub smtp_url_file: Option<PathBuf>,
    /// Who that mail is from, such as Millrace <codes@example.com>
    #[arg(long, env = "MILLRACE_MAIL_FROM", value_name = "MAILBOX")]
    pub mail_from: Option<String>,
    /// The platform's own tenant, whose senders and budget codes are texted with [default: none, no
    /// codes by text]
    #[arg(long, env = "MILLRACE_CODES_TENANT", value_name = "KEY")]
    pub codes_tenant: Option<String>,
    /// 0 lets nobody found a company who is not invited by an operator [default: 1]
    #[arg(long, env = "MILLRACE_SIGN_UP", value_name = "0|1")]
    pub sign_up: Option<String>,
}

/// How people come and sign in.
#[derive(Debug, Clone, Default)]
pub struct SignInSettings {
    /// The mail server and who mail is from, where mail is sent.
    pub mail: Option<MailSettings>,
    /// Whose messages codes are that are texted.
    pub codes_tenant: Option<TenantId>,
    /// Whether anybody may found a company.
    pub sign_up: bool,
}

/// How mail is sent.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// The server, with the password for it.
    pub smtp_url: SecretString,
    /// Who mail is from.
    pub from: String,
}

impl SignIn {
    /// Parses every value and checks them against each other.
    pub(super) fn resolve(self) -> Result<SignInSettings, SettingsError> {
        let url = secret_or_file("MILLRACE_SMTP_URL", (self.smtp_url, self.smtp_url_file))?;
        let is_url = |url: &SecretString| {
            let url = url.expose_secret();
            ["smtp://", "smtps://"].iter().any(|scheme| url.starts_with(scheme))
        };
        if url.as_ref().is_some_and(|url| !is_url(url)) {
            let problem = "must look like smtps://user:password@mail.example.com";
            return Err(SettingsError::new("MILLRACE_SMTP_URL", problem));
        }

        let from = given(self.mail_from.as_deref()).map(str::to_owned);
        if from.as_ref().is_some_and(|from| !from.contains('@')) {
            let problem = "must look like Millrace <codes@example.com>";
            return Err(SettingsError::new("MILLRACE_MAIL_FROM", problem));
        }
        let missing = |name: &'static str, other: &str| {
            Err(SettingsError::new(name, format!("is not set, and {other} is: set both")))
        };
        let mail = match (url, from) {
            (Some(smtp_url), Some(from)) => Some(MailSettings { smtp_url, from }),
            (None, None) => None,
            (Some(_), None) => return missing("MILLRACE_MAIL_FROM", "MILLRACE_SMTP_URL"),
            (None, Some(_)) => return missing("MILLRACE_SMTP_URL", "MILLRACE_MAIL_FROM"),
        };

        let sign_up = given(self.sign_up.as_deref()).unwrap_or("1");
        let codes_tenant = given(self.codes_tenant.as_deref()).map(tenant).transpose()?;
        Ok(SignInSettings {
            mail,
            codes_tenant,
            sign_up: switch("MILLRACE_SIGN_UP", Some(sign_up))?,
        })
    }
}

fn tenant(text: &str) -> Result<TenantId, SettingsError> {
    text.parse().map_err(|_| {
        let problem = format!("'{text}' is no tenant's key: 2 to 32 characters of a-z, 0-9 and -");
        SettingsError::new("MILLRACE_CODES_TENANT", problem)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(url: &str, from: &str) -> SignIn {
        let (smtp_url, mail_from) = (Some(url.into()), Some(from.to_owned()));
        SignIn { smtp_url, mail_from, ..SignIn::default() }
    }

    #[test]
    fn a_mail_server_has_an_address_and_mail_a_sender() {
        let fine = named("smtps://user:secret@mail.example.com", "Millrace <codes@example.com>");
        let fine = fine.resolve().expect("fine");
        assert!(fine.mail.is_some() && fine.sign_up && fine.codes_tenant.is_none());
        assert!(!format!("{fine:?}").contains("secret"), "{fine:?}");

        for (url, from, name) in [
            ("https://mail.example.com", "codes@example.com", "MILLRACE_SMTP_URL"),
            ("smtp://mail.example.com", "codes", "MILLRACE_MAIL_FROM"),
            ("smtp://mail.example.com", "", "MILLRACE_MAIL_FROM"),
            ("", "codes@example.com", "MILLRACE_SMTP_URL"),
        ] {
            let error = named(url, from).resolve().unwrap_err().to_string();
            assert!(error.starts_with(name), "{error}");
        }
    }

    #[test]
    fn the_platform_s_tenant_has_a_key_as_tenants_have() {
        let of = |key: &str| SignIn { codes_tenant: Some(key.to_owned()), ..SignIn::default() };
        assert_eq!(of("platform").resolve().expect("fine").codes_tenant, "platform".parse().ok());
        assert!(of("The Platform").resolve().is_err());
    }
}
