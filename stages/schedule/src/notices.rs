//! The sources of what is said to people who sign in: texts go through the pipeline, mail to a
//! server. Each has its own, so that a slow mail server keeps no text waiting.

mod mail;

use domain::{
    address::Address,
    gates::OnLate,
    ids::{MessageId, TenantId},
    message::class::{Channel, MessageClass},
    phone::PhoneNumber,
};
use futures::future::join_all;
use stage::{Cx, Fault, Source, StageName, Tick};
use store::{
    Store,
    core::seal::Sealer,
    people::notices::{self, Notice, NoticeChannel, NoticeText, TRIES},
};
use uuid::Uuid;
use wire::{
    Submitted,
    frame::Outgoing,
    message::{Content, From, Head},
    subject::Subject,
};

use mail::Sent;
pub use mail::{BadMailSettings, Mailer};

/// How many notices one tick takes.
const AT_MOST: i64 = 64;

/// How many mails are under way at once.
const MAILS: i64 = 16;

/// Hands codes that are to be texted over to the pipeline, as messages of the platform's tenant.
pub struct TextNotices {
    store: Store,
    sealer: Sealer,
    /// Whose messages they are. None: nothing is texted.
    tenant: Option<TenantId>,
}

impl TextNotices {
    /// Texts of this tenant's.
    pub fn new(store: Store, sealer: Sealer, tenant: Option<TenantId>) -> Self {
        Self { store, sealer, tenant }
    }

    /// The message that says a notice; none for one that cannot be said.
    fn text(&self, notice: &Notice, cx: &Cx) -> Option<Outgoing> {
        let tenant = self.tenant.as_ref()?;
        let NoticeText { to, text, .. } = NoticeText::open(&notice.sealed, &self.sealer)?;
        let to = PhoneNumber::from_e164(&to).ok()?;
        let class = MessageClass::Transactional;
        let left = notice.ends_at.duration_since(cx.machine);

        let head = Head {
            id: MessageId::from_key(tenant, &notice.id.to_string()),
            tenant: tenant.clone(),
            turn: 1,
            class,
            channel: Channel::Sms,
            to: Address::from(to),
            campaign: None,
            submitted_at: cx.now,
            expires_at: cx.now.checked_add(left).ok(),
            on_late: Some(OnLate::Drop),
            trace: None,
        };
        let message = Submitted {
            head,
            content: Content::Body(text),
            rich: None,
            from: From::Any,
            body_hash: String::new(),
            metadata: Default::default(),
            batch: None,
        };
        Some(Outgoing::new(Subject::Submitted(class.lane()), &message.with_body_hash()))
    }
}

impl Source for TextNotices {
    const NAME: StageName = StageName::Schedule;

    async fn tick(&self, cx: &Cx) -> Result<Tick, Fault> {
        // load: what is for nobody takes the same way until here
        let store = &self.store;
        let nobodys = notices::take(store, NoticeChannel::Nobody, cx.machine, AT_MOST).await?;
        notices::done(store, &ids(&nobodys)).await?;
        let due = notices::take(store, NoticeChannel::Text, cx.machine, AT_MOST).await?;
        let more = due.len() as i64 == AT_MOST || nobodys.len() as i64 == AT_MOST;

        // decide
        let (of_use, late): (Vec<_>, Vec<_>) =
            due.into_iter().partition(|notice| is_of_use(notice, cx));
        let said = |notice: Notice| (self.text(&notice, cx), notice.id);
        let (say, done): (Vec<_>, Vec<_>) = of_use.into_iter().map(said).unzip();
        tell("text", "unsayable", say.iter().filter(|said| said.is_none()).count());
        tell("text", "late", late.len());
        tell("text", "said", say.iter().flatten().count());

        // say, and record it once the broker has stored it
        let (store, mut done) = (store.clone(), done);
        done.extend(ids(&late));
        let mark = async move { notices::done(&store, &done).await };
        let say = say.into_iter().flatten().collect();
        Ok(Tick { say, published: Some(Box::pin(mark)), more })
    }
}

/// Hands what is to be mailed to the platform's mail server.
pub struct MailNotices {
    store: Store,
    sealer: Sealer,
    /// None: nothing is mailed.
    mailer: Option<Mailer>,
}

impl MailNotices {
    /// Mail by this server.
    pub fn new(store: Store, sealer: Sealer, mailer: Option<Mailer>) -> Self {
        Self { store, sealer, mailer }
    }

    /// Mails a notice. Its id, where nothing is left to be done about it.
    async fn mail(&self, mailer: &Mailer, notice: &Notice, cx: &Cx) -> Option<Uuid> {
        if !is_of_use(notice, cx) {
            tell("mail", "late", 1);
            return Some(notice.id);
        }
        let Some(text) = NoticeText::open(&notice.sealed, &self.sealer) else {
            tell("mail", "unsayable", 1);
            return Some(notice.id);
        };

        match mailer.send(&text).await {
            Sent::Taken => {
                tell("mail", "said", 1);
                Some(notice.id)
            }
            Sent::Refused { code } => {
                tracing::warn!(notice = %notice.id, code, "the mail server refuses a mail");
                tell("mail", "refused", 1);
                Some(notice.id)
            }
            Sent::Later { code } => {
                tracing::warn!(notice = %notice.id, code, "a mail is tried again");
                tell("mail", "tried_again", 1);
                None
            }
        }
    }
}

impl Source for MailNotices {
    const NAME: StageName = StageName::Schedule;

    async fn tick(&self, cx: &Cx) -> Result<Tick, Fault> {
        let Some(mailer) = &self.mailer else { return Ok(Tick::default()) };
        let due = notices::take(&self.store, NoticeChannel::Mail, cx.machine, MAILS).await?;
        let more = due.len() as i64 == MAILS;

        let mails = due.iter().map(|notice| self.mail(mailer, notice, cx));
        let done: Vec<Uuid> = join_all(mails).await.into_iter().flatten().collect();
        notices::done(&self.store, &done).await?;
        Ok(Tick { more, ..Tick::default() })
    }
}

/// Whether a notice may be said still: its code is good, and it was not tried too often.
fn is_of_use(notice: &Notice, cx: &Cx) -> bool {
    notice.ends_at > cx.machine && notice.tries <= TRIES
}

fn ids(notices: &[Notice]) -> Vec<Uuid> {
    notices.iter().map(|notice| notice.id).collect()
}

fn tell(channel: &'static str, outcome: &'static str, count: usize) {
    metrics::counter!("millrace_notices_total", "channel" => channel, "outcome" => outcome)
        .increment(count as u64);
}
