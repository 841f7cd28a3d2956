//! Personas that react to a delivery.

use std::time::Duration;

use crate::{
    app::App,
    job::{Job, Reaction},
    ledger::Index,
};

/// Lets the person behind a phone react to a text that was just delivered.
pub(crate) fn react(app: &App, index: Index) {
    let mut state = app.state();
    let generation = state.ledger.generation();
    let Some(text) = state.ledger.get(index) else { return };
    let (person, sender) = (text.to, text.from.clone());

    let said = state.people.said(person);
    let Some(utterance) = app.personas().answer(app.seed, person, said) else { return };
    state.people.says(person);
    drop(state);

    let reaction = Reaction { from: person, to: sender, utterance, generation };
    app.later(Duration::from_millis(utterance.delay_ms), Job::Say(reaction));
}
