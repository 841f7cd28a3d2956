//! One question to the model, and what its answer means.

use carriers::anthropic::{AiNextStep, Client, Message, Reply, Request, Speaker};
use stage::{Dependency, Fault};
use store::conversations::replies::{Ask, ReplyDecision, ReplyReason};
use wire::InboundText;

use crate::decide::silence;

/// Answers are texts: short. Also the model's limit.
const MAX_TOKENS: u32 = 200;

/// Texts longer than this are cut before they go out: two segments in GSM-7.
const MAX_CHARACTERS: usize = 300;

/// Asks the model once. A call that may be tried again is an outage; everything else ends as a
/// decision not to answer, so that no text is asked about forever.
pub(crate) async fn ask(
    client: &Client,
    model: &str,
    text: &InboundText,
    ask: Ask,
) -> Result<ReplyDecision, Fault> {
    let system = instructions(&text.language);
    let messages = [Message { role: Speaker::User, content: &text.body }];
    let request = Request { model, system: &system, messages: &messages, max_tokens: MAX_TOKENS };

    let error = match client.message(request).await {
        Ok(reply) if reply.stop_reason.is_complete() && !reply.text.trim().is_empty() => {
            return Ok(answered(ask, &reply));
        }
        Ok(_) => return Ok(silence(ask, ReplyReason::AiIncomplete)),
        Err(error) => error,
    };

    match error.next_step() {
        AiNextStep::Retry { .. } => {
            Err(Fault::Unavailable { what: Dependency::Ai, source: error.into() })
        }
        AiNextStep::StopAccount => {
            tracing::error!(%error, "the AI account refuses calls: check ANTHROPIC_API_KEY");
            Ok(silence(ask, ReplyReason::AiAccount))
        }
        AiNextStep::GiveUp => Ok(silence(ask, ReplyReason::AiRefused)),
    }
}

fn answered(ask: Ask, reply: &Reply) -> ReplyDecision {
    ReplyDecision {
        ask,
        body: Some(reply.text.trim().chars().take(MAX_CHARACTERS).collect()),
        reason: ReplyReason::Answered,
        input_tokens: i64::try_from(reply.input_tokens).unwrap_or(i64::MAX),
        output_tokens: i64::try_from(reply.output_tokens).unwrap_or(i64::MAX),
    }
}

fn instructions(language: &str) -> String {
    format!(
        "You answer text messages for a business. Answer the person's question in one or two short \
         sentences, in the language with the ISO code {language}. Plain text only. Do not invent \
         prices, dates or promises; if you do not know, say that a colleague will get back."
    )
}
