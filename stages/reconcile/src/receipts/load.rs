//! Reads receipts, and locks the rows that they are about.

use stage::{Batch, Cause, Fault, Outcome};
use store::{Scoped, Store, capacity::late, messages::receipt};
use wire::WebhookRequest;

use crate::receipts::{
    decide::{late_evidence, merge_all},
    nameless,
    price::Prices,
    report::{self, Key, Reports, Said, Unusable},
    taken::{Rows, redirect},
};

/// Reads the requests of a batch, and answers those that say nothing about a message of ours.
pub(crate) async fn read(store: &Store, batch: &Batch<WebhookRequest>) -> Result<Reports, Fault> {
    let said: Vec<Result<Said, Unusable>> = batch.items().iter().map(report::read).collect();
    let by_sid = nameless::messages(store, batch.items(), &said).await?;

    let mut reports = Reports::new();
    for (index, (request, said)) in batch.items().iter().zip(said).enumerate() {
        match said.and_then(|said| report::ours(request, said, &by_sid)) {
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
    Ok(reports)
}

/// How often rows are locked anew to have the counters locked before them.
const TRIES: usize = 3;

/// Begins the transaction that records receipts, with the rows of their messages locked. Where the
/// receipts change counters too, which is rare, it is begun anew: the gates lock counters before
/// messages, and whoever did it the other way round could wait for them while they wait for him.
pub(crate) async fn begin(
    store: &Store,
    reports: &mut Reports,
) -> Result<(Scoped, Rows, Prices), Fault> {
    let mut late = Vec::new();
    let mut tries = 0;
    loop {
        let mut tx = store.scoped(reports.keys().map(|key| &key.0)).await?;
        late::lock(&mut tx, &late).await?;
        let rows = lock_rows(&mut tx, reports).await?;
        let prices = Prices::load(&mut tx, &rows, reports).await?;

        let found = late_evidence(&merge_all(&rows, reports, &prices));
        tries += 1;
        if found.iter().all(|one| late.contains(one)) || tries == TRIES {
            return Ok((tx, rows, prices));
        }
        late = found;
    }
}

/// Locks the rows of the messages that receipts are about. A receipt of a text that the carrier's
/// list gave to another message becomes a receipt of that one.
async fn lock_rows(tx: &mut Scoped, reports: &mut Reports) -> Result<Rows, Fault> {
    let keys: Vec<Key> = reports.keys().cloned().collect();
    let mut rows = receipt::lock(tx, &keys).await?;
    redirect(tx, reports, &mut rows).await?;
    Ok(rows)
}
