//! The files of the repository, as text and as values.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file's text.
pub(crate) fn text(path: &str) -> String {
    let found = fs::read_to_string(root().join(path));
    found.unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// A file of one YAML document; anchors and merges are resolved.
pub(crate) fn yaml(path: &str) -> Value {
    let mut documents = yamls(path);
    assert_eq!(documents.len(), 1, "{path} is one document");
    documents.remove(0)
}

/// The documents of a YAML file.
pub(crate) fn yamls(path: &str) -> Vec<Value> {
    parse(path, &text(path))
}

/// The documents of a YAML text; `of` says where it is from.
pub(crate) fn parse(of: &str, text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap_or_else(|why| panic!("{of}: {why}"))
}

/// The lines `NAME=value` of a file, comments left out.
pub(crate) fn env_file(path: &str) -> Vec<(String, String)> {
    let text = text(path);
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let pairs = lines.map(|line| {
        let pair = line.split_once('=').unwrap_or_else(|| panic!("{path}: {line}"));
        (pair.0.to_owned(), pair.1.to_owned())
    });
    pairs.collect()
}

/// The paths from the root of all files below a folder whose names end like one of these.
pub(crate) fn below(folder: &str, endings: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(root().join(&folder)).expect("a folder");
        for entry in entries {
            let entry = entry.expect("an entry");
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push(path);
            } else if endings.iter().any(|ending| path.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Every file below `compose/` and every document.
pub(crate) fn declarations() -> Vec<String> {
    let mut paths = below("compose", &[""]);
    paths.retain(|path| !path.contains("/.secrets/"));
    paths.extend(below("docs", &[".md"]));
    paths.extend(["README.md".to_owned(), "subjects.md".to_owned()]);
    paths
}

/// Every file of the product's Rust.
pub(crate) fn sources() -> Vec<(String, String)> {
    let folders = ["api/src", "stages", "crates"];
    let paths = folders.iter().flat_map(|folder| below(folder, &[".rs"]));
    let product = paths.filter(|path| path.contains("/src/"));
    product.map(|path| (path.clone(), text(&path))).collect()
}

/// A list of words.
pub(crate) fn words(value: &Value) -> Vec<String> {
    let words = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    words.map(str::to_owned).collect()
}

/// The pieces of a text that consist of these characters, and begin like this.
pub(crate) fn pieces<'a>(
    text: &'a str,
    begin: &'a str,
    fits: impl Fn(char) -> bool + 'a,
) -> impl Iterator<Item = &'a str> {
    text.split(move |c: char| !fits(c)).filter(move |piece| piece.starts_with(begin))
}
