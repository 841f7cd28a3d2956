//! What is one for all processes of a platform: where carriers reach it.

/// Where carriers reach the api.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    /// The address, without a slash at its end.
    pub url: String,
    /// Whether an operator has named it; else it follows from where an api listens.
    pub is_named: bool,
}

/// What a process that starts makes of the address that the platform goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agreement {
    /// It goes by the address of the platform.
    Adopt(String),
    /// The platform goes by its own: nobody has said one, or an api is told by name what followed
    /// from where it listens.
    Say(PublicUrl),
    /// It would go by another one: it must not start.
    Refuse {
        /// What it would go by.
        own: String,
        /// What the platform goes by.
        platform: String,
    },
    /// Nobody knows one.
    Unknown,
}

impl Agreement {
    /// Compares the address of a process, if it has one, with that of the platform. `is_api`: the
    /// process is what is reached there. None replaces the platform's by another: processes may be
    /// running that go by that, and whoever moves the platform says so once.
    pub fn of(own: Option<PublicUrl>, platform: Option<PublicUrl>, is_api: bool) -> Self {
        match (own, platform) {
            (None, None) => Self::Unknown,
            (None, Some(platform)) => Self::Adopt(platform.url),
            (Some(own), None) => Self::Say(own),
            (Some(own), Some(platform)) => {
                let is_same = own.url == platform.url;
                if is_same && is_api && own.is_named && !platform.is_named {
                    Self::Say(own)
                } else if is_same || (platform.is_named && !own.is_named) {
                    Self::Adopt(platform.url)
                } else {
                    Self::Refuse { own: own.url, platform: platform.url }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(url: &str) -> Option<PublicUrl> {
        Some(PublicUrl { url: url.into(), is_named: true })
    }

    fn derived(url: &str) -> Option<PublicUrl> {
        Some(PublicUrl { url: url.into(), is_named: false })
    }

    fn refused(own: &str, platform: &str) -> Agreement {
        Agreement::Refuse { own: own.into(), platform: platform.into() }
    }

    #[test]
    fn the_first_to_know_an_address_says_it_and_the_others_go_by_it() {
        assert_eq!(Agreement::of(None, None, false), Agreement::Unknown);
        let first = Agreement::of(derived("a"), None, true);
        assert_eq!(first, Agreement::Say(derived("a").expect("an address")));

        for platform in [named("a"), derived("a")] {
            for own in [None, derived("a")] {
                assert_eq!(
                    Agreement::of(own, platform.clone(), true),
                    Agreement::Adopt("a".into())
                );
            }
        }
    }

    #[test]
    fn whoever_would_go_by_another_address_is_refused() {
        for (own, platform, is_api) in [
            (named("b"), named("a"), true),
            (named("b"), named("a"), false),
            (named("b"), derived("a"), false),
            (named("b"), derived("a"), true),
            (derived("b"), derived("a"), true),
        ] {
            assert_eq!(Agreement::of(own, platform, is_api), refused("b", "a"));
        }
    }

    #[test]
    fn what_an_operator_has_named_stands_over_where_an_api_listens() {
        let now_named = Agreement::of(named("a"), derived("a"), true);
        assert_eq!(now_named, Agreement::Say(named("a").expect("an address")));
        assert_eq!(Agreement::of(derived("b"), named("a"), true), Agreement::Adopt("a".into()));
    }
}
