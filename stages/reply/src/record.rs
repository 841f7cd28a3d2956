//! Writes down what was decided about texts, unless something was decided before.

use jiff::Timestamp;
use stage::Fault;
use store::{
    Store,
    conversations::replies::{self, Ask, Recorded, ReplyDecision},
};

use crate::decide::{depends_on_facts, recheck, since};

/// Records decisions, and says what became of each, in their order: an earlier one about the text
/// stands, and an answer becomes silence where a person has taken over, or another process has used
/// up the answers.
pub(crate) async fn record(
    store: &Store,
    now: Timestamp,
    decisions: &[ReplyDecision],
) -> Result<Vec<Recorded>, Fault> {
    if decisions.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = store.scoped(decisions.iter().map(|one| &one.ask.tenant)).await?;

    // load, under the locks
    let asks: Vec<Ask> = decisions.iter().map(|one| one.ask.clone()).collect();
    let overtaken = replies::lock(&mut tx, &asks).await?;
    let depending = decisions.iter().filter(|one| depends_on_facts(one));
    let depending: Vec<Ask> = depending.map(|one| one.ask.clone()).collect();
    let facts = replies::facts(&mut tx, &depending, since(now)).await?;
    let facts = facts.into_iter().map(|facts| (facts.inbound, facts)).collect();

    // decide
    let left = recheck(decisions, &facts, &overtaken);

    // record
    let recorded = replies::record(&mut tx, &left, &overtaken, now).await?;
    tx.commit().await.map_err(store::fault)?;

    for (decision, recorded) in decisions.iter().zip(&recorded) {
        tell(decision, recorded);
    }
    Ok(recorded)
}

/// Counts what became of a text, and what the model has cost.
fn tell(decision: &ReplyDecision, recorded: &Recorded) {
    let reason = match recorded {
        Recorded::Stands(decided) => decided.reason.as_str(),
        Recorded::Overtaken => "overtaken",
    };
    metrics::counter!("millrace_replies_total", "reason" => reason).increment(1);
    if let Some(made) = &decision.generation {
        let count = |kind: &'static str, tokens: i64| {
            metrics::counter!("millrace_reply_tokens_total", "kind" => kind)
                .increment(tokens.max(0).unsigned_abs());
        };
        count("read", made.input_tokens);
        count("cached", made.cached_tokens);
        count("written", made.output_tokens);
    }
}
