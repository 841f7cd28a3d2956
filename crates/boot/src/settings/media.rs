//! The settings of media: where their bytes lie, and where they may be fetched.

use std::path::PathBuf;

use objects::{BadPlace, Bucket, ObjectPlace};
use secrecy::SecretString;

use super::{
    error::SettingsError,
    parse::{given, hosts, http_url, secret_or_file},
};

/// The region that requests are signed for, where none is named: stores that have none take it.
const REGION: &str = "us-east-1";

/// Where media lie and are fetched, as it is given.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct MediaStore {
    /// Where media lie, the same for the api and the stage media: a folder that both see, such as
    /// file:///var/lib/millrace/media, or a bucket, such as s3://bucket/prefix [default: none, no
    /// media are kept]
    #[arg(long, env = "MILLRACE_MEDIA_URL", value_name = "URL")]
    pub media_url: Option<String>,
    /// Server of the bucket, where it is not Amazon's: https://host or http://host:port
    #[arg(long, env = "MILLRACE_MEDIA_ENDPOINT", value_name = "URL")]
    pub media_endpoint: Option<String>,
    /// Region of the bucket [default: us-east-1]
    #[arg(long, env = "MILLRACE_MEDIA_REGION", value_name = "REGION")]
    pub media_region: Option<String>,
    /// Id of the access key of the bucket
    #[arg(long, env = "MILLRACE_MEDIA_KEY_ID", value_name = "ID")]
    pub media_key_id: Option<String>,
    /// Secret of the access key of the bucket
    #[arg(long, env = "MILLRACE_MEDIA_SECRET", hide_env_values = true, value_name = "SECRET")]
    #[arg(value_parser = super::secret)]
    pub media_secret: Option<SecretString>,
    /// File that holds MILLRACE_MEDIA_SECRET
    #[arg(long, env = "MILLRACE_MEDIA_SECRET_FILE", value_name = "PATH")]
    pub media_secret_file: Option<PathBuf>,
    /// Hosts that tenants may have media fetched from though they are not public: host or
    /// host:port, separated by commas [default: none]
    #[arg(long, env = "MILLRACE_ALLOW_MEDIA_HOSTS", value_name = "HOSTS")]
    pub allow_media_hosts: Option<String>,
}

/// Where media lie and are fetched.
#[derive(Debug, Clone, Default)]
pub struct MediaSettings {
    /// Where they lie; none: none are kept.
    pub place: Option<ObjectPlace>,
    /// Hosts that are not public and that tenants may name, lowercase, some with a port.
    pub hosts: Vec<String>,
}

impl MediaStore {
    /// Parses every value and checks them against each other.
    pub(super) fn resolve(self) -> Result<MediaSettings, SettingsError> {
        let hosts = hosts("MILLRACE_ALLOW_MEDIA_HOSTS", self.allow_media_hosts.as_deref())?;
        let secret = (self.media_secret, self.media_secret_file);
        let secret = secret_or_file("MILLRACE_MEDIA_SECRET", secret)?;
        let endpoint = http_url("MILLRACE_MEDIA_ENDPOINT", self.media_endpoint.as_deref())?;
        let Some(url) = given(self.media_url.as_deref()) else {
            return Ok(MediaSettings { place: None, hosts });
        };
        if let Some(folder) = ObjectPlace::folder(url) {
            return Ok(MediaSettings { place: Some(folder), hosts });
        }

        let wrong = |why: BadPlace| SettingsError::new("MILLRACE_MEDIA_URL", why.to_string());
        let (name, prefix) = ObjectPlace::bucket(url).map_err(wrong)?;
        let needs = |name: &'static str| {
            move || SettingsError::new(name, "is not set, and MILLRACE_MEDIA_URL names a bucket")
        };
        let key_id = given(self.media_key_id.as_deref()).map(str::to_owned);
        let bucket = Bucket {
            name,
            prefix,
            endpoint,
            region: given(self.media_region.as_deref()).unwrap_or(REGION).to_owned(),
            key_id: key_id.ok_or_else(needs("MILLRACE_MEDIA_KEY_ID"))?,
            secret: secret.ok_or_else(needs("MILLRACE_MEDIA_SECRET"))?,
        };
        Ok(MediaSettings { place: Some(ObjectPlace::Bucket(bucket)), hosts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str) -> MediaStore {
        MediaStore { media_url: Some(url.to_owned()), ..MediaStore::default() }
    }

    #[test]
    fn media_lie_in_a_folder_or_in_a_bucket_with_its_key() {
        assert!(MediaStore::default().resolve().expect("none").place.is_none());
        let folder = at("file:///media").resolve().expect("a folder").place;
        assert_eq!(folder.expect("a place").to_string(), "file:///media");

        let bucket = MediaStore {
            media_key_id: Some("id".into()),
            media_secret: Some("hidden".into()),
            ..at("s3://media/a")
        };
        let bucket = bucket.resolve().expect("a bucket").place.expect("a place");
        assert_eq!(bucket.to_string(), "s3://media/a");
        assert!(!format!("{bucket:?}").contains("hidden"), "{bucket:?}");
    }

    #[test]
    fn what_is_wrong_or_missing_is_named() {
        let error = |store: MediaStore| store.resolve().unwrap_err().name.into_owned();
        assert_eq!(error(at("media")), "MILLRACE_MEDIA_URL");
        assert_eq!(error(at("s3://media")), "MILLRACE_MEDIA_KEY_ID");
        let no_secret = MediaStore { media_key_id: Some("id".into()), ..at("s3://media") };
        assert_eq!(error(no_secret), "MILLRACE_MEDIA_SECRET");
    }
}
