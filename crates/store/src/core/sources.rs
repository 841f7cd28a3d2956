//! The store's own files, for tests that look at the SQL in them.

use std::{fs, path::Path};

/// The files in these folders of the repository, each with its path and text. Those that look at
/// the others are left out.
pub(crate) fn files(folders: &[&str]) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    let mut left: Vec<_> = folders.iter().map(|folder| root.join(folder)).collect();
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).expect("a folder of the repository") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                left.push(path);
                continue;
            }
            let looks = ["core/state_codes.rs", "core/recordsets.rs"];
            if !looks.iter().any(|file| path.ends_with(file)) {
                let file = path.strip_prefix(&root).expect("below the root").display().to_string();
                files.push((file, fs::read_to_string(&path).expect("a text file")));
            }
        }
    }
    files.sort();
    files
}
