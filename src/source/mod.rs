//! Bytes and CSV records from files: gunzips what is gzipped, evens out line ends, and words what the operating system says.

mod records;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::error::DataError;
pub(crate) use records::Records;

/// RFC 1952 §2.3.1.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Bytes read from a file at a time: few calls, and still inside the processor's cache.
pub(crate) const BUFFER: usize = 1 << 16;

/// A fault of the data in `path`.
pub(crate) fn fault(path: &Path, line: impl Into<Option<u64>>, message: impl Into<String>) -> DataError {
    DataError { path: path.to_owned(), line: line.into(), message: message.into() }
}

/// `text` in quotes, cut to a length that fits a message.
pub(crate) fn quoted(text: &str) -> String {
    const SHOWN: usize = 40;
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{:?}…", &text[..cut]),
        None => format!("{text:?}"),
    }
}

/// Opens a file for reading, and unpacks it if its first bytes are those of gzip, whatever its name.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read>, DataError> {
    let file = File::open(path).map_err(|e| read_error(path, &e))?;
    unpacked(file).map_err(|e| read_error(path, &e))
}

/// What `input` holds, unpacked if its first bytes are those of gzip.
pub(crate) fn unpacked(input: impl Read + 'static) -> io::Result<Box<dyn Read>> {
    let mut input = BufReader::with_capacity(BUFFER, input);
    let is_packed = input.fill_buf()?.starts_with(&GZIP_MAGIC);
    Ok(if is_packed { Box::new(MultiGzDecoder::new(input)) } else { Box::new(input) })
}

/// A failed read, in words that say what to do.
pub(crate) fn read_error(path: &Path, error: &io::Error) -> DataError {
    let advice = match error.kind() {
        io::ErrorKind::NotFound => "check the path; a relative one starts at the config file's folder",
        io::ErrorKind::PermissionDenied => "make it readable",
        io::ErrorKind::IsADirectory => "name a file in it",
        io::ErrorKind::UnexpectedEof => {
            return fault(path, None, "the file is cut short in the middle of its compressed data: fetch it again");
        }
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            return fault(path, None, format!("the compressed data is damaged ({error}): fetch the file again"));
        }
        _ => "check the file and try again",
    };
    fault(path, None, format!("cannot be read: {error}: {advice}"))
}

/// Text with every line end as `\n`, and one at the very end, so that lines can be counted whoever wrote the file.
pub(crate) struct Lines<R> {
    inner: R,
    last: u8,
}

impl<R: Read> Lines<R> {
    /// Reads from `inner`.
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, last: b'\n' }
    }

    /// Evens out `bytes` in place; returns how many are left.
    fn even_out(&mut self, bytes: &mut [u8]) -> usize {
        if self.last != b'\r' && !bytes.contains(&b'\r') {
            // The usual case, and by far the fastest.
            self.last = bytes.last().copied().unwrap_or(self.last);
            return bytes.len();
        }
        let mut kept = 0;
        for i in 0..bytes.len() {
            let byte = bytes[i];
            if !(byte == b'\n' && self.last == b'\r') {
                bytes[kept] = if byte == b'\r' { b'\n' } else { byte };
                kept += 1;
            }
            self.last = byte;
        }
        kept
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let read = self.inner.read(buffer)?;
            if read == 0 {
                let unfinished = !matches!(self.last, b'\n' | b'\r');
                self.last = b'\n';
                buffer[0] = b'\n';
                return Ok(usize::from(unfinished));
            }
            // A lone `\n` whose `\r` came before is dropped, and an empty answer would mean the end.
            let kept = self.even_out(&mut buffer[..read]);
            if kept > 0 {
                return Ok(kept);
            }
        }
    }
}

/// Stops a reader that takes in more than an allowance without handing anything on.
pub(crate) struct Allowance<R> {
    inner: R,
    left: u64,
    ended: bool,
}

/// The most bytes that one record of a text file may take.
const MAX_RECORD: u64 = 256 << 20;

impl<R> Allowance<R> {
    /// Reads from `inner`, up to the allowance.
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, left: MAX_RECORD, ended: false }
    }

    /// Begins a new record: the full allowance again.
    pub(crate) fn renew(&mut self) {
        self.left = MAX_RECORD;
    }

    /// Whether the end has been met.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }
}

impl<R: Read> Read for Allowance<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.saturating_sub(read as u64);
        self.ended |= read == 0 && !buffer.is_empty();
        if self.left == 0 {
            return Err(io::Error::other("a line of more than 256 MiB (look for a quote that is not closed)"));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_end_becomes_one() {
        for (text, expected) in [
            ("a\r\nb\rc\nd", "a\nb\nc\nd\n"),
            ("a\r\n\r\nb\r\n", "a\n\nb\n"),
            ("a\r", "a\n"),
            ("", ""),
            ("\n\n", "\n\n"),
            ("\r\n", "\n"),
        ] {
            for chunk in [1, 2, 3, 64] {
                let mut lines = Lines::new(text.as_bytes());
                let (mut out, mut buffer) = (Vec::new(), vec![0; chunk]);
                while let n @ 1.. = lines.read(&mut buffer).unwrap() {
                    out.extend(&buffer[..n]);
                }
                assert_eq!(String::from_utf8(out).unwrap(), expected, "{text:?} by {chunk}");
            }
        }
    }

    #[test]
    fn an_endless_record_is_stopped_and_a_renewed_allowance_is_not() {
        let mut endless = Allowance::new(io::repeat(b'1'));
        let mut buffer = vec![0; 64 << 20];
        for _ in 0..10 {
            endless.renew();
            assert!(endless.read_exact(&mut buffer).is_ok());
        }
        let outcome = (0..4).map(|_| endless.read(&mut buffer)).find_map(Result::err);
        assert!(outcome.unwrap().to_string().contains("quote"));
    }
}
