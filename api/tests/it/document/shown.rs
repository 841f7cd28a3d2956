//! What the document shows as answers: each has an example, and each example fits.

use serde_json::Value;

use super::{document, schemas::faults};

/// What is wrong with the examples of an answer.
fn unlike(document: &Value, place: &str, answer: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for (kind, content) in answer["content"].as_object().into_iter().flatten() {
        match content.get("example") {
            None => wrong.push(format!("{place} {kind} shows no example")),
            Some(example) => {
                let found = faults(document, &content["schema"], example);
                wrong.extend(found.into_iter().map(|one| format!("{place} {kind}: {one}")));
            }
        }
    }
    wrong
}

#[test]
fn every_answer_shows_an_example_that_fits_its_schema() {
    let document = document();
    let (mut wrong, mut seen) = (Vec::new(), 0);

    // What many share is looked at once.
    let shared = document["components"]["responses"].as_object().expect("shared answers");
    for (name, answer) in shared {
        wrong.extend(unlike(&document, name, answer));
        seen += 1;
    }

    for (path, item) in document["paths"].as_object().expect("paths") {
        // The documents are what they show.
        if path.ends_with("api.json") {
            continue;
        }
        let operations = item.as_object().expect("operations").iter();
        for (method, operation) in operations {
            for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
                wrong.extend(unlike(&document, &format!("{method} {path} {status}"), answer));
                seen += usize::from(answer["content"].is_object());
            }
        }
    }
    assert!(seen > 120, "{seen} answers");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_kind_of_problem_that_answers_share_is_shown_with_its_status() {
    let document = document();
    let (mut seen, shared) = (0, document["components"]["responses"].as_object().expect("answers"));
    for (path, item) in document["paths"].as_object().expect("paths") {
        for operation in item.as_object().expect("operations").values() {
            for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
                let Some(name) = answer["$ref"].as_str().and_then(|to| to.rsplit('/').next())
                else {
                    continue;
                };
                let example = &shared[name]["content"]["application/problem+json"]["example"];
                assert_eq!(example["status"].to_string(), *status, "{path}: {name}");
                seen += 1;
            }
        }
    }
    assert!(seen > 600, "{seen} answers");
}
