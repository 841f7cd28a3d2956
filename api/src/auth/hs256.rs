//! The cryptography of our JSON Web Tokens: HS256 (RFC 7518, section 3.2) and nothing else, so that
//! no RSA and no elliptic curves are built for a token that never uses them.

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind},
};
use sha2::Sha256;
use signature::{Signer, Verifier};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

/// Has every token of this process signed and checked here.
pub(super) fn install() {
    // It is there already where a process has several ingresses, as tests do.
    let _ = PROVIDER.install_default();
}

/// HMAC with SHA-256 under one key.
struct Hs256(Hmac<Sha256>);

impl Hs256 {
    fn new(algorithm: Algorithm, family: AlgorithmFamily, key: &[u8]) -> Result<Self, Error> {
        if algorithm != Algorithm::HS256 || family != AlgorithmFamily::Hmac {
            return Err(ErrorKind::InvalidAlgorithm.into());
        }
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key);
        mac.map(Self).map_err(|_| ErrorKind::InvalidKeyFormat.into())
    }

    fn of(&self, message: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(message);
        mac
    }
}

fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    Ok(Box::new(Hs256::new(*algorithm, key.family(), key.as_bytes())?))
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    Ok(Box::new(Hs256::new(*algorithm, key.family(), key.try_get_as_bytes()?)?))
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(self.of(message).finalize().into_bytes().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    /// Takes the same time wherever the signature differs.
    fn verify(&self, message: &[u8], given: &Vec<u8>) -> Result<(), signature::Error> {
        self.of(message).verify_slice(given).map_err(|_| signature::Error::new())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The example of RFC 7515, appendix A.1.
    const KEY: &str =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    const TOKEN: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn key() -> DecodingKey {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        DecodingKey::from_secret(&URL_SAFE_NO_PAD.decode(KEY).expect("base64"))
    }

    fn read(token: &str, key: &DecodingKey, algorithm: Algorithm) -> Option<Value> {
        install();
        let mut validation = jsonwebtoken::Validation::new(algorithm);
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        jsonwebtoken::decode::<Value>(token, key, &validation).ok().map(|token| token.claims)
    }

    #[test]
    fn the_example_of_the_standard_is_genuine_and_a_changed_one_is_not() {
        let claims = read(TOKEN, &key(), Algorithm::HS256).expect("genuine");
        assert_eq!(claims["iss"], "joe");

        let changed = TOKEN.replace("dBjf", "dBjg");
        assert_eq!(read(&changed, &key(), Algorithm::HS256), None);
        assert_eq!(read(TOKEN, &DecodingKey::from_secret(b"other"), Algorithm::HS256), None);
        assert_eq!(read(TOKEN, &key(), Algorithm::HS512), None);
    }

    #[test]
    fn what_is_signed_here_is_genuine_here() {
        install();
        let (claims, key) = (json!({ "sub": "ann" }), EncodingKey::from_secret(&[7; 32]));
        let token = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key);
        let token = token.expect("signed");
        let read = read(&token, &DecodingKey::from_secret(&[7; 32]), Algorithm::HS256);
        assert_eq!(read, Some(claims));

        let other = jsonwebtoken::Header::new(Algorithm::HS512);
        assert!(jsonwebtoken::encode(&other, &json!({}), &key).is_err(), "HS256 alone");
    }
}
