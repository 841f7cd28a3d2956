//! Where an account asks for what came with a text: credentials go to its own server, or to the
//! carrier's own.

use reqwest::Url;

/// Where an account asks for media that its carrier has named: at that address, where it is the
/// account's server or the carrier's own. An account at another server, such as the sandbox, asks
/// that one, which plays the carrier. None where the address is neither.
pub(crate) fn media_url(url: &str, base_url: &str, is_own: impl Fn(&str) -> bool) -> Option<Url> {
    let (named, base) = (Url::parse(url).ok()?, Url::parse(base_url).ok()?);
    if !named.username().is_empty() || named.password().is_some() {
        return None;
    }
    if named.origin() == base.origin() {
        return Some(named);
    }
    let is_carriers = named.scheme() == "https"
        && named.port().is_none()
        && named.host_str().is_some_and(&is_own);
    if !is_carriers || base.host_str().is_some_and(&is_own) {
        return is_carriers.then_some(named);
    }

    let mut there = base;
    there.set_path(named.path());
    there.set_query(named.query());
    Some(there)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twilio;

    #[test]
    fn credentials_go_to_the_account_s_server_or_the_carrier_s_own() {
        let own = "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1";
        let at = |url: &str, base: &str| {
            media_url(url, base, twilio::owns_host).map(|url| url.to_string())
        };
        assert_eq!(at(own, "https://api.twilio.com").as_deref(), Some(own));
        let regional = own.replace("api.", "api.dublin.ie1.");
        assert_eq!(at(&regional, "https://api.twilio.com").as_deref(), Some(&*regional));

        let there = at(own, "http://127.0.0.1:8090").expect("the sandbox plays it");
        assert_eq!(there, own.replace("https://api.twilio.com", "http://127.0.0.1:8090"));
        assert_eq!(at(&there, "http://127.0.0.1:8090").as_deref(), Some(&*there));

        for elsewhere in [
            "http://api.twilio.com/x",
            "https://api.twilio.com:444/x",
            "https://api.twilio.com.evil.test/x",
            "https://evil.test/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1",
            "https://user:secret@api.twilio.com/x",
            "http://127.0.0.1:8091/x",
            "file:///etc/passwd",
        ] {
            assert_eq!(at(elsewhere, "https://api.twilio.com"), None, "{elsewhere}");
            assert_eq!(at(elsewhere, "http://127.0.0.1:8090"), None, "{elsewhere}");
        }
    }
}
