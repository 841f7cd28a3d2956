//! As much of XML as the answers of Bandwidth's account API need: the texts of elements by their
//! name. Attributes, comments and declarations are passed over.

/// The texts of all elements of this name that hold nothing but text, in their order.
pub(super) fn texts(xml: &str, name: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), xml);
    while let Some((content, after)) = element(rest, name) {
        if !content.contains('<') {
            found.push(unescaped(content.trim()));
        }
        rest = after;
    }
    found
}

/// The text of the first element of this name that holds nothing but text.
pub(super) fn text(xml: &str, name: &str) -> Option<String> {
    texts(xml, name).into_iter().next()
}

/// A text as the content of an element.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The content of the first element of a name, and what follows where that content begins: elements
/// of one name may lie in each other.
fn element<'a>(xml: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let mut rest = xml;
    loop {
        let (_, tag) = rest.split_once('<')?;
        let (head, content) = tag.split_once('>')?;
        let named = head.split(|c: char| c.is_ascii_whitespace() || c == '/').next() == Some(name);
        if named && !head.ends_with('/') {
            let end = content.find(&format!("</{name}"))?;
            return Some((&content[..end], content));
        }
        rest = content;
    }
}

fn unescaped(text: &str) -> String {
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    named.iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_by_the_name_of_their_element() {
        let xml = r#"<?xml version="1.0"?><Result><!-- a > b --><Count>2</Count><Empty/>
            <List><Number type="local"> 9195550100 </Number><Number>A &amp; B&lt;</Number></List>
            <Order><id>x</id><Order><id>y</id></Order></Order></Result>"#;
        assert_eq!(texts(xml, "Number"), ["9195550100", "A & B<"]);
        assert_eq!(texts(xml, "id"), ["x", "y"]);
        assert_eq!(text(xml, "Count").as_deref(), Some("2"));
        for name in ["Empty", "List", "Missing", "Numbe"] {
            assert_eq!(texts(xml, name), [""; 0], "{name}");
        }
    }

    #[test]
    fn what_is_no_xml_holds_nothing() {
        for text in ["", "<", "<Number", "<Number>", "Number>1</Number>", "{}", "</Number>"] {
            assert_eq!(texts(text, "Number"), [""; 0], "{text}");
        }
        assert_eq!(escaped("a<b>&c"), "a&lt;b&gt;&amp;c");
    }
}
