//! The page as HTML. Whatever people or callers wrote is escaped here, in one place.

use std::fmt::Write as _;

use super::conversation::{Conversation, Direction, MAX_ANSWER, Shown};

/// The whole page.
pub(super) fn page(conversation: &Conversation) -> String {
    let phone = conversation.phone;
    let list = texts(conversation);
    let first = conversation.numbers.first().map_or("", |number| number);
    let first = escaped(first);
    let options: String = conversation.numbers.iter().map(|number| option(number)).collect();

    format!(
        "<!doctype html>\n\
         <html lang=\"en\">\n\
         <meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{phone}</title>\n\
         <link rel=\"stylesheet\" href=\"/sandbox/phone/look.css\">\n\
         <script src=\"/sandbox/phone/live.js\" defer></script>\n\
         <main>\n\
         <header><h1>{phone}</h1><p id=\"link\" role=\"status\">simulated phone</p></header>\n\
         <ol id=\"texts\" aria-live=\"polite\" aria-label=\"Texts\" \
         data-source=\"/sandbox/phone/{phone}/texts\">{list}</ol>\n\
         <form method=\"post\" action=\"/sandbox/phone/{phone}\">\n\
         <label>To <input name=\"to\" list=\"numbers\" value=\"{first}\" required \
         autocomplete=\"off\"></label>\n\
         <datalist id=\"numbers\">{options}</datalist>\n\
         <label>Text <textarea name=\"body\" rows=\"2\" maxlength=\"{MAX_ANSWER}\" required \
         autofocus></textarea></label>\n\
         <button>Send</button>\n\
         <p id=\"refusal\" role=\"alert\"></p>\n\
         </form>\n\
         </main>\n\
         </html>\n"
    )
}

/// The entries of the list alone.
pub(super) fn texts(conversation: &Conversation) -> String {
    let mut html = String::new();
    for text in &conversation.texts {
        entry(&mut html, text);
    }
    html
}

fn entry(html: &mut String, text: &Shown) {
    let (class, word) = match text.direction {
        Direction::ToPhone => ("to-phone", "from"),
        Direction::FromPhone => ("from-phone", "to"),
    };
    let at = text.at.strftime("%Y-%m-%d %H:%M:%S UTC");
    // Writing to a string cannot fail.
    let _ = write!(
        html,
        "<li class=\"{class}\" data-other=\"{other}\"><p>{body}</p>\
         <small>{word} {other} · <time datetime=\"{instant}\">{at}</time> · {state}</small></li>",
        other = escaped(&text.other),
        body = escaped(&text.body),
        instant = text.at,
        state = escaped(&text.state),
    );
}

fn option(number: &str) -> String {
    format!("<option value=\"{}\">", escaped(number))
}

/// A text as HTML that means nothing but it, in an element and in a quoted attribute.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_never_markup() {
        let text = "<script>alert('x')</script> & \"y\"";
        let html = "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;y&quot;";
        assert_eq!(escaped(text), html);
    }
}
