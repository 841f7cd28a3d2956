//! Every alert says what is wrong and what to do, and every process is scraped.

use std::collections::BTreeSet;

use serde_json::Value;
use stage::StageName;

use crate::{
    declared::services,
    files::{text, words, yaml},
};

/// An alert of the rules.
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) expr: String,
    severity: String,
    annotations: Value,
}

/// Every alert of the rules.
pub(crate) fn rules() -> Vec<Rule> {
    let file = yaml("compose/prometheus/rules.yaml");
    let groups = file["groups"].as_array().expect("groups");
    let rules = groups.iter().flat_map(|group| group["rules"].as_array().expect("rules"));
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();

    let rules = rules.map(|rule| Rule {
        name: word(&rule["alert"]),
        expr: word(&rule["expr"]),
        severity: word(&rule["labels"]["severity"]),
        annotations: rule["annotations"].clone(),
    });
    rules.collect()
}

#[test]
fn every_alert_says_what_is_wrong_and_what_to_do() {
    let rules = rules();
    assert!(rules.len() > 20, "{} alerts", rules.len());
    let names: BTreeSet<_> = rules.iter().map(|rule| &rule.name).collect();
    assert_eq!(names.len(), rules.len(), "a name is there twice");

    for Rule { name, severity, annotations, .. } in &rules {
        assert!(["critical", "warning"].contains(&severity.as_str()), "{name}: {severity}");
        for what in ["summary", "action"] {
            let said = annotations[what].as_str().unwrap_or_default();
            assert!(said.split_whitespace().count() > 4, "{name} has no {what}: {said:?}");
        }
    }
}

#[test]
fn every_alert_that_the_operators_page_names_is_there() {
    let rules = rules();
    let page = text("docs/operating.md");
    let is_name = |word: &&str| {
        let capitals = word.chars().filter(char::is_ascii_uppercase).count();
        capitals > 1 && capitals < word.len() && word.chars().all(|c| c.is_ascii_alphabetic())
    };

    let named: Vec<&str> = page.split('`').skip(1).step_by(2).filter(is_name).collect();
    assert!(named.len() > 6, "{named:?}");
    for name in named {
        assert!(rules.iter().any(|rule| rule.name == name), "there is no alert {name}");
    }
}

#[test]
fn every_stage_is_missed_when_none_of_it_runs() {
    let rules = rules();
    let absent = rules.iter().find(|rule| rule.name == "StageAbsent").expect("the alert");
    for stage in StageName::ALL {
        let condition = format!("{{stage=\"{}\"}}", stage.as_str());
        assert!(absent.expr.contains(&condition), "nobody misses {}", stage.as_str());
    }
}

#[test]
fn every_process_of_compose_is_scraped_where_it_answers() {
    let config = yaml("compose/prometheus/prometheus.yaml");
    let scraped = &config["scrape_configs"][0];
    assert_eq!(scraped["job_name"], "millrace");
    let found = &scraped["dns_sd_configs"][0];

    let mut expected = BTreeSet::new();
    for (name, service) in services() {
        let command = words(&service["command"]);
        if command[0] == "api" || command[0] == "stage" {
            let listen = service["environment"]["MILLRACE_HEALTH_LISTEN"].as_str();
            assert_eq!(listen, Some(format!("0.0.0.0:{}", found["port"]).as_str()), "{name}");
            expected.insert(name);
        }
    }
    let names: BTreeSet<String> = words(&found["names"]).into_iter().collect();
    assert_eq!(names, expected);
}
