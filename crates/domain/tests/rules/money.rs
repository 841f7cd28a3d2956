//! Money: the decimal form and its limits.

use domain::money::{BadMoney, Currency, Micros, Money};
use proptest::prelude::*;

#[test]
fn an_amount_is_written_with_the_decimals_that_it_needs_and_at_least_two() {
    for (micros, text) in [
        (7_900, "0.0079"),
        (51_500, "0.0515"),
        (0, "0.00"),
        (1_500_000, "1.50"),
        (1, "0.000001"),
        (-250_000, "-0.25"),
        (12_000_000, "12.00"),
    ] {
        assert_eq!(Micros(micros).to_string(), text);
        assert_eq!(text.parse(), Ok(Micros(micros)));
    }

    assert_eq!("3".parse(), Ok(Micros(3_000_000)));
    assert_eq!("0.5".parse(), Ok(Micros(500_000)));
}

#[test]
fn what_is_no_amount_is_refused() {
    for text in
        ["", ".", "1.", ".5", "1,5", "1e3", "+1", "--1", "0.0000001", "NaN", " 1", "9999999999999"]
    {
        assert_eq!(text.parse::<Micros>(), Err(BadMoney::Amount), "{text:?}");
    }

    assert_eq!("US".parse::<Currency>(), Err(BadMoney::Currency));
    assert_eq!("US1".parse::<Currency>(), Err(BadMoney::Currency));
}

#[test]
fn money_in_json_is_a_decimal_string_with_its_currency() {
    let money = Money::usd(Micros(7_900));
    let json = r#"{"amount":"0.0079","currency":"USD"}"#;
    assert_eq!(serde_json::to_string(&money).expect("json"), json);
    assert_eq!(serde_json::from_str::<Money>(json).expect("money"), money);
    assert!(serde_json::from_str::<Money>(r#"{"amount":0.0079,"currency":"USD"}"#).is_err());
    assert_eq!(serde_json::to_string(&Micros(5)).expect("json"), "5");
}

#[test]
fn sums_saturate_at_the_ends_of_the_range() {
    assert_eq!(Micros(i64::MAX) + Micros::UNIT, Micros(i64::MAX));
    assert_eq!(Micros(i64::MAX).times(2), Micros(i64::MAX));
    assert_eq!([Micros(1), Micros(2)].into_iter().sum::<Micros>(), Micros(3));
}

proptest! {
    #[test]
    fn an_amount_survives_its_text(micros in -i64::MAX..=i64::MAX) {
        let text = Micros(micros).to_string();
        prop_assert_eq!(text.parse(), Ok(Micros(micros)));
    }
}
