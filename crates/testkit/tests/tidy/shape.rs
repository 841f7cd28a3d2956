//! How a file of Rust looks: what it opens with, how long it and its functions are, how wide.

use super::tree::{Found, Source, rust};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;
/// From how many lines of code on a function has paragraphs.
const BLOCK_LINES: usize = 25;
/// The fewest words of a doc comment.
const DOC_WORDS: usize = 3;
const COLUMNS: usize = 100;

#[test]
fn every_file_opens_with_what_it_is_for() {
    let mut found = Found::default();
    for file in rust() {
        let first = file.text.lines().next().unwrap_or_default();
        let says = first.strip_prefix("//! ").unwrap_or_default();
        if says.trim().is_empty() || says.starts_with("TODO") {
            found.at(&file.path, 1, "the first line is to be `//! ` and what the file is for");
        }
    }
    found.none("Every file opens with what it is for.");
}

#[test]
fn modules_are_written_in_one_style() {
    let mut found = Found::default();
    for file in rust().iter().filter(|file| file.name() == "mod.rs") {
        // Cargo takes every file right below `tests/` for a program of its own, but no folder.
        let folders: Vec<&str> = file.path.rsplit('/').collect();
        let shared_by_programs = folders.get(2) == Some(&"tests");
        if !shared_by_programs {
            found.at(&file.path, 1, "name the file after its module, beside the folder");
        }
    }
    found.none("A module is `x.rs`, and what it holds is in `x/`.");
}

#[test]
fn no_file_has_more_than_400_lines_of_code() {
    let mut found = Found::default();
    for file in rust() {
        let lines = code_lines(file.text.lines());
        if lines > FILE_LINES {
            found.at(&file.path, lines, format!("{lines} lines of code"));
        }
    }
    found.none("A file has at most 400 lines of code: split it by idea.");
}

#[test]
fn no_function_has_more_than_70_lines_of_code() {
    let mut found = Found::default();
    for file in rust() {
        for function in functions(&file) {
            let lines = code_lines(function.lines.iter().copied());
            if lines > FUNCTION_LINES {
                let what = format!("{} has {lines} lines of code", function.name);
                found.at(&file.path, function.first, what);
            }
        }
    }
    found.none("A function has at most 70 lines of code.");
}

#[test]
fn no_long_function_is_one_solid_block() {
    let mut found = Found::default();
    for file in rust() {
        for function in functions(&file) {
            let lines = code_lines(function.lines.iter().copied());
            let has_paragraphs = function.lines.iter().any(|line| line.trim().is_empty());
            if lines >= BLOCK_LINES && !has_paragraphs {
                let what = format!("{} has {lines} lines and no paragraph", function.name);
                found.at(&file.path, function.first, what);
            }
        }
    }
    found.none("A function of 25 lines of code or more has its steps apart, by blank lines.");
}

#[test]
fn every_doc_comment_says_something() {
    let mut found = Found::default();
    for file in rust() {
        for (first, says) in doc_comments(&file) {
            let words =
                says.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric));
            if words.count() < DOC_WORDS {
                found.at(&file.path, first, format!("says {:?} alone", says.trim()));
            }
        }
    }
    found.none("A doc comment of one or two words says nothing: say it, or leave it out.");
}

#[test]
fn no_line_is_wider_than_100_columns() {
    let mut found = Found::default();
    for file in rust() {
        for (at, line) in file.lines() {
            let wide = line.chars().count();
            if wide > COLUMNS && !is_excused(line) {
                found.at(&file.path, at, format!("{wide} columns"));
            }
        }
    }
    found.none("A line has at most 100 columns, what cannot be broken aside.");
}

#[test]
fn no_test_is_ignored() {
    let mut found = Found::default();
    for file in rust() {
        for (at, line) in file.lines() {
            if line.trim_start().starts_with(concat!("#[", "ignore")) {
                found.at(&file.path, at, "a test that does not run shows nothing");
            }
        }
    }
    found.none("No test is ignored.");
}

/// What cannot be broken: a table row or an address in a comment, one string literal.
fn is_excused(line: &str) -> bool {
    let text = line.trim_start();
    if text.starts_with("//") {
        let comment = text.trim_start_matches(['/', '!']).trim_start();
        return comment.starts_with('|') || comment.contains("https://");
    }
    let quotes = line.match_indices('"').filter(|(at, _)| !line[..*at].ends_with('\\'));
    let quotes: Vec<usize> = quotes.map(|(at, _)| at).collect();
    let literals = quotes.chunks_exact(2).map(|pair| line[pair[0]..pair[1]].chars().count());
    let longest = literals.max().unwrap_or_default();
    line.chars().count() - longest <= COLUMNS
}

/// Lines that hold code: neither blank nor comment.
fn code_lines<'a>(lines: impl Iterator<Item = &'a str>) -> usize {
    let is_code = |line: &&str| {
        let text = line.trim_start();
        !text.is_empty() && !text.starts_with("//")
    };
    lines.filter(is_code).count()
}

/// The doc comments of a file: the line that each begins on, and what it says. Those of the file
/// itself are apart: they have a test of their own.
fn doc_comments(file: &Source) -> Vec<(usize, String)> {
    let mut comments: Vec<(usize, String)> = Vec::new();
    let mut within = false;
    for (number, line) in file.lines() {
        let text = line.trim_start();
        let says = text.strip_prefix("///").filter(|_| !text.starts_with("////"));
        match (says, comments.last_mut()) {
            (Some(says), Some((_, all))) if within => all.push_str(says),
            (Some(says), _) => comments.push((number, says.to_owned())),
            (None, _) => {}
        }
        within = says.is_some();
    }
    comments
}

/// A function with its lines, the first of which has this number.
struct Function<'a> {
    name: String,
    first: usize,
    lines: Vec<&'a str>,
}

/// Each function from its `fn` to the brace at the same indent. The code is formatted, so that this
/// is where it ends.
fn functions(file: &Source) -> Vec<Function<'_>> {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut functions = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        if line.ends_with('}') || line.ends_with(';') {
            functions.push(Function { name, first: i + 1, lines: vec![line] });
            continue;
        }

        let indent = line.len() - line.trim_start().len();
        let ends = |line: &&str| {
            let text = line.trim_start();
            line.len() - text.len() == indent
                && (text.starts_with('}') || (text.starts_with(')') && text.ends_with(';')))
        };
        if let Some(length) = lines[i + 1..].iter().position(ends) {
            let body = lines[i..=i + 1 + length].to_vec();
            functions.push(Function { name, first: i + 1, lines: body });
        }
    }
    functions
}

/// The name of the function that begins on this line, if one does.
fn function_name(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let is_before = |word: &str| matches!(word, "async" | "const") || word.starts_with("pub");
    let first = words.find(|word| !is_before(word))?;
    if first != "fn" {
        return None;
    }
    let name = words.next()?.split(['(', '<']).next()?;
    Some(name.to_owned())
}
