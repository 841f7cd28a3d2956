//! A template that the carrier keeps, as WhatsApp does: reviewed before it is used, and sent by its
//! name with values for its variables.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::storable::is_storable;

/// The most parameters; more than any template that WhatsApp approves has.
const MAX_PARAMETERS: usize = 50;

/// The longest parameter, in characters: a body has at most 1,024 in all.
const MAX_PARAMETER: usize = 1_024;

/// The most buttons that a value is given for; no template has more.
const MAX_BUTTON_VALUES: usize = 10;

/// The longest name, in characters.
const MAX_NAME: usize = 512;

/// What stands between the values where a template is shown.
const BETWEEN: &str = " | ";

/// A template of the carrier's, with the values of its variables: those of its body in their order,
/// and what its header and its buttons need. Sent as [`CarrierTemplate::checked`] gives it: as the
/// carrier takes it. `Debug` hides the values.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarrierTemplate {
    /// Its name at the carrier.
    pub name: String,
    /// Its language, as the carrier writes it: `en_US`.
    pub language: String,
    /// The values of its body's variables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<String>,
    /// What stands above its body, where that varies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<HeaderValue>,
    /// What its buttons need.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<ButtonValue>,
}

/// What stands above the body of a template.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderValue {
    /// The value of the text's variable.
    Text(String),
    /// The https address of a picture.
    Image(String),
    /// The https address of a film.
    Video(String),
    /// The https address of a paper.
    Document(String),
}

/// What a button of a template needs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ButtonValue {
    /// The button's index among all of the template, from 0.
    pub index: u8,
    /// What kind of button it is.
    pub kind: ButtonKind,
    /// The end of a page's address, what a quick reply comes back with, or the code to copy.
    pub value: String,
}

/// A kind of button that needs a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ButtonKind {
    /// Opens a page whose address ends with a variable.
    Url,
    /// Answers; the value comes back.
    QuickReply,
    /// Copies a code.
    CopyCode,
}

/// Why there is no such template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCarrierTemplate {
    /// The name is none.
    #[error("a template's name is 1 to 512 of a-z, 0-9 and _")]
    Name,
    /// The language is none.
    #[error("a template's language is written as en or en_US")]
    Language,
    /// There are more parameters than any template has.
    #[error("a template has at most 50 parameters")]
    TooMany,
    /// The parameter of this index says nothing, is too long or cannot be sent.
    #[error("a parameter has 1 to 1024 characters that can be sent, and says something")]
    Parameter(usize),
    /// The header says nothing, or is no address where it has to be one.
    #[error("a header is a text of 1 to 1024 characters, or an https address")]
    Header,
    /// There are more values for buttons than any template has buttons.
    #[error("a template has at most 10 buttons")]
    TooManyButtons,
    /// What is given at this index among the values for buttons names no button.
    #[error("a button has an index of 0 to 9")]
    ButtonIndex(usize),
    /// The value that is given at this index for a button says nothing, is too long or cannot be
    /// sent.
    #[error("a button has a value of 1 to 1024 characters that can be sent, and says something")]
    ButtonValue(usize),
}

impl BadCarrierTemplate {
    /// Where it is wrong, below the template's own field: `buttons[1].value`.
    pub fn field(self) -> String {
        match self {
            Self::Name => "name".to_owned(),
            Self::Language => "language".to_owned(),
            Self::TooMany => "parameters".to_owned(),
            Self::Parameter(index) => format!("parameters[{index}]"),
            Self::Header => "header".to_owned(),
            Self::TooManyButtons => "buttons".to_owned(),
            Self::ButtonIndex(index) => format!("buttons[{index}].index"),
            Self::ButtonValue(index) => format!("buttons[{index}].value"),
        }
    }
}

impl CarrierTemplate {
    /// A template with its parameters as the carrier takes them ([`CarrierTemplate::checked`]).
    ///
    /// # Errors
    /// All that is wrong.
    pub fn new(
        name: &str,
        language: &str,
        parameters: &[String],
    ) -> Result<Self, Vec<BadCarrierTemplate>> {
        let (name, language) = (name.to_owned(), language.to_owned());
        let parameters = parameters.to_vec();
        Self { name, language, parameters, header: None, buttons: Vec::new() }.checked()
    }

    /// Every value, in the order in which they are shown: header, body, buttons.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        let header = self.header.iter().map(HeaderValue::value);
        let buttons = self.buttons.iter().map(|button| button.value.as_str());
        header.chain(self.parameters.iter().map(String::as_str)).chain(buttons)
    }

    /// The template with each value made into another one, in the order of
    /// [`CarrierTemplate::values`].
    ///
    /// # Errors
    /// What `make` fails with.
    pub fn try_map<E>(&self, mut make: impl FnMut(&str) -> Result<String, E>) -> Result<Self, E> {
        let header = match &self.header {
            Some(header) => Some(header.with_value(make(header.value())?)),
            None => None,
        };
        let parameters =
            self.parameters.iter().map(|value| make(value)).collect::<Result<_, E>>()?;
        let buttons = self
            .buttons
            .iter()
            .map(|button| Ok(ButtonValue { value: make(&button.value)?, ..button.clone() }));
        let buttons = buttons.collect::<Result<_, E>>()?;
        Ok(Self { header, parameters, buttons, ..self.clone() })
    }

    /// The template with its values as the carrier takes them: line breaks, tabs and runs of spaces
    /// become one space, since WhatsApp refuses them (error 132018).
    ///
    /// # Errors
    /// All that is wrong; a blank value is, because the carrier refuses it. Of more values than any
    /// template has the first are looked at.
    pub fn checked(&self) -> Result<Self, Vec<BadCarrierTemplate>> {
        let Self { name, language, parameters, header, buttons } = self;
        let faults = [
            (!is_name(name)).then_some(BadCarrierTemplate::Name),
            (!is_language(language)).then_some(BadCarrierTemplate::Language),
            (parameters.len() > MAX_PARAMETERS).then_some(BadCarrierTemplate::TooMany),
            (buttons.len() > MAX_BUTTON_VALUES).then_some(BadCarrierTemplate::TooManyButtons),
        ];
        let mut faults: Vec<BadCarrierTemplate> = faults.into_iter().flatten().collect();

        let header = header.as_ref().map(|header| header.checked());
        if header == Some(None) {
            faults.push(BadCarrierTemplate::Header);
        }
        let mut checked = Self { header: header.flatten(), ..self.clone() };
        for (index, value) in checked.parameters.iter_mut().take(MAX_PARAMETERS).enumerate() {
            match one_line(value) {
                Some(line) => *value = line,
                None => faults.push(BadCarrierTemplate::Parameter(index)),
            }
        }
        for (index, button) in checked.buttons.iter_mut().take(MAX_BUTTON_VALUES).enumerate() {
            if usize::from(button.index) >= MAX_BUTTON_VALUES {
                faults.push(BadCarrierTemplate::ButtonIndex(index));
            }
            match one_line(&button.value) {
                Some(line) => button.value = line,
                None => faults.push(BadCarrierTemplate::ButtonValue(index)),
            }
        }
        if faults.is_empty() { Ok(checked) } else { Err(faults) }
    }

    /// What is stored and shown as its text: its name and language, and the values.
    pub fn shown(&self) -> String {
        let values: Vec<&str> = self.values().collect();
        let head = self.head();
        if values.is_empty() { head } else { format!("{head}: {}", values.join(BETWEEN)) }
    }

    /// The template with the values that a text shows, which was made from one like it; none where
    /// the text is of another one, or does not tell the values apart.
    pub fn shown_as(&self, text: &str) -> Option<Self> {
        let head = self.head();
        let values = match text.strip_prefix(&head)? {
            "" => Vec::new(),
            rest => rest.strip_prefix(": ")?.split(BETWEEN).collect(),
        };
        if values.len() != self.values().count() {
            return None;
        }
        let mut values = values.into_iter();
        self.try_map(|_| values.next().map(str::to_owned).ok_or(())).ok()
    }

    fn head(&self) -> String {
        format!("{} ({})", self.name, self.language)
    }
}

impl HeaderValue {
    /// The text, or the address.
    pub fn value(&self) -> &str {
        let (Self::Text(value) | Self::Image(value) | Self::Video(value) | Self::Document(value)) =
            self;
        value
    }

    fn with_value(&self, value: String) -> Self {
        match self {
            Self::Text(_) => Self::Text(value),
            Self::Image(_) => Self::Image(value),
            Self::Video(_) => Self::Video(value),
            Self::Document(_) => Self::Document(value),
        }
    }

    /// The header with its value on one line; none where it says nothing, or is no address.
    fn checked(&self) -> Option<Self> {
        let value = one_line(self.value())?;
        let is_right = match self {
            Self::Text(_) => true,
            Self::Image(_) | Self::Video(_) | Self::Document(_) => {
                value.starts_with("https://") && !value.contains(' ')
            }
        };
        is_right.then(|| self.with_value(value))
    }
}

/// A value with single spaces on one line; none where it says nothing, is too long or cannot be
/// sent.
fn one_line(text: &str) -> Option<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let fits = (1..=MAX_PARAMETER).contains(&text.chars().count());
    (fits && is_storable(&text) && !crate::invisible::is_blank(&text)).then_some(text)
}

impl fmt::Debug for CarrierTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, language, .. } = self;
        write!(f, "CarrierTemplate({name}, {language}, {} values)", self.values().count())
    }
}

/// Small letters, digits and `_`, as in `order_shipped_2`.
fn is_name(text: &str) -> bool {
    let of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(of_name)
}

/// `en`, `en_US`, `zh_CN`, `fil`: a language of two or three letters, and perhaps a country.
fn is_language(text: &str) -> bool {
    let (language, country) = text.split_once('_').map_or((text, None), |(l, c)| (l, Some(c)));
    let is_country = |country: &str| {
        (2..=4).contains(&country.len()) && country.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_lowercase())
        && country.is_none_or(is_country)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(parameters: &[&str]) -> Result<Vec<String>, Vec<BadCarrierTemplate>> {
        let parameters: Vec<String> = parameters.iter().map(|text| (*text).to_owned()).collect();
        CarrierTemplate::new("order_shipped", "en_US", &parameters).map(|of| of.parameters)
    }

    #[test]
    fn parameters_are_sent_on_one_line_with_single_spaces() {
        let values = with(&["Ana", " 12\tHigh\n\nStreet ", "a    b"]);
        assert_eq!(values, Ok(vec!["Ana".into(), "12 High Street".into(), "a b".into()]));
    }

    #[test]
    fn a_blank_parameter_is_refused_by_its_index() {
        for blank in ["", " \n\t ", "\u{200b}", "\u{2800}"] {
            let refused = with(&["Ana", blank]);
            assert_eq!(refused, Err(vec![BadCarrierTemplate::Parameter(1)]), "{blank:?}");
        }
        assert_eq!(with(&[&"x".repeat(1_025)]), Err(vec![BadCarrierTemplate::Parameter(0)]));
        assert_eq!(with(&["x"; 51]), Err(vec![BadCarrierTemplate::TooMany]));
    }

    #[test]
    fn names_and_languages_have_the_carriers_form() {
        let made = |name: &str, language: &str| CarrierTemplate::new(name, language, &[]).map(drop);
        for language in ["en", "en_US", "zh_CN", "fil", "pt_BR"] {
            assert_eq!(made("hello_world", language), Ok(()), "{language}");
        }
        for language in ["", "EN", "en-US", "english", "en_", "e"] {
            assert_eq!(
                made("hello", language),
                Err(vec![BadCarrierTemplate::Language]),
                "{language}"
            );
        }
        for name in ["", "Hello", "a b", "a-b", &"a".repeat(513)] {
            assert_eq!(made(name, "en"), Err(vec![BadCarrierTemplate::Name]), "{name}");
        }
    }

    #[test]
    fn what_is_shown_names_the_template_and_its_values() {
        let values = ["Ana".to_owned(), "7".to_owned()];
        let template = CarrierTemplate::new("order", "de", &values).expect("right");
        assert_eq!(template.shown(), "order (de): Ana | 7");
    }

    fn with_all() -> CarrierTemplate {
        let url = ButtonValue { index: 1, kind: ButtonKind::Url, value: "417".to_owned() };
        let header = HeaderValue::Image("https://example.com/a.png".to_owned());
        let template = CarrierTemplate::new("order", "de", &["Ana".to_owned()]).expect("right");
        let whole = CarrierTemplate { header: Some(header), buttons: vec![url], ..template };
        whole.checked().expect("right")
    }

    #[test]
    fn what_is_shown_gives_the_values_back_where_it_tells_them_apart() {
        let template = with_all();
        let shown = template.shown();
        assert_eq!(shown, "order (de): https://example.com/a.png | Ana | 417");
        assert_eq!(template.shown_as(&shown), Some(template.clone()));

        let other = shown.replace("Ana", "Ben");
        let read = template.shown_as(&other).expect("of one like it");
        assert_eq!(read.parameters, ["Ben"]);
        for text in ["order (de)", "other (de): a | b | c", "order (de): a | b | c | d"] {
            assert_eq!(template.shown_as(text), None, "{text}");
        }
        let bare = CarrierTemplate::new("order", "de", &[]).expect("right");
        assert_eq!(bare.shown_as("order (de)"), Some(bare.clone()));
    }

    #[test]
    fn what_headers_and_buttons_need_is_checked() {
        let with = |header: Option<HeaderValue>, buttons: Vec<ButtonValue>| {
            let bare = CarrierTemplate::new("order", "de", &[]).expect("right");
            CarrierTemplate { header, buttons, ..bare }.checked().map(drop)
        };
        for header in [HeaderValue::Text(" ".into()), HeaderValue::Video("http://a.test".into())] {
            assert_eq!(with(Some(header), vec![]), Err(vec![BadCarrierTemplate::Header]));
        }
        let button = |index, value: &str| ButtonValue {
            index,
            kind: ButtonKind::QuickReply,
            value: value.to_owned(),
        };
        let wrong = with(None, vec![button(0, "yes"), button(10, "no")]);
        assert_eq!(wrong, Err(vec![BadCarrierTemplate::ButtonIndex(1)]));
        let wrong = with(None, vec![button(0, " ")]);
        assert_eq!(wrong, Err(vec![BadCarrierTemplate::ButtonValue(0)]));
        let eleven = vec![button(0, "yes"); 11];
        assert_eq!(with(None, eleven), Err(vec![BadCarrierTemplate::TooManyButtons]));
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once_with_its_field() {
        let (kind, value) = (ButtonKind::Url, " ".to_owned());
        let wrong = CarrierTemplate {
            name: "Order 1".into(),
            language: "english".into(),
            parameters: vec![" ".into(), "Ana".into(), "\n".into()],
            header: Some(HeaderValue::Image("a.png".into())),
            buttons: vec![ButtonValue { index: 10, kind, value }],
        };
        let faults = wrong.checked().expect_err("it is wrong");
        let fields: Vec<String> = faults.into_iter().map(BadCarrierTemplate::field).collect();
        let expected = "name language header parameters[0] parameters[2] buttons[0].index \
                        buttons[0].value";
        assert_eq!(fields.join(" "), expected);
    }

    #[test]
    fn each_value_is_made_into_another_one() {
        let upper = with_all().try_map(|value| Ok::<_, ()>(value.to_uppercase())).expect("made");
        let values: Vec<&str> = upper.values().collect();
        assert_eq!(values, ["HTTPS://EXAMPLE.COM/A.PNG", "ANA", "417"]);
        assert_eq!(upper.checked(), Err(vec![BadCarrierTemplate::Header]));
        assert_eq!(with_all().try_map(|_| Err::<String, _>("no")), Err("no"));
    }
}
