//! Words in letters that only look like those of a keyword: Cyrillic and Greek ones, figures for
//! letters (`st0p`), letters that are drawn out (`STOOOOP`).

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

/// The Latin letter that another one looks like. Folding has made them small.
fn letter(c: char) -> char {
    match c {
        'а' | 'α' => 'a',
        'в' | 'β' => 'b',
        'с' => 'c',
        'ԁ' => 'd',
        'е' | 'ε' => 'e',
        'һ' | 'н' | 'η' => 'h',
        'і' | 'ι' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'м' | 'μ' => 'm',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'ν' => 'n',
        'ԝ' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'υ' => 'y',
        c => c,
    }
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
    use super::read;

    #[test]
    fn letters_are_read_as_they_look_and_numbers_stay_numbers() {
        assert_eq!(read("ѕтор st0p stooop").as_deref(), Some("stop stop stop"));
        assert_eq!(read("call 5550147 soon"), None);
    }
}
