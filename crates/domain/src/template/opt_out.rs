//! The line that tells how to opt out.

use std::borrow::Cow;

use crate::{language::Language, lexicon};

/// The opt-out line of a language. It has letters of GSM 03.38 only, so that it never makes a text
/// UCS-2, and its keyword is one that [`lexicon::classify`] acts on.
pub fn opt_out_line(language: Language) -> &'static str {
    match language {
        Language::En => "Reply STOP to opt out",
        Language::Es => "Responde ALTO para salir",
        Language::Fr => "Répondez STOP pour refuser",
        Language::Pt => "Responda SAIR para cancelar",
        Language::De => "Antworten Sie STOPP zum Abmelden",
    }
}

/// The text with the opt-out line on a line of its own, unless it tells how to opt out already, in
/// whatever language. Call it on the rendered text, before segments are counted.
pub fn with_opt_out_line(text: &str, language: Language) -> Cow<'_, str> {
    if lexicon::tells_how_to_opt_out(text) {
        return Cow::Borrowed(text);
    }

    let line = opt_out_line(language);
    match text.trim_end() {
        "" => Cow::Borrowed(line),
        body => Cow::Owned(format!("{body}\n{line}")),
    }
}
