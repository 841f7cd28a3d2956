//! Clusters that are made once and copied for each test.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{EmbeddedError, EmbeddedOptions, Postgres, data_dir::make_dir, failed};
use crate::{files::open_private, tools};

/// Makes a cluster that [`EmbeddedOptions::template`] can copy, unless it is there, and says
/// where. `prepare` fills it, for example with the schema; it gets a running server.
///
/// The template lies in `root`, named by `family`, `version` and what else its files depend on:
/// callers put into `version` what changes its content, such as a hash of the migrations. A new
/// version removes the older ones of its family. Processes that want the same template at the same
/// time wait for the one that makes it.
///
/// # Errors
/// As for [`Postgres::start`]; [`EmbeddedError::Template`] with the error of `prepare`.
pub async fn template(
    root: &Path,
    family: &str,
    version: &str,
    prepare: impl AsyncFnOnce(&Postgres) -> anyhow::Result<()>,
) -> Result<PathBuf, EmbeddedError> {
    let root = make_dir(root, 0o755)?;
    let major = tools::postgres(None)?.major;
    let user = nix::unistd::Uid::effective();
    let prefix = format!("{family}-pg{major}-u{user}-");
    let path = root.join(format!("{prefix}{version}"));
    let complete = path.join("complete");
    if complete.exists() {
        return Ok(path);
    }

    let lock_path = root.join(format!("{prefix}lock"));
    let lock = open_private(&lock_path).map_err(failed("opening", &lock_path))?;
    let locked = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await;
    let _lock =
        locked.map_err(std::io::Error::other).flatten().map_err(failed("locking", &lock_path))?;
    if complete.exists() {
        // Another process made it while this one waited.
        return Ok(path);
    }

    remove_others(&root, &prefix, &lock_path);
    make_dir(&path, 0o755)?;
    let postgres = Postgres::start(&path, &EmbeddedOptions::for_tests()).await?;
    prepare(&postgres).await.map_err(EmbeddedError::Template)?;
    postgres.drop_templates().await?;
    postgres.stop_cleanly().await?;

    fs::write(&complete, "").map_err(failed("writing", &complete))?;
    Ok(path)
}

/// Where templates are kept: in the build directory that this program lies in, so that they go with
/// it; else beside other temporary files.
pub fn template_root() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let built = program.ancestors().find(|dir| dir.join("CACHEDIR.TAG").is_file());

    match built {
        Some(target) => target.join("tmp/templates"),
        None => {
            let user = nix::unistd::Uid::effective();
            std::env::temp_dir().join(format!("millrace-templates-{user}"))
        }
    }
}

/// Removes everything of the family but its lock: other versions, and what was not completed.
fn remove_others(root: &Path, prefix: &str, lock: &Path) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        if entry.path() != lock && entry.file_name().to_string_lossy().starts_with(prefix) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
