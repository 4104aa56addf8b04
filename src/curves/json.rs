//! JSON lines: an object on each line.

mod row;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde_json::Error;

use super::columns::{self, ColumnNames, Columns};
use super::rows::Rows;
use crate::error::DataError;
use crate::source::{Allowance, BUFFER, Lines, fault, quoted, read_error};
use row::{Keys, row};

/// The columns are looked for in so many objects, as the first may tell other things: the configuration, say.
const LOOK_AHEAD: u64 = 1000;

/// Reads `input`; messages call it `path`.
pub(super) fn read(path: &Path, input: Box<dyn Read>, wanted: &ColumnNames, most: usize) -> Result<Rows, DataError> {
    let mut objects = Objects::new(path, input);
    let (columns, passed) = find_columns(path, &mut objects, wanted)?;
    let mut rows = Rows::new(path, columns.clone(), most);
    (rows.count, rows.without_loss) = (passed, passed);
    // The object in which the columns were found is a row too.
    let mut more = true;
    while more {
        let (line, text) = (objects.line, objects.text());
        let mut take = |text: &[u8]| row(text, &columns).map(|row| rows.add(line, &row));
        let go_on = match take(text) {
            Ok(go_on) => go_on,
            Err(error) => match take(&with_words_quoted(text)) {
                Ok(go_on) => go_on,
                Err(_) => rows.complain(line, no_object(&error)),
            },
        };
        more = go_on && objects.advance()?;
    }
    Ok(rows)
}

/// Goes to the first object from which on all columns are known, and returns them and how many objects were passed over. A key within
/// another object is a column only where it was asked for: it may be anything.
fn find_columns(path: &Path, objects: &mut Objects<'_>, wanted: &ColumnNames) -> Result<(Columns, u64), DataError> {
    let mut seen = BTreeSet::new();
    let mut within = BTreeSet::new();
    let mut passed = 0;
    loop {
        let more = passed < LOOK_AHEAD && objects.advance()?;
        if more {
            let keys = |text: &[u8]| serde_json::from_slice::<Keys>(text);
            let found = keys(objects.text()).or_else(|error| keys(&with_words_quoted(objects.text())).map_err(|_| error));
            let Keys { own, nested } = found.map_err(|error| fault(path, objects.line, no_object(&error)))?;
            let (asked, others): (Vec<_>, Vec<_>) = nested.into_iter().partition(|name| wanted.names(name));
            seen.extend(own);
            seen.extend(asked);
            within.extend(others);
        }
        match columns::find(&seen.iter().cloned().collect::<Vec<_>>(), wanted) {
            Ok(columns) => return Ok((columns, passed)),
            Err(message) if !more => return Err(fault(path, None, message + &mentioned(&within))),
            Err(_) => passed += 1,
        }
    }
}

/// The columns within other columns, where there are some.
fn mentioned(within: &BTreeSet<String>) -> String {
    let shown: Vec<String> = within.iter().take(10).map(|name| quoted(name)).collect();
    if shown.is_empty() { String::new() } else { format!("; and within them, to be named so, {}", shown.join(", ")) }
}

fn no_object(error: &Error) -> String {
    let message = error.to_string();
    let what = message.split(" at line ").next().unwrap_or_default();
    format!("column {}: {what}: write one JSON object on each line (jq -c '.[]?' unpacks an array)", error.column())
}

/// The lines of a file that are not blank.
struct Objects<'a> {
    path: &'a Path,
    lines: BufReader<Allowance<Lines<Box<dyn Read>>>>,
    bytes: Vec<u8>,
    /// The number of the current line, from 1.
    line: u64,
}

impl<'a> Objects<'a> {
    fn new(path: &'a Path, input: Box<dyn Read>) -> Self {
        let lines = BufReader::with_capacity(BUFFER, Allowance::new(Lines::new(input)));
        Self { path, lines, bytes: Vec::new(), line: 0 }
    }

    /// Goes to the next line that is not blank; `false` at the end.
    fn advance(&mut self) -> Result<bool, DataError> {
        loop {
            self.bytes.clear();
            self.lines.get_mut().renew();
            let read = self.lines.read_until(b'\n', &mut self.bytes).map_err(|e| read_error(self.path, &e))?;
            if read == 0 {
                return Ok(false);
            }
            self.line += 1;
            if !self.text().is_empty() {
                return Ok(true);
            }
        }
    }

    fn text(&self) -> &[u8] {
        self.bytes.strip_prefix(b"\xef\xbb\xbf".as_slice()).unwrap_or(&self.bytes).trim_ascii()
    }
}

/// The text with every word outside quotes in quotes, but for those of JSON: Python and others write `NaN` and `-Infinity` there,
/// which JSON has not.
fn with_words_quoted(text: &[u8]) -> Vec<u8> {
    let mut fixed = Vec::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(&first) = rest.first() {
        let length = match first {
            b'"' => string_length(rest),
            b'0'..=b'9' => rest.iter().take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)).count(),
            b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'-' => {
                let sign = usize::from(matches!(first, b'+' | b'-'));
                sign + rest[sign..].iter().take_while(|b| b.is_ascii_alphabetic()).count()
            }
            _ => 1,
        };
        let (token, after) = rest.split_at(length);
        let is_word = token.last().is_some_and(u8::is_ascii_alphabetic) && first != b'"' && !first.is_ascii_digit();
        if is_word && ![b"true".as_slice(), b"false", b"null"].contains(&token) {
            fixed.push(b'"');
            fixed.extend(token);
            fixed.push(b'"');
        } else {
            fixed.extend(token);
        }
        rest = after;
    }
    fixed
}

/// The bytes of the string at the start of `text`, its quotes included.
fn string_length(text: &[u8]) -> usize {
    let mut escaped = false;
    let end = text.iter().skip(1).position(|&byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    });
    end.map_or(text.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_json_has_not_are_quoted() {
        let fixed = |text: &str| String::from_utf8(with_words_quoted(text.as_bytes())).unwrap();
        assert_eq!(fixed(r#"{"a":NaN,"b": -Infinity , "c":[inf]}"#), r#"{"a":"NaN","b": "-Infinity" , "c":["inf"]}"#);
        for unchanged in
            [r#"{"NaN": true, "b\"NaN": [null, false]}"#, r#"{"a": 1.5E+3, "b": -2e-7}"#, r#"{"a": "unclosed NaN"#, "-", ""]
        {
            assert_eq!(fixed(unchanged), unchanged);
        }
    }
}
