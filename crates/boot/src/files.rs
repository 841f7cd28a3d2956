//! Files that only their owner may read: locks, passwords, keys. Another process sees such a file
//! whole or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Opens a file to be read and appended to, making it if needed.
pub(crate) fn open_private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)
}

/// Writes a file. It may not be on disk yet when this returns.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    write_new(path, content)?;
    fs::rename(path.with_extension("new"), path)
}

/// As [`write_private`], and on disk when this returns: for what cannot be made again.
pub(crate) fn write_durably(path: &Path, content: &[u8]) -> std::io::Result<()> {
    write_new(path, content)?.sync_all()?;
    fs::rename(path.with_extension("new"), path)?;

    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    File::open(dir.unwrap_or(Path::new(".")))?.sync_all()
}

/// Writes the content beside the file, under the same name with the extension `new`.
fn write_new(path: &Path, content: &[u8]) -> std::io::Result<File> {
    let new = path.with_extension("new");
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;

    file.write_all(content)?;
    Ok(file)
}
