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

/// Pages that name tests among other things. A name of so many words is a test's.
const AMONG_OTHERS: [&str; 2] = ["docs/architecture.md", "docs/adding.md"];
const WORDS_OF_A_TEST: usize = 5;

#[test]
fn every_test_that_the_guarantee_names_is_there() {
    let named = names_tests_that_are_there(GUARANTEE, |span| span.contains('_'));
    assert!(named > 20, "{GUARANTEE} names {named} tests");
}

#[test]
fn every_test_that_the_architecture_and_the_lists_of_adding_name_is_there() {
    for page in AMONG_OTHERS {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let is_test =
            |span: &str| span.chars().all(plain) && span.split('_').count() >= WORDS_OF_A_TEST;
        let named = names_tests_that_are_there(page, is_test);
        assert!(named > 10, "{page} names {named} tests");
    }
}

/// Fails where a page names a test that is not there. How many it names.
fn names_tests_that_are_there(path: &str, is_test: impl Fn(&str) -> bool) -> usize {
    let tests: Vec<String> = rust().into_iter().map(|file| file.text).collect();
    let mut found = Found::default();
    let mut named = 0;
    for page in files(&[".md"]).iter().filter(|file| file.path == path) {
        for (at, line) in page.lines() {
            for name in line.split('`').skip(1).step_by(2).filter(|span| is_test(span)) {
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
    found.none("A page that names a test names one that there is.");
    named
}
