//! The address of a place for objects: `file:///folder` or `s3://bucket/prefix`.

use std::{fmt, path::PathBuf};

use secrecy::SecretString;

/// Where objects lie.
#[derive(Debug, Clone)]
pub enum ObjectPlace {
    /// In a folder, which every process sees that reads or writes them.
    Folder(PathBuf),
    /// In a bucket of a store that speaks S3.
    Bucket(Bucket),
}

/// A bucket, and who reads and writes it.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Its name at the store.
    pub name: String,
    /// What the keys of objects begin with; empty: nothing.
    pub prefix: String,
    /// The address of the store; none: that of Amazon in the region.
    pub endpoint: Option<String>,
    /// The region that requests are signed for.
    pub region: String,
    /// The id of the access key.
    pub key_id: String,
    /// The secret of the access key.
    pub secret: SecretString,
}

/// The address is of no place that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must look like file:///var/lib/millrace/media or s3://bucket/prefix")]
pub struct BadPlace;

impl ObjectPlace {
    /// The folder of an address that names one; none where it names something else.
    pub fn folder(url: &str) -> Option<Self> {
        let path = url.strip_prefix("file://")?;
        (path.starts_with('/') && path.len() > 1).then(|| Self::Folder(path.into()))
    }

    /// Bucket and prefix of an address that names them.
    ///
    /// # Errors
    /// It names none.
    pub fn bucket(url: &str) -> Result<(String, String), BadPlace> {
        let rest = url.strip_prefix("s3://").ok_or(BadPlace)?;
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let plain =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
        let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
        let fits = (3..=63).contains(&name.len())
            && name.chars().all(plain)
            && prefix.len() <= 200
            && prefix.chars().all(part);
        fits.then(|| (name.to_owned(), prefix.trim_matches('/').to_owned())).ok_or(BadPlace)
    }
}

impl fmt::Display for ObjectPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "file://{}", folder.display()),
            Self::Bucket(bucket) => write!(f, "s3://{}/{}", bucket.name, bucket.prefix),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_folder_or_a_bucket() {
        let folder = ObjectPlace::folder("file:///var/lib/media").expect("a folder");
        assert_eq!(folder.to_string(), "file:///var/lib/media");
        for wrong in ["/var/lib", "file://var", "file:///", "s3://media", ""] {
            assert!(ObjectPlace::folder(wrong).is_none(), "{wrong}");
        }

        let bucket = |url| ObjectPlace::bucket(url).ok();
        assert_eq!(bucket("s3://media"), Some(("media".into(), String::new())));
        assert_eq!(bucket("s3://media/a/b/"), Some(("media".into(), "a/b".into())));
        for wrong in ["s3://", "s3://me", "s3://Media", "s3://user@media", "file:///media"] {
            assert_eq!(bucket(wrong), None, "{wrong}");
        }
    }
}
