//! What the parts of one webhook say, for carriers that post several at once. Each part is read by
//! itself: one that cannot be read does not lose the others.

use crate::report::{PhoneEcho, ReceivedText, StatusReport, WebhookError};

/// What one part says.
pub(crate) enum Said {
    /// How a text of ours stands.
    Report(StatusReport),
    /// What a person wrote.
    Text(ReceivedText),
    /// What somebody of the company wrote on the phone itself.
    Echo(PhoneEcho),
    /// The same, where it does not say to whom: nothing comes of it, and it is counted.
    EchoToNobody,
    /// What is none of these, as a part that says how an account stands.
    Nothing,
}

/// The reports on texts of ours.
pub(crate) fn reports(
    parts: Vec<Result<Said, WebhookError>>,
) -> Result<Vec<StatusReport>, WebhookError> {
    let said = readable(parts)?.into_iter().filter_map(|said| match said {
        Said::Report(report) => Some(report),
        Said::Text(_) | Said::Echo(_) | Said::EchoToNobody | Said::Nothing => None,
    });
    Ok(said.collect())
}

/// The texts of people.
pub(crate) fn texts(
    parts: Vec<Result<Said, WebhookError>>,
) -> Result<Vec<ReceivedText>, WebhookError> {
    let said = readable(parts)?.into_iter().filter_map(|said| match said {
        Said::Text(text) => Some(text),
        Said::Report(_) | Said::Echo(_) | Said::EchoToNobody | Said::Nothing => None,
    });
    Ok(said.collect())
}

/// What people of the company wrote on the phone itself. What is unreadable counts with the texts.
pub(crate) fn echoes(parts: Vec<Result<Said, WebhookError>>) -> Vec<PhoneEcho> {
    let said = parts.into_iter().filter_map(|part| match part {
        Ok(Said::Echo(echo)) => Some(echo),
        Ok(Said::Report(_) | Said::Text(_) | Said::EchoToNobody | Said::Nothing) | Err(_) => None,
    });
    said.collect()
}

/// How many parts cannot be read, or are of no use as they are.
pub(crate) fn unread(parts: &[Result<Said, WebhookError>]) -> usize {
    parts.iter().filter(|part| matches!(part, Err(_) | Ok(Said::EchoToNobody))).count()
}

/// What can be read; an error where there is something and nothing of it can be.
fn readable(parts: Vec<Result<Said, WebhookError>>) -> Result<Vec<Said>, WebhookError> {
    match parts.iter().all(Result::is_err) {
        true => parts.into_iter().collect(),
        false => Ok(parts.into_iter().filter_map(Result::ok).collect()),
    }
}
