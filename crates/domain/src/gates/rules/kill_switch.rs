//! Gate 1, kill switch: platform, tenant, campaign, sender. Paused waits for the switch, stopped is
//! never sent. Only the platform's switch stops a compliance answer.

use crate::{
    gates::{
        evaluation::{Evaluation, Step},
        facts::SwitchMode,
        wake::Wake,
    },
    message::class::MessageClass,
};

pub(in crate::gates) fn check(evaluation: &mut Evaluation<'_>) -> Step {
    match evaluation.candidate.class {
        MessageClass::Compliance => platform(evaluation.platform),
        MessageClass::Promo
        | MessageClass::Journey
        | MessageClass::Conversational
        | MessageClass::Transactional => every_switch(evaluation),
    }
}

fn platform(mode: SwitchMode) -> Step {
    switch(mode, Wake::Platform, "platform_paused", "platform_stopped")
}

fn every_switch(evaluation: &mut Evaluation<'_>) -> Step {
    let switches = &evaluation.tenant.switches;
    let campaign =
        evaluation.candidate.campaign.and_then(|id| Some((id, *switches.campaigns.get(&id)?)));
    let wide = [
        (evaluation.platform, Wake::Platform, "platform_paused", "platform_stopped"),
        (switches.tenant, Wake::Tenant, "tenant_paused", "tenant_stopped"),
    ];
    let narrow = campaign
        .map(|(id, mode)| (mode, Wake::Campaign(id), "campaign_paused", "campaign_stopped"));
    let mut all: Vec<_> = wide.into_iter().chain(narrow).collect();
    // A stop is final and a pause is not: the stop decides wherever it stands.
    all.sort_by_key(|(mode, ..)| std::cmp::Reverse(*mode));
    for (mode, wake, paused, stopped) in all {
        match switch(mode, wake, paused, stopped) {
            Step::Pass => {}
            step => return step,
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
    let mode = |id| switches.get(id).copied().unwrap_or_default();
    let paused =
        evaluation.senders.iter().find(|sender| mode(&sender.id) == SwitchMode::Paused).copied();
    evaluation.senders.retain(|sender| mode(&sender.id) == SwitchMode::On);
    match (evaluation.senders.is_empty(), paused) {
        (false, _) => Step::Pass,
        (true, Some(sender)) => {
            let reason = format!("no other sender is left, and {} is paused", sender.number);
            Step::hold(Wake::Sender(sender.id), "sender_paused", reason)
        }
        (true, None) => Step::block("sender_stopped", "every candidate sender is stopped".into()),
    }
}

fn switch(mode: SwitchMode, wake: Wake, paused: &'static str, stopped: &'static str) -> Step {
    let whose = wake.whose();
    match mode {
        SwitchMode::On => Step::Pass,
        SwitchMode::Paused => Step::hold(wake, paused, format!("the {whose} is paused")),
        SwitchMode::Stopped => Step::block(stopped, format!("the {whose} is stopped")),
    }
}
