//! What operations have answered to their examples: recorded by the test that sends them
//! (`scripts/document --answers`), and shown beside what they may answer.

use serde_json::Value;

/// By operation and status.
const ANSWERS: &str = include_str!("answers.json");

/// Shows each answer as the example of its status.
pub(super) fn show_answers(document: &mut Value) {
    let answers: Value = serde_json::from_str(ANSWERS).expect("the file is JSON");
    let items = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    for operation in items.filter_map(Value::as_object_mut).flat_map(|item| item.values_mut()) {
        let Some(id) = operation["operationId"].as_str() else { continue };
        let Some(answered) = answers.get(id).and_then(Value::as_object) else { continue };

        for (status, answer) in answered {
            let content = &mut operation["responses"][status]["content"]["application/json"];
            if content.is_object() {
                content["example"] = answer.clone();
            }
        }
    }
}
