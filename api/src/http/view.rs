//! Small pieces of answers that several resources share.

use axum::{
    http::{HeaderValue, header},
    response::Response,
};
use domain::money::{Currency, Micros, Money};

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
