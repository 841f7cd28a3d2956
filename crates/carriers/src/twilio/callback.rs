//! The status callback's address: it brings our own reference back with every report, so that a
//! report finds its message even if the answer to the send was lost.

use domain::ids::TenantId;
use reqwest::Url;
use uuid::Uuid;

use crate::report::Reference;

/// What Twilio is to do about a call of ours that fails, in its own words behind the address: five
/// more attempts, whatever went wrong. By itself it makes one, and only where it could not connect.
/// This part is neither sent nor signed.
pub(super) const RETRIES: &str = "#rc=5&rp=all";

/// `{public}/webhooks/twilio/{account}/status?tenant=..&message=<uuid>`, and behind it how often
/// Twilio tries it. `public_url` is `MILLRACE_PUBLIC_URL`, `account` the key of the carrier
/// account, both as they are configured: the signature covers all but the fragment, byte by byte.
pub fn callback_url(public_url: &str, account: &str, tenant: &str, message: Uuid) -> String {
    let public_url = public_url.trim_end_matches('/');
    let query = format!("tenant={tenant}&message={message}");
    format!("{public_url}/webhooks/twilio/{account}/status?{query}{RETRIES}")
}

/// Reads the query of a callback (without the question mark). None if a part is missing or cannot
/// be ours. Repeated names: the first counts.
pub fn parse_callback_query(query: &str) -> Option<Reference> {
    let mut url = Url::parse("http://query.invalid").ok()?;
    url.set_query(Some(query));
    let find = |wanted: &str| {
        url.query_pairs().find_map(|(name, value)| (name == wanted).then(|| value.into_owned()))
    };
    let tenant: TenantId = find("tenant")?.parse().ok()?;
    let message = Uuid::try_parse(&find("message")?).ok()?;
    Some(Reference { tenant: tenant.to_string(), message })
}

#[cfg(test)]
mod tests {
    use super::{Reference, callback_url, parse_callback_query};
    use uuid::Uuid;

    const MESSAGE: Uuid = Uuid::from_u128(0x0190_1234_5678_7abc_8def_0123_4567_89ab);

    #[test]
    fn the_reference_in_a_callback_url_comes_back() {
        for public in ["https://hooks.example.com", "https://hooks.example.com/"] {
            let url = callback_url(public, "acct1", "acme-2", MESSAGE);
            assert_eq!(
                url,
                "https://hooks.example.com/webhooks/twilio/acct1/status?tenant=acme-2\
                 &message=01901234-5678-7abc-8def-0123456789ab#rc=5&rp=all"
            );
            let (sent, _) = url.split_once('#').expect("has a fragment");
            let (_, query) = sent.split_once('?').expect("has a query");
            let reference = Reference { tenant: "acme-2".to_owned(), message: MESSAGE };
            assert_eq!(parse_callback_query(query), Some(reference.clone()));
            // Parameters that others add change nothing.
            let longer = format!("x=1&{query}&tenant=other&bodySHA256=00");
            assert_eq!(parse_callback_query(&longer), Some(reference));
        }
    }

    #[test]
    fn a_query_that_is_not_ours_gives_no_reference() {
        let id = MESSAGE.to_string();
        for query in [
            String::new(),
            "tenant=acme".to_owned(),
            format!("message={id}"),
            "tenant=acme&message=42".to_owned(),
            format!("tenant=&message={id}"),
            format!("tenant=a&message={id}"),
            format!("tenant=Acme&message={id}"),
            format!("tenant=a.b&message={id}"),
            format!("tenant=a%2A%3E&message={id}"),
            format!("tenant={}&message={id}", "a".repeat(33)),
        ] {
            assert_eq!(parse_callback_query(&query), None, "{query}");
        }
    }
}
