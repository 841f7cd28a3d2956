//! Stage cards: each stage's `lib.rs` says the same six things, and what `subjects.md` says.

use super::tree::{Found, Source, files, root};

const ROWS: [&str; 6] = ["Consumes", "Emits", "Reads", "Writes", "Calls", "Never"];

#[test]
fn every_stage_opens_with_its_card() {
    let mut found = Found::default();
    for file in stages() {
        let rows = card(&file);
        let names: Vec<&str> = rows.iter().map(|(_, name, _)| *name).collect();
        if names != ROWS {
            found.at(&file.path, 1, format!("the card has the rows {names:?}, not {ROWS:?}"));
        }
        for (line, name, says) in rows {
            if says.is_empty() {
                found.at(&file.path, line, format!("{name} says nothing"));
            }
        }
    }
    found.none("Every stage's lib.rs starts with its card.");
}

#[test]
fn every_card_names_the_subjects_that_subjects_md_gives_the_stage() {
    let document = std::fs::read_to_string(root().join("subjects.md")).expect("subjects.md");
    let rows: Vec<Vec<&str>> = document
        .lines()
        .filter(|line| line.starts_with("| ") && line.matches('|').count() == 8)
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    assert!(rows.len() >= 9, "subjects.md has its table of streams");

    let mut found = Found::default();
    for file in stages() {
        let stage = file.path.split('/').nth(1).unwrap_or_default().to_owned();
        for (line, name, says) in card(&file) {
            let column = match name {
                "Consumes" => 5,
                "Emits" => 4,
                _ => continue,
            };
            for row in &rows[1..] {
                let root = root_of(row[2]);
                let listed = rows
                    .iter()
                    .any(|other| root_of(other[2]) == root && names(other[column], &stage));
                // Dead letters are written by the runtime, for every stage.
                let told = says.contains(root) || (name == "Emits" && root == "dead");

                if listed && !told {
                    found.at(
                        &file.path,
                        line,
                        format!("{name} lacks {root}, which subjects.md has"),
                    );
                } else if !listed && says.contains(root) {
                    found.at(
                        &file.path,
                        line,
                        format!("{name} has {root}, which subjects.md lacks"),
                    );
                }
            }
        }
    }
    found.none("A stage's card and subjects.md say the same.");
}

fn stages() -> Vec<Source> {
    let all = files(&["lib.rs"]).into_iter();
    all.filter(|file| file.path.starts_with("stages/") && file.path.ends_with("/src/lib.rs"))
        .collect()
}

/// The rows of the card: line, name, text.
fn card(file: &Source) -> Vec<(usize, &str, &str)> {
    file.lines()
        .take_while(|(_, line)| line.starts_with("//!"))
        .filter_map(|(at, line)| {
            let (name, says) = line.strip_prefix("//! | ")?.strip_suffix('|')?.split_once('|')?;
            let (name, says) = (name.trim(), says.trim());
            (!name.is_empty()).then_some((at, name, says))
        })
        .collect()
}

/// What a subject of the table is recognised by: `msg.<step>` of messages, else its first token.
fn root_of(cell: &str) -> &str {
    let subject = cell.trim_matches('`');
    let dots: Vec<usize> = subject.match_indices('.').map(|(at, _)| at).collect();
    match (subject.starts_with("msg."), &dots[..]) {
        (true, [_, second, ..]) => &subject[..*second],
        (true, _) => subject,
        // With its dot: `carrier.*.*.inbound` is not a text that wants an answer.
        (false, [first, ..]) if subject.starts_with("inbound.") => &subject[..=*first],
        (false, [first, ..]) if subject.starts_with("events.") => &subject[..*first - 1],
        (false, [first, ..]) => &subject[..*first],
        (false, []) => subject,
    }
}

/// Whether a cell names a stage, or a consumer of it.
fn names(cell: &str, stage: &str) -> bool {
    let mut named = cell.split('`').skip(1).step_by(2);
    named.any(|name| name.split('-').next() == Some(stage))
}
