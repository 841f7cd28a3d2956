//! Small pieces of answers that several resources share.

use domain::money::{Currency, Micros, Money};

/// An amount in a tenant's currency.
pub(crate) fn money(amount: Micros, currency: &str) -> Money {
    let currency: Currency = currency.parse().unwrap_or(Currency::USD);
    Money { amount, currency }
}
