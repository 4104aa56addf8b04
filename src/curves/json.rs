//! JSON lines: an object on each line.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Error, Value};

use super::cell::Cell;
use super::columns::{self, ColumnNames, Columns};
use super::rows::{Row, Rows};
use crate::error::DataError;
use crate::source::{Allowance, BUFFER, Lines, fault, quoted, read_error};

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

/// The cells of an object; what is in other keys is passed over.
fn row<'t>(text: &'t [u8], columns: &Columns) -> Result<Row<'t>, Error> {
    let seed = columns.seed.is_some().then_some(Cell::Missing);
    let mut row = Row { learning_rate: Cell::Missing, seed, step: Cell::Missing, loss: Cell::Missing };
    let mut parser = serde_json::Deserializer::from_slice(text);
    parser.deserialize_map(Fields { columns, row: &mut row, prefix: "" })?;
    parser.end()?;
    Ok(row)
}

/// The keys of an object, and those of objects within it, named by both with a dot between them.
struct Keys {
    own: Vec<String>,
    nested: Vec<String>,
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = serde_json::Map::deserialize(deserializer)?;
        let mut nested = Vec::new();
        let own = object.keys().cloned().collect();
        for (key, value) in object {
            collect_nested(&key, value, &mut nested);
        }
        Ok(Self { own, nested })
    }
}

fn collect_nested(name: &str, value: Value, nested: &mut Vec<String>) {
    let Value::Object(object) = value else { return };
    for (key, value) in object {
        let name = format!("{name}.{key}");
        collect_nested(&name, value, nested);
        nested.push(name);
    }
}

/// Reads the fields of an object into a row, where the columns begin with `prefix`.
struct Fields<'c, 'r, 't> {
    columns: &'c Columns,
    row: &'r mut Row<'t>,
    prefix: &'c str,
}

impl<'de> Visitor<'de> for Fields<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { columns, row, prefix } = self;
        while let Some(field) = map.next_key_seed(KeySeed { columns, prefix })? {
            let place = match field {
                Field::Rate => &mut row.learning_rate,
                Field::Seed => row.seed.get_or_insert(Cell::Missing),
                Field::Step => &mut row.step,
                Field::Loss => &mut row.loss,
                Field::Within(prefix) => {
                    map.next_value_seed(Within(Fields { columns, row, prefix }))?;
                    continue;
                }
                Field::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *place = map.next_value()?;
        }
        Ok(())
    }
}

/// The same for a value that may be an object; what is none holds no fields.
struct Within<'c, 'r, 't>(Fields<'c, 'r, 't>);

impl<'de> DeserializeSeed<'de> for Within<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Within<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        self.0.visit_map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// What a key leads to; of an object that holds columns, what they begin with.
enum Field<'c> {
    Rate,
    Seed,
    Step,
    Loss,
    Within(&'c str),
    Other,
}

/// Reads a key as the column that it names after `prefix`, without a copy of it.
struct KeySeed<'c> {
    columns: &'c Columns,
    prefix: &'c str,
}

impl<'de, 'c> DeserializeSeed<'de> for KeySeed<'c> {
    type Value = Field<'c>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Field<'c>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'c> Visitor<'_> for KeySeed<'c> {
    type Value = Field<'c>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<Field<'c>, E> {
        let Columns { learning_rate, seed, step, loss } = self.columns;
        // What follows the key in a column's name; nothing where it is the column.
        let rest = |column: &'c str| column.strip_prefix(self.prefix)?.strip_prefix(key);
        let is = |column: &'c str| rest(column) == Some("");
        Ok(if is(loss) {
            Field::Loss
        } else if is(step) {
            Field::Step
        } else if is(learning_rate) {
            Field::Rate
        } else if seed.as_deref().is_some_and(is) {
            Field::Seed
        } else {
            let columns = [Some(loss), Some(step), Some(learning_rate), seed.as_ref()];
            let within = columns.into_iter().flatten().find(|column| rest(column).is_some_and(|rest| rest.starts_with('.')));
            within.map_or(Field::Other, |column| Field::Within(&column[..=self.prefix.len() + key.len()]))
        })
    }
}

impl<'de> Deserialize<'de> for Cell<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Cell<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Cell<'de>, E> {
                Ok(Cell::Other(if value { "true" } else { "false" }))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Cell<'de>, E> {
                Ok(Cell::Whole(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Cell<'de>, E> {
                Ok(Cell::Number(value as f64))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Cell<'de>, E> {
                Ok(Cell::Number(value))
            }

            fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Cell<'de>, E> {
                Ok(Cell::Text(Cow::Borrowed(value)))
            }

            fn visit_str<E>(self, value: &str) -> Result<Cell<'de>, E> {
                Ok(Cell::Text(Cow::Owned(value.to_owned())))
            }

            fn visit_unit<E>(self) -> Result<Cell<'de>, E> {
                Ok(Cell::Missing)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Cell<'de>, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Cell::Other("a list"))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell<'de>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Cell::Other("an object"))
            }
        }
        deserializer.deserialize_any(Visit)
    }
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

    #[test]
    fn a_row_takes_its_columns_and_no_others() {
        let columns =
            Columns { learning_rate: "lr".into(), seed: Some("run".into()), step: "step".into(), loss: "loss".into() };
        let text = br#"{"step": 3, "loss": 2.5, "other": {"loss": [1, {}]}, "run": "a\nb", "lr": 1e-3, "x": null}"#;
        let row = row(text, &columns).unwrap();
        assert_eq!((row.step, row.loss, row.learning_rate), (Cell::Whole(3), Cell::Number(2.5), Cell::Number(1e-3)));
        assert_eq!(row.seed, Some(Cell::Text("a\nb".into())));
        let nested = Columns { learning_rate: "config.optim.lr".into(), loss: "train.loss".into(), ..columns.clone() };
        let text =
            br#"{"config": {"lr": 9, "optim": {"lr": 0.1}}, "train": {"loss": 2, "losses": [1]}, "step": 1, "run": "a"}"#;
        let row = super::row(text, &nested).unwrap();
        assert_eq!((row.learning_rate, row.loss, row.step), (Cell::Number(0.1), Cell::Whole(2), Cell::Whole(1)));
        for flat in [r#"{"config": 3, "train": [{"loss": 1}], "step": 1}"#, r#"{"config": null, "train": "x", "step": 1}"#] {
            let row = super::row(flat.as_bytes(), &nested).unwrap();
            assert_eq!((row.learning_rate, row.loss), (Cell::Missing, Cell::Missing), "{flat}");
        }
        let dotted = super::row(br#"{"train.loss": 2}"#, &nested).unwrap();
        assert_eq!(dotted.loss, Cell::Whole(2));
        for odd in [r#"{"loss": {"mean": 1}}"#, r#"{"loss": [1]}"#, r#"{"loss": true}"#] {
            assert!(matches!(super::row(odd.as_bytes(), &columns).unwrap().loss, Cell::Other(_)), "{odd}");
        }
        for broken in ["", "{", "1", "{} {}", r#"{"loss": NaN}"#] {
            assert!(super::row(broken.as_bytes(), &columns).is_err(), "{broken}");
        }
    }
}
