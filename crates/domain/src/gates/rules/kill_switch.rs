//! Gate 1, kill switch: nothing is sent through a switch that is paused or stopped: the platform's,
//! the tenant's, the campaign's, the sender's.
//!
//! For every class; a compliance answer obeys the platform's switch alone. Paused: hold, until the
//! switch is on. Stopped: block. Of a tenant that is archived everything is blocked.

use std::cmp::Reverse;

use crate::{
    gates::{
        evaluation::{Evaluation, Step},
        facts::{SenderFacts, SwitchMode},
        model::CAMPAIGN_STOPPED,
        wake::Wake,
    },
    message::class::MessageClass,
};

pub(in crate::gates) fn check(evaluation: &mut Evaluation<'_>) -> Step {
    if evaluation.tenant.archived {
        return Step::block("tenant_archived", "the company is archived".into());
    }
    match evaluation.candidate.class {
        MessageClass::Compliance => Switch::platform(evaluation).ask(),
        MessageClass::Promo
        | MessageClass::Journey
        | MessageClass::Conversational
        | MessageClass::Transactional => every_switch(evaluation),
    }
}

/// The switches of platform, tenant and campaign, then those of the senders.
fn every_switch(evaluation: &mut Evaluation<'_>) -> Step {
    let wide = [Switch::platform(evaluation), Switch::tenant(evaluation)];
    let mut switches: Vec<Switch> = wide.into_iter().chain(Switch::campaign(evaluation)).collect();

    // A stop is final and a pause is not: the stop decides, whichever switch it is.
    switches.sort_by_key(|switch| Reverse(switch.mode));
    for switch in switches {
        match switch.ask() {
            Step::Pass => {}
            rejected => return rejected,
        }
    }
    senders(evaluation)
}

/// Leaves the senders whose switch is on. Waits while one of the others may come back.
fn senders(evaluation: &mut Evaluation<'_>) -> Step {
    let switches = &evaluation.tenant.switches.senders;
    if switches.is_empty() || evaluation.senders.is_empty() {
        return Step::Pass;
    }

    let mode = |sender: &SenderFacts| switches.get(&sender.id).copied().unwrap_or_default();
    let mut candidates = evaluation.senders.iter().copied();
    let paused = candidates.find(|sender| mode(sender) == SwitchMode::Paused);
    evaluation.senders.retain(|sender| mode(sender) == SwitchMode::On);

    match (evaluation.senders.is_empty(), paused) {
        (false, _) => Step::Pass,
        (true, Some(sender)) => {
            let reason = format!("no other sender is left, and {} is paused", sender.number);
            Step::hold(Wake::Sender(sender.id), "sender_paused", reason)
        }
        (true, None) => Step::block("sender_stopped", "every candidate sender is stopped".into()),
    }
}

/// One switch, and the codes of what it says.
struct Switch {
    mode: SwitchMode,
    wake: Wake,
    paused: &'static str,
    stopped: &'static str,
}

impl Switch {
    fn platform(evaluation: &Evaluation<'_>) -> Self {
        Self {
            mode: evaluation.platform,
            wake: Wake::Platform,
            paused: "platform_paused",
            stopped: "platform_stopped",
        }
    }

    fn tenant(evaluation: &Evaluation<'_>) -> Self {
        Self {
            mode: evaluation.tenant.switches.tenant,
            wake: Wake::Tenant,
            paused: "tenant_paused",
            stopped: "tenant_stopped",
        }
    }

    /// None for a message of no campaign, and for a campaign whose switch is on.
    fn campaign(evaluation: &Evaluation<'_>) -> Option<Self> {
        let id = evaluation.candidate.campaign?;
        Some(Self {
            mode: *evaluation.tenant.switches.campaigns.get(&id)?,
            wake: Wake::Campaign(id),
            paused: "campaign_paused",
            stopped: CAMPAIGN_STOPPED,
        })
    }

    fn ask(self) -> Step {
        let whose = self.wake.whose();
        match self.mode {
            SwitchMode::On => Step::Pass,
            SwitchMode::Paused => {
                Step::hold(self.wake, self.paused, format!("the {whose} is paused"))
            }
            SwitchMode::Stopped => Step::block(self.stopped, format!("the {whose} is stopped")),
        }
    }
}
