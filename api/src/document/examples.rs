//! Ids and numbers that the document's examples name. The numbers are of the range that is kept
//! free for examples (555-0100 to 555-0199).

/// A person who is known.
pub(crate) const CONTACT: &str = "871b7699-0263-5b74-bdc2-4ba8f9db8e05";
/// Another contact, who is the same person.
pub(crate) const SAME_PERSON: &str = "967664b5-d934-5bba-b08f-b9fd2099878b";
/// A contact whom that person has taken in.
pub(crate) const MERGED: &str = "39dc22a5-9a2e-5c8d-8fad-bd162c0bdaca";
/// How that came.
pub(crate) const MERGE: &str = "0198f1d2-7c00-7a00-8000-0000000000e0";
/// The number of that person.
pub(crate) const PHONE: &str = "+12125550123";
/// A number that texts leave from.
pub(crate) const SENDER: &str = "3f485105-8f7d-565f-91eb-3571b6e71bca";
/// A name that texts are sent under.
pub(crate) const BRAND: &str = "0198f1d2-7c00-7a00-8000-0000000000b0";
/// An inbox of the brand.
pub(crate) const INBOX: &str = "0198f1d2-7c00-7a00-8000-0000000000b1";
/// A pool that the sender is in.
pub(crate) const POOL: &str = "0198f1d2-7c00-7a00-8000-000000000030";
/// A pool that nothing uses.
pub(crate) const SPARE_POOL: &str = "0198f1d2-7c00-7a00-8000-000000000031";
/// A sender that is in no pool.
pub(crate) const SPARE_SENDER: &str = "c9794da9-fb4f-5168-826c-0868bf9642af";
/// A number that a carrier account has.
pub(crate) const NUMBER: &str = "92436a66-f89a-51e5-ac53-1d85ed07b8a1";
/// A number that no text leaves from.
pub(crate) const SPARE_NUMBER: &str = "e73ab539-5eec-5d50-9512-0a21bc30b54e";
/// A template with two versions.
pub(crate) const TEMPLATE: &str = "0198f1d2-7c00-7a00-8000-000000000040";
/// A template that a carrier account keeps.
pub(crate) const CARRIER_TEMPLATE: &str = "0198f1d2-7c00-7a00-8000-000000000041";
/// A template that the carrier has not taken.
pub(crate) const SPARE_CARRIER_TEMPLATE: &str = "0198f1d2-7c00-7a00-8000-000000000042";
/// A campaign that has not started.
pub(crate) const DRAFT: &str = "0198f1d2-7c00-7a00-8000-000000000050";
/// A campaign that runs.
pub(crate) const RUNNING: &str = "0198f1d2-7c00-7a00-8000-000000000051";
/// A campaign that is paused.
pub(crate) const PAUSED: &str = "0198f1d2-7c00-7a00-8000-000000000052";
/// A text that was delivered.
pub(crate) const MESSAGE: &str = "0b7e1ffb-6a0d-5e0e-9d0b-6f7f3c1d2a60";
/// A text that waits.
pub(crate) const WAITING: &str = "0b7e1ffb-6a0d-5e0e-9d0b-6f7f3c1d2a61";
/// A text that was taken for an opt-out.
pub(crate) const REVIEW: &str = "0198f1d2-7c00-7a00-8000-0000000000c0";
/// A file of contacts that was imported.
pub(crate) const IMPORT: &str = "0198f1d2-7c00-7a00-8000-000000000070";
/// A picture that came with a text.
pub(crate) const MEDIA: &str = "0198f1d2-7c00-7a00-8000-0000000000d0";
/// An API key.
pub(crate) const API_KEY: &str = "0198f1d2-7c00-7a00-8000-000000000080";
/// What a program of the company reads at the broker.
pub(crate) const EVENT_CONSUMER: &str = "0198f1d2-7c00-7a00-8000-0000000000c0";
/// The address of somebody who works for the company.
pub(crate) const EMAIL: &str = "ana@example.com";
/// The password that they sign in with.
pub(crate) const PASSWORD: &str = "a mill by the river";
/// Somebody else who works for the company.
pub(crate) const COLLEAGUE: &str = "0198f1d2-7c00-7a00-8000-000000000091";
/// An invitation that nobody has accepted.
pub(crate) const INVITATION: &str = "0198f1d2-7c00-7a00-8000-0000000000a0";
/// The code that it is accepted with.
pub(crate) const INVITATION_CODE: &str = "mr_invite_an-example";
/// A session that has not ended.
pub(crate) const SESSION: &str = "0198f1d2-7c00-7a00-8000-0000000000b0";
/// What renews that session.
pub(crate) const REFRESH_TOKEN: &str = "mr_refresh_an-example";
/// A code that was mailed.
pub(crate) const CODE: &str = "417305";
/// The conversation of the contact with the sender.
pub(crate) const CONVERSATION: &str = "6ce4cf59-a5e7-57ed-860e-31252e2e43c8";
/// An answer that people keep at hand.
pub(crate) const CANNED_ANSWER: &str = "0198f1d2-7c00-7a00-8000-0000000000ca";
/// What an assistant may look up.
pub(crate) const ASSISTANT_TOOL: &str = "0198f1d2-7c00-7a00-8000-0000000000cb";
/// The token of a link that was mailed.
pub(crate) const LINK_TOKEN: &str = "mr_link_an-example";

#[cfg(test)]
mod tests {
    use domain::ids::{ContactId, ConversationId, SenderId, TenantId};

    use super::*;

    #[test]
    fn ids_that_are_derived_are_those_of_the_numbers() {
        let acme: TenantId = "acme".parse().expect("a tenant");
        assert_eq!(ContactId::of(&acme, PHONE).to_string(), CONTACT);
        assert_eq!(ContactId::of(&acme, "+12125550131").to_string(), SAME_PERSON);
        assert_eq!(ContactId::of(&acme, "+12125550132").to_string(), MERGED);
        assert_eq!(SenderId::of(&acme, "+12125550199").to_string(), SENDER);
        let (contact, sender) = (ContactId::of(&acme, PHONE), SenderId::of(&acme, "+12125550199"));
        assert_eq!(ConversationId::of(contact, sender).to_string(), CONVERSATION);
        assert_eq!(SenderId::of(&acme, "+12125550197").to_string(), SPARE_SENDER);
        assert_eq!(SenderId::of(&acme, "+12025550150").to_string(), NUMBER);
        assert_eq!(SenderId::of(&acme, "+12025550151").to_string(), SPARE_NUMBER);
    }
}
