//! TLS at the ingress itself, where no proxy does it. The certificate is read again when its file
//! changes, so that one that is renewed needs no restart.

use std::{
    fs,
    io::{Error, Result},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::sync::CancellationToken;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A certificate with its key, as their files say at the moment.
#[derive(Debug)]
pub struct Tls {
    cert: PathBuf,
    key: PathBuf,
    config: ArcSwap<ServerConfig>,
}

impl Tls {
    /// Reads a certificate chain and its private key, both in PEM.
    ///
    /// # Errors
    /// A file cannot be read, holds something else, or the key is not the certificate's.
    pub fn read(cert: &Path, key: &Path) -> Result<Self> {
        let config = ArcSwap::new(read(cert, key)?);
        Ok(Self { cert: cert.to_owned(), key: key.to_owned(), config })
    }

    /// Shakes hands on a connection.
    pub(crate) async fn accept(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>> {
        let acceptor = TlsAcceptor::from(self.config.load_full());
        timeout(HANDSHAKE, acceptor.accept(stream)).await?
    }

    /// Reads the files again whenever one of them changes, until `stop` is cancelled. Files that
    /// are wrong change nothing.
    pub(crate) async fn keep_current(self: Arc<Self>, stop: CancellationToken) {
        let mut seen = self.changed_at();
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            let now = self.changed_at();
            if now == seen {
                continue;
            }
            seen = now;
            match read(&self.cert, &self.key) {
                Ok(config) => {
                    self.config.store(config);
                    tracing::info!("the new certificate is used");
                }
                Err(error) => tracing::error!(%error, "the old certificate stays in use"),
            }
        }
    }

    /// When each file was changed last.
    fn changed_at(&self) -> [Option<SystemTime>; 2] {
        [&self.cert, &self.key].map(|path| fs::metadata(path).and_then(|file| file.modified()).ok())
    }
}

fn read(cert: &Path, key: &Path) -> Result<Arc<ServerConfig>> {
    let wrong = |path: &Path, why: &dyn std::fmt::Display| {
        Error::other(format!("{}: {why}", path.display()))
    };

    let chain = CertificateDer::pem_file_iter(cert).map_err(|error| wrong(cert, &error))?;
    let chain: std::result::Result<Vec<_>, _> = chain.collect();
    let chain = chain.map_err(|error| wrong(cert, &error))?;
    if chain.is_empty() {
        return Err(wrong(cert, &"holds no certificate in PEM"));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, &error))?;

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| wrong(key, &error))?;
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, generate_simple_self_signed};

    use super::*;

    fn write(cert_to: &Path, key_to: &Path) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        fs::write(cert_to, cert.pem()).expect("written");
        fs::write(key_to, signing_key.serialize_pem()).expect("written");
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewed_certificate_is_used_and_one_that_is_wrong_is_not() {
        let folder = std::env::temp_dir().join(format!("tls-renewed-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        write(&cert, &key);
        let tls = Arc::new(Tls::read(&cert, &key).expect("a certificate"));
        let stop = CancellationToken::new();
        let keeping = tokio::spawn(Arc::clone(&tls).keep_current(stop.clone()));
        tokio::time::sleep(LOOK_EVERY / 2).await;

        let first = tls.config.load_full();
        write(&cert, &key);
        tokio::time::sleep(LOOK_EVERY).await;
        let second = tls.config.load_full();
        assert!(!Arc::ptr_eq(&first, &second), "the new one is used");

        fs::write(&key, "no key").expect("written");
        tokio::time::sleep(LOOK_EVERY).await;
        assert!(Arc::ptr_eq(&second, &tls.config.load_full()), "the old one stays in use");

        stop.cancel();
        keeping.await.expect("it ends");
        fs::remove_dir_all(&folder).expect("removed");
    }
}
