//! `report.json`: a report as text, and back.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use super::{Report, SCHEMA_VERSION};

/// Keys whose arrays go on one line: long rows of numbers that nobody reads one below the other.
const ONE_LINE: [&str; 12] = [
    "losses",
    "probe",
    "seeds",
    "hidden",
    "curvatures",
    "learning_rates",
    "smoothed",
    "tools",
    "roles",
    "evaluated_at",
    "training_costs",
    "held_out_costs",
];

/// Text that is not a report of this version.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Broken or foreign JSON.
    #[error("not a report of lrfind: {0}; give the report.json that `lrfind find` or `lrfind check` wrote")]
    NotAReport(#[source] serde_json::Error),
    /// A report with another layout.
    #[error(
        "the report has schema version {0}, this lrfind reads version {SCHEMA_VERSION}: \
         write the report anew with this version, or use the lrfind that wrote it"
    )]
    OtherVersion(u64),
}

/// The report as pretty JSON in the order of its fields, with a newline at the end. The same report gives the same bytes.
///
/// # Errors
/// When the report's `config` cannot be written as JSON.
pub fn render(report: &Report) -> Result<String, serde_json::Error> {
    pretty(report)
}

/// Pretty JSON with rows of numbers on one line, and a newline at the end.
pub(super) fn pretty<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    let mut bytes = Vec::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, ReportFormatter::default()))?;
    bytes.push(b'\n');
    String::from_utf8(bytes).map_err(serde::ser::Error::custom)
}

/// Reads what [`render`] wrote.
///
/// # Errors
/// When `text` is no report, or one of another schema version.
pub fn read(text: &str) -> Result<Report, ReadError> {
    /// The one key that every version has.
    #[derive(Deserialize)]
    struct Versioned {
        schema_version: u64,
    }
    let text = text.trim_start_matches('\u{feff}');
    let Versioned { schema_version } = serde_json::from_str(text).map_err(ReadError::NotAReport)?;
    if schema_version != u64::from(SCHEMA_VERSION) {
        return Err(ReadError::OtherVersion(schema_version));
    }
    serde_json::from_str(text).map_err(ReadError::NotAReport)
}

/// Pretty, but compact inside the arrays of [`ONE_LINE`].
#[derive(Default)]
struct ReportFormatter {
    pretty: PrettyFormatter<'static>,
    /// The last key written.
    key: String,
    in_key: bool,
    /// Arrays open on the current line.
    inline: usize,
}

/// Sends a formatting call to the compact or the pretty formatter.
macro_rules! either {
    ($($name:ident($($arg:ident: $type:ty),*);)*) => {$(
        fn $name<W: ?Sized + Write>(&mut self, writer: &mut W $(, $arg: $type)*) -> io::Result<()> {
            if self.inline > 0 {
                CompactFormatter.$name(writer $(, $arg)*)
            } else {
                self.pretty.$name(writer $(, $arg)*)
            }
        }
    )*};
}

impl Formatter for ReportFormatter {
    either! {
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_value();
        end_object_value();
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.inline > 0 || ONE_LINE.contains(&self.key.as_str()) {
            self.inline += 1;
            CompactFormatter.begin_array(writer)
        } else {
            self.pretty.begin_array(writer)
        }
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.inline > 0 {
            self.inline -= 1;
            CompactFormatter.end_array(writer)
        } else {
            self.pretty.end_array(writer)
        }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.in_key = true;
        self.key.clear();
        if self.inline > 0 {
            CompactFormatter.begin_object_key(writer, first)
        } else {
            self.pretty.begin_object_key(writer, first)
        }
    }

    fn end_object_key<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.in_key = false;
        Ok(())
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if self.in_key {
            self.key.push_str(fragment);
        }
        writer.write_all(fragment.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn reads_back_what_it_wrote() {
        for report in [sample::found(), sample::checked(), sample::nothing_found()] {
            let text = render(&report).unwrap();
            assert_eq!(read(&text).unwrap(), report);
            assert_eq!(render(&read(&text).unwrap()).unwrap(), text);
        }
    }

    #[test]
    fn is_pretty_in_field_order_with_rows_of_numbers_on_one_line() {
        let text = render(&sample::found()).unwrap();
        assert!(text.starts_with("{\n  \"schema_version\": 1,\n  \"tool\": {\n    \"name\": \"lrfind\","), "{text}");
        assert!(text.ends_with("\n}\n"));
        let losses = text.lines().find(|line| line.starts_with("      \"losses\": [2.5,1.25,0.625,"));
        assert!(losses.is_some_and(|line| line.ends_with("],") && line.matches(',').count() == 100), "{text}");
        assert!(
            text.contains("\n      \"probe\": [{\"iteration\":0,\"loss\":2.5},{\"iteration\":3,\"loss\":null}]\n"),
            "{text}"
        );
        assert!(text.contains("\n  \"seeds\": [0,1,2],\n"), "{text}");
        assert!(text.contains("\n    \"because\": [\n      \""), "{text}");
    }

    #[test]
    fn refuses_what_is_no_report_and_says_so() {
        let newer = render(&sample::found()).unwrap().replacen("\"schema_version\": 1", "\"schema_version\": 99", 1);
        assert!(matches!(read(&newer), Err(ReadError::OtherVersion(99))));
        for broken in ["", "{", "[]", "null", "{\"schema_version\": 1}", "{\"schema_version\": -1}", "\u{0}"] {
            let message = read(broken).unwrap_err().to_string();
            assert!(message.starts_with("not a report of lrfind: "), "{message}");
        }
    }
}
