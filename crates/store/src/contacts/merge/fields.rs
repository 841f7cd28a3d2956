//! What becomes of the fields of two contacts that become one, and of one that comes apart. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::contacts::Contact;

/// The contact that stays: what it does not say, the other says. It has the tags of both.
pub(super) fn merged(into: &Contact, from: &Contact, at: Timestamp) -> Contact {
    let text = |own: &str, other: &str| if own.is_empty() { other } else { own }.to_owned();
    let said = |own: &Option<String>, other: &Option<String>| own.clone().or(other.clone());

    let mut tags: Vec<String> = into.tags.iter().chain(&from.tags).cloned().collect();
    tags.sort();
    tags.dedup();
    let mut attributes = from.attributes.clone();
    attributes.extend(into.attributes.clone());

    let after = Contact {
        first_name: text(&into.first_name, &from.first_name),
        last_name: text(&into.last_name, &from.last_name),
        language: said(&into.language, &from.language),
        time_zone: said(&into.time_zone, &from.time_zone),
        postal_code: said(&into.postal_code, &from.postal_code),
        region: said(&into.region, &from.region),
        tags,
        attributes,
        ..into.clone()
    };
    if after == *into { after } else { Contact { updated_at: at, ..after } }
}

/// The contact that has stayed, without what the other had said. What was changed since stays.
pub(super) fn unmerged(now: &Contact, before: &Contact, after: &Contact, at: Timestamp) -> Contact {
    let is_brought = |tag: &String| after.tags.contains(tag) && !before.tags.contains(tag);
    let tags = now.tags.iter().filter(|tag| !is_brought(tag)).cloned().collect();

    let brought = |(name, value): &(&String, &String)| {
        after.attributes.get(*name) == Some(*value) && !before.attributes.contains_key(*name)
    };
    let kept = now.attributes.iter().filter(|field| !brought(field));
    let attributes: BTreeMap<String, String> =
        kept.map(|(name, value)| (name.clone(), value.clone())).collect();

    let apart = Contact {
        first_name: back(&now.first_name, &before.first_name, &after.first_name),
        last_name: back(&now.last_name, &before.last_name, &after.last_name),
        language: back(&now.language, &before.language, &after.language),
        time_zone: back(&now.time_zone, &before.time_zone, &after.time_zone),
        postal_code: back(&now.postal_code, &before.postal_code, &after.postal_code),
        region: back(&now.region, &before.region, &after.region),
        tags,
        attributes,
        ..now.clone()
    };
    if apart == *now { apart } else { Contact { updated_at: at, ..apart } }
}

/// The value from before, where it stands as the merge has left it.
fn back<T: Clone + PartialEq>(now: &T, before: &T, after: &T) -> T {
    if now == after { before.clone() } else { now.clone() }
}

#[cfg(test)]
mod tests {
    use sqlx::types::Uuid;

    use super::*;

    fn contact(first_name: &str, tags: &[&str], attributes: &[(&str, &str)]) -> Contact {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Contact {
            contact_id: Uuid::nil(),
            number: "+12125550100".into(),
            country: "US".into(),
            first_name: first_name.into(),
            last_name: String::new(),
            language: None,
            time_zone: None,
            postal_code: None,
            region: None,
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            attributes: attributes.iter().map(owned).collect(),
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn what_a_contact_does_not_say_the_other_says() {
        let into = contact("Ana", &["b"], &[("plan", "gold")]);
        let from = Contact {
            language: Some("es".into()),
            ..contact("Anna", &["a"], &[("plan", "tin"), ("shoe", "42")])
        };
        let at = Timestamp::from_second(60).expect("an instant");
        let expected = Contact {
            language: Some("es".into()),
            updated_at: at,
            ..contact("Ana", &["a", "b"], &[("plan", "gold"), ("shoe", "42")])
        };
        assert_eq!(merged(&into, &from, at), expected);
        assert_eq!(merged(&into, &contact("", &[], &[]), at), into, "nothing has changed");
    }

    #[test]
    fn apart_again_a_contact_says_what_it_said_and_what_was_changed_since() {
        let at = Timestamp::from_second(60).expect("an instant");
        let before = contact("", &["b"], &[("plan", "gold")]);
        let from = contact("Ana", &["a"], &[("shoe", "42"), ("hat", "7")]);
        let after = merged(&before, &from, at);
        let plain = Contact { updated_at: at, ..before.clone() };
        assert_eq!(unmerged(&after, &before, &after, at), plain);

        let mut changed = Contact { first_name: "Bo".into(), ..after.clone() };
        changed.tags.push("c".into());
        changed.attributes.insert("hat".into(), "8".into());
        let apart = unmerged(&changed, &before, &after, at);
        let expected = contact("Bo", &["b", "c"], &[("hat", "8"), ("plan", "gold")]);
        assert_eq!(apart, Contact { updated_at: at, ..expected });
    }
}
