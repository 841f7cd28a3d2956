//! Variables in a text that is sent as it is written: whoever wrote them meant a template.

use super::CONTACT_FIELDS;

/// The longest piece of a text that is taken for a variable, in bytes.
const LONGEST: usize = 100;

/// What a text with a variable in it is told, behind the variable.
pub const NOT_FILLED_IN: &str = "a body is sent as it is written, and variables are filled in by \
    templates alone: save the text as a template and send its id with variables; a brace that is \
    meant is written \\{ there";

/// The first piece of a text that looks like a variable: between doubled braces whatever it names,
/// between single ones where it names a field of contacts.
pub fn variable_in(text: &str) -> Option<&str> {
    let mut from = 0;
    while let Some(offset) = text[from..].find('}') {
        let close = from + offset;
        if let Some(open) = text[..close].rfind('{')
            && let Some(found) = variable(text, open, close)
        {
            return Some(found);
        }
        from = close + 1;
    }
    None
}

/// The variable whose inner braces are at these bytes, if it is one.
fn variable(text: &str, open: usize, close: usize) -> Option<&str> {
    let inside = &text[open + 1..close];
    let name = inside.split_once('|').map_or(inside, |(name, _)| name).trim();
    let is_doubled = text[..open].ends_with('{') && text[close + 1..].starts_with('}');
    let is_name = name.chars().any(char::is_alphanumeric) && !name.contains(['\n', '\r']);

    let is_variable = is_doubled && is_name || CONTACT_FIELDS.contains(&name);
    let (start, end) = if is_doubled { (open - 1, close + 2) } else { (open, close + 1) };
    (is_variable && inside.len() <= LONGEST).then(|| &text[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_systems_write_for_a_variable_is_found() {
        for (text, found) in [
            ("Hi {{first_name}}!", Some("{{first_name}}")),
            ("Hi {{ First Name | friend }}", Some("{{ First Name | friend }}")),
            ("Hi {{{contact.nick}}}", Some("{{contact.nick}}")),
            ("{a} {{1}}", Some("{{1}}")),
            ("Hi {first_name}, {last_name|x}", Some("{first_name}")),
            ("Hi { last_name|there }", Some("{ last_name|there }")),
            ("{code} is a set, {} too, {{}} and {{ - }} as well", None),
            ("} {{ } } first_name }", None),
            ("{{ a\nb }}", None),
            ("first_name", None),
        ] {
            assert_eq!(variable_in(text), found, "{text}");
        }
        assert_eq!(variable_in(&format!("{{{{{}}}}}", "a".repeat(101))), None);
    }
}
