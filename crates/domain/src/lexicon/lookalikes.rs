//! Words in letters that only look like those of a keyword: of other alphabets, figures for letters
//! (`st0p`), letters that are drawn out (`STOOOOP`).

use super::normal;

/// A folded text as it looks to a reader: each way to read it that is not how it is written.
pub(super) fn readings(folded: &str) -> Vec<String> {
    let written = normal::words(folded);
    let together = spelled_out(&written);
    let read = |one: char| {
        let words = together.iter().map(|written| well_spelt(word(written, one)));
        words.collect::<Vec<_>>().join(" ")
    };

    let written = written.join(" ");
    let mut readings = Vec::new();
    for reading in [read('i'), read('l')] {
        if reading != written && !readings.contains(&reading) {
            readings.push(reading);
        }
    }
    readings
}

/// How many letters stand alone, one after the other, that are a word spelled out: `S T O P`.
const LEAST_SPELLED: usize = 4;

/// The words, those put together that are spelled out.
fn spelled_out(words: &[&str]) -> Vec<String> {
    let is_letter = |word: &&str| word.chars().count() == 1;
    let mut together = Vec::with_capacity(words.len());
    for run in words.chunk_by(|one, next| is_letter(one) && is_letter(next)) {
        match run.len() {
            LEAST_SPELLED.. => together.push(run.concat()),
            _ => together.extend(run.iter().map(|word| (*word).to_owned())),
        }
    }
    together
}

/// The longest keyword, which people misspell in many ways.
const OFTEN_MISSPELT: &str = "unsubscribe";

/// In how many letters a word may differ from it, and how it begins in any case.
const MOST_WRONG: usize = 2;
const BEGINS: &str = "uns";

/// The word as it was meant.
fn well_spelt(word: String) -> String {
    let is_alike = word.starts_with(BEGINS)
        && !word.starts_with(OFTEN_MISSPELT)
        && word.len().abs_diff(OFTEN_MISSPELT.len()) <= MOST_WRONG
        && distance(word.as_bytes(), OFTEN_MISSPELT.as_bytes()) <= MOST_WRONG;
    if is_alike { OFTEN_MISSPELT.to_owned() } else { word }
}

/// How many letters have to be written, left out or changed to make one word of another
/// (Levenshtein).
fn distance(one: &[u8], other: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.iter().enumerate() {
        let mut corner = above;
        row[0] = above + 1;
        for (left, other) in other.iter().enumerate() {
            let changed = corner + usize::from(letter != other);
            corner = row[left + 1];
            row[left + 1] = changed.min(corner + 1).min(row[left] + 1);
        }
    }
    row[other.len()]
}

/// One word: figures are letters only beside letters, a one as it is told, and a letter that stands
/// three times or more stands once.
fn word(word: &str, one: char) -> String {
    let letters: Vec<char> = word.chars().map(letter).collect();
    let is_mixed =
        letters.iter().any(|c| c.is_alphabetic()) && letters.iter().any(|c| c.is_ascii_digit());
    let figure = |c: &char| if is_mixed { figure(*c, one) } else { *c };
    let letters: Vec<char> = letters.iter().map(figure).collect();

    let runs = letters.chunk_by(|one, next| one == next);
    let kept = runs.flat_map(|run| match run {
        [c, _, _, ..] if c.is_alphabetic() => &run[..1],
        _ => run,
    });
    kept.collect()
}

/// A word in which no letter stands twice in a row.
pub(super) fn letters_once(word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    letters.dedup();
    letters.into_iter().collect()
}

/// Letters of other alphabets beside the Latin ones that they look like (of Unicode's table of
/// confusables those that make words). Folding has made them small, and has read letters of width
/// or of mathematics as what they are.
const ALPHABETS: [(&str, &str); 10] = [
    // Cyrillic
    ("авсԁеһнігјкмоԛрѕтυѵԝхуз", "abcdehhirjkmoqpstuvwxyz"),
    // Greek
    ("αβεηικμνορτυχζγ", "abehikmnoptyxzy"),
    // Armenian
    ("օտսհոցզյլքվ", "osuhngqjlpu"),
    // Cherokee
    ("ꭰꭱꭲꭵꭹꭺꭻꭼꮃꮇꮋꮍꮎꮐꮓꮟꮢꮤꮥꮩꮪꮮꮯꮲꮶꮷᏼᏻ", "drtiyajewmhyogzbrwsvslcpkdbg"),
    // Coptic
    ("ⲁⲃⲅⲉⲏⲓⲕⲙⲛⲟⲣⲥⲧⲩⲭⲍ", "abrehikmnopctyxz"),
    // Lisu
    ("ꓮꓐꓚꓓꓰꓝꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ", "abcdefghijklmnoprstuvwxyz"),
    // Canadian syllabics
    ("ᗩᗷᑕᗪᗴᖴᕼᒍᒪᗰᑎᑭᑫᖇᔕᑌᐯᗯ", "abcdefhjlmnpqrsuvw"),
    // Small capitals
    ("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz"),
    // Latin letters with something about them
    ("ɑƅɓƈɗđɛƒɠħıɨɩłɱŋøƥʂƨƭŧʋ", "abbcddefghiiilmnopsdttu"),
    // Digits and signs of other scripts that are round
    ("०০੦௦౦೦൦๐໐၀ഠဝ", "oooooooooooo"),
];

/// Letters in black circles and squares, by the first of each alphabet.
const IN_BLACK: [char; 2] = ['\u{1f150}', '\u{1f170}'];

/// The Latin letter that another one looks like.
fn letter(c: char) -> char {
    if c.is_ascii() {
        return c;
    }
    let in_black = IN_BLACK.into_iter().find_map(|first| {
        let place = u32::from(c).checked_sub(first.into()).filter(|place| *place < 26)?;
        char::from_u32(u32::from('a') + place)
    });
    let looks_like = |(others, latin): &(&str, &str)| {
        let place = others.chars().position(|other| other == c)?;
        latin.chars().nth(place)
    };
    in_black.or_else(|| ALPHABETS.iter().find_map(looks_like)).unwrap_or(c)
}

/// The letter that a figure stands for.
fn figure(c: char, one: char) -> char {
    match c {
        '0' => 'o',
        '1' => one,
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        '7' => 't',
        '8' => 'b',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::normal::fold, ALPHABETS, readings};

    #[test]
    fn every_letter_of_another_alphabet_has_its_latin_one() {
        for (others, latin) in ALPHABETS {
            assert_eq!(others.chars().count(), latin.chars().count(), "{others}");
            assert_eq!(fold(others), others, "as folding leaves them");
        }
    }

    #[test]
    fn stop_in_other_alphabets_reads_as_stop() {
        for text in [
            "ꓢꓔꓳꓑ",
            "ꜱᴛᴏᴘ",
            "ᏚᎢᎾᏢ",
            "ᏕᎢOᏢ",
            "🅢🅣🅞🅟",
            "🆂🆃🅾🅿",
            "ՏT०P",
            "ѕтор",
            "ʂŧøƥ",
            "ＳＴＯＰ",
            "𝐒𝐓𝐎𝐏",
            "𝓢𝓽𝓸𝓹",
            "ⓢⓣⓞⓟ",
            "🅂🅃🄾🄿",
            "🇸🇹🇴🇵",
            "ᔕTOᑭ",
        ] {
            let folded = fold(text);
            let read = readings(&folded).pop().unwrap_or(folded);
            assert_eq!(read.trim(), "stop", "{text}");
        }
    }

    #[test]
    fn letters_are_read_as_they_look_and_numbers_stay_numbers() {
        assert_eq!(readings("ѕтор st0p stooop"), ["stop stop stop"]);
        assert_eq!(readings("a1to"), ["aito", "alto"]);
        assert_eq!(readings("s t o p it"), ["stop it"]);
        assert_eq!(readings("unsubcsribe unsubscriber"), ["unsubscribe unsubscriber"]);
        assert_eq!(readings("call 5550147 soon"), [""; 0]);
    }
}
