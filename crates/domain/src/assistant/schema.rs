//! The form of what a tool takes: the small part of JSON Schema that models go by, of which every
//! word is checked here, and against which what a model gives is checked before anybody is called.

use serde_json::{Map, Value};

/// The longest schema, as JSON without blanks, in bytes.
const MOST_BYTES: usize = 8 * 1024;

/// How deep objects and lists may be in each other.
const DEEPEST: usize = 4;

/// How many fields an object may have, and how many values an `enum`.
const MOST_FIELDS: usize = 20;
const MOST_VALUES: usize = 50;

/// The longest description and the longest value of an `enum`, in characters.
const LONGEST_TEXT: usize = 300;

/// The words that are understood.
const WORDS: [&str; 7] =
    ["type", "description", "enum", "properties", "required", "additionalProperties", "items"];

/// Something in a schema that is not understood, or too large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFault {
    /// Where it is: `properties.order.type`; nothing of the whole.
    pub at: String,
    /// What would fit.
    pub fits: &'static str,
}

/// Checks the schema of a tool's input: an object of named fields, at most four deep and 8 KiB.
///
/// # Errors
/// The first thing that does not fit.
pub fn check_schema(schema: &Value) -> Result<(), SchemaFault> {
    let whole = |fits| SchemaFault { at: String::new(), fits };
    if schema.to_string().len() > MOST_BYTES {
        return Err(whole("at most 8 KiB"));
    }
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Err(whole("`type` must be `object`"));
    }
    check(schema, "", 1)
}

fn check(schema: &Value, at: &str, depth: usize) -> Result<(), SchemaFault> {
    let need = |fine: bool, word: &str, fits: &'static str| {
        if fine { Ok(()) } else { Err(SchemaFault { at: below(at, word), fits }) }
    };
    let Some(fields) = schema.as_object() else { return need(false, "", "an object") };
    need(depth <= DEEPEST, "", "at most four objects and lists in each other")?;
    for word in fields.keys() {
        let fits = "type, description, enum, properties, required, additionalProperties or items";
        need(WORDS.contains(&word.as_str()), word, fits)?;
    }
    let is_short = |text: &str| text.chars().count() <= LONGEST_TEXT;
    let describes = fields.get("description").is_none_or(|it| it.as_str().is_some_and(is_short));
    need(describes, "description", "a text of at most 300 characters")?;
    let is_value = |value: &Value| value.as_str().is_some_and(is_short);
    let lists = |values: &Vec<Value>| {
        (1..=MOST_VALUES).contains(&values.len()) && values.iter().all(is_value)
    };
    let names = fields.get("enum").is_none_or(|it| it.as_array().is_some_and(lists));
    need(names, "enum", "1 to 50 texts of at most 300 characters")?;

    let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
    need(kind == "string" || !fields.contains_key("enum"), "enum", "only of a `string`")?;
    match kind {
        "object" => check_object(fields, at, depth),
        "array" => match fields.get("items") {
            Some(items) => check(items, &below(at, "items"), depth + 1),
            None => need(false, "items", "the schema of what the list holds"),
        },
        "string" | "integer" | "number" | "boolean" => Ok(()),
        _ => need(false, "type", "string, integer, number, boolean, array or object"),
    }
}

fn check_object(fields: &Map<String, Value>, at: &str, depth: usize) -> Result<(), SchemaFault> {
    let fault = |word: &str, fits| SchemaFault { at: below(at, word), fits };
    let nothing = Map::new();
    let properties = match fields.get("properties") {
        None => &nothing,
        Some(Value::Object(properties)) if properties.len() <= MOST_FIELDS => properties,
        Some(_) => return Err(fault("properties", "an object of at most 20 fields")),
    };
    for (name, schema) in properties {
        let place = below(&below(at, "properties"), name);
        if !is_name(name) {
            let fits = "letters, digits and `_`, at most 40 of them";
            return Err(SchemaFault { at: place, fits });
        }
        check(schema, &place, depth + 1)?;
    }

    let is_there = |name: &Value| name.as_str().is_some_and(|name| properties.contains_key(name));
    let all_there = |names: &Vec<Value>| names.len() <= MOST_FIELDS && names.iter().all(is_there);
    if !fields.get("required").is_none_or(|it| it.as_array().is_some_and(all_there)) {
        return Err(fault("required", "names of `properties`"));
    }
    match fields.get("additionalProperties") {
        None | Some(Value::Bool(false)) => Ok(()),
        Some(_) => Err(fault("additionalProperties", "false: it takes no other fields")),
    }
}

/// Whether an input is in the form of a schema that [`check_schema`] has let pass.
pub fn fits_schema(schema: &Value, input: &Value) -> bool {
    match schema.get("type").and_then(Value::as_str) {
        Some("object") => input.as_object().is_some_and(|input| fits_object(schema, input)),
        Some("array") => {
            let items = schema.get("items").unwrap_or(&Value::Null);
            input.as_array().is_some_and(|input| input.iter().all(|one| fits_schema(items, one)))
        }
        Some("string") => {
            let values = schema.get("enum").and_then(Value::as_array);
            input.is_string() && values.is_none_or(|values| values.contains(input))
        }
        Some("integer") => input.is_i64() || input.is_u64(),
        Some("number") => input.is_number(),
        Some("boolean") => input.is_boolean(),
        Some(_) | None => false,
    }
}

fn fits_object(schema: &Value, input: &Map<String, Value>) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    let mut required = required.into_iter().flatten().filter_map(Value::as_str);
    let fits = |(name, value): (&String, &Value)| {
        let field = schema.get("properties").and_then(|fields| fields.get(name));
        field.is_some_and(|field| fits_schema(field, value))
    };
    required.all(|name| input.contains_key(name)) && input.iter().all(fits)
}

fn below(at: &str, word: &str) -> String {
    let parts = [at, word].into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(".")
}

fn is_name(name: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=40).contains(&name.len()) && name.chars().all(is_inner)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order() -> Value {
        json!({
            "type": "object",
            "properties": {
                "order": { "type": "string", "description": "its number" },
                "kind": { "type": "string", "enum": ["a", "b"] },
                "parts": { "type": "array", "items": { "type": "integer" } },
            },
            "required": ["order"],
            "additionalProperties": false,
        })
    }

    fn fault(schema: Value) -> String {
        check_schema(&schema).expect_err("does not fit").at
    }

    #[test]
    fn a_schema_of_named_fields_is_taken_and_what_is_not_understood_is_named() {
        assert_eq!(check_schema(&order()), Ok(()));
        assert_eq!(check_schema(&json!({ "type": "object" })), Ok(()));

        let of = |field: Value| json!({ "type": "object", "properties": { "x": field } });
        for (schema, at) in [
            (json!("object"), ""),
            (json!({ "type": "string" }), ""),
            (json!({ "type": "object", "$ref": "#" }), "$ref"),
            (json!({ "type": "object", "required": ["y"] }), "required"),
            (json!({ "type": "object", "additionalProperties": true }), "additionalProperties"),
            (json!({ "type": "object", "properties": [] }), "properties"),
            (of(json!({})), "properties.x.type"),
            (of(json!(1)), "properties.x"),
            (of(json!({ "type": "array" })), "properties.x.items"),
            (of(json!({ "type": "integer", "enum": ["1"] })), "properties.x.enum"),
            (of(json!({ "type": "string", "enum": [] })), "properties.x.enum"),
            (of(json!({ "type": "string", "pattern": ".*" })), "properties.x.pattern"),
            (of(json!({ "type": "string", "description": 1 })), "properties.x.description"),
            (json!({ "type": "object", "properties": { "a b": {} } }), "properties.a b"),
        ] {
            assert_eq!(fault(schema.clone()), at, "{schema}");
        }
    }

    #[test]
    fn a_schema_is_not_deep_and_not_long() {
        let mut schema = json!({ "type": "string" });
        for _ in 0..3 {
            schema = json!({ "type": "object", "properties": { "x": schema } });
        }
        assert_eq!(check_schema(&schema), Ok(()));
        let deeper = json!({ "type": "object", "properties": { "x": schema } });
        assert_eq!(fault(deeper), "properties.x.properties.x.properties.x.properties.x");

        let many: Map<String, Value> =
            (0..21).map(|n| (format!("f{n}"), json!({ "type": "string" }))).collect();
        assert_eq!(fault(json!({ "type": "object", "properties": many })), "properties");
        let long: Map<String, Value> = (0..20)
            .map(|n| {
                let values: Vec<String> =
                    (0..5).map(|m| format!("{m}{}", "x".repeat(99))).collect();
                (format!("f{n}"), json!({ "type": "string", "enum": values }))
            })
            .collect();
        let fault = check_schema(&json!({ "type": "object", "properties": long }));
        assert_eq!(fault.map_err(|fault| fault.fits), Err("at most 8 KiB"));
    }

    #[test]
    fn an_input_must_be_in_the_form_of_the_schema() {
        for fine in
            [json!({ "order": "1042" }), json!({ "order": "", "kind": "b", "parts": [1, 2] })]
        {
            assert!(fits_schema(&order(), &fine), "{fine}");
        }
        for other in [
            json!("1042"),
            json!({}),
            json!({ "order": 1042 }),
            json!({ "order": "1", "kind": "c" }),
            json!({ "order": "1", "parts": [1.5] }),
            json!({ "order": "1", "more": true }),
        ] {
            assert!(!fits_schema(&order(), &other), "{other}");
        }
    }
}
