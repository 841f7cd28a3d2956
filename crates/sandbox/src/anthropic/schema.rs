//! Fills a JSON schema: the smallest value that it allows, with a given text where any text does.

use serde_json::{Map, Value, json};

/// How deep a schema is followed; below it everything is null.
const MAX_DEPTH: usize = 8;

/// A value for a schema. Free texts become `text`, a property named `language` becomes `language`.
pub(super) fn fill(schema: &Value, text: &str, language: &str) -> Value {
    Filler { text, language }.value(schema, "", 0)
}

struct Filler<'a> {
    text: &'a str,
    language: &'a str,
}

impl Filler<'_> {
    fn value(&self, schema: &Value, name: &str, depth: usize) -> Value {
        if depth > MAX_DEPTH {
            return Value::Null;
        }

        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        if let Some(first) = schema.get("enum").and_then(|e| e.get(0)) {
            return first.clone();
        }
        for choice in ["anyOf", "oneOf"] {
            if let Some(first) = schema.get(choice).and_then(|list| list.get(0)) {
                return self.value(first, name, depth + 1);
            }
        }

        let kind = schema.get("type");
        // A list of types names the preferred one first.
        let kind = kind.and_then(|k| k.as_str().or_else(|| k.get(0).and_then(Value::as_str)));
        match kind {
            Some("object") => self.object(schema, depth),
            Some("array") => {
                let items = schema.get("items").unwrap_or(&Value::Null);
                json!([self.value(items, name, depth + 1)])
            }
            Some("integer") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
            Some("number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(0.5)),
            Some("boolean") => json!(true),
            Some("null") => Value::Null,
            Some(_) | None => self.string(schema, name),
        }
    }

    /// The required properties, or the first one when none is.
    fn object(&self, schema: &Value, depth: usize) -> Value {
        let nothing = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&nothing);
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let wanted = if required.is_empty() {
            properties.keys().take(1).map(String::as_str).collect()
        } else {
            required
        };

        let fill = |name: &str| {
            let value = self.value(properties.get(name).unwrap_or(&Value::Null), name, depth + 1);
            (name.to_owned(), value)
        };

        Value::Object(wanted.into_iter().map(fill).collect())
    }

    fn string(&self, schema: &Value, name: &str) -> Value {
        let text = if name == "language" { self.language } else { self.text };
        let longest = schema.get("maxLength").and_then(Value::as_u64).unwrap_or(u64::MAX);
        json!(text.chars().take(usize::try_from(longest).unwrap_or(usize::MAX)).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn required_properties_get_a_value_of_their_type() {
        let schema = json!({
            "type": "object",
            "properties": {
                "intent": {"type": "string", "enum": ["question", "opt_out"]},
                "confidence": {"type": "number", "minimum": 0},
                "reply": {"type": "string", "maxLength": 5},
                "language": {"type": "string"},
                "tags": {"type": "array", "items": {"type": "integer"}},
                "inner": {"type": "object", "properties": {"ok": {"type": "boolean"}}},
                "optional": {"type": "string"},
            },
            "required": ["intent", "confidence", "reply", "language", "tags", "inner"],
        });

        let expected = json!({"intent": "question", "confidence": 0, "reply": "Hello",
                              "language": "en", "tags": [1], "inner": {"ok": true}});
        assert_eq!(fill(&schema, "Hello there", "en"), expected);
    }

    #[test]
    fn a_schema_that_refers_to_itself_in_depth_ends() {
        let mut schema = json!({"type": "string"});
        for _ in 0..50 {
            schema = json!({"type": "array", "items": schema});
        }

        assert!(fill(&schema, "x", "en").is_array());
    }
}
