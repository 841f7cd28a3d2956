//! Every metric says what it counts.

use std::collections::BTreeSet;

use boot::telemetry::catalogue::CATALOGUE;

use super::tree;

/// Names that begin like a metric's and are roles of the database.
const ROLES: [&str; 3] = ["millrace_api", "millrace_owner", "millrace_pipeline"];

#[test]
fn every_metric_is_in_the_catalogue_and_nothing_else_is() {
    let mut counted = BTreeSet::new();
    for source in tree::rust() {
        // The catalogue itself, and tests of what shows metrics.
        if !source.path.contains("/src/") || source.path.starts_with("crates/boot/") {
            continue;
        }
        let texts = source.text.split('"').filter(|text| is_name(text));
        counted.extend(texts.filter(|text| !ROLES.contains(text)).map(str::to_owned));
    }

    let told: BTreeSet<String> = CATALOGUE.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(counted, told);
    assert_eq!(told.len(), CATALOGUE.len(), "a name is there twice");
}

fn is_name(text: &str) -> bool {
    let rest = text.strip_prefix("millrace_");
    rest.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
}
