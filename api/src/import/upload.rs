//! An upload on its way to the disk: never more of it in memory than one chunk, and nothing left
//! behind, whatever ends the process.

use std::{
    fs::{File, OpenOptions},
    io::{Seek, SeekFrom},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use axum::body::Body;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use crate::{
    delimited::Census,
    http::{Kind, Problem, arrival::Arrival},
    ids,
};

/// How long a file may be, in bytes.
const LIMIT: u64 = 512 * 1024 * 1024;

/// A file that was received.
pub(crate) struct Upload {
    /// At its beginning. It has no name any more: the disk is freed when it is closed.
    pub(crate) file: File,
    /// SHA-256 of its bytes.
    pub(crate) hash: [u8; 32],
    /// By which its alphabet is told.
    pub(crate) census: Census,
}

/// Receives a file into a directory.
pub(crate) async fn receive(dir: &Path, body: Body) -> Result<Upload, Problem> {
    let mut file = tokio::fs::File::from_std(open(dir).map_err(no_room)?);
    let (mut hash, mut census) = (Sha256::new(), Census::default());
    let mut arrival = Arrival::new(body);

    while let Some(chunk) = arrival.next().await? {
        if arrival.received > LIMIT {
            return Err(Problem::new(Kind::TooLarge, format!("at most {LIMIT} bytes")));
        }
        hash.update(&chunk);
        census.add(&chunk);
        file.write_all(&chunk).await.map_err(no_room)?;
    }

    file.flush().await.map_err(no_room)?;
    let mut file = file.into_std().await;
    file.seek(SeekFrom::Start(0)).map_err(no_room)?;
    Ok(Upload { file, hash: hash.finalize().into(), census })
}

/// A new file for this user alone, unlinked at once.
fn open(dir: &Path) -> std::io::Result<File> {
    let path = dir.join(format!("millrace-import-{}", ids::fresh()));
    let file =
        OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// The disk does not take the file.
fn no_room(error: std::io::Error) -> Problem {
    tracing::error!(%error, "an upload cannot be stored");
    Problem::unavailable("the file cannot be stored here", 30)
}
