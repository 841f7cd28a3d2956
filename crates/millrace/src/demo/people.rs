//! The demo's contacts, made by chance from a seed:
//! `millrace demo-people > data/demo-contacts.csv`.
//! US numbers are of the range that is kept free for fiction (555-0100 to 555-0199), Australian
//! ones near the range that ACMA keeps free for it (0491 57x xxx).

use std::{fmt::Write, process::ExitCode};

/// How many people the file has, one a line below its heading.
const LINES: usize = 2_000;

/// Area codes, with the state and a postal code where the demo's list knows them. The split ones
/// (850, 423, 208, 605) lie in more than one zone.
const AREAS: [(&str, &str, &str); 20] = [
    ("212", "US-NY", "10001"),
    ("617", "US-MA", "02108"),
    ("305", "US-FL", "33101"),
    ("850", "US-FL", "32501"),
    ("404", "US-GA", "30303"),
    ("423", "US-TN", "37402"),
    ("312", "US-IL", "60601"),
    ("214", "US-TX", "75201"),
    ("713", "US-TX", "77002"),
    ("605", "US-SD", "57501"),
    ("303", "US-CO", "80202"),
    ("208", "US-ID", "83702"),
    ("602", "US-AZ", "85003"),
    ("505", "US-NM", "87501"),
    ("213", "US-CA", "90012"),
    ("415", "US-CA", "94103"),
    ("206", "US-WA", "98101"),
    ("503", "US-OR", "97201"),
    ("808", "US-HI", "96813"),
    ("907", "US-AK", "99501"),
];

/// Where Australians live; numbers there tell no zone.
const AU_ZONES: [&str; 4] =
    ["Australia/Sydney", "Australia/Brisbane", "Australia/Adelaide", "Australia/Perth"];

const FIRST_EN: [&str; 16] = [
    "Ava", "Ben", "Chloe", "Dan", "Ella", "Finn", "Grace", "Hugo", "Ivy", "Jack", "Kate", "Liam",
    "Mia", "Noah", "Olive", "Paul",
];
const FIRST_ES: [&str; 12] = [
    "Ana", "Beatriz", "Carlos", "Diego", "Elena", "Íñigo", "José", "Lucía", "María", "Núria",
    "Raúl", "Sofía",
];
const LAST: [&str; 16] = [
    "Adams", "Baker", "Castillo", "Díaz", "Evans", "Flores", "Garcia", "Hill", "Jones", "King",
    "López", "Miller", "Núñez", "Ortiz", "Peña", "Smith",
];

/// Prints the file.
pub fn write(seed: u64) -> anyhow::Result<ExitCode> {
    print!("{}", csv(seed));
    Ok(ExitCode::SUCCESS)
}

/// The file: a heading and 2,000 lines.
pub fn csv(seed: u64) -> String {
    let mut dice = Dice(seed);
    let mut text = String::from(
        "phone,first_name,last_name,language,region,postal_code,time_zone,tags,consent,\
         consent_source,do_not_contact\n",
    );

    let mut numbers: Vec<String> = Vec::with_capacity(LINES);
    for line in 0..LINES {
        let person = person(&mut dice, line, &numbers);
        let Person { phone, first, last, language, region, postal, zone, consent, refused } =
            &person;
        let source = if *consent == "yes" { "web form 2026-01" } else { "" };
        let _ = writeln!(
            text,
            "{phone},{first},{last},{language},{region},{postal},{zone},demo;spring,{consent},\
             {source},{refused}"
        );
        numbers.push(person.phone);
    }

    text
}

/// The columns of one line; empty where the list does not know.
struct Person {
    phone: String,
    first: &'static str,
    last: &'static str,
    language: &'static str,
    region: &'static str,
    postal: &'static str,
    zone: &'static str,
    consent: &'static str,
    refused: &'static str,
}

/// The person of a line: one in 50 has a number that is none, one in 33 repeats an earlier line.
fn person(dice: &mut Dice, line: usize, earlier: &[String]) -> Person {
    let spanish = dice.one_in(4);
    let first = if spanish { dice.pick(&FIRST_ES) } else { dice.pick(&FIRST_EN) };
    let mut person = Person {
        phone: String::new(),
        first,
        last: dice.pick(&LAST),
        language: if spanish { "es" } else { "en" },
        region: "",
        postal: "",
        zone: "",
        consent: if dice.one_in(25) { "no" } else { "yes" },
        refused: if dice.one_in(40) { "yes" } else { "" },
    };

    if line % 50 == 49 {
        person.phone = bad_number(dice);
    } else if line % 33 == 32 {
        person.phone = written_otherwise(dice.any(earlier).as_str());
    } else if dice.one_in(7) {
        person.phone = format!("+61491{:06}", 570_000 + line);
        person.zone = if dice.one_in(3) { "" } else { dice.pick(&AU_ZONES) };
    } else {
        let area = (line / 100) % AREAS.len();
        let (code, region, postal) = AREAS[area];
        person.phone = format!("+1{code}55501{:02}", line % 100);
        let known = !dice.one_in(3);
        (person.region, person.postal) = if known { (region, postal) } else { ("", "") };
    }

    person
}

fn bad_number(dice: &mut Dice) -> String {
    (*dice.pick(&["12345", "+1999", "n/a", "+1 000 000 0000", "555-0123", "+61 4"])).to_owned()
}

/// The same number as somebody would type it: a duplicate that only normalising shows.
fn written_otherwise(number: &str) -> String {
    match number.strip_prefix("+1") {
        Some(rest) if rest.len() == 10 => {
            format!("({}) {}-{}", &rest[..3], &rest[3..6], &rest[6..])
        }
        Some(_) | None => number.to_owned(),
    }
}

/// SplitMix64: the same numbers from the same seed on every machine and in every version.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }

    fn pick<'a, T: ?Sized, const N: usize>(&mut self, of: &[&'a T; N]) -> &'a T {
        of[(self.next() % N as u64) as usize]
    }

    fn any<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[(self.next() % of.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_in_the_repository_is_what_the_program_makes_of_seed_1() {
        assert!(csv(1) == crate::demo::CONTACTS, "run `millrace demo-people` and store the output");
    }
}
