//! The files of the repository, and how what is found in them is told.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// One text file.
pub(super) struct Source {
    /// Its path from the root, with `/`.
    pub(super) path: String,
    /// What it says.
    pub(super) text: String,
}

impl Source {
    /// Its lines with their numbers, from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// Its name in its folder.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// The root of the repository.
pub(super) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("testkit lies two folders below the root")
}

/// Every text file whose name ends like one of these, in order of path. What is built, downloaded
/// or run is left out.
pub(super) fn files(endings: &[&str]) -> Vec<Source> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() {
                if !is_left_out(name) {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.extend(read(&root, &path));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Every file of Rust.
pub(super) fn rust() -> Vec<Source> {
    files(&[".rs"])
}

/// Violations of one rule.
#[derive(Default)]
pub(super) struct Found(Vec<String>);

impl Found {
    /// Adds a violation, with its place.
    pub(super) fn at(&mut self, path: &str, line: usize, what: impl AsRef<str>) {
        self.0.push(format!("{path}:{line}: {}", what.as_ref()));
    }

    /// Fails unless there are none, and says the rule and each place.
    pub(super) fn none(self, rule: &str) {
        assert!(self.0.is_empty(), "{rule}\n\n{}\n", self.0.join("\n"));
    }
}

fn is_left_out(folder: &str) -> bool {
    matches!(folder, "target" | ".git" | "node_modules" | "dist" | "embedded")
        || folder.starts_with(".millrace")
}

fn read(root: &Path, path: &Path) -> Option<Source> {
    let text = fs::read_to_string(path).ok()?;
    let path = path.strip_prefix(root).ok()?.to_str()?.replace('\\', "/");
    Some(Source { path, text })
}
