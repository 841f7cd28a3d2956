//! The mail server that the platform hands its mail to, over SMTP.

use std::time::Duration;

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};
use secrecy::{ExposeSecret, SecretString};
use store::people::notices::NoticeText;

/// How long the server may take over a step of a mail: less than the lease of a notice.
const PATIENCE: Duration = Duration::from_secs(8);

/// Why mail cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadMailSettings {
    /// The server's address cannot be read.
    #[error("MILLRACE_SMTP_URL must look like smtps://user:password@mail.example.com")]
    Url,
    /// Who the mail is from cannot be read.
    #[error("MILLRACE_MAIL_FROM must look like Millrace <codes@example.com>")]
    From,
}

/// Sends mail over SMTP, from one address.
#[derive(Clone)]
pub struct Mailer {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// What has become of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// The server has it.
    Taken,
    /// The server does not take it, now or later.
    Refused {
        /// What the server said; none where the mail could not be written.
        code: Option<u16>,
    },
    /// The server is away, or does not take it now.
    Later {
        /// What the server said, if anything.
        code: Option<u16>,
    },
}

impl Mailer {
    /// Mail by this server, from this address.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub fn new(url: &SecretString, from: &str) -> Result<Self, BadMailSettings> {
        let from = from.parse().map_err(|_| BadMailSettings::From)?;
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret());
        let server = server.map_err(|_| BadMailSettings::Url)?.timeout(Some(PATIENCE)).build();
        Ok(Self { server, from })
    }

    /// Hands a mail over. What goes wrong is told by its number alone: the server's words may say
    /// whose address it is.
    pub(super) async fn send(&self, mail: &NoticeText) -> Sent {
        let Some(message) = self.message(mail) else { return Sent::Refused { code: None } };
        match tokio::time::timeout(2 * PATIENCE, self.server.send(message)).await {
            Ok(Ok(_)) => Sent::Taken,
            Ok(Err(error)) => {
                let code = error.status().map(u16::from);
                if error.is_permanent() { Sent::Refused { code } } else { Sent::Later { code } }
            }
            Err(_) => Sent::Later { code: None },
        }
    }

    fn message(&self, mail: &NoticeText) -> Option<Message> {
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, mail.to.parse().ok()?))
            .subject(&mail.subject)
            .header(ContentType::TEXT_PLAIN);
        message.body(mail.text.clone()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_be_read_are_named() {
        let new = |url: &str, from: &str| Mailer::new(&url.into(), from).err();
        assert_eq!(new("smtp://127.0.0.1:25", "Millrace <codes@example.com>"), None);
        assert_eq!(new("http://127.0.0.1", "codes@example.com"), Some(BadMailSettings::Url));
        assert_eq!(new("smtp://127.0.0.1:25", "nobody"), Some(BadMailSettings::From));
    }
}
