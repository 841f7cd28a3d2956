//! Codes and links that people sign in with: how often somebody may ask for one, how it gets to
//! them, and whether one that comes back is right. Whether anybody has an address changes neither
//! the answer nor what is done for it: to nobody the same is said, which a source throws away.

use std::net::IpAddr;

use domain::phone::PhoneNumber;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use store::{
    Scoped,
    people::{
        codes::{self, LockedCode, NewCode, Purpose, SignUp},
        limits::{self, Allowance, CodeRequest, Counted},
        notices::{self, Notice, NoticeChannel, NoticeText},
    },
};
use uuid::Uuid;

use crate::{
    app::App,
    http::{Errors, Kind, Problem, network::network},
    ids,
    transactions::TenantTx,
};

/// An address that people sign in with.
pub(crate) enum SignInAddress {
    /// Of mail, in small letters.
    Mail(String),
    /// A number as E.164 writes it.
    Phone(PhoneNumber),
}

impl SignInAddress {
    /// Reads an address as people write it; numbers with their country (`+1...`).
    ///
    /// # Errors
    /// It is neither.
    pub(crate) fn read(field: &str, written: &str) -> Result<Self, Problem> {
        let mut errors = Errors::default();
        let read = if written.contains('@') {
            Some(Self::Mail(crate::fields::email(field, written, &mut errors)))
        } else {
            crate::fields::number(field, written, None, &mut errors).map(Self::Phone)
        };
        errors.done()?;
        let detail = "an address of mail, or a number such as +12125550123";
        read.ok_or_else(|| Problem::field(field, "invalid", detail))
    }

    /// Whether one address is said: of mail, or a number.
    pub(crate) fn is_one(email: Option<&str>, phone: Option<&str>, errors: &mut Errors) {
        let (both, either) =
            (email.is_some() && phone.is_some(), email.is_some() || phone.is_some());
        errors.check(!both, "phone", "ambiguous", "give email or phone, not both");
        errors.check(either, "email", "required", "give email or phone");
    }

    /// Reads the address that is said in one of these fields.
    ///
    /// # Errors
    /// It is none, or of the other kind.
    pub(crate) fn either(email: Option<&str>, phone: Option<&str>) -> Result<Self, Problem> {
        let field = if email.is_some() { "email" } else { "phone" };
        let address = Self::read(field, email.or(phone).unwrap_or_default())?;
        let is_mail = matches!(address, Self::Mail(_));
        if is_mail == (field == "email") {
            return Ok(address);
        }
        Err(Problem::field(field, "invalid", "the other kind of address"))
    }

    /// As it is kept.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Mail(email) => email,
            Self::Phone(number) => number.as_str(),
        }
    }

    /// What its codes are counted with: its country, in North America its area.
    pub(crate) fn prefix(&self) -> Option<String> {
        let Self::Phone(number) = self else { return None };
        let of_country = || number.country().map(|country| country.to_string());
        let area = number.area_code().map(|area| format!("+1{area}"));
        area.or_else(of_country).or_else(|| Some(number.as_str().chars().take(4).collect()))
    }

    /// How something is said there.
    pub(crate) fn channel(&self) -> NoticeChannel {
        match self {
            Self::Mail(_) => NoticeChannel::Mail,
            Self::Phone(_) => NoticeChannel::Text,
        }
    }
}

/// What is said beside a code.
pub(crate) struct Letter {
    /// What a mail is about.
    pub(crate) subject: &'static str,
    /// What it says, and a text too.
    pub(crate) text: String,
}

/// What somebody asks a code for.
pub(crate) struct Asked<'a> {
    /// What it is for.
    pub(crate) purpose: Purpose,
    /// Whether it is said to anybody.
    pub(crate) is_said: bool,
    /// Who says that the address is theirs.
    pub(crate) person: Option<Uuid>,
    /// What it makes, of a sign-up.
    pub(crate) sign_up: Option<&'a SignUp>,
}

/// Refuses addresses that the platform cannot reach.
///
/// # Errors
/// A setting is missing, which it names.
pub(crate) fn can_reach(app: &App, address: &SignInAddress) -> Result<(), Problem> {
    let ways = &app.settings.sign_in;
    let missing = match address {
        SignInAddress::Mail(_) if !ways.mail => "no mail is sent: the setting MILLRACE_SMTP_URL",
        SignInAddress::Phone(_) if !ways.texts => {
            "no codes are texted: the setting MILLRACE_CODES_TENANT"
        }
        SignInAddress::Mail(_) | SignInAddress::Phone(_) => return Ok(()),
    };
    Err(Problem::unavailable(format!("{missing} is missing"), 60))
}

/// Counts somebody who asks for a code, and begins the transaction that it is made in.
///
/// # Errors
/// Too many were asked for, of this address, from this place or in this country.
pub(crate) async fn begin(
    app: &App,
    address: &SignInAddress,
    peer: Option<IpAddr>,
) -> Result<TenantTx, Problem> {
    let machine = stage::machine::now();
    let place = peer.map_or_else(|| "unknown".to_owned(), |peer| network(peer).to_string());
    let prefix = address.prefix();
    let (address, prefix) = (address.as_str(), prefix.as_deref());
    let request = CodeRequest { address, place: &place, prefix };

    let mut tx = app.transactions.of_strangers().await?;
    match limits::count(&mut tx, &request, machine).await? {
        Allowance::Granted => Ok(tx),
        Allowance::UsedUp { of, until } => {
            let whose = match of {
                Counted::Pair | Counted::Address => "for this address",
                Counted::Place => "from this place",
                Counted::Prefix => "in this country",
            };
            Err(too_many(format!("too many codes were asked for {whose}"), until, machine))
        }
        Allowance::Held { until, is_new } => {
            if is_new {
                tx.commit().await?;
                let why = "codes to a country wait: many were texted and few came back";
                tracing::error!(prefix, %until, "{why}");
                metrics::counter!("millrace_code_prefixes_held_total").increment(1);
            }
            Err(too_many("no codes are texted to this country for now".into(), until, machine))
        }
    }
}

fn too_many(detail: String, until: Timestamp, machine: Timestamp) -> Problem {
    let wait = until.duration_since(machine).as_secs().max(1);
    Problem::too_many(detail, wait.unsigned_abs())
}

/// Makes a code or a link, in place of an older one, and has it said.
///
/// # Errors
/// Too much waits to be said.
pub(crate) async fn send(
    app: &App,
    tx: &mut Scoped,
    address: &SignInAddress,
    asked: &Asked<'_>,
    letter: impl FnOnce(&str) -> Letter,
) -> Result<(), Problem> {
    let machine = stage::machine::now();
    let (said, hash) = if asked.purpose == Purpose::Link {
        codes::fresh_link()
    } else {
        let code = codes::fresh_code();
        let hash = app.auth.keyed.of_code(asked.purpose, address.as_str(), &code);
        let no_key = || Problem::unavailable("the setting MILLRACE_JWT_SECRET is missing", 60);
        (code, hash.ok_or_else(no_key)?)
    };

    let Asked { purpose, person, sign_up, is_said } = *asked;
    let (address_kept, ends_at) = (address.as_str(), machine + codes::GOOD_FOR);
    let new = NewCode { address: address_kept, purpose, hash, person, sign_up, ends_at };
    codes::keep(tx, &new).await?;
    let channel = if is_said { address.channel() } else { NoticeChannel::Nobody };
    say(app, tx, channel, address.as_str(), letter(said.expose_secret())).await?;
    if let Some(prefix) = address.prefix() {
        limits::note_texted(tx, &prefix, i32::from(is_said), machine).await?;
    }
    Ok(())
}

/// Has something said, for as long as a code is good.
///
/// # Errors
/// Too much waits to be said.
pub(crate) async fn say(
    app: &App,
    tx: &mut Scoped,
    channel: NoticeChannel,
    to: &str,
    letter: Letter,
) -> Result<(), Problem> {
    let machine = stage::machine::now();
    let Letter { subject, text } = letter;
    let said = NoticeText { to: to.to_owned(), subject: subject.to_owned(), text };
    let notice = Notice {
        id: ids::fresh(),
        sealed: said.seal(&app.sealer),
        tries: 0,
        ends_at: machine + codes::GOOD_FOR,
    };
    if notices::insert(tx, channel, &notice, machine).await? {
        return Ok(());
    }
    Err(Problem::unavailable("too many codes wait to be sent", 30))
}

/// Uses up the code of an address that is right, for the first of these purposes that it is for.
/// It is used up whatever becomes of the request.
///
/// # Errors
/// It is not right, or good no more.
pub(crate) async fn verify(
    app: &App,
    address: &SignInAddress,
    purposes: &[Purpose],
    given: &SecretString,
) -> Result<(Purpose, LockedCode), Problem> {
    let (machine, to) = (stage::machine::now(), address.as_str());
    let digits: String = given.expose_secret().chars().filter(char::is_ascii_digit).collect();
    let given = SecretString::from(digits);

    let mut tx = app.transactions.of_strangers().await?;
    for purpose in purposes {
        let kept = codes::lock(&mut tx, to, *purpose, machine).await?;
        let hash = kept.as_ref().map_or(&[0; 32][..], |kept| &kept.hash);
        let is_right = app.auth.keyed.is_code(hash, (*purpose, to), &given);
        let Some(kept) = kept.filter(|_| is_right) else {
            codes::note_wrong(&mut tx, to, *purpose).await?;
            continue;
        };

        codes::use_up(&mut tx, to, *purpose).await?;
        if let Some(prefix) = address.prefix() {
            limits::note_verified(&mut tx, &prefix, machine).await?;
        }
        tx.commit().await?;
        return Ok((*purpose, kept));
    }
    tx.commit().await?;
    Err(wrong_code())
}

/// What somebody is told whose code is not right.
pub(crate) fn wrong_code() -> Problem {
    let detail = "the code is wrong or good no more: five wrong ones or ten minutes end it";
    Problem::new(Kind::Unauthenticated, detail)
}
