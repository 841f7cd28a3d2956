//! Files of rows as people have them: comma, semicolon, tab or bar between cells, in UTF-8, UTF-16
//! or Windows-1252, with lines as an editor numbers them. One reader for every import.

mod dialect;
mod encoding;
mod rows;

use std::io::{Cursor, Read};

pub(crate) use encoding::{Census, Encoding};
pub(crate) use rows::{Next, Row};

use crate::http::Problem;
use dialect::Dialect;
use encoding::Decoded;
use rows::Rows;

/// How many bytes are looked at to tell what a file is.
const START: usize = 4096;

/// A file of rows, its header read.
pub(crate) struct Table {
    /// The cells of the header, without blanks around them.
    pub(crate) header: Vec<String>,
    /// The alphabet that the file is in.
    pub(crate) encoding: Encoding,
    /// What stands between two cells.
    pub(crate) delimiter: char,
    rows: Rows<Box<dyn Read + Send>>,
}

impl Table {
    /// Reads the header: what the file is, what stands between cells, and the names of columns.
    /// `census` is of the whole file; `is_known` says whether a column has a name of that kind: of
    /// two delimiters the one is right that gives more of them.
    ///
    /// # Errors
    /// What the file is instead, in the field `file`.
    pub(crate) fn open(
        mut source: impl Read + Send + 'static,
        census: &Census,
        is_known: &dyn Fn(&str) -> bool,
    ) -> Result<Self, Problem> {
        // parse
        let mut start = Vec::with_capacity(START);
        let read = source.by_ref().take(START as u64).read_to_end(&mut start);
        read.map_err(|_| Problem::unavailable("the file cannot be read back", 5))?;
        let (encoding, mark) = Encoding::of(&start, census).map_err(not_csv)?;

        let whole: Box<dyn Read + Send> =
            Box::new(Cursor::new(start.split_off(mark)).chain(source));
        let decoded: Box<dyn Read + Send> = match encoding {
            Encoding::Utf8 => whole,
            Encoding::Windows1252 | Encoding::Utf16 { .. } => {
                Box::new(Decoded::new(whole, encoding))
            }
        };

        // decide
        let mut rows = Rows::new(decoded);
        let head = rows.head().map_err(|_| unreadable_header("the file cannot be read"))?;
        if let Some(what) = encoding::other_text(head) {
            return Err(not_csv(what));
        }
        let Dialect { delimiter, skipped } = Dialect::of(head, is_known);
        rows.begin(delimiter, skipped);

        // answer
        let mut header = Row::default();
        match rows.next(&mut header) {
            Next::Row => {}
            Next::End => return Err(Problem::field("file", "empty", "the file has no line")),
            Next::Bad(why) => {
                return Err(unreadable_header(&format!("line {}: {why}", header.line)));
            }
            Next::Broken(why) => return Err(unreadable_header(&why)),
        }
        let name = |cell: &[u8]| String::from_utf8_lossy(cell).trim().to_owned();
        let header = header.cells().map(name).collect();
        Ok(Self { header, encoding, delimiter: char::from(delimiter), rows })
    }

    /// Reads the next row into `row`.
    pub(crate) fn next(&mut self, row: &mut Row) -> Next {
        self.rows.next(row)
    }
}

/// What to do with a file that is none of rows.
const SAVE_AS_CSV: &str = "save it as CSV (UTF-8) and send that";

/// The file is something else than rows.
fn not_csv(what: &str) -> Problem {
    Problem::field("file", "not_csv", format!("{what}: {SAVE_AS_CSV}"))
}

/// The line with the names of the columns cannot be read.
fn unreadable_header(why: &str) -> Problem {
    let detail = format!("the names of the columns cannot be read: {why}");
    Problem::field("file", "invalid_header", detail)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// Files as people have them, and what is none.
    fn file() -> impl Strategy<Value = Vec<u8>> {
        let cell = "[a-z0-9+ \"',;|\t\r\n\u{e9}\u{feff}]{0,16}";
        let rows = vec(vec(cell, 1..6), 0..12).prop_map(|rows| {
            let rows: Vec<_> = rows.iter().map(|cells| cells.join(",")).collect();
            format!("phone,first_name\n{}", rows.join("\n")).into_bytes()
        });
        prop_oneof![rows, vec(any::<u8>(), 0..300)]
    }

    /// Why a file is refused, as its caller reads it.
    fn refused(file: impl Into<Vec<u8>>) -> String {
        let file = file.into();
        let census = Census::of(&file);
        let table = Table::open(Cursor::new(file), &census, &|name| name == "phone");
        table.err().map_or_else(String::new, |problem| problem.to_string())
    }

    #[test]
    fn a_header_that_cannot_be_read_is_told_its_line_and_why() {
        for (file, why) in [
            ("phone,\"first_name\n+12128890001,Ann\n", "line 1: a quote is opened"),
            ("\"phone\n+12128890001\n", "line 1: a quote is opened"),
            ("\n\nphone;\"first_name\n+12128890001;Ann\n", "line 3: a quote is opened"),
            ("sep=;\nphone;\"x\n", "line 2: a quote is opened"),
            ("phone,\"a\"b\n", "line 1: text follows a closing quote"),
        ] {
            let said = refused(file);
            assert!(said.contains(why), "{file:?}: {said}");
        }
        let long = refused(format!("phone,{}\n", "x".repeat(300 * 1024)));
        assert!(long.contains("line 1: the line has more than 262144 bytes"), "{long}");
    }

    #[test]
    fn a_web_page_is_named_in_whatever_alphabet() {
        let page = "<!DOCTYPE html>\n<html><body>phone</body></html>";
        let utf16: Vec<u8> = "\u{feff}"
            .encode_utf16()
            .chain(page.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        for file in [page.as_bytes(), &[b"\xef\xbb\xbf", page.as_bytes()].concat(), &utf16] {
            let said = refused(file);
            assert!(said.contains("HTML") && said.contains("save it as CSV"), "{said}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None, ..ProptestConfig::default()
        })]

        #[test]
        fn whatever_comes_as_a_file_is_read_or_refused_line_by_line(file in file()) {
            let census = Census::of(&file);
            let lines = file.iter().filter(|byte| b"\r\n".contains(byte)).count() as u64 + 1;
            let table = Table::open(Cursor::new(file), &census, &|name| name == "phone");
            let Ok(mut table) = table else { return Ok(()) };

            let (mut row, mut last) = (Row::default(), 0);
            while let Next::Row | Next::Bad(_) = table.next(&mut row) {
                // Rows come in the order of their lines, and each takes one at least.
                prop_assert!(row.line > last && row.line <= lines, "{} after {last}", row.line);
                last = row.line;
            }
        }
    }
}
