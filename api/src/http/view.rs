//! Small pieces of answers that several resources share.

use axum::{
    http::{HeaderValue, header},
    response::Response,
};
use domain::{
    country::Country,
    ids::TenantId,
    money::{Currency, Micros, Money},
};
use jiff::Timestamp;
use serde::Serialize;
use store::{people::PlatformUser, settings::tenants::Tenant};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::document::examples;

/// Somebody who signs in.
#[derive(Serialize, ToSchema)]
#[schema(as = Person)]
pub(crate) struct PersonView {
    /// The person's id, the same in every company.
    pub(crate) id: Uuid,
    /// Their address of mail in small letters, if they have one.
    #[schema(example = "ana@example.com", max_length = 254)]
    email: Option<String>,
    /// Whether mail has shown that it reaches them there.
    email_verified: bool,
    /// Their number, if they have one: a text has shown that it reaches them there.
    #[schema(example = json!(examples::PHONE))]
    phone: Option<String>,
    /// What they are called.
    name: String,
}

impl PersonView {
    /// As callers see them.
    pub(crate) fn of(person: PlatformUser) -> Self {
        let PlatformUser { id, email, email_verified, phone, name } = person;
        Self { id, email, email_verified, phone, name }
    }
}

/// A tenant, with the settings that hold for everything of theirs.
#[derive(Serialize, ToSchema)]
#[schema(as = Tenant)]
pub(crate) struct TenantView {
    #[schema(value_type = TenantId)]
    id: String,
    /// What people call it.
    name: String,
    /// Where numbers without a plus sign are read.
    #[schema(value_type = Country)]
    country: String,
    /// An IANA zone: of the days of budgets, and of recipients of whom nothing better is known.
    #[schema(example = "America/New_York")]
    time_zone: String,
    /// The currency of all prices and budgets.
    #[schema(value_type = Currency)]
    currency: String,
    /// ISO 639-1: of texts to contacts that have none.
    #[schema(example = "en")]
    language: String,
    theme: ThemeView,
    limits: LimitsView,
    /// When it was archived; null while it is in use.
    #[schema(required)]
    archived_at: Option<Timestamp>,
}

/// What the company's pages look like.
#[derive(Serialize, ToSchema)]
#[schema(as = Theme)]
struct ThemeView {
    /// Its colour, in small letters; `#6366f1` where none was chosen.
    #[schema(pattern = "^#[0-9a-f]{6}$")]
    colour: String,
    /// Where its picture is; null where it has none.
    #[schema(required, pattern = "^https://")]
    logo_url: Option<String>,
    /// What pages call it; its name where nothing else was chosen.
    display_name: String,
}

/// What the plan of the company limits it to, as the platform's operator has said. Null: what every
/// company is limited to.
#[derive(Serialize, ToSchema)]
#[schema(as = PlanLimits)]
struct LimitsView {
    /// Brands, archived ones among them; null: 1,000.
    #[schema(required)]
    brands: Option<i32>,
    /// People who work for it; null: no limit.
    #[schema(required)]
    members: Option<i32>,
    /// API keys that work; null: 1,000.
    #[schema(required)]
    api_keys: Option<i32>,
    /// Messages that the gates admit in a day of the company's zone; more wait for the next day.
    /// Null: as many as the policy's `quota.per_day`, which also counts where it is less.
    #[schema(required)]
    messages_per_day: Option<i32>,
    /// Contacts, for whoever adds one; somebody who is written to, or who writes, becomes one all
    /// the same. Null: no limit.
    #[schema(required)]
    contacts: Option<i32>,
    /// Segments per second of all its senders together; more wait in line. Null: no limit of its
    /// own, beside those of its senders.
    #[schema(required)]
    pace: Option<i32>,
}

impl TenantView {
    /// As callers see it.
    pub(crate) fn of(tenant: &Tenant) -> Self {
        let (theme, limits) = (&tenant.theme, tenant.limits);

        Self {
            id: tenant.id.to_string(),
            name: tenant.name.clone(),
            country: tenant.country.clone(),
            time_zone: tenant.time_zone.clone(),
            currency: tenant.currency.clone(),
            language: tenant.language.clone(),
            theme: ThemeView {
                colour: theme.colour.clone(),
                logo_url: theme.logo_url.clone(),
                display_name: theme.display_name.as_ref().unwrap_or(&tenant.name).clone(),
            },
            limits: LimitsView {
                brands: limits.brands,
                members: limits.members,
                api_keys: limits.keys,
                messages_per_day: limits.messages_per_day,
                contacts: limits.contacts,
                pace: limits.pace,
            },
            archived_at: tenant.archived_at,
        }
    }
}

/// An amount in a tenant's currency.
pub(crate) fn money(amount: Micros, currency: &str) -> Money {
    let currency: Currency = currency.parse().unwrap_or(Currency::USD);
    Money { amount, currency }
}

/// The same answer with the address of what was created.
pub(crate) fn located(mut response: Response, path: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(path) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}
