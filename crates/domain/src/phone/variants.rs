//! Mobiles that are written in more than one way: countries have added a digit to their numbers, or
//! taken one away, and carriers, address books and files go on writing the other form. All forms of
//! a number are one person: one contact, one opt-out.

/// One other way of writing the mobiles of a country.
///
/// In both patterns a digit stands for itself and a letter for one digit of its range, and the same
/// number of letters stands in both: `#` any digit, `m` 6 to 9, `g` 1 to 3.
struct Variant {
    /// The other form, without `+`.
    written: &'static str,
    /// The form that a contact and an opt-out are kept by.
    canonical: &'static str,
}

/// Every other form. None of them is another one's canonical form.
const VARIANTS: [Variant; 3] = [
    // Brazil put a 9 before the eight digits of its mobiles, state by state from 2012 to 2016
    // (Anatel, Resolution 553 of 2010). Mobiles began with 6 to 9; landlines begin with 2 to 5 and
    // keep eight digits. WhatsApp goes on naming many of them by the eight digits.
    Variant { written: "55##m#######", canonical: "55##9m#######" },
    // Mexico dropped the 1 between its calling code and a mobile in August 2019 (IFT, numbering
    // plan of 2018). WhatsApp goes on naming mobiles with it.
    Variant { written: "521##########", canonical: "52##########" },
    // Argentina: a mobile is called from abroad with a 9 after the calling code, and written
    // without it at home. Its plan gives a mobile and a landline the same ten digits, and never to
    // two lines at once; a text reaches the mobile alone.
    Variant { written: "54g#########", canonical: "549g#########" },
];

/// The canonical form of a number that is written in another one, both as the digits of E.164; none
/// where it is canonical.
pub(super) fn canonical(digits: &str) -> Option<String> {
    VARIANTS.iter().find_map(|variant| rewritten(digits, variant.written, variant.canonical))
}

/// The other ways of writing a number that is in its canonical form, as the digits of E.164.
pub(super) fn written(digits: &str) -> impl Iterator<Item = String> {
    VARIANTS.iter().filter_map(|variant| rewritten(digits, variant.canonical, variant.written))
}

/// A number that one pattern stands for, in the form of the other; none where it does not.
fn rewritten(digits: &str, from: &str, to: &str) -> Option<String> {
    if !fits(from, digits) {
        return None;
    }

    let is_letter = |sign: char| !sign.is_ascii_digit();
    let signs = from.chars().zip(digits.chars());
    let mut free = signs.filter(|(sign, _)| is_letter(*sign)).map(|(_, digit)| digit);
    let put = |sign: char| if is_letter(sign) { free.next() } else { Some(sign) };
    Some(to.chars().filter_map(put).collect())
}

/// Whether a pattern stands for these digits.
fn fits(pattern: &str, digits: &str) -> bool {
    pattern.len() == digits.len()
        && pattern.chars().zip(digits.chars()).all(|(sign, digit)| match sign {
            '#' => true,
            'm' => ('6'..='9').contains(&digit),
            'g' => ('1'..='3').contains(&digit),
            sign => sign == digit,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_gives_as_many_digits_as_its_canonical_form_takes() {
        let letters = |pattern: &str| -> String {
            pattern.chars().filter(|sign| !sign.is_ascii_digit()).collect()
        };
        for variant in VARIANTS {
            assert_eq!(letters(variant.written), letters(variant.canonical));
            let sample = variant.canonical.replace(['#', 'm'], "7").replace('g', "2");
            assert_eq!(canonical(&sample), None, "{sample} is nobody's other form");

            let other: Vec<String> = written(&sample).collect();
            assert_eq!(other.len(), 1, "{sample}");
            assert_eq!(canonical(&other[0]).as_deref(), Some(&*sample), "{sample}");
        }
    }
}
