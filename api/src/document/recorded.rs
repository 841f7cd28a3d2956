//! What operations have answered to their examples: recorded by the test that sends them
//! (`scripts/document --answers`), and shown beside what they may answer.

use serde_json::{Map, Value};

/// By operation and status.
const ANSWERS: &str = include_str!("answers.json");

/// Shows each answer as the example of its status, and of the others that say the same.
pub(super) fn show_answers(document: &mut Value) {
    let answers: Value = serde_json::from_str(ANSWERS).expect("the file is JSON");
    let items = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    for operation in items.filter_map(Value::as_object_mut).flat_map(|item| item.values_mut()) {
        let Some(id) = operation["operationId"].as_str() else { continue };
        let Some(answered) = answers.get(id).and_then(Value::as_object) else { continue };
        let responses = operation["responses"].as_object_mut().into_iter().flatten();
        show(responses, answered);
    }
}

/// Shows what one operation has answered.
fn show<'a>(
    responses: impl Iterator<Item = (&'a String, &'a mut Value)>,
    answered: &Map<String, Value>,
) {
    let mut contents: Vec<(&String, &mut Value)> = responses
        .filter_map(|(status, response)| {
            let content = response.get_mut("content")?.get_mut("application/json")?;
            Some((status, content))
        })
        .collect();

    let recorded = contents.iter().filter_map(|(status, content)| {
        let answer = answered.get(*status)?;
        Some((content["schema"].clone(), answer))
    });
    let recorded: Vec<(Value, &Value)> = recorded.collect();
    for (status, content) in &mut contents {
        // Of a thing that was there already, it is the answer of one that was made.
        let alike = recorded.iter().find(|(schema, _)| *schema == content["schema"]);
        let answer = answered.get(*status).or(alike.map(|(_, answer)| *answer));
        if let Some(answer) = answer {
            content["example"] = answer.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_shown_at_its_status_and_at_those_that_say_the_same() {
        let answer =
            |schema: &str| json!({ "content": { "application/json": { "schema": schema } } });
        let mut responses = json!({
            "200": answer("Contact"), "201": answer("Contact"), "202": answer("Import"), "422": {},
        });
        let answered = json!({ "201": { "id": 1 } });
        let shown = responses.as_object_mut().expect("responses").into_iter();
        show(shown, answered.as_object().expect("answers"));

        let example =
            |status: &str| responses[status]["content"]["application/json"]["example"].clone();
        assert_eq!((example("201"), example("200")), (json!({ "id": 1 }), json!({ "id": 1 })));
        assert_eq!((example("202"), &responses["422"]), (Value::Null, &json!({})));
    }
}
