//! The tag of a message: a carrier that takes one brings it back with every report, so that the
//! report finds its message even if the answer to the send was lost. It holds ids alone.

use domain::ids::TenantId;
use uuid::Uuid;

use crate::report::Reference;

/// `tenant=..&message=<uuid>`: the words of a query, so that a person who reads it understands it.
pub fn tag(reference: &Reference) -> String {
    format!("tenant={}&message={}", reference.tenant, reference.message)
}

/// Reads a tag; none where it cannot be ours.
pub fn parse_tag(tag: &str) -> Option<Reference> {
    let (tenant, message) = tag.strip_prefix("tenant=")?.split_once("&message=")?;
    let tenant: TenantId = tenant.parse().ok()?;
    let message = Uuid::try_parse(message).ok()?;
    Some(Reference { tenant: tenant.to_string(), message })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: Uuid = Uuid::from_u128(0x0190_1234_5678_7abc_8def_0123_4567_89ab);

    #[test]
    fn the_reference_in_a_tag_comes_back() {
        let reference = Reference { tenant: "acme-2".to_owned(), message: MESSAGE };
        let text = tag(&reference);
        assert_eq!(text, "tenant=acme-2&message=01901234-5678-7abc-8def-0123456789ab");
        assert_eq!(parse_tag(&text), Some(reference));
    }

    #[test]
    fn a_tag_that_is_not_ours_gives_no_reference() {
        for text in [
            String::new(),
            "order 7".to_owned(),
            format!("message={MESSAGE}"),
            format!("tenant=&message={MESSAGE}"),
            format!("tenant=Acme&message={MESSAGE}"),
            format!("tenant=a.b&message={MESSAGE}"),
            "tenant=acme&message=42".to_owned(),
            format!("tenant=acme&message={MESSAGE}&x=1"),
        ] {
            assert_eq!(parse_tag(&text), None, "{text}");
        }
    }
}
