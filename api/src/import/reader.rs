//! The blocking half of an import: reads lines off the disk, parses them, hands them on in steps.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufReader, Read, Seek, SeekFrom},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use csv::{ByteRecord, Reader, ReaderBuilder};
use domain::country::Country;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::mapping::Mapping;
use crate::{
    contacts::{self, Input},
    http::Problem,
};

/// How many lines are worked on at once.
pub(super) const STEP: usize = 1_000;

/// How many lines a file may have.
const MOST_LINES: u64 = 1_000_000;

/// How many bytes a line may have. A quote that is never closed ends there, not in memory.
const LONGEST_LINE: u64 = 256 * 1024;

/// A line: its number in the file, and the person or why it is none.
pub(super) type Line = (u64, Result<Input, String>);

/// A file, its header read.
pub(crate) struct Lines {
    reader: Reader<Guarded>,
    /// Bytes read since the line began.
    since_line: Arc<AtomicU64>,
    /// Lines that the parser is behind where they end in CR LF: it counts an LF with the next one.
    behind: u64,
    /// Which of its columns is which field.
    pub(super) mapping: Mapping,
}

impl Lines {
    /// Reads the header: finds the delimiter and what the columns are.
    pub(super) fn open(mut file: File, wanted: &BTreeMap<String, String>) -> Result<Self, Problem> {
        let unreadable = |_| Problem::unavailable("the file cannot be read back", 5);
        let mut start = vec![0; 4096];
        let length = file.read(&mut start).map_err(unreadable)?;
        let bom = start[..length].starts_with(b"\xef\xbb\xbf");
        let first = start[..length].split(|b| *b == b'\n').next().unwrap_or_default();
        let (delimiter, behind) = (delimiter(first), u64::from(first.ends_with(b"\r")));
        file.seek(SeekFrom::Start(if bom { 3 } else { 0 })).map_err(unreadable)?;

        let since_line = Arc::new(AtomicU64::new(0));
        let guarded = Guarded { file: BufReader::new(file), since_line: since_line.clone() };
        let mut reader =
            ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(guarded);
        let header = reader.byte_headers().cloned().map_err(|_| {
            Problem::field("file", "invalid_header", "the first line cannot be read as CSV")
        })?;

        let mapping = Mapping::new(&header, wanted)?;
        Ok(Self { reader, since_line, behind, mapping })
    }

    /// Hands on every line in steps, until the end, an error that ends the file, or nobody who
    /// listens. `home` is the country of numbers without a plus sign; `import` goes into evidence.
    pub(super) fn hand_on(
        mut self,
        home: Option<Country>,
        import: Option<String>,
        steps: &mpsc::Sender<Result<Vec<Line>, String>>,
    ) {
        let mut record = ByteRecord::new();
        let mut step = Vec::with_capacity(STEP);
        let mut count = 0;
        let ended = loop {
            match self.next(&mut record) {
                Ok(true) => {}
                Ok(false) => break None,
                Err(why) => break Some(why),
            }
            count += 1;
            if count > MOST_LINES {
                break Some(format!("the file has more than {MOST_LINES} lines; these are in"));
            }

            let line = record.position().map_or(count + 1, |at| at.line() + self.behind);
            step.push((line, self.person(&record, line, home, import.as_deref())));
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

    /// Reads the next line. Says whether there is one, or why the file ends here.
    fn next(&mut self, record: &mut ByteRecord) -> Result<bool, String> {
        self.since_line.store(0, Ordering::Relaxed);
        self.reader.read_byte_record(record).map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            format!("after line {line}: {error}")
        })
    }

    /// The person in a line, or why it is none.
    fn person(
        &self,
        record: &ByteRecord,
        line: u64,
        home: Option<Country>,
        import: Option<&str>,
    ) -> Result<Input, String> {
        let raw = self.mapping.raw(record)?;
        let evidence =
            import.map_or(Value::Null, |import| json!({ "import": import, "line": line }));

        contacts::read(raw, home, evidence).map_err(|errors| {
            let why = errors.iter().map(|error| format!("{}: {}", error.field, error.detail));
            why.collect::<Vec<_>>().join("; ")
        })
    }
}

/// The file, with a limit on how much may be read for one line.
struct Guarded {
    file: BufReader<File>,
    since_line: Arc<AtomicU64>,
}

impl Read for Guarded {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.since_line.load(Ordering::Relaxed) > LONGEST_LINE {
            return Err(std::io::Error::other("a line is too long: is a quote not closed?"));
        }
        let length = self.file.read(into)?;
        self.since_line.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

/// The delimiter that the first line has most of: comma, semicolon or tab.
fn delimiter(line: &[u8]) -> u8 {
    let count = |delimiter: &u8| line.iter().filter(|b| *b == delimiter).count();
    // The last of equals wins, so the comma is asked last.
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}
