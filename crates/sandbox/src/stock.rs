//! The numbers that the carriers of this world have to sell: a hundred of each area code of the
//! North American plan and a hundred of Australia, of the ranges that are kept for fiction. One
//! that anybody has is not on offer.

use crate::{
    app::{App, State},
    dice::Dice,
    faults::Faults,
};

/// The most numbers that all accounts have.
pub(crate) const MAX_NUMBERS: usize = 100_000;

/// The area code of whoever asks for none.
const USUAL_AREA: &str = "202";

/// What is looked for.
pub(crate) struct Wanted<'a> {
    /// ISO 3166, in capitals.
    pub(crate) country: &'a str,
    pub(crate) area: Option<&'a str>,
    /// Digits in it; a star stands for any one.
    pub(crate) part: Option<&'a str>,
}

/// The numbers on offer, in the order of their digits; none of a country that has none.
pub(crate) fn on_offer<'a>(
    state: &'a State,
    wanted: &Wanted<'_>,
) -> Option<impl Iterator<Item = String> + use<'a>> {
    let prefix = match wanted.country {
        "US" | "CA" => format!("+1{}55501", wanted.area.unwrap_or(USUAL_AREA)),
        "AU" => "+614915701".to_owned(),
        _ => return None,
    };
    let part = wanted.part.map(|part| part.bytes().collect::<Vec<u8>>());

    let all = (0..100).map(move |n| format!("{prefix}{n:02}"));
    let free = all.filter(|number| !is_taken(state, number));
    Some(free.filter(move |number| part.as_ref().is_none_or(|part| holds(number, part))))
}

/// Whether anybody has a number.
pub(crate) fn is_taken(state: &State, number: &str) -> bool {
    state.accounts.numbers.contains_key(number) || state.applications.has(number)
}

/// Whether all accounts together have as many numbers as there may be.
pub(crate) fn is_sold_out(state: &State) -> bool {
    state.accounts.numbers.len() + state.applications.count() >= MAX_NUMBERS
}

/// Whether the answer to an order of a number is lost, counted when it is.
pub(crate) fn loses_answer(app: &App, faults: &Faults, state: &mut State, number: &str) -> bool {
    let dice = Dice::new(faults.seed.unwrap_or(app.seed)).text(number).text("lost_order");
    let is_lost = dice.hits(faults.lost_order);
    if is_lost {
        state.stats.fault("lost_order");
    }
    is_lost
}

/// Whether an area code is one of three digits.
pub(crate) fn is_area(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with(['0', '1'])
}

fn holds(number: &str, part: &[u8]) -> bool {
    let like =
        |window: &[u8]| window.iter().zip(part).all(|(is, want)| *want == b'*' || is == want);
    part.is_empty() || number.as_bytes()[1..].windows(part.len()).any(like)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_digit() {
        for (part, expected) in
            [("0100", true), ("555", true), ("5*5", true), ("9*9", false), ("", true)]
        {
            assert_eq!(holds("+12025550100", part.as_bytes()), expected, "{part}");
        }
        assert!(!holds("+12025550100", b"120255501000"), "longer than the number");
    }

    #[test]
    fn an_area_code_is_three_digits_of_the_plan() {
        for (text, expected) in [("202", true), ("20", false), ("020", false), ("20a", false)] {
            assert_eq!(is_area(text), expected, "{text}");
        }
    }
}
