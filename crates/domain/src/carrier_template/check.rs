//! What Meta takes of a template, so that a review is asked for what can pass it. The limits are
//! those of Meta's documents of template components (2026); what Meta measures by rules that it
//! does not tell, such as variables to words, its own refusal says.

use super::{
    TemplateBody, TemplateButton, TemplateComponents, TemplateHeader,
    variables::{VariableFault, count, stand_well},
};
use crate::{invisible::is_blank, phone::PhoneNumber, storable::is_storable};

/// The longest text, in characters.
const MAX_BODY: usize = 1_024;

/// The longest header and footer, in characters.
const MAX_LINE: usize = 60;

/// The longest words on a button, in characters.
const MAX_BUTTON: usize = 25;

/// The longest address of a page, in characters.
const MAX_URL: usize = 2_000;

/// The longest code to copy, in characters.
const MAX_CODE: usize = 15;

/// The most buttons.
pub const MAX_BUTTONS: usize = 10;

/// What is wrong with a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentFault {
    /// The field, as `buttons[1].text`.
    pub field: String,
    /// What it has to be.
    pub detail: &'static str,
}

impl TemplateComponents {
    /// Everything that is wrong with a template that is to be reviewed; nothing where Meta may take
    /// it.
    pub fn faults(&self) -> Vec<ComponentFault> {
        let mut faults = Faults::default();
        if let Some(header) = &self.header {
            check_header(header, &mut faults);
        }
        check_body(&self.body, &mut faults);
        if let Some(footer) = &self.footer {
            let fits = is_line(footer, MAX_LINE);
            faults.check(fits, "footer", "1 to 60 characters on one line");
            let plain = count(footer) == Ok(0);
            faults.check(plain, "footer", "a footer has no variables");
        }
        check_buttons(&self.buttons, &mut faults);
        faults.0
    }
}

#[derive(Default)]
struct Faults(Vec<ComponentFault>);

impl Faults {
    fn check(&mut self, is_right: bool, field: &str, detail: &'static str) {
        if !is_right {
            self.0.push(ComponentFault { field: field.to_owned(), detail });
        }
    }

    /// Checks that a value is said.
    fn needs(&mut self, value: Option<&String>, field: &str, detail: &'static str) {
        self.check(value.is_some_and(|value| is_said(value)), field, detail);
    }

    /// Checks that nothing is said where it has no meaning.
    fn none(&mut self, value: Option<&String>, field: &str, detail: &'static str) {
        self.check(value.is_none(), field, detail);
    }
}

fn is_said(text: &str) -> bool {
    !is_blank(text) && is_storable(text)
}

fn is_line(text: &str, most: usize) -> bool {
    is_said(text) && text.chars().count() <= most && !text.contains(['\n', '\r', '\t'])
}

fn check_header(header: &TemplateHeader, faults: &mut Faults) {
    let (text, example) = (header.text.as_ref(), header.example.as_ref());

    match header.format.as_str() {
        "text" => {
            let fits = text.is_some_and(|text| is_line(text, MAX_LINE));
            faults.check(fits, "header.text", "1 to 60 characters on one line");
            match text.map_or(Ok(0), |text| count(text)) {
                Ok(0) => faults.none(example, "header.example", "the text has no variable"),
                Ok(1) => faults.needs(example, "header.example", "a value of the variable"),
                Ok(_) => faults.check(false, "header.text", "a header has one variable at most"),
                Err(fault) => faults.check(false, "header.text", fault.detail()),
            }
        }
        "image" | "video" | "document" => {
            faults.none(text, "header.text", "a file has no text");
            let detail = "the handle of a file that was uploaded to the carrier";
            faults.needs(example, "header.example", detail);
        }
        "location" => {
            faults.none(text, "header.text", "a location has no text");
            faults.none(example, "header.example", "a location has no example");
        }
        _ => {
            let detail = "text, image, video, document or location";
            faults.check(false, "header.format", detail);
        }
    }
}

fn check_body(body: &TemplateBody, faults: &mut Faults) {
    let text = &body.text;
    let fits = is_said(text) && text.chars().count() <= MAX_BODY;
    faults.check(fits, "body.text", "1 to 1024 characters that say something");

    let found = count(text).and_then(|variables| stand_well(text).map(|()| variables));
    match found {
        Ok(variables) => {
            let is_example = |value: &String| is_line(value, MAX_BODY);
            let fits = body.examples.len() == variables && body.examples.iter().all(is_example);
            faults.check(fits, "body.examples", "a value of each variable, each on one line");
        }
        Err(fault) => faults.check(false, "body.text", VariableFault::detail(fault)),
    }
}

fn check_buttons(buttons: &[TemplateButton], faults: &mut Faults) {
    faults.check(buttons.len() <= MAX_BUTTONS, "buttons", "at most 10 buttons");
    for (kind, most) in [("url", 2), ("phone_number", 1), ("copy_code", 1)] {
        let of_kind = buttons.iter().filter(|button| button.kind == kind).count();
        let detail = "at most 2 of url, and 1 each of phone_number and copy_code";
        faults.check(of_kind <= most, "buttons", detail);
    }

    // Quick replies come before all others, or after them.
    let is_reply = |button: &TemplateButton| button.kind == "quick_reply";
    let changes = buttons.windows(2).filter(|pair| is_reply(&pair[0]) != is_reply(&pair[1]));
    faults.check(changes.count() <= 1, "buttons", "quick replies stand together");

    for (index, button) in buttons.iter().enumerate() {
        check_button(button, &format!("buttons[{index}]"), faults);
    }
}

fn check_button(button: &TemplateButton, field: &str, faults: &mut Faults) {
    let TemplateButton { kind, text, url, phone_number, example } = button;
    let of = |name: &str| format!("{field}.{name}");
    let (is_url, is_phone) = (kind == "url", kind == "phone_number");
    let is_code = kind == "copy_code";
    if !is_url && !is_phone && !is_code && kind != "quick_reply" {
        faults.check(false, &of("type"), "quick_reply, url, phone_number or copy_code");
        return;
    }

    if is_code {
        faults.none(text.as_ref(), &of("text"), "the carrier names it itself");
        let fits = example.as_ref().is_some_and(|code| is_line(code, MAX_CODE));
        faults.check(fits, &of("example"), "a code of 1 to 15 characters");
    } else {
        let fits = text.as_ref().is_some_and(|text| is_line(text, MAX_BUTTON));
        faults.check(fits, &of("text"), "1 to 25 characters on one line");
    }

    if is_url {
        check_page(url.as_deref(), example.as_ref(), field, faults);
    } else {
        faults.none(url.as_ref(), &of("url"), "of url alone");
    }
    if is_phone {
        let number = phone_number.as_ref().map(|number| PhoneNumber::from_e164(number));
        faults.check(matches!(number, Some(Ok(_))), &of("phone_number"), "a number in E.164");
    } else {
        faults.none(phone_number.as_ref(), &of("phone_number"), "of phone_number alone");
    }
    if !is_url && !is_code {
        faults.none(example.as_ref(), &of("example"), "of url and copy_code alone");
    }
}

/// A page, whose address may end with a variable.
fn check_page(url: Option<&str>, example: Option<&String>, field: &str, faults: &mut Faults) {
    let url = url.unwrap_or_default();
    let plain = url.strip_suffix("{{1}}").unwrap_or(url);
    let is_page = (plain.starts_with("https://") || plain.starts_with("http://"))
        && is_line(plain, MAX_URL)
        && !plain.contains(['{', '}', ' ']);
    let detail = "an address of http or https, with {{1}} at its end at most";
    faults.check(is_page, &format!("{field}.url"), detail);

    let of_example = format!("{field}.example");
    if plain.len() == url.len() {
        faults.none(example, &of_example, "the address has no variable");
    } else {
        faults.needs(example, &of_example, "a whole address, with a value of the variable");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str, examples: &[&str]) -> TemplateComponents {
        let examples = examples.iter().map(|value| (*value).to_owned()).collect();
        let body = TemplateBody { text: text.to_owned(), examples };
        TemplateComponents { body, ..TemplateComponents::default() }
    }

    fn button(kind: &str) -> TemplateButton {
        TemplateButton {
            kind: kind.to_owned(),
            text: (kind != "copy_code").then(|| "Press".to_owned()),
            url: (kind == "url").then(|| "https://example.com/{{1}}".to_owned()),
            phone_number: (kind == "phone_number").then(|| "+12125550123".to_owned()),
            example: match kind {
                "url" => Some("https://example.com/1".to_owned()),
                "copy_code" => Some("SPRING".to_owned()),
                _ => None,
            },
        }
    }

    fn fields(of: &TemplateComponents) -> Vec<String> {
        of.faults().into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn a_template_with_every_component_is_right() {
        let header = |format: &str, text: Option<&str>, example: Option<&str>| TemplateHeader {
            format: format.to_owned(),
            text: text.map(str::to_owned),
            example: example.map(str::to_owned),
        };
        let kinds = ["quick_reply", "quick_reply", "url", "phone_number", "copy_code"];
        for header in [
            header("text", Some("Order {{1}}"), Some("417")),
            header("text", Some("Order"), None),
            header("image", None, Some("4::aW")),
            header("location", None, None),
        ] {
            let whole = TemplateComponents {
                header: Some(header),
                footer: Some("Reply STOP to end".to_owned()),
                buttons: kinds.map(button).into(),
                ..text("Hello {{1}}, it is on its way.", &["Ana"])
            };
            assert_eq!(fields(&whole), Vec::<String>::new());
        }
    }

    #[test]
    fn what_a_text_cannot_be_is_named() {
        let long = "x".repeat(1_025);
        for (wrong, field) in [
            (text(" ", &[]), "body.text"),
            (text(&long, &[]), "body.text"),
            (text("Hello {{1}}", &["Ana"]), "body.text"),
            (text("Hello {{name}}.", &["Ana"]), "body.text"),
            (text("Hello {{1}}.", &[]), "body.examples"),
            (text("Hello {{1}}.", &["Ana", "Ben"]), "body.examples"),
            (text("Hello {{1}}.", &["a\nb"]), "body.examples"),
        ] {
            assert_eq!(fields(&wrong), [field], "{:?}", wrong.body);
        }
        assert_eq!(fields(&text(&"x".repeat(1_024), &[])), Vec::<String>::new());
    }

    #[test]
    fn what_headers_and_footers_cannot_be_is_named() {
        let header = |format: &str, text: Option<&str>, example: Option<&str>| TemplateHeader {
            format: format.to_owned(),
            text: text.map(str::to_owned),
            example: example.map(str::to_owned),
        };
        let long = "x".repeat(61);
        for (wrong, field) in [
            (header("text", None, None), "header.text"),
            (header("text", Some(&long), None), "header.text"),
            (header("text", Some("{{1}} and {{2}}"), None), "header.text"),
            (header("text", Some("Order {{1}}"), None), "header.example"),
            (header("image", None, None), "header.example"),
            (header("location", Some("here"), None), "header.text"),
            (header("song", None, None), "header.format"),
        ] {
            let of = TemplateComponents { header: Some(wrong.clone()), ..text("Hello.", &[]) };
            assert_eq!(fields(&of), [field], "{wrong:?}");
        }
        for footer in ["", "Hello {{1}}.", &long] {
            let of = TemplateComponents { footer: Some(footer.into()), ..text("Hello.", &[]) };
            assert_eq!(fields(&of), ["footer"], "{footer}");
        }
    }

    #[test]
    fn what_buttons_cannot_be_is_named() {
        let with = |buttons: Vec<TemplateButton>| {
            fields(&TemplateComponents { buttons, ..text("Hello.", &[]) })
        };
        assert_eq!(with(vec![button("quick_reply"); 10]), Vec::<String>::new());
        assert_eq!(with(vec![button("quick_reply"); 11]), ["buttons"]);
        assert_eq!(with(vec![button("url"); 3]), ["buttons"]);
        assert_eq!(with(["quick_reply", "url", "quick_reply"].map(button).into()), ["buttons"]);

        let long = TemplateButton { text: Some("x".repeat(26)), ..button("quick_reply") };
        assert_eq!(with(vec![long]), ["buttons[0].text"]);
        let page = TemplateButton { url: Some("ftp://example.com/{{1}}".into()), ..button("url") };
        assert_eq!(with(vec![page]), ["buttons[0].url"]);
        let shown = TemplateButton { example: None, ..button("url") };
        assert_eq!(with(vec![shown]), ["buttons[0].example"]);
        let number = TemplateButton { phone_number: Some("911".into()), ..button("phone_number") };
        assert_eq!(with(vec![number]), ["buttons[0].phone_number"]);
        assert_eq!(with(vec![button("otp")]), ["buttons[0].type"]);
    }
}
