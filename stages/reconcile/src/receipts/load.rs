//! Reads receipts, and locks the rows that they are about.

use stage::{Batch, Cause, Fault, Outcome};
use store::{Scoped, messages::receipt};
use wire::WebhookRequest;

use crate::receipts::{
    report::{self, Key, Reports, Unusable},
    taken::{Rows, redirect},
};

/// Reads the requests of a batch, and answers those that say nothing about a message of ours.
pub(crate) fn read(batch: &Batch<WebhookRequest>) -> Reports {
    let mut reports = Reports::new();

    for (index, request) in batch.items().iter().enumerate() {
        match report::read(request) {
            Ok(of_request) => {
                for report in of_request {
                    let key = (report.tenant.clone(), report.message);
                    reports.entry(key).or_default().push((index, report));
                }
            }
            Err(why @ (Unusable::NoReference | Unusable::OtherTenant)) => {
                metrics::counter!("millrace_receipts_dropped_total", "cause" => why.label())
                    .increment(1);
                batch.answer(index, Outcome::DONE);
            }
            Err(why @ (Unusable::UnknownCarrier | Unusable::Unreadable(_))) => {
                batch.answer(index, Outcome::Dead { cause: Cause(why.label()) });
            }
        }
    }
    reports
}

/// Locks the rows of the messages that receipts are about. A receipt of a text that the carrier's
/// list gave to another message becomes a receipt of that one.
pub(crate) async fn lock_rows(tx: &mut Scoped, reports: &mut Reports) -> Result<Rows, Fault> {
    let keys: Vec<Key> = reports.keys().cloned().collect();
    let mut rows = receipt::lock(tx, &keys).await?;
    redirect(tx, reports, &mut rows).await?;
    Ok(rows)
}
