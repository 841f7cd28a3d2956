//! Templates of carriers that messages name: those that are surely not sent are refused with the
//! request. What an account's templates are is read from time to time; of one whose templates have
//! never been read nothing is known, and its carrier decides.

use std::collections::BTreeMap;

use domain::{
    carrier_template::{TemplateStanding, UNKNOWN_TEMPLATE, Unsendable},
    draft::CarrierTemplate,
    ids::{PoolId, SenderId, TenantId},
};
use stage::Fault;
use store::{
    Scoped,
    settings::carrier_templates::{self, AskedTemplate},
};
use wire::{
    Submitted,
    message::{Content, From},
};

/// A template, and who may carry it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct KeptName {
    sender: Option<SenderId>,
    pool: Option<PoolId>,
    name: String,
    language: String,
}

impl KeptName {
    /// The template that a message names; none where it names none.
    pub(super) fn of(message: &Submitted) -> Option<Self> {
        match &message.content {
            Content::Carrier(template) => Some(Self::new(template, &message.from)),
            Content::Body(_)
            | Content::Media { .. }
            | Content::Template { .. }
            | Content::Campaign => None,
        }
    }

    fn new(template: &CarrierTemplate, from: &From) -> Self {
        let (sender, pool) = match from {
            From::Sender(id) => (Some(*id), None),
            From::Pool(id) => (None, Some(*id)),
            From::Any => (None, None),
        };
        let (name, language) = (template.name.clone(), template.language.clone());
        Self { sender, pool, name, language }
    }
}

/// Why no message is sent by this template, whoever of these carries it; none where one may be, or
/// where it is not known.
pub(crate) async fn unsendable(
    tx: &mut Scoped,
    tenant: &TenantId,
    template: &CarrierTemplate,
    from: &From,
) -> Result<Option<Unsendable>, Fault> {
    let name = KeptName::new(template, from);
    let found = look(tx, tenant, [name].into()).await?;
    Ok(found.into_values().flatten().next())
}

/// Why no message is sent by each of these.
pub(super) async fn look(
    tx: &mut Scoped,
    tenant: &TenantId,
    names: Vec<KeptName>,
) -> Result<BTreeMap<KeptName, Option<Unsendable>>, Fault> {
    let asked: Vec<AskedTemplate<'_>> = names
        .iter()
        .map(|one| AskedTemplate {
            sender: one.sender,
            pool: one.pool,
            name: &one.name,
            language: &one.language,
        })
        .collect();
    let standings = carrier_templates::standings(tx, tenant, &asked).await?;
    Ok(names.into_iter().zip(standings.iter().map(|of| decide(of))).collect())
}

/// A template may be sent where one account may send it. Of several reasons the one of an account
/// that has it is told.
fn decide(standings: &[TemplateStanding]) -> Option<Unsendable> {
    let reasons: Vec<Unsendable> =
        standings.iter().copied().map_while(TemplateStanding::unsendable).collect();
    if reasons.len() < standings.len() {
        return None;
    }
    let known = reasons.iter().find(|why| why.code != UNKNOWN_TEMPLATE.code);
    known.or(reasons.first()).copied()
}

#[cfg(test)]
mod tests {
    use domain::carrier_template::ReviewState;

    use super::*;

    fn at(is_listed: bool, state: Option<ReviewState>) -> TemplateStanding {
        TemplateStanding { is_listed, state }
    }

    fn code(standings: &[TemplateStanding]) -> Option<&'static str> {
        decide(standings).map(|why| why.code)
    }

    #[test]
    fn what_one_account_may_send_or_nobody_knows_is_tried() {
        let (unknown, unread) = (at(true, None), at(false, None));
        let (approved, paused) =
            (at(true, Some(ReviewState::Approved)), at(true, Some(ReviewState::Paused)));
        assert_eq!(code(&[]), None, "nobody carries it: that is told elsewhere");
        for fine in [&[approved][..], &[unread], &[paused, approved], &[unknown, unread]] {
            assert_eq!(code(fine), None, "{fine:?}");
        }

        assert_eq!(code(&[unknown]), Some("template_unknown"));
        assert_eq!(code(&[unknown, paused]), Some("template_paused"));
        let failed = at(false, Some(ReviewState::Failed));
        assert_eq!(code(&[failed]), Some("template_rejected"), "made here, and not taken");
    }
}
