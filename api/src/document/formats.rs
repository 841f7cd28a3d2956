//! The names of number formats as the registry of OpenAPI has them: `uint32`, where the generator
//! writes `u-int32`.

use serde_json::Value;

/// Gives the formats of a document their registered names.
pub(super) fn name_formats(document: &mut Value) {
    match document {
        Value::Object(object) => {
            if let Some(Value::String(format)) = object.get_mut("format")
                && let Some(bits) = format.strip_prefix("u-int")
            {
                *format = format!("uint{bits}");
            }
            object.values_mut().for_each(name_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(name_formats),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_without_a_sign_have_their_registered_name_however_deep_they_lie() {
        let mut document = json!({ "items": [
            { "type": "integer", "format": "u-int32" },
            { "properties": { "format": { "type": "string", "format": "uuid" } } },
        ] });
        name_formats(&mut document);
        let expected = json!({ "items": [
            { "type": "integer", "format": "uint32" },
            { "properties": { "format": { "type": "string", "format": "uuid" } } },
        ] });
        assert_eq!(document, expected);
    }
}
