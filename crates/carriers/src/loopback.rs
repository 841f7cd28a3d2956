//! The carrier of tests. It is no carrier's protocol: it differs from Twilio wherever carriers
//! differ (JSON, one webhook address for several things at once, no list of texts, throttles by
//! sender): a message that passes through it shows that nobody outside this crate knows a carrier.
//! The feature `loopback` is for tests alone, and the program that is shipped does not have it.

mod client;
pub mod webhook;

use std::time::Duration;

pub use client::Client;
pub(crate) use webhook::{is_genuine, read_reports, read_texts};

use crate::{
    abilities::Abilities,
    answer::{CodeInfo, ThrottleScope},
    report::Reference,
};

/// Nowhere: every account names the server of its test.
pub const BASE_URL: &str = "https://loopback.invalid";

/// Proof of a webhook: HMAC-SHA256 of its body under the account's secret, hexadecimal.
pub const SIGNATURE_HEADER: &str = "x-loopback-signature";

pub(crate) const ABILITIES: Abilities = Abilities {
    lists: false,
    fetches: true,
    reports: true,
    numbers: false,
    templates: false,
    list_lag: Duration::from_secs(1),
    throttles: ThrottleScope::Sender,
};

/// The code of a refusal because the person opted out.
pub const OPTED_OUT: u32 = 7;

static OPTED_OUT_INFO: CodeInfo = CodeInfo {
    code: OPTED_OUT,
    cause: "the person opted out at the carrier",
    next_step: "Do not text the number again",
    opt_out: true,
};

static UNLISTED: CodeInfo = CodeInfo {
    code: 0,
    cause: "the carrier of tests reported an error",
    next_step: "Look at the test that made it do so",
    opt_out: false,
};

pub(crate) fn cause(code: u32) -> &'static CodeInfo {
    if code == OPTED_OUT { &OPTED_OUT_INFO } else { &UNLISTED }
}

pub(crate) fn account_id_fault(id: &str) -> Option<&'static str> {
    (!(1..=64).contains(&id.len())).then_some("1 to 64 bytes of anything")
}

/// Our reference as one text, `tenant:message`.
pub(crate) fn reference_text(reference: &Reference) -> String {
    format!("{}:{}", reference.tenant, reference.message)
}

pub(crate) fn read_reference(text: &str) -> Option<Reference> {
    let (tenant, message) = text.split_once(':')?;
    Some(Reference { tenant: tenant.to_owned(), message: message.parse().ok()? })
}
