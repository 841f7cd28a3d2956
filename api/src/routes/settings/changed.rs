//! What differs between a setting before and after a change, and a policy made of another one.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A rule or a cap that is another now.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ChangedRule)]
pub(super) struct Changed {
    /// The rule or the cap, with dots where it lies deeper.
    #[schema(example = "quota.per_day")]
    rule: String,
    /// Its value before; null where it had none.
    from: Value,
    /// Its value now; null where it has none.
    to: Value,
}

impl Changed {
    /// A value that is one as a whole; none where it stays.
    pub(super) fn whole(rule: &str, from: Value, to: Value) -> Option<Self> {
        (from != to).then(|| Self { rule: rule.to_owned(), from, to })
    }
}

/// Every rule in which two policies differ, by name. A rule that a policy does not have is null.
pub(super) fn changes(before: &Value, after: &Value) -> Vec<Changed> {
    let mut found = Vec::new();
    compare(String::new(), before, after, &mut found);
    found
}

fn compare(rule: String, before: &Value, after: &Value, found: &mut Vec<Changed>) {
    if before == after {
        return;
    }
    let (Value::Object(was), Value::Object(is)) = (before, after) else {
        found.push(Changed { rule, from: before.clone(), to: after.clone() });
        return;
    };

    let mut names: Vec<&String> = was.keys().chain(is.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let inner = if rule.is_empty() { name.clone() } else { format!("{rule}.{name}") };
        let of = |fields: &Map<String, Value>| fields.get(name).cloned().unwrap_or_default();
        compare(inner, &of(was), &of(is), found);
    }
}

/// Puts what a patch names into a value, by RFC 7396: objects are merged, null takes a member
/// away, everything else takes the place of what was there.
pub(super) fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }

    let Some(fields) = into.as_object_mut() else { return };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(name);
        } else {
            merge(fields.entry(name).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_rule_that_differs_is_named_with_both_values() {
        let before = json!({ "days": 90, "quota": { "day": 5, "hour": 1 }, "list": [1] });
        let after =
            json!({ "days": 30, "quota": { "day": 5, "hour": 2 }, "list": [1], "new": true });
        let rules: Vec<_> =
            changes(&before, &after).into_iter().map(|one| (one.rule, one.from, one.to)).collect();

        let expected = [
            ("days".to_owned(), json!(90), json!(30)),
            ("new".to_owned(), Value::Null, json!(true)),
            ("quota.hour".to_owned(), json!(1), json!(2)),
        ];
        assert_eq!(rules, expected);
        assert_eq!(changes(&before, &before), []);
    }

    #[test]
    fn a_patch_is_merged_as_rfc_7396_says() {
        // Of its appendix A.
        for (mut target, patch, expected) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"a": "foo"}), json!("bar"), json!("bar")),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            merge(&mut target, &patch);
            assert_eq!(target, expected);
        }
    }
}
