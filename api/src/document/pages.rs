//! The names of pages: `ContactPage`, where the generator composes `Page_Contact`.

use serde_json::Value;

/// Gives the pages of a document their names, and what leads to them.
pub(super) fn name_pages(document: &mut Value) {
    match document {
        Value::Object(object) => {
            for (key, mut inner) in std::mem::take(object) {
                name_pages(&mut inner);
                let name = key.strip_prefix("Page_").map(page_of);
                object.insert(name.unwrap_or(key), inner);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(name_pages),
        Value::String(text) => {
            if let Some(item) = text.strip_prefix("#/components/schemas/Page_") {
                *text = format!("#/components/schemas/{}", page_of(item));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn page_of(item: &str) -> String {
    format!("{item}Page")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_and_what_leads_to_it_have_the_same_name() {
        let mut document = json!({
            "paths": [{ "$ref": "#/components/schemas/Page_Contact" }],
            "components": { "schemas": { "Page_Contact": {}, "Contact": {} } },
        });
        name_pages(&mut document);
        let expected = json!({
            "paths": [{ "$ref": "#/components/schemas/ContactPage" }],
            "components": { "schemas": { "ContactPage": {}, "Contact": {} } },
        });
        assert_eq!(document, expected);
    }
}
