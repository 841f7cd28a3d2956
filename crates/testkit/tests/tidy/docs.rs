//! Documents: what they link to is there, and so are the tests that they name.

use super::tree::{Found, files, root, rust};

#[test]
fn every_link_of_every_document_leads_somewhere() {
    let root = root();
    let mut found = Found::default();
    for file in files(&[".md"]) {
        let folder = root.join(&file.path).with_file_name("");
        let mut fenced = false;
        for (at, line) in file.lines() {
            fenced ^= line.trim_start().starts_with("```");
            if fenced {
                continue;
            }
            for target in targets(line) {
                let path = target.split(['#', ' ']).next().unwrap_or_default();
                let elsewhere = path.contains("://") || path.starts_with("mailto:");
                if !path.is_empty() && !elsewhere && !folder.join(path).exists() {
                    found.at(&file.path, at, format!("links to {path}, which is not there"));
                }
            }
        }
    }
    found.none("Every relative link of a document leads to a file.");
}

/// What the inline links and pictures of a line point to, code spans left out.
fn targets(line: &str) -> Vec<String> {
    let plain: String = line.split('`').step_by(2).collect();
    let starts = plain.split("](").skip(1);
    starts.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target.to_owned()).collect()
}

/// The page that names a test for each sentence.
const GUARANTEE: &str = "docs/guarantee.md";

#[test]
fn every_test_that_the_guarantee_names_is_there() {
    let tests: Vec<String> = rust().into_iter().map(|file| file.text).collect();
    let mut found = Found::default();
    let mut named = 0;
    for page in files(&[".md"]).iter().filter(|file| file.path == GUARANTEE) {
        for (at, line) in page.lines() {
            let spans = line.split('`').skip(1).step_by(2).filter(|span| span.contains('_'));
            for name in spans {
                named += 1;
                // As a function, or as the first word of a line that a macro makes one of.
                let declared = [format!("fn {name}("), format!("\n    {name} ")];
                let is_there = |text: &String| declared.iter().any(|line| text.contains(line));
                if !tests.iter().any(is_there) {
                    found.at(&page.path, at, format!("there is no test {name}"));
                }
            }
        }
    }
    found.none("Every promise names the tests that show it.");
    assert!(named > 20, "{GUARANTEE} names {named} tests");
}
