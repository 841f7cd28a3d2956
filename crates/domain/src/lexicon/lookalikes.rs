//! Words in letters that only look like those of a keyword: of other alphabets, figures for letters
//! (`st0p`), letters that are drawn out (`STOOOOP`).

/// A folded text as it looks to a reader; none where it already is what it looks like.
pub(super) fn read(folded: &str) -> Option<String> {
    let words: Vec<String> = folded.split(' ').map(word).collect();
    let read = words.join(" ");
    (read != folded).then_some(read)
}

/// One word: figures are letters only beside letters, and a letter that stands three times or more
/// stands once.
fn word(word: &str) -> String {
    let letters: Vec<char> = word.chars().map(letter).collect();
    let is_mixed =
        letters.iter().any(|c| c.is_alphabetic()) && letters.iter().any(|c| c.is_ascii_digit());
    let figure = |c: &char| if is_mixed { figure(*c) } else { *c };
    let letters: Vec<char> = letters.iter().map(figure).collect();

    let runs = letters.chunk_by(|one, next| one == next);
    let kept = runs.flat_map(|run| match run {
        [c, _, _, ..] if c.is_alphabetic() => &run[..1],
        _ => run,
    });
    kept.collect()
}

/// Letters of other alphabets beside the Latin ones that they look like (of Unicode's table of
/// confusables those that make words). Folding has made them small, and has read letters of width
/// or of mathematics as what they are.
const ALPHABETS: [(&str, &str); 9] = [
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
fn figure(c: char) -> char {
    match c {
        '0' => 'o',
        '1' => 'i',
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
    use super::{super::normal::fold, ALPHABETS, read};

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
        ] {
            let folded = fold(text);
            let read = read(&folded).unwrap_or(folded);
            assert_eq!(read.trim(), "stop", "{text}");
        }
    }

    #[test]
    fn letters_are_read_as_they_look_and_numbers_stay_numbers() {
        assert_eq!(read("ѕтор st0p stooop").as_deref(), Some("stop stop stop"));
        assert_eq!(read("call 5550147 soon"), None);
    }
}
