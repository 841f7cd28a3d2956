//! Rows of cells, one after the other (RFC 4180, forgiving): what a quote that is not closed takes
//! in is never taken for a cell.

use std::io::{self, Read};

/// How many bytes a row may have. A quote that is never closed ends there, not in memory.
const LONGEST_ROW: usize = 256 * 1024;

/// How many bytes are read at once; the header is looked for in the first.
const BLOCK: usize = 64 * 1024;

/// The rows of a text, read as a stream.
pub(super) struct Rows<R> {
    source: R,
    /// What is read and not yet used up begins at `at`.
    block: Vec<u8>,
    at: usize,
    delimiter: u8,
    /// The line that the next byte is in, from 1, as an editor shows it.
    line: u64,
    /// Whether the last byte was a CR: an LF after it ends no other line.
    after_cr: bool,
}

/// One row of cells.
#[derive(Debug, Default)]
pub(crate) struct Row {
    /// The line that it begins in, the first of the file being 1.
    pub(crate) line: u64,
    bytes: Vec<u8>,
    /// Where each cell ends in `bytes`.
    ends: Vec<usize>,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A row that was read.
    Row,
    /// A row that cannot be read, and why; it begins in the row's line. The next one can.
    Bad(String),
    /// Nothing: the file has ended.
    End,
    /// Nothing that could be read, and why. Nothing comes after it.
    Broken(String),
}

impl Row {
    /// The cells, as they are written but for their quotes.
    pub(crate) fn cells(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }

    /// How many cells there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    fn begin(&mut self, line: u64) {
        self.line = line;
        self.bytes.clear();
        self.ends.clear();
    }

    fn end_cell(&mut self) {
        self.ends.push(self.bytes.len());
    }
}

/// Where the reader is within a row.
#[derive(Clone, Copy)]
enum Within {
    /// At the beginning of a cell: a quote here opens one.
    CellStart,
    /// In a cell without quotes.
    Plain,
    /// In quotes that were opened in this line.
    Quotes { opened: u64 },
    /// Behind a quote that closes these, or is the first of two.
    Closed { opened: u64 },
    /// In what is left of a row that cannot be read.
    Rest,
}

impl<R: Read> Rows<R> {
    pub(super) fn new(source: R) -> Self {
        let (block, at, delimiter) = (Vec::new(), 0, b',');
        Self { source, block, at, delimiter, line: 1, after_cr: false }
    }

    /// The first bytes of the text, which are still to be read.
    pub(super) fn head(&mut self) -> io::Result<&[u8]> {
        if self.block.is_empty() {
            self.source.by_ref().take(BLOCK as u64).read_to_end(&mut self.block)?;
        }
        Ok(&self.block)
    }

    /// Begins behind a first line of some bytes, with what stands between two cells.
    pub(super) fn begin(&mut self, delimiter: u8, skipped: usize) {
        self.delimiter = delimiter;
        self.at = skipped;
        self.line += u64::from(skipped > 0);
    }

    /// Reads the next row into `row`. Lines without anything in them are passed over.
    pub(super) fn next(&mut self, row: &mut Row) -> Next {
        row.begin(self.line);
        let mut within = Within::CellStart;
        let mut wrong = None;
        let mut length = 0;
        loop {
            let byte = match self.byte() {
                Ok(Some(byte)) => byte,
                Ok(None) => return self.ended(row, within, wrong),
                Err(_) => return Next::Broken("the file could not be read".into()),
            };

            length += 1;
            if length > LONGEST_ROW && wrong.is_none() {
                if let Within::Quotes { opened } = within {
                    return Next::Broken(never_closed(opened));
                }
                wrong = Some(format!("the line has more than {LONGEST_ROW} bytes"));
                within = Within::Rest;
            }

            let is_end = matches!(byte, b'\r' | b'\n') && !matches!(within, Within::Quotes { .. });
            if !is_end {
                within = self.take(byte, row, within, &mut wrong);
                continue;
            }

            if let Some(why) = wrong {
                return Next::Bad(why);
            }
            if length > 1 {
                row.end_cell();
                return Next::Row;
            }
            row.begin(self.line);
            length = 0;
        }
    }

    /// Takes a byte that does not end the row, and says where the reader is then.
    fn take(&self, byte: u8, row: &mut Row, within: Within, wrong: &mut Option<String>) -> Within {
        match within {
            Within::Rest => Within::Rest,
            Within::CellStart if byte == b'"' => Within::Quotes { opened: self.line },
            Within::CellStart | Within::Plain | Within::Closed { .. } if byte == self.delimiter => {
                row.end_cell();
                Within::CellStart
            }
            Within::CellStart | Within::Plain => {
                row.bytes.push(byte);
                Within::Plain
            }

            Within::Quotes { opened } if byte == b'"' => Within::Closed { opened },
            // Lines within quotes end as texts do that are sent.
            Within::Quotes { opened } => {
                row.bytes.push(if byte == b'\r' { b'\n' } else { byte });
                Within::Quotes { opened }
            }
            Within::Closed { opened } if byte == b'"' => {
                row.bytes.push(b'"');
                Within::Quotes { opened }
            }
            Within::Closed { opened } if byte == b' ' => Within::Closed { opened },
            Within::Closed { opened } => {
                *wrong = Some(text_behind(opened, self.line));
                Within::Rest
            }
        }
    }

    /// What the end of the file makes of the row that it is in.
    fn ended(&self, row: &mut Row, within: Within, wrong: Option<String>) -> Next {
        match within {
            Within::Quotes { opened } => Next::Broken(never_closed(opened)),
            Within::Rest => Next::Bad(wrong.unwrap_or_default()),
            Within::CellStart if row.ends.is_empty() => Next::End,
            Within::CellStart | Within::Plain | Within::Closed { .. } => {
                row.end_cell();
                Next::Row
            }
        }
    }

    /// The next byte; an LF behind a CR is no byte of its own. None at the end.
    fn byte(&mut self) -> io::Result<Option<u8>> {
        loop {
            if self.at == self.block.len() {
                self.block.resize(BLOCK, 0);
                let length = self.source.read(&mut self.block)?;
                self.block.truncate(length);
                self.at = 0;
                if length == 0 {
                    return Ok(None);
                }
            }

            let byte = self.block[self.at];
            self.at += 1;
            let continues = byte == b'\n' && self.after_cr;
            self.after_cr = byte == b'\r';
            if !continues {
                self.line += u64::from(matches!(byte, b'\r' | b'\n'));
                return Ok(Some(byte));
            }
        }
    }
}

fn never_closed(opened: u64) -> String {
    format!(
        "line {opened}: a quote is opened that is not closed; nothing from this line on was read"
    )
}

/// Why a row cannot be read in which a text follows quotes: they were closed too early, or by a
/// quote of another row.
fn text_behind(opened: u64, closed: u64) -> String {
    if opened == closed {
        "text follows a closing quote: a quote within quotes is written twice".into()
    } else {
        format!(
            "a quote that is opened in line {opened} takes in what follows up to line {closed}: \
             these lines were not read"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row with its line, or why there is none; the text given in parts of some bytes.
    fn rows(text: &str) -> Vec<(u64, Result<Vec<String>, String>)> {
        let mut rows = Rows::new(text.as_bytes());
        let (mut row, mut found) = (Row::default(), Vec::new());
        loop {
            let next = rows.next(&mut row);
            let text = |cell: &[u8]| String::from_utf8_lossy(cell).into_owned();
            match next {
                Next::Row => found.push((row.line, Ok(row.cells().map(text).collect()))),
                Next::Bad(why) => found.push((row.line, Err(why))),
                Next::End => return found,
                Next::Broken(why) => {
                    found.push((row.line, Err(why)));
                    return found;
                }
            }
        }
    }

    fn cells(line: u64, cells: &[&str]) -> (u64, Result<Vec<String>, String>) {
        (line, Ok(cells.iter().map(|cell| (*cell).to_owned()).collect()))
    }

    #[test]
    fn lines_are_numbered_as_an_editor_shows_them() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["a,b", "", "1,2", "3,\"x", "y\"", "", "5,6"].join(end);
            let expected = [cells(1, &["a", "b"]), cells(3, &["1", "2"]), cells(4, &["3", "x\ny"])];
            let found = rows(&text);
            assert_eq!(found[..3], expected, "{end:?}");
            assert_eq!(found[3], cells(7, &["5", "6"]), "{end:?}");
        }
    }

    #[test]
    fn cells_are_what_is_between_delimiters_without_their_quotes() {
        let text = "\"a\"\"b\",,\" c \" ,d \"e\" f\n,\n\"\"\nlast,";
        assert_eq!(
            rows(text),
            [
                cells(1, &["a\"b", "", " c ", "d \"e\" f"]),
                cells(2, &["", ""]),
                cells(3, &[""]),
                cells(4, &["last", ""]),
            ]
        );
    }

    #[test]
    fn a_quote_that_is_never_closed_ends_the_file_at_its_line() {
        let found = rows("phone,name\n1,Ann\n2,\"Bob\n3,Cy\n");
        assert_eq!(found[1], cells(2, &["1", "Ann"]));
        let why = found[2].1.as_ref().expect_err("no row");
        assert!(why.starts_with("line 3: a quote is opened"), "{why}");

        let long = format!("a\n\n\"{}", "x\n".repeat(LONGEST_ROW));
        let why = rows(&long).pop().expect("an end").1.expect_err("no row");
        assert!(why.starts_with("line 3: a quote is opened"), "{why}");
    }

    #[test]
    fn what_stands_behind_quotes_makes_its_row_bad_and_no_other() {
        let found = rows("a,b\n1,\"x\"y,z\n2,\"Ann\n3,\"Bob\"\n4,Cy\n");
        assert!(found[1].1.as_ref().is_err_and(|why| why.contains("written twice")));
        let (line, why) = &found[2];
        assert_eq!(*line, 3);
        let why = why.as_ref().expect_err("no row");
        assert!(why.contains("line 3") && why.contains("line 4"), "{why}");
        assert_eq!(found[3], cells(5, &["4", "Cy"]));
    }

    #[test]
    fn a_row_that_is_too_long_is_bad_and_the_next_is_read() {
        let text = format!("a,b\n1,{}\n2,x\n", "y".repeat(LONGEST_ROW));
        let found = rows(&text);
        assert!(found[1].0 == 2 && found[1].1.is_err());
        assert_eq!(found[2], cells(3, &["2", "x"]));
    }
}
