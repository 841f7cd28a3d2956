//! What is compared where a message comes twice under one key.

use std::collections::BTreeMap;

use domain::{
    address::Address,
    gates::OnLate,
    message::class::{Channel, MessageClass},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use wire::message::{Content, From, RichContent};

/// What makes two submissions the same message, in a fixed order.
#[derive(Serialize)]
pub(super) struct Canonical<'a> {
    pub(super) to: &'a Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) channel: Option<Channel>,
    pub(super) class: MessageClass,
    pub(super) content: &'a Content,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rich: Option<&'a RichContent>,
    pub(super) from: &'a From,
    pub(super) validity: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) on_late: Option<OnLate>,
    pub(super) metadata: &'a BTreeMap<String, String>,
}

impl Canonical<'_> {
    /// The hash of all of it.
    pub(super) fn hash(&self) -> [u8; 32] {
        let json = wire::json::to_vec(self);
        Sha256::digest(&json).into()
    }
}
