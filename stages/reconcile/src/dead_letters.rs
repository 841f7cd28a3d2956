//! Dead letters: a message that no stage could handle ends as `failed` with the code `internal`,
//! with what it had reserved given back. The letter itself stays in DEAD for a redrive.
//!
//! The row decides: a message that has moved on, or that a carrier may have, is left alone, and so
//! is one whose letter is about another body under its id. A letter that names no message is
//! counted. What this stage cannot handle stays in its stream: no letter is written about a letter.

mod decide;
mod letter;
mod load;
mod record;
mod say;

use jiff::Timestamp;
use stage::{Batch, Cx, Dependency, Fault, Outcome, Stage, StageName};
use store::{Store, core::seal::Sealer};
use wire::{DeadLetter, Stream};

use self::{
    decide::{Verdict, decide},
    letter::Letters,
    record::{Rows, record},
};

/// How often a message may move on between our look and our write.
const TRIES: usize = 8;

/// The stage that reads dead letters, beside the one that reads receipts.
pub struct DeadLetterStage {
    store: Store,
    /// Opens a letter for whose message it is, never for its text.
    sealer: Sealer,
}

impl DeadLetterStage {
    /// A reader of dead letters over this store.
    pub fn new(store: Store, sealer: Sealer) -> Self {
        Self { store, sealer }
    }
}

impl Stage for DeadLetterStage {
    const NAME: StageName = StageName::Reconcile;
    const FROM: &'static [Stream] = &[Stream::Dead];
    const FILLS: &'static [Stream] = &[Stream::Events];
    type In = DeadLetter;

    async fn handle(&self, cx: &Cx, batch: Batch<DeadLetter>) -> Result<(), Fault> {
        let letters = load::read(&batch, &self.sealer);
        if letters.is_empty() {
            return Ok(());
        }

        for _ in 0..TRIES {
            if let Some((verdicts, rows)) = self.settle(cx.now, &letters).await? {
                say::count_all(&verdicts);
                for (index, say) in say::by_letter(&letters, &rows) {
                    batch.answer(index, Outcome::Emit(say));
                }
                return Ok(());
            }
        }

        let source = "a message moved on each time its death was about to be written".into();
        Err(Fault::Unavailable { what: Dependency::Database, source })
    }
}

impl DeadLetterStage {
    /// Settles all letters in one transaction. None where a row has moved on since it was read:
    /// then nothing is written.
    async fn settle<'a>(
        &self,
        now: Timestamp,
        letters: &'a Letters<'a>,
    ) -> Result<Option<(Vec<Verdict<'a>>, Rows)>, Fault> {
        let mut tx = self.store.scoped(letters.keys().map(|key| &key.0)).await?;

        // load
        let loaded = load::load(&mut tx, letters).await?;

        // decide
        let verdicts: Vec<Verdict<'_>> = letters
            .iter()
            .filter_map(|(key, of_message)| decide(key, of_message, &loaded))
            .collect();

        // record
        let Some(rows) = record(&mut tx, now, &verdicts, &loaded).await? else {
            return Ok(None);
        };
        tx.commit().await.map_err(store::fault)?;
        Ok(Some((verdicts, rows)))
    }
}
