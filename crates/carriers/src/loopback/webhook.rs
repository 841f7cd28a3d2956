//! The webhook: one address, a JSON array of reports and texts in any mixture.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use super::{SIGNATURE_HEADER, read_reference};
use crate::{
    report::{ReceivedText, ReportedNumbers, ReportedStatus, StatusReport, WebhookError},
    webhook::{Incoming, text},
};

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Item {
    Status { reference: String, id: String, status: String, code: Option<u32> },
    Text { id: String, from: String, to: String, text: String },
}

/// The signature of a body under a secret.
pub fn sign(secret: &SecretString, body: &[u8]) -> String {
    let key = secret.expose_secret().as_bytes();
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn is_genuine(secrets: &[SecretString], request: &Incoming<'_>) -> bool {
    let Some(signature) = text(request.headers, SIGNATURE_HEADER) else { return false };
    let mut any = Choice::from(0);
    for secret in secrets {
        any |= sign(secret, request.body).as_bytes().ct_eq(signature.as_bytes());
    }
    any.into()
}

pub(crate) fn read_reports(body: &[u8]) -> Result<Vec<StatusReport>, WebhookError> {
    let mut reports = Vec::new();
    for item in items(body)? {
        match item {
            Item::Text { .. } => {}
            Item::Status { reference, id, status, code } => {
                let status = status_of(&status, code).ok_or(WebhookError::UnknownStatus)?;
                let reference = read_reference(&reference);
                reports.extend(reference.map(|reference| StatusReport {
                    reference: Some(reference),
                    sid: id,
                    numbers: ReportedNumbers::default(),
                    status,
                    price: None,
                }));
            }
        }
    }
    Ok(reports)
}

pub(crate) fn read_texts(body: &[u8]) -> Result<Vec<ReceivedText>, WebhookError> {
    let texts = items(body)?.into_iter().filter_map(|item| match item {
        Item::Status { .. } => None,
        Item::Text { id, from, to, text } => Some(ReceivedText {
            sid: id,
            from,
            user_id: None,
            username: None,
            to,
            body: text,
            payload: None,
            is_reaction: false,
            num_media: 0,
            media: Vec::new(),
            keyword: None,
            answered: false,
            service: None,
        }),
    });
    Ok(texts.collect())
}

fn items(body: &[u8]) -> Result<Vec<Item>, WebhookError> {
    serde_json::from_slice(body).map_err(|_| WebhookError::Parameter("body"))
}

pub(super) fn status_of(word: &str, code: Option<u32>) -> Option<ReportedStatus> {
    match word {
        "taken" => Some(ReportedStatus::Pending),
        "delivered" => Some(ReportedStatus::Delivered),
        "failed" => Some(ReportedStatus::Failed(code)),
        _ => None,
    }
}
