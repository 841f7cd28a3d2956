//! Credentials: whose an access token or an API key is.

use jiff::Timestamp;
use secrecy::SecretBox;
use store::{Store, people::sessions::SessionMember, settings::api_keys::KeyKind};

use super::{
    attempts::Attempts,
    cache::KeyCache,
    caller::{Caller, SignedIn},
    keyed::KeyedHashes,
    reach::Reach,
    sessions::SessionCache,
    tokens::{AccessTokens, Claims, SaidBy},
};
use crate::{
    http::problem::{Kind, Problem},
    last_known::Asking,
};

/// Checks access tokens and API keys.
pub(crate) struct Auth {
    /// What signs and reads access tokens.
    pub(crate) tokens: AccessTokens,
    /// How often somebody may try to sign in.
    pub(crate) attempts: Attempts,
    /// What is kept of codes, and what pages say that call with cookies.
    pub(crate) keyed: KeyedHashes,
    keys: KeyCache,
    sessions: SessionCache,
}

impl Auth {
    pub(crate) fn new(keys: &[SecretBox<[u8; 32]>], asking: Asking) -> Self {
        Self {
            tokens: AccessTokens::new(keys),
            attempts: Attempts::new(),
            keyed: KeyedHashes::new(keys),
            keys: KeyCache::new(asking),
            sessions: SessionCache::new(asking),
        }
    }

    /// Whose token or key it is. A key is known by its prefix.
    pub(super) async fn check(
        &self,
        store: &Store,
        bearer: &str,
        now: Timestamp,
    ) -> Result<Caller, Problem> {
        let prefixes = [KeyKind::Live, KeyKind::Test].map(KeyKind::prefix);
        let caller = if prefixes.iter().any(|prefix| bearer.starts_with(prefix)) {
            self.keys.find(store, bearer, now).await?
        } else {
            self.bearer_of(store, bearer).await?
        };
        caller.ok_or_else(|| Problem::new(Kind::Unauthenticated, "the token or key is not valid"))
    }

    /// Whose access token it is. What somebody may do who signed in, the company says, as it is
    /// now; a token that was made elsewhere says it itself.
    async fn bearer_of(&self, store: &Store, token: &str) -> Result<Option<Caller>, Problem> {
        let Some(Claims { tenant, sub, by }) = self.tokens.read(token) else {
            return Ok(None);
        };
        let session = match by {
            SaidBy::Session(session) => session,
            SaidBy::Token(role) => {
                let subject = format!("user:{sub}");
                let (scopes, expires_at, signed_in) = (None, None, None);
                let tenant = Reach::all_of(tenant);
                return Ok(Some(Caller { tenant, subject, role, scopes, expires_at, signed_in }));
            }
        };

        let member = self.sessions.member(store, session, &tenant).await?;
        let member = member.filter(|member| member.person.to_string() == sub);
        Ok(member.map(|SessionMember { person, role, sight }| {
            Caller::of_session(Reach::new(tenant, sight), role, SignedIn { person, session })
        }))
    }
}
