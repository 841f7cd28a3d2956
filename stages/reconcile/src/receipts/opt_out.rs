//! The opt-out that a carrier tells of by failing a text.

use domain::message::state::MessageState;
use stage::StageName;
use store::{messages::receipt::Reported, recipients::opt_out::CarrierOptOut};

use crate::receipts::decide::Change;

/// The opt-out that a failed receipt tells of, whether it is new or said again.
pub(crate) fn told_by<'a>(row: &'a Reported, change: &Change<'_>) -> Option<CarrierOptOut<'a>> {
    if change.state != MessageState::Failed {
        return None;
    }

    let stored_code = || row.message.code.as_deref().and_then(|code| code.parse().ok());
    let (code, at) = match change.raised_by {
        Some(report) => (report.code?, report.at),
        None if change.repeats => (stored_code()?, row.message.changed_at),
        None => return None,
    };

    let (address, carrier) = (row.address.as_ref()?, change.carrier?);
    let stops = carrier.wish(code)?;
    Some(CarrierOptOut {
        tenant: &row.message.tenant,
        message: row.message.id,
        contact: row.message.contact,
        address,
        channel: row.channel,
        stops,
        code,
        at,
        by: StageName::Reconcile.as_str(),
    })
}
