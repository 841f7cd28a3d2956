//! Cookies of browsers that have signed in. A page's script cannot read those that sign in; the one
//! that it can read is what it repeats in a header.

use axum::http::{HeaderMap, HeaderValue, header};

/// How long a session lasts that is not used, in seconds: as `store::people::sessions` has it.
const SESSION: i64 = 30 * 24 * 60 * 60;

/// A cookie of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// The access token.
    Access,
    /// The refresh token, which goes to `/v1/auth` alone.
    Refresh,
    /// What a page repeats in [`CSRF_HEADER`]: its script reads it.
    Csrf,
}

/// The header in which a page repeats what [`Cookie::Csrf`] says.
pub(crate) const CSRF_HEADER: &str = "x-csrf-token";

impl Cookie {
    /// Every cookie of a session.
    pub(crate) const ALL: [Self; 3] = [Self::Access, Self::Refresh, Self::Csrf];

    fn name(self) -> &'static str {
        match self {
            Self::Access => "mr_access",
            Self::Refresh => "mr_refresh",
            Self::Csrf => "mr_csrf",
        }
    }

    /// What a request says in this cookie.
    pub(crate) fn read(self, public_url: &str, headers: &HeaderMap) -> Option<String> {
        let name = full_name(self, public_url);
        let said = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = said.flat_map(|line| line.split(';')).filter_map(|one| one.split_once('='));
        pairs.find(|(of, _)| of.trim() == name).map(|(_, value)| value.trim().to_owned())
    }

    /// Has the browser keep a value, for as long as it holds.
    pub(crate) fn set(self, public_url: &str, value: &str, holds: i64, answer: &mut HeaderMap) {
        let age = if self == Self::Access { holds } else { SESSION };
        add(answer, &line(self, public_url, value, age));
    }

    /// Has the browser forget it.
    pub(crate) fn clear(self, public_url: &str, answer: &mut HeaderMap) {
        add(answer, &line(self, public_url, "", 0));
    }
}

fn is_secure(public_url: &str) -> bool {
    public_url.starts_with("https://")
}

/// The name as browsers have it: over https one that only https can set.
fn full_name(cookie: Cookie, public_url: &str) -> String {
    let prefix = if is_secure(public_url) { "__Secure-" } else { "" };
    format!("{prefix}{}", cookie.name())
}

fn line(cookie: Cookie, public_url: &str, value: &str, age: i64) -> String {
    let name = full_name(cookie, public_url);
    let base = path_of(public_url);
    let path = match cookie {
        Cookie::Refresh => format!("{base}/v1/auth"),
        Cookie::Access | Cookie::Csrf => format!("{base}/"),
    };
    let hidden = if cookie == Cookie::Csrf { "" } else { "; HttpOnly" };
    let secure = if is_secure(public_url) { "; Secure" } else { "" };
    format!("{name}={value}; Path={path}; Max-Age={age}; SameSite=Strict{hidden}{secure}")
}

/// The path in front of ours, without a slash at its end.
fn path_of(public_url: &str) -> &str {
    let (_, rest) = public_url.split_once("://").unwrap_or(("", public_url));
    rest.find('/').map_or("", |at| rest[at..].trim_end_matches('/'))
}

fn add(answer: &mut HeaderMap, line: &str) {
    if let Ok(value) = HeaderValue::from_str(line) {
        answer.append(header::SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_signs_in_is_hidden_from_scripts_and_goes_over_https_alone_where_there_is_https() {
        let refresh = line(Cookie::Refresh, "https://sms.example.com/in", "x", SESSION);
        let expected = "__Secure-mr_refresh=x; Path=/in/v1/auth; Max-Age=2592000; SameSite=Strict; \
                        HttpOnly; Secure";
        assert_eq!(refresh, expected);
        let access = line(Cookie::Access, "http://127.0.0.1:8080", "x", 900);
        assert_eq!(access, "mr_access=x; Path=/; Max-Age=900; SameSite=Strict; HttpOnly");
        let csrf = line(Cookie::Csrf, "http://127.0.0.1:8080", "x", SESSION);
        assert!(!csrf.contains("HttpOnly"), "{csrf}");
    }

    #[test]
    fn a_cookie_is_read_among_others() {
        let mut headers = HeaderMap::new();
        let said = "theme=dark; mr_access=a.b.c; mr_csrf=x";
        headers.append(header::COOKIE, HeaderValue::from_static(said));
        let read = |cookie: Cookie| cookie.read("http://127.0.0.1:8080", &headers);
        assert_eq!(read(Cookie::Access).as_deref(), Some("a.b.c"));
        assert_eq!(read(Cookie::Refresh), None);
        assert_eq!(Cookie::Access.read("https://sms.example.com", &headers), None);
    }
}
