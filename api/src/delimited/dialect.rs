//! What stands between two cells, by the first lines of a file.

use super::rows::{Next, Row, Rows};

/// What may stand between two cells, the most usual first: it wins where two fit as well.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    /// What stands between two cells.
    pub(super) delimiter: u8,
    /// How many bytes the line `sep=;` takes, with its end; 0 where there is none.
    pub(super) skipped: usize,
}

impl Dialect {
    /// Finds it in the beginning of a file. A first line `sep=;` says it, as spreadsheets write it
    /// and read it. Otherwise the first row is read with each delimiter, quotes respected: right is
    /// the one that gives the most columns of a known name, and of these the most columns.
    pub(super) fn of(head: &[u8], is_known: &dyn Fn(&str) -> bool) -> Self {
        if let Some(named) = named(head) {
            return named;
        }

        let fit = |delimiter: u8| {
            let cells = first_row(head, delimiter);
            let known = cells.iter().filter(|cell| is_known(cell)).count();
            (known, cells.len())
        };
        let mut best = (DELIMITERS[0], fit(DELIMITERS[0]));
        for delimiter in DELIMITERS.into_iter().skip(1) {
            let fits = fit(delimiter);
            if fits > best.1 {
                best = (delimiter, fits);
            }
        }
        Self { delimiter: best.0, skipped: 0 }
    }
}

/// What a line `sep=;` says, with or without quotes.
fn named(head: &[u8]) -> Option<Dialect> {
    let length = head.iter().position(|byte| matches!(byte, b'\r' | b'\n'))?;
    let (line, rest) = head.split_at(length);
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    let [delimiter] = line.strip_prefix(b"sep=").or_else(|| line.strip_prefix(b"SEP="))? else {
        return None;
    };
    let end = if rest.starts_with(b"\r\n") { 2 } else { 1 };
    Some(Dialect { delimiter: *delimiter, skipped: length + end })
}

/// The cells of the first row, as they are with this delimiter. Where it cannot be read to its
/// end, those before that, and one for the rest: it is still known by the cells that it has.
fn first_row(head: &[u8], delimiter: u8) -> Vec<String> {
    let mut rows = Rows::new(head);
    rows.begin(delimiter, 0);
    let mut row = Row::default();
    let next = rows.next(&mut row);

    let text = |cell: &[u8]| String::from_utf8_lossy(cell).trim().to_owned();
    let mut cells: Vec<String> = row.cells().map(text).collect();
    match next {
        Next::Row | Next::End => {}
        Next::Bad(_) | Next::Broken(_) => cells.push(String::new()),
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(head: &str) -> Dialect {
        Dialect::of(head.as_bytes(), &|name| ["phone", "first_name", "notes"].contains(&name))
    }

    #[test]
    fn the_delimiter_is_what_gives_known_columns_with_quotes_respected() {
        for (head, delimiter) in [
            ("phone,first_name\n", b','),
            ("phone;\"Notes, likes, dislikes\";first_name\n1;2;3", b';'),
            ("phone;Notes, likes, dislikes, more;first_name", b';'),
            ("\"a;b;c;d\",phone\n", b','),
            ("phone\tfirst_name\r\n", b'\t'),
            ("phone|first_name", b'|'),
            ("a;b;c", b';'),
            ("phone", b','),
            ("", b','),
            ("phone,\"first_name\n1,Ann\n", b','),
            ("x;\"first_name\n1;Ann\n", b';'),
            ("phone\t\"x\"y\tnotes\n", b'\t'),
        ] {
            assert_eq!(dialect(head), Dialect { delimiter, skipped: 0 }, "{head:?}");
        }
    }

    #[test]
    fn a_first_line_may_say_it() {
        for (head, delimiter, skipped) in [
            ("sep=;\nphone,first_name;x", b';', 6),
            ("sep=\t\r\nphone", b'\t', 7),
            ("\"sep=|\"\rphone", b'|', 8),
        ] {
            assert_eq!(dialect(head), Dialect { delimiter, skipped }, "{head:?}");
        }
    }
}
