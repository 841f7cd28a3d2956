//! `docs/adding.md`: each of its lists is held against the code by an exemplar, which is something
//! of the kind that is there already. Whatever file of the product names it is in the list.

use super::tree::{Found, Source, files};

/// The page of the lists.
const PAGE: &str = "docs/adding.md";

/// What a line begins with that names the exemplar of the list below it.
const EXEMPLAR: &str = "Exemplar: ";

/// What there are lists for.
const KINDS: [&str; 6] =
    ["A gate", "A stage", "An event", "An endpoint", "A carrier", "A contact column"];

/// One list of the page: rows of a table for what is to be touched, and bullets for what names the
/// exemplar for another reason.
struct List {
    /// The section that it belongs to.
    kind: String,
    /// The line of its exemplar.
    line: usize,
    /// How the exemplar is called.
    words: Vec<String>,
    /// Where it says that the exemplar is named, with the line. A folder ends in `/`.
    paths: Vec<(usize, String)>,
}

#[test]
fn every_list_of_what_to_touch_names_the_files_that_name_its_exemplar() {
    let product = files(&[""]).into_iter().filter(is_product);
    let product: Vec<(String, String)> = product.map(|file| (named_in(&file), file.path)).collect();

    let mut found = Found::default();
    for list in lists() {
        let names = |(said, _): &&(String, String)| list.words.iter().any(|word| says(said, word));
        let named: Vec<&str> =
            product.iter().filter(names).map(|(_, path)| path.as_str()).collect();
        assert!(!named.is_empty(), "{PAGE}:{}: nothing names {:?}", list.line, list.words);

        for path in &named {
            if !list.paths.iter().any(|(_, listed)| covers(listed, path)) {
                let what = format!("{}: {path} names {:?} too", list.kind, list.words);
                found.at(PAGE, list.line, what);
            }
        }
        for (line, listed) in &list.paths {
            if !named.iter().any(|path| covers(listed, path)) {
                let what = format!("{}: {listed} does not name {:?}", list.kind, list.words);
                found.at(PAGE, *line, what);
            }
        }
    }
    found.none("What there is of a kind shows where the next one goes.");
}

#[test]
fn there_is_a_list_for_everything_that_is_often_added() {
    let lists = lists();
    for kind in KINDS {
        let is_there = lists.iter().any(|list| list.kind == kind && list.paths.len() > 1);
        assert!(is_there, "{PAGE} has no list for: {kind}");
    }
}

/// The lists of the page. Each ends where the next heading is.
fn lists() -> Vec<List> {
    let page = files(&["adding.md"]).into_iter().find(|file| file.path == PAGE).expect(PAGE);
    let mut lists: Vec<List> = Vec::new();
    let (mut kind, mut is_open) = (String::new(), false);

    for (at, line) in page.lines() {
        if line.starts_with('#') {
            is_open = false;
            if let Some(heading) = line.strip_prefix("## ") {
                heading.clone_into(&mut kind);
            }
        } else if let Some(words) = line.strip_prefix(EXEMPLAR) {
            let kind = kind.clone();
            let words = words.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            lists.push(List { kind, line: at, words, paths: Vec::new() });
            is_open = true;
        } else if let Some(list) = lists.last_mut().filter(|_| is_open) {
            list.paths.extend(listed_in(line).map(|path| (at, path)));
        }
    }
    lists
}

/// The path from the root that a row or a bullet begins with.
fn listed_in(line: &str) -> Option<String> {
    let (_, link) =
        line.strip_prefix("| [").or_else(|| line.strip_prefix("- ["))?.split_once("](")?;
    let (target, _) = link.split_once(')')?;
    let from_root = target.strip_prefix("../").map(str::to_owned);
    Some(from_root.unwrap_or_else(|| format!("docs/{target}")))
}

fn covers(listed: &str, path: &str) -> bool {
    listed == path || listed.ends_with('/') && path.starts_with(listed)
}

/// Not in the product: tests and what they run on, what is made of other files, decisions as they
/// were made, the console, which is a client, and the page itself.
fn is_product(file: &Source) -> bool {
    let path = file.path.as_str();
    let apart = ["/tests/", "/.sqlx/", "proptest-regressions"];
    !(apart.iter().any(|part| path.contains(part))
        || path.starts_with("crates/testkit/")
        || path.starts_with("docs/adr/")
        || path.starts_with("api/console/")
        || path.ends_with("_tests.rs")
        || (path.starts_with("api/") && path.ends_with(".json"))
        || matches!(path, PAGE | "Cargo.lock"))
}

/// Where a file may name something: in its path, and in what it says beside comments and tests.
fn named_in(file: &Source) -> String {
    let ending = file.name().rsplit('.').next().unwrap_or_default();
    let text = match ending {
        "rs" => file.text.split("mod tests {").next().unwrap_or_default(),
        _ => &file.text,
    };
    let is_comment = |line: &&str| match ending {
        "rs" => line.trim_start().starts_with("//"),
        "md" => false,
        _ => line.trim_start().starts_with('#'),
    };
    let code = |line| match ending {
        "sql" => str::split(line, "--").next().unwrap_or_default(),
        _ => line,
    };

    let code: Vec<&str> = text.lines().filter(|line| !is_comment(line)).map(code).collect();
    format!("{}\n{}", file.path, code.join("\n"))
}

/// Whether a text has this as a word of its own.
fn says(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}
