//! CSV records with the lines on which they begin.

use std::io::{BufRead, BufReader, Chain, Cursor, Read};
use std::path::Path;

use csv::{ByteRecord, ErrorKind, ReaderBuilder};

use super::{Allowance, BUFFER, Lines, fault, open, read_error};
use crate::error::DataError;

/// The text of the file: its first line, which has been looked at already, then the rest.
type Text = Allowance<Chain<Cursor<Vec<u8>>, BufReader<Lines<Box<dyn Read>>>>>;

/// The records of a CSV file, one at a time. The delimiter (comma, semicolon or tab) is found from the first line.
pub(crate) struct Records<'a> {
    path: &'a Path,
    reader: csv::Reader<Text>,
    record: ByteRecord,
}

impl<'a> Records<'a> {
    /// The records of the file at `path`.
    pub(crate) fn open(path: &'a Path) -> Result<Self, DataError> {
        Self::new(path, open(path)?)
    }

    /// The records in `input`; messages call it `path`.
    pub(crate) fn new(path: &'a Path, input: Box<dyn Read>) -> Result<Self, DataError> {
        let mut rest = BufReader::with_capacity(BUFFER, Lines::new(input));
        let mut head = first_line(&mut rest).map_err(|e| read_error(path, &e))?;
        if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
            return Err(fault(path, 1, "the text is UTF-16: save the file as UTF-8"));
        }
        if head.starts_with(b"\xef\xbb\xbf") {
            head.drain(..3);
        }
        // Row widths are checked here rather than by the csv crate, for a message that says what to do.
        let reader = ReaderBuilder::new()
            .delimiter(delimiter(&head))
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(BUFFER)
            .from_reader(Allowance::new(Cursor::new(head).chain(rest)));
        Ok(Self { path, reader, record: ByteRecord::new() })
    }

    /// The record that [`advance`](Self::advance) went to.
    pub(crate) fn record(&self) -> &ByteRecord {
        &self.record
    }

    /// Goes to the next record that is not blank; returns the line it begins on, or `None` at the end.
    pub(crate) fn advance(&mut self) -> Result<Option<u64>, DataError> {
        loop {
            self.reader.get_mut().renew();
            let more = self.reader.read_byte_record(&mut self.record).map_err(|e| match e.into_kind() {
                ErrorKind::Io(e) => read_error(self.path, &e),
                other => fault(self.path, self.reader.position().line(), format!("is no CSV: {other:?}")),
            })?;
            if !more {
                return Ok(None);
            }
            // The csv crate counts blank lines before a record as part of it, so lines are counted back from where it ended.
            let inside = self.record.as_slice().split(|&b| b == b'\n').skip(1).count() as u64;
            let past = self.reader.position().line().saturating_sub(inside);
            // Every record ends with a line end, see `Lines`; one that runs into the end of the file is inside a quote.
            if self.reader.get_ref().ended() {
                let message = "a quote that this row opens is never closed: close it, or double it if it is part of the text";
                return Err(fault(self.path, past, message));
            }
            if self.record.len() > 1 || !self.record.as_slice().trim_ascii().is_empty() {
                return Ok(Some(past.saturating_sub(1)));
            }
        }
    }
}

/// The file up to the end of its first line that is not blank, or its first mebibyte if that comes sooner.
fn first_line(input: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    const ENOUGH: u64 = 1 << 20;
    let mut head = Vec::new();
    let mut input = input.take(ENOUGH);
    while head.trim_ascii().is_empty() && input.read_until(b'\n', &mut head)? > 0 {}
    Ok(head)
}

/// The most frequent of tab, semicolon and comma outside quotes; the first of these if there is a tie, as decimal commas are
/// common in files that use another delimiter. Comma if there is none.
fn delimiter(line: &[u8]) -> u8 {
    let mut counts = [(b'\t', 0), (b';', 0), (b',', 0)];
    let mut quoted = false;
    for &byte in line {
        quoted ^= byte == b'"';
        counts.iter_mut().filter(|(d, _)| *d == byte && !quoted).for_each(|(_, n)| *n += 1);
    }
    // The last of equal maxima wins, hence the reversal.
    counts.iter().rev().max_by_key(|(_, n)| *n).filter(|(_, n)| *n > 0).map_or(b',', |(d, _)| *d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_delimiter_outside_quotes() {
        for (line, expected) in [
            ("a,b,c", b','),
            ("a;b;c", b';'),
            ("a\tb\tc", b'\t'),
            ("\"x;y;z\",b", b','),
            ("1,5;2,5;3", b';'),
            ("abc", b','),
            ("", b','),
        ] {
            assert_eq!(delimiter(line.as_bytes()), expected, "{line}");
        }
    }
}
