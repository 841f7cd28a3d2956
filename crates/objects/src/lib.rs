//! Where the bytes of media lie: a folder, or a bucket of a store that speaks S3. What they are and
//! whose is in the table `media`; here is nothing but bytes under a key.
//!
//! An object is written once, whole, under a key that nothing else has: writing it again writes the
//! same. What is not there is no error of anybody: a row may outlive its object by a moment.

mod place;
mod s3;
mod size;

use std::{fmt, sync::Arc};

use bytes::Bytes;
use object_store::{
    Error as StoreError, ObjectStore, ObjectStoreExt, local::LocalFileSystem, path::Path,
    prefix::PrefixStore,
};

pub use place::{BadPlace, Bucket, ObjectPlace};
pub use size::MOST_BYTES;

/// A place that holds objects. Cheap to clone.
#[derive(Clone)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    /// What of it may be shown.
    shown: Arc<str>,
}

/// An object cannot be written, read or removed now.
#[derive(Debug, thiserror::Error)]
#[error("the object store: {0}")]
pub struct ObjectFault(#[from] StoreError);

impl Objects {
    /// Opens a place. A folder is made where it is missing; whether a bucket is there shows with
    /// the first call. `http` is what a bucket is called with.
    ///
    /// # Errors
    /// The folder cannot be made, or the bucket's settings do not make a client.
    pub fn open(place: &ObjectPlace, http: reqwest::Client) -> Result<Self, ObjectFault> {
        let store: Arc<dyn ObjectStore> = match place {
            ObjectPlace::Folder(folder) => {
                std::fs::create_dir_all(folder).map_err(|source| StoreError::Generic {
                    store: "folder",
                    source: source.into(),
                })?;
                Arc::new(LocalFileSystem::new_with_prefix(folder)?.with_fsync(true))
            }
            ObjectPlace::Bucket(bucket) => {
                let client = s3::client(bucket, http)?;
                Arc::new(PrefixStore::new(client, bucket.prefix.as_str()))
            }
        };
        Ok(Self { store, shown: place.to_string().into() })
    }

    /// Writes an object, and what was there before is gone. It is on disk, or at the store, when
    /// this returns.
    ///
    /// # Errors
    /// The store is away, or full.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<(), ObjectFault> {
        self.store.put(&Path::from(key), bytes.into()).await?;
        Ok(())
    }

    /// Reads an object; none where there is none, or a larger one than [`MOST_BYTES`].
    ///
    /// # Errors
    /// The store is away.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, ObjectFault> {
        match self.store.get(&Path::from(key)).await {
            Ok(found) if found.meta.size > MOST_BYTES => Ok(None),
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(why) => Err(why.into()),
        }
    }

    /// Removes an object, if it is there.
    ///
    /// # Errors
    /// The store is away.
    pub async fn delete(&self, key: &str) -> Result<(), ObjectFault> {
        match self.store.delete(&Path::from(key)).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(why) => Err(why.into()),
        }
    }
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Objects({})", self.shown)
    }
}
