//! The blocking half of an import: reads rows off the disk, reads people in them, hands them on in
//! steps.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{mapping::Mapping, upload::Upload};
use crate::{
    contacts::{self, Input, Reference},
    delimited::{Next, Row, Table},
    http::Problem,
};

/// How many rows are worked on at once.
pub(super) const STEP: usize = 1_000;

/// How many rows a file may have.
const MOST_ROWS: u64 = 1_000_000;

/// A row: the line that it begins in, and the person or why it is none.
pub(super) type Line = (u64, Result<Input, String>);

/// A file, its header read.
pub(crate) struct Lines {
    table: Table,
    /// Which of its columns is which field.
    pub(super) mapping: Mapping,
}

impl Lines {
    /// Reads the header: how the file is written and what the columns are.
    pub(super) fn open(upload: Upload, wanted: &BTreeMap<String, String>) -> Result<Self, Problem> {
        let is_known = |name: &str| Mapping::knows(name, wanted);
        let table = Table::open(upload.file, &upload.census, &is_known)?;
        let mapping = Mapping::new(&table.header, wanted)?;
        Ok(Self { table, mapping })
    }

    /// The alphabet that the file is in, by its usual name, and what stands between two cells.
    pub(super) fn written(&self) -> (String, char) {
        (self.table.encoding.to_string(), self.table.delimiter)
    }

    /// Hands on every row in steps, until the end, an error that ends the file, or nobody who
    /// listens. `import` goes into evidence.
    pub(super) fn hand_on(
        mut self,
        reference: &Reference,
        import: Option<String>,
        steps: &mpsc::Sender<Result<Vec<Line>, String>>,
    ) {
        let mut row = Row::default();
        let mut step = Vec::with_capacity(STEP);
        let mut count = 0;
        let ended = loop {
            let person = match self.table.next(&mut row) {
                Next::Row => self.person(&row, reference, import.as_deref()),
                Next::Bad(why) => Err(why),
                Next::End => break None,
                Next::Broken(why) => break Some(why),
            };
            count += 1;
            if count > MOST_ROWS {
                break Some(format!("the file has more than {MOST_ROWS} rows; these are in"));
            }

            step.push((row.line, person));
            if step.len() == STEP {
                let full = std::mem::replace(&mut step, Vec::with_capacity(STEP));
                if steps.blocking_send(Ok(full)).is_err() {
                    return;
                }
            }
        };

        // Nobody who listens needs no end.
        let _ = steps.blocking_send(Ok(step));
        if let Some(why) = ended {
            let _ = steps.blocking_send(Err(why));
        }
    }

    /// The person in a row, or why it is none.
    fn person(
        &self,
        row: &Row,
        reference: &Reference,
        import: Option<&str>,
    ) -> Result<Input, String> {
        self.mapping.check_lines(row, self.table.delimiter)?;
        let raw = self.mapping.raw(row)?;
        let line = row.line;
        let evidence =
            import.map_or(Value::Null, |import| json!({ "import": import, "line": line }));

        contacts::read(raw, reference, evidence).map_err(|errors| {
            let why = errors.iter().map(|error| format!("{}: {}", error.field, error.detail));
            why.collect::<Vec<_>>().join("; ")
        })
    }
}
