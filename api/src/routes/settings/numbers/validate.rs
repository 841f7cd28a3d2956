//! `POST /v1/carrier-accounts/{account}/validate`: whether the carrier takes an account as it is
//! entered here, asked at the carrier itself.

use axum::{Json, extract::State};
use carriers::{AccountVerdict, Carrier, Doubt, ReadError};
use serde::Serialize;
use utoipa::ToSchema;

use super::carrier::{own_account, permit, unread};
use crate::{
    app::App,
    auth::{Allowed, EditSettings, Needs},
    document::answers::{Always, Conflict, Missing},
    http::{Problem, extract::Name},
};

/// What a carrier says of an account.
#[derive(Serialize, ToSchema)]
#[schema(as = CarrierAccountValidation)]
pub(super) struct Validation {
    /// Whether the carrier takes the account's id and its secret.
    valid: bool,
    /// Numbers that the account has at the carrier; null where it does not take the account, or
    /// where there are too many to be read.
    #[schema(required)]
    numbers: Option<usize>,
    /// Why the carrier does not take the account; null where it does.
    #[schema(required)]
    refusal: Option<AccountRefusal>,
}

/// Why a carrier does not take an account.
#[derive(Serialize, ToSchema)]
#[schema(as = CarrierAccountRefusal)]
struct AccountRefusal {
    /// The carrier's code; null where it gave none.
    #[schema(required)]
    code: Option<u32>,
    /// What is wrong.
    cause: &'static str,
    /// What to do about it.
    next_step: &'static str,
}

/// `POST /v1/carrier-accounts/{account}/validate`, for admins and owners: asks the carrier of one
/// of the tenant's own accounts for its numbers, with the id and the secret that are entered.
/// Answers 200 with what it says, 404, 409 for an account that the platform lends, whose carrier
/// lists nothing or turns the call down for what says nothing of the account, or 503 where the
/// carrier does not answer or wants to be asked later. Nothing is changed and nothing is sent.
#[utoipa::path(
    post, path = "/v1/carrier-accounts/{account}/validate", tag = "settings",
    operation_id = "validate_carrier_account", security(("bearer" = [EditSettings::NAME])),
    params((
        "account" = String, Path, pattern = "^[A-Za-z0-9_-]{1,64}$",
        description = "The account's name.", example = "main",
    )),
    responses(
        (status = 200, description = "What the carrier says of it.", body = Validation),
        Always, Missing, Conflict,
    ),
)]
pub(super) async fn validate(
    State(app): State<App>,
    caller: Allowed<EditSettings>,
    Name(name): Name,
) -> Result<Json<Validation>, Problem> {
    // load
    let tenant = caller.tenant.id();
    let asked = own_account(&app, &caller.tenant, &name).await?;

    // ask
    let _permit = permit(&app, tenant)?;
    let error = match asked.client.account_numbers().await {
        Ok(found) => return Ok(Json(Validation::taken(Some(found.len())))),
        Err(ReadError::TooMany(_)) => return Ok(Json(Validation::taken(None))),
        Err(error) => error,
    };

    // answer
    match refusal(asked.carrier, &error) {
        Some(why) => Ok(Json(Validation { valid: false, numbers: None, refusal: Some(why) })),
        None => Err(unread(asked.carrier, &error)),
    }
}

/// What a carrier says of an account that it does not take; none where it says nothing of it.
fn refusal(carrier: Carrier, error: &ReadError) -> Option<AccountRefusal> {
    match error {
        ReadError::Stopped { .. } => Some(AccountRefusal {
            code: None,
            cause: "the carrier does not accept the account",
            next_step: "Check the account's id and its secret, and whether the account is active",
        }),
        ReadError::Unavailable(Doubt::Status { code: Some(code), .. }) => {
            match carrier.account_verdict(*code) {
                AccountVerdict::Refused => {}
                AccountVerdict::Later | AccountVerdict::Unsaid => return None,
            }
            let info = carrier.cause(*code);
            let (cause, next_step) = (info.cause, info.next_step);
            Some(AccountRefusal { code: Some(*code), cause, next_step })
        }
        ReadError::Throttled(_)
        | ReadError::Unavailable(_)
        | ReadError::NoConnection
        | ReadError::TooMany(_)
        | ReadError::NotOffered => None,
    }
}

impl Validation {
    fn taken(numbers: Option<usize>) -> Self {
        Self { valid: true, numbers, refusal: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a carrier's code is told as its word on the account, whatever status it comes with.
    fn is_refused(carrier: Carrier, code: u32) -> bool {
        let [first, second] = [400, 500].map(|status| is_refused_with(carrier, status, code));
        assert_eq!(first, second, "{code}");
        first
    }

    fn is_refused_with(carrier: Carrier, status: u16, code: u32) -> bool {
        let said = Doubt::Status { status, code: Some(code) };
        let refusal = refusal(carrier, &ReadError::Unavailable(said));
        refusal.is_some_and(|why| why.code == Some(code))
    }

    #[test]
    fn what_a_carrier_says_of_an_account_is_told_and_what_may_pass_is_not() {
        for (carrier, code) in [
            (Carrier::WhatsappCloud, 190),
            (Carrier::WhatsappCloud, 3),
            (Carrier::WhatsappCloud, 33),
            (Carrier::WhatsappCloud, 131_031),
            (Carrier::Twilio, 20_404),
            (Carrier::Bandwidth, 404),
        ] {
            assert!(is_refused(carrier, code), "{code}");
        }

        let later = [4, 80_007, 130_429, 1, 2, 131_000].map(|code| (Carrier::WhatsappCloud, code));
        let later = later.into_iter().chain([(Carrier::Twilio, 20_409), (Carrier::Bandwidth, 409)]);
        for (carrier, code) in later {
            assert!(!is_refused(carrier, code), "{code}");
            let said = Doubt::Status { status: 400, code: Some(code) };
            let told = unread(carrier, &ReadError::Unavailable(said));
            assert_eq!(told.kind().status().as_u16(), 503, "{code}");
        }

        for unsaid in [100, 131_026, 999_999] {
            assert!(!is_refused(Carrier::WhatsappCloud, unsaid), "{unsaid}");
        }
    }
}
