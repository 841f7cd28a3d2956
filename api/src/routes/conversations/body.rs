//! What a reply says, as a person writes it: a body, or an answer that they keep at hand with the
//! values of its variables.

use std::collections::BTreeMap;

use domain::{address::Address, template::Template};
use serde::Deserialize;
use store::{
    Scoped,
    conversations::{canned, row::Conversation},
    drafts::{self, ContactKey},
};
use utoipa::{ToSchema, openapi::schema::Object};
use uuid::Uuid;

use crate::{
    auth::Reach,
    document::{examples, words::texts_by_name},
    fields,
    http::{Errors, Problem},
};

/// A reply: a body or a canned answer, media, or both.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewReply {
    /// The text, as that of a message: at most 10 segments on SMS. It is sent as it is written.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 4096)]
    pub(super) body: Option<String>,
    /// Instead of a body: an answer that is kept at hand.
    #[serde(default)]
    #[schema(example = json!(examples::CANNED_ANSWER))]
    canned_answer: Option<Uuid>,
    /// Values of its variables. The contact's own fields fill what is missing.
    #[serde(default)]
    #[schema(schema_with = variables)]
    variables: BTreeMap<String, String>,
    /// What goes with it: ids of media that are stored, or https addresses.
    #[serde(default)]
    #[schema(max_items = 10, max_length = 2000)]
    pub(super) media: Vec<String>,
}

/// What the document says of variables.
fn variables() -> Object {
    let about = "Values by name, at most 50 of at most 500 characters each; names have 1 to 64 of \
        a-z, 0-9 and `_`.";
    texts_by_name(about, domain::template::MAX_VALUE).max_properties(Some(50)).build()
}

impl NewReply {
    /// Puts the text of the canned answer, filled in, in the place of the body.
    pub(super) async fn fill_in(
        &mut self,
        tx: &mut Scoped,
        tenant: &Reach,
        conversation: &Conversation,
    ) -> Result<(), Problem> {
        // check
        let mut errors = Errors::default();
        fields::variables("variables", self.variables.len(), &mut errors);
        for (name, value) in &self.variables {
            fields::variable_name("variables", name, &mut errors);
            fields::variable_value(&format!("variables.{name}"), value, &mut errors);
        }
        let is_one = self.canned_answer.is_none() || self.body.is_none();
        errors.check(is_one, "canned_answer", "ambiguous", "give body or canned_answer, not both");
        errors.done()?;
        let Some(id) = self.canned_answer else { return Ok(()) };

        // load
        let missing =
            || Problem::field("canned_answer", "not_found", "no canned answer has this id");
        let answer = canned::get(tx, tenant, id, false).await?.ok_or_else(missing)?;
        let unread = |why: domain::template::TemplateError| {
            Problem::field("canned_answer", "missing_variable", why.to_string())
        };
        let template = Template::parse(&answer.body).map_err(unread)?;
        let person = person(tx, tenant, conversation).await?;

        // decide
        let own = |name: &str| self.variables.get(name).map(String::as_str);
        let text = template.render(|name| own(name).or_else(|| person.field(name)));
        self.body = Some(text.map_err(unread)?);
        Ok(())
    }
}

/// What is known of the contact.
async fn person(
    tx: &mut Scoped,
    tenant: &Reach,
    conversation: &Conversation,
) -> Result<domain::draft::Person, Problem> {
    let address = conversation.address.as_deref().and_then(|address| address.parse().ok());
    let Some(address): Option<Address> = address else { return Ok(Default::default()) };
    let key = ContactKey {
        tenant: tenant.id(),
        contact: conversation.contact,
        address: &address,
        channel: conversation.channel,
        fields: true,
    };
    let found = drafts::contacts(tx, &[key]).await?.pop();
    Ok(found.and_then(|found| found.contact).unwrap_or_default())
}
