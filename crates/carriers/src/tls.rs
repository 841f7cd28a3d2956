//! The one TLS set-up: rustls with ring. Roots are the system's, so that an operator's own store
//! counts; a machine without one (a bare container) gets Mozilla's, which are built in.

use std::sync::{Once, OnceLock};

use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer};

/// Makes ring the process's default TLS provider. May be called any number of times; leaves a
/// provider that was set before it alone.
pub fn install_crypto() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        // An error says that another caller was first, which is as good.
        let _already_set = rustls::crypto::ring::default_provider().install_default();
    });
}

/// The set-up of every client; reading the system's store takes long, so it is done once.
pub(crate) fn client_config() -> ClientConfig {
    static CONFIG: OnceLock<ClientConfig> = OnceLock::new();
    let config = CONFIG.get_or_init(|| {
        install_crypto();
        let roots = root_store(rustls_native_certs::load_native_certs().certs);
        ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()
    });
    config.clone()
}

fn root_store(system: Vec<CertificateDer<'static>>) -> RootCertStore {
    let mut store = RootCertStore::empty();
    // Certificates that do not parse are left out: a store may hold old ones.
    store.add_parsable_certificates(system);
    if store.is_empty() {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    store
}

#[cfg(test)]
mod tests {
    use super::{client_config, install_crypto, root_store};

    #[test]
    fn a_machine_without_a_certificate_store_still_has_roots() {
        assert_eq!(root_store(Vec::new()).len(), webpki_roots::TLS_SERVER_ROOTS.len());
        assert!(root_store(Vec::new()).len() > 100);
    }

    #[test]
    fn the_system_store_replaces_the_built_in_one() {
        let system = rustls_native_certs::load_native_certs().certs;
        if let Some(first) = system.into_iter().next() {
            assert_eq!(root_store(vec![first]).len(), 1);
        }
    }

    #[test]
    fn installing_twice_is_harmless() {
        install_crypto();
        install_crypto();
        assert!(client_config().alpn_protocols.is_empty(), "HTTP/1.1 only");
    }
}
