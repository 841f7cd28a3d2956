//! Every metric that is named is one that the binary describes, with the labels that it has.

use std::collections::BTreeSet;

use boot::telemetry::catalogue::{CATALOGUE, MetricKind};
use serde_json::Value;
use stage::StageName;
use wire::stream::Stream;

use crate::{
    alerts::rules,
    files::{declarations, pieces, sources, text},
};

/// Names that begin like a metric's and are roles of the database.
const ROLES: [&str; 3] = ["millrace_api", "millrace_owner", "millrace_pipeline"];

/// Labels that Prometheus adds: of a target, and of a bucket.
const OF_PROMETHEUS: [&str; 4] = ["job", "instance", "service", "le"];

/// What a name may end with that is a part of a histogram.
const PARTS: [&str; 3] = ["_bucket", "_sum", "_count"];

/// Every panel's queries, without the variables of Grafana.
fn queries() -> Vec<(String, String)> {
    let text = text("compose/grafana/dashboard.json");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        let title = panel["title"].as_str().expect("a title");
        for target in panel["targets"].as_array().into_iter().flatten() {
            queries.push((title.to_owned(), target["expr"].as_str().expect("a query").to_owned()));
        }
    }
    assert!(queries.len() > 40, "{} queries", queries.len());
    queries
}

/// Every query of the dashboard and of the rules, with its name.
fn expressions() -> Vec<(String, String)> {
    let alerts = rules().into_iter().map(|rule| (rule.name, rule.expr));
    queries().into_iter().chain(alerts).collect()
}

fn of_metric(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'
}

/// The metric of this name, of which it may be a part.
fn metric(name: &str) -> Option<&'static str> {
    let found = CATALOGUE.iter().find(|(known, kind, _)| match kind {
        MetricKind::Histogram => PARTS.iter().any(|part| name.strip_suffix(part) == Some(*known)),
        MetricKind::Counter | MetricKind::Gauge => name == *known,
    });
    found.map(|(known, ..)| *known)
}

#[test]
fn every_metric_of_the_rules_and_the_dashboard_is_described() {
    for (of, expr) in expressions() {
        let names: Vec<_> = pieces(&expr, "millrace_", of_metric).collect();
        assert!(!names.is_empty() || expr.contains("up{"), "{of} asks for nothing of ours");
        for name in names {
            assert!(metric(name).is_some(), "{of} asks for {name}, which nobody counts");
        }
    }
}

#[test]
fn every_metric_is_on_the_dashboard() {
    let shown: String = queries().into_iter().map(|(_, expr)| expr + "\n").collect();
    let shown: BTreeSet<_> = pieces(&shown, "millrace_", of_metric).filter_map(metric).collect();
    let missing: Vec<_> =
        CATALOGUE.iter().map(|(name, ..)| *name).filter(|name| !shown.contains(name)).collect();
    assert!(missing.is_empty(), "not shown: {missing:?}");
}

#[test]
fn every_metric_that_a_document_names_is_described() {
    for path in declarations() {
        // Of queries, parts of histograms are checked too.
        if path.ends_with(".md") || path.ends_with("rules.yaml") {
            for name in pieces(&text(&path), "millrace_", of_metric) {
                let is_metric = CATALOGUE.iter().any(|(known, ..)| name == *known);
                let is_group = name.ends_with('_');
                let is_known = is_metric || metric(name).is_some() || ROLES.contains(&name);
                assert!(is_known || is_group, "{path} names {name}, which nobody counts");
            }
        }
    }
}

/// A condition on a label of a metric: `metric{label="value"}`.
struct Matcher<'a> {
    metric: &'a str,
    label: &'a str,
    /// Each value that it names, where it names them in full.
    values: Vec<&'a str>,
}

/// The conditions of a query.
fn matchers(expr: &str) -> Vec<Matcher<'_>> {
    let mut found = Vec::new();
    let braces = expr.match_indices('{').map(|(at, _)| at);
    for at in braces {
        let before = &expr[..at];
        let begin = before.rfind(|c| !of_metric(c)).map_or(0, |space| space + 1);
        let inside = expr[at + 1..].split('}').next().expect("a text");

        for one in inside.split(',').map(str::trim) {
            let (label, rest) = one.split_once(['=', '!']).expect("a condition");
            let quoted = rest.split('"').nth(1).expect("a value");
            let plain =
                quoted.chars().all(|c| of_metric(c) || "|/".contains(c) || c.is_uppercase());
            let values = if plain { quoted.split('|').collect() } else { Vec::new() };
            found.push(Matcher { metric: &expr[begin..at], label, values });
        }
    }
    found
}

/// Whether this metric is counted under this label: the call that names it says so, or where that
/// takes its labels from elsewhere, the file.
fn has_label(sources: &[(String, String)], metric: &str, label: &str) -> bool {
    let (metric, label) = (format!("\"{metric}\""), format!("\"{label}\""));
    sources.iter().filter(|(path, _)| !path.ends_with("catalogue.rs")).any(|(_, text)| {
        text.match_indices(&metric).any(|(at, _)| {
            let call = arguments(&text[at..]);
            if call.contains("=>") { call } else { text }.contains(&label)
        })
    })
}

/// The text up to the parenthesis that closes a call whose arguments it begins in.
fn arguments(text: &str) -> &str {
    let mut open = 1;
    let end = text.find(|c| {
        match c {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        open == 0
    });
    &text[..end.unwrap_or(text.len())]
}

#[test]
fn every_condition_on_a_label_can_be_met() {
    let sources = sources();
    let mut seen = 0;

    for (of, expr) in expressions() {
        for Matcher { metric: name, label, values } in matchers(&expr) {
            if name == "up" {
                continue;
            }
            seen += 1;
            let name = metric(name).expect("a metric");
            assert!(has_label(&sources, name, label), "{of}: {name} has no label {label}");

            for value in values {
                let quoted = format!("\"{value}\"");
                let is_known = match label {
                    "stage" => StageName::ALL.iter().any(|stage| stage.as_str() == value),
                    "stream" => Stream::ALL.iter().any(|stream| stream.name() == value),
                    _ => sources.iter().any(|(_, text)| text.contains(&quoted)),
                };
                assert!(is_known, "{of}: no {label} is {value}");
            }
        }
    }
    assert!(seen > 15, "{seen} conditions");
}

#[test]
fn every_label_that_a_query_groups_by_is_one_of_its_metric() {
    let sources = sources();
    for (of, expr) in expressions() {
        let names: Vec<_> = pieces(&expr, "millrace_", of_metric).filter_map(metric).collect();
        for list in [" by (", " on ("].iter().flat_map(|word| expr.split(word).skip(1)) {
            let labels = list.split(')').next().expect("a list").split(',').map(str::trim);
            let labels = labels.filter(|label| !label.is_empty() && !OF_PROMETHEUS.contains(label));
            for label in labels {
                let has = names.iter().any(|name| has_label(&sources, name, label));
                assert!(has, "{of} groups by {label}");
            }
        }
    }
}
