//! The `X-Twilio-Signature` header: base64 of HMAC-SHA1, keyed with the auth token, over the URL
//! and then each parameter's name and value, by name in byte order.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// Signs a form that is posted to a URL. Values of one name are sorted and given once.
pub(crate) fn sign(token: &str, url: &str, form: &[(&str, &str)]) -> String {
    let mut parameters = form.to_vec();
    parameters.sort_unstable();
    parameters.dedup();

    let mut mac =
        Hmac::<Sha1>::new_from_slice(token.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(url.as_bytes());
    for (name, value) in parameters {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_vector_is_signed_as_twilio_s_sdks_do() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/data/twilio_signature.json"))
                .expect("JSON");

        let mut checked = 0;
        for case in file["cases"].as_array().expect("cases") {
            // JSON bodies and shared keys are not what this sandbox signs.
            if case.get("raw_body").is_some() || case.get("algorithm").is_some() {
                continue;
            }

            let form: Vec<(String, String)> = pairs(&case["params"]);
            let form: Vec<(&str, &str)> =
                form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();

            let text = |name: &str| case[name].as_str().expect("a text");
            let signed = sign(text("auth_token"), text("url_signed"), &form);
            assert_eq!(signed, text("signature"), "{}", case["id"]);
            checked += 1;
        }
        assert!(checked >= 14, "{checked} cases");
    }

    /// Parameters are an object whose values are a text or a list, or a list of pairs.
    fn pairs(params: &serde_json::Value) -> Vec<(String, String)> {
        let text = |v: &serde_json::Value| v.as_str().expect("a text").to_owned();
        if let Some(list) = params.as_array() {
            return list.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect();
        }

        let mut form = Vec::new();
        for (name, value) in params.as_object().expect("an object") {
            match value.as_array() {
                Some(values) => form.extend(values.iter().map(|v| (name.clone(), text(v)))),
                None => form.push((name.clone(), text(value))),
            }
        }
        form
    }
}
