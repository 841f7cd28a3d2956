//! Variables of a template's text, as Meta writes them: `{{1}}`, `{{2}}` and so on.

/// Why the variables of a text are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VariableFault {
    /// Braces that no variable is between, or a variable of another name.
    Form,
    /// The text begins or ends with one.
    AtEdge,
    /// Two stand beside each other.
    Adjacent,
}

impl VariableFault {
    pub(super) fn detail(self) -> &'static str {
        match self {
            Self::Form => {
                "variables are {{1}}, {{2}} and so on, in their order, each of them once or more"
            }
            Self::AtEdge => "a variable may be neither the first nor the last of the text",
            Self::Adjacent => "between two variables stand words",
        }
    }
}

/// A text cut at its variables: what stands around them, and their numbers.
struct Cut<'a> {
    words: Vec<&'a str>,
    numbers: Vec<usize>,
}

/// How many variables a text has.
///
/// # Errors
/// What is wrong with them, by Meta's rules of a body (facts of pywa 4.5, error 2388293 and the
/// like); where they stand is of interest in a body alone, see [`stand_well`].
pub(super) fn count(text: &str) -> Result<usize, VariableFault> {
    let Cut { numbers, .. } = cut(text)?;
    let most = numbers.iter().copied().max().unwrap_or_default();
    if (1..=most).all(|number| numbers.contains(&number)) {
        Ok(most)
    } else {
        Err(VariableFault::Form)
    }
}

/// Whether variables stand where Meta wants those of a body.
///
/// # Errors
/// One is first or last, or two stand beside each other.
pub(super) fn stand_well(text: &str) -> Result<(), VariableFault> {
    let Cut { words, numbers } = cut(text)?;
    if numbers.is_empty() {
        return Ok(());
    }

    let is_empty = |words: &&str| words.trim().is_empty();
    let [first, between @ .., last] = words.as_slice() else { return Ok(()) };
    if is_empty(first) || is_empty(last) {
        return Err(VariableFault::AtEdge);
    }
    if between.iter().any(is_empty) {
        return Err(VariableFault::Adjacent);
    }
    Ok(())
}

fn cut(text: &str) -> Result<Cut<'_>, VariableFault> {
    let (mut words, mut numbers) = (Vec::new(), Vec::new());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").ok_or(VariableFault::Form)?;
        let number = name.parse().ok().filter(|number| (1..=99).contains(number));
        numbers.push(number.ok_or(VariableFault::Form)?);
        words.push(before);
        rest = after;
    }
    words.push(rest);
    Ok(Cut { words, numbers })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_counted_by_their_numbers() {
        assert_eq!(count("Hello."), Ok(0));
        assert_eq!(count("Hello {{1}}, {{2}} and {{1}} again."), Ok(2));
        for wrong in ["Hi {{2}}.", "Hi {{name}}.", "Hi {{1}.", "Hi {{0}}.", "Hi {{}}."] {
            assert_eq!(count(wrong), Err(VariableFault::Form), "{wrong}");
        }
    }

    #[test]
    fn none_is_first_or_last_and_no_two_are_beside_each_other() {
        assert_eq!(stand_well("Hello {{1}}, it is {{2}}."), Ok(()));
        assert_eq!(stand_well("Hello."), Ok(()));
        for edge in ["{{1}} is here", "Hello {{1}}", " {{1}} is here"] {
            assert_eq!(stand_well(edge), Err(VariableFault::AtEdge), "{edge}");
        }
        for adjacent in ["Hello {{1}}{{2}}.", "Hello {{1}} {{2}}."] {
            assert_eq!(stand_well(adjacent), Err(VariableFault::Adjacent), "{adjacent}");
        }
    }
}
