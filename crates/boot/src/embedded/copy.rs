//! Copies a stopped cluster, and keeps the owner and mode of each file.

use std::{
    fs,
    os::unix::fs::{DirBuilderExt, MetadataExt, lchown},
    path::Path,
};

/// Copies the content of `from` into the existing directory `to`. A cluster holds files and
/// directories only: no table spaces are used, so no links.
pub(super) fn copy_cluster(from: &Path, to: &Path) -> std::io::Result<()> {
    let change_owner = nix::unistd::Uid::effective().is_root();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let found = entry.metadata()?;

        if found.is_dir() {
            fs::DirBuilder::new().mode(found.mode() & 0o7777).create(&target)?;
            copy_cluster(&source, &target)?;
        } else if entry.file_name() != "postmaster.pid" {
            fs::copy(&source, &target)?;
        } else {
            continue;
        }

        if change_owner {
            lchown(&target, Some(found.uid()), Some(found.gid()))?;
        }
    }
    Ok(())
}
