//! What is wrong with a config, where, and what to write instead.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Excerpts show at most this many characters of a line.
const EXCERPT_WIDTH: usize = 120;

/// One thing wrong with a config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The config file.
    pub file: PathBuf,
    /// The line, counted from 1, where there is one.
    pub line: Option<usize>,
    /// The column, in characters counted from 1, where there is one.
    pub column: Option<usize>,
    /// The line of the file and, below it, a line of carets under the offending part.
    pub excerpt: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub fix: String,
}

impl fmt::Display for Problem {
    /// `file:line:column: message`, the excerpt, and the fix, without a newline at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        for number in [self.line, self.column].into_iter().flatten() {
            write!(f, ":{number}")?;
        }
        writeln!(f, ": {}", self.message)?;
        for line in self.excerpt.iter().flat_map(|text| text.lines()) {
            writeln!(f, "  | {line}")?;
        }
        write!(f, "  fix: {}", self.fix)
    }
}

/// Everything wrong with a config, in the order of the file. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors {
    /// The problems.
    pub problems: Vec<Problem>,
}

impl ConfigErrors {
    /// One problem with the file as a whole.
    pub(crate) fn whole_file(path: &Path, message: String, fix: String) -> Self {
        let problem = Problem { file: path.to_owned(), line: None, column: None, excerpt: None, message, fix };
        Self { problems: vec![problem] }
    }
}

impl fmt::Display for ConfigErrors {
    /// Every problem, one after the other.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// The config's text, and the problems found in it so far.
#[derive(Debug)]
pub(crate) struct Log<'a> {
    file: &'a Path,
    text: &'a str,
    /// Each with the byte it starts at, by which they are put in order in the end.
    found: RefCell<Vec<(usize, Problem)>>,
}

impl<'a> Log<'a> {
    /// An empty log about this text, read from this file.
    pub(crate) fn new(file: &'a Path, text: &'a str) -> Self {
        Self { file, text, found: RefCell::default() }
    }

    /// Records a problem with the bytes of `span`, or with the whole file.
    pub(crate) fn report(&self, span: Option<Range<usize>>, message: impl Into<String>, fix: impl Into<String>) {
        let place = span.map(|span| self.place(&span));
        let problem = Problem {
            file: self.file.to_owned(),
            line: place.as_ref().map(|place| place.line),
            column: place.as_ref().map(|place| place.column),
            excerpt: place.as_ref().map(|place| place.excerpt.clone()),
            message: message.into(),
            fix: fix.into(),
        };
        self.found.borrow_mut().push((place.map_or(usize::MAX, |place| place.start), problem));
    }

    /// The 1-based line of a byte.
    pub(crate) fn line(&self, byte: usize) -> usize {
        1 + self.text[..self.boundary(byte)].matches('\n').count()
    }

    /// The text of a span on one line, shortened, for use in a message.
    pub(crate) fn written(&self, span: &Range<usize>) -> String {
        shown(&self.text[self.boundary(span.start)..self.boundary(span.end)])
    }

    /// The problems in the order of the file, or `value` if there is none.
    pub(crate) fn conclude<T>(self, value: Option<T>) -> Result<T, ConfigErrors> {
        let mut found = self.found.into_inner();
        match value {
            Some(value) if found.is_empty() => Ok(value),
            _ => {
                found.sort_by_key(|(start, _)| *start);
                Err(ConfigErrors { problems: found.into_iter().map(|(_, problem)| problem).collect() })
            }
        }
    }

    /// The last character boundary at or before `byte`.
    fn boundary(&self, byte: usize) -> usize {
        self.text.floor_char_boundary(byte.min(self.text.len()))
    }

    fn place(&self, span: &Range<usize>) -> Place {
        let (start, end) = (self.boundary(span.start), self.boundary(span.end));
        let line_start = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        let before = self.text[line_start..start].chars().count();
        let marked = self.text[start..end.max(start)].lines().next().unwrap_or_default().chars().count();
        Place { start, line: self.line(start), column: before + 1, excerpt: excerpt(line, before, marked) }
    }
}

/// Where a problem is.
struct Place {
    start: usize,
    line: usize,
    column: usize,
    excerpt: String,
}

/// The line, and carets under `marked` characters after the first `before`; a window onto it if the line is long.
fn excerpt(line: &str, before: usize, marked: usize) -> String {
    let skipped = if before + marked <= EXCERPT_WIDTH { 0 } else { before.saturating_sub(EXCERPT_WIDTH / 4) };
    let window: String = line.chars().skip(skipped).take(EXCERPT_WIDTH).map(printable).collect();
    let indent: String = window
        .chars()
        .chain(std::iter::repeat(' '))
        .take(before - skipped)
        .map(|c| if c == '\t' { '\t' } else { ' ' })
        .collect();
    let carets = marked.min(EXCERPT_WIDTH.saturating_sub(before - skipped)).max(1);
    format!("{window}\n{indent}{}", "^".repeat(carets))
}

/// A character that a terminal shows and does not obey.
fn printable(c: char) -> char {
    if c.is_control() && c != '\t' { '\u{fffd}' } else { c }
}

/// Foreign text made fit for a message: one line, no control characters, not too long.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_at_the_offending_text() {
        let log = Log::new(Path::new("a.toml"), "x = 1\n\ty = [1, 2]\n");
        log.report(Some(11..17), "too short", "write three numbers");
        log.report(Some(0..1), "unknown key `x`", "remove it");
        log.report(None, "no [data] section", "add one");
        let errors = log.conclude(Some(())).unwrap_err();
        assert_eq!(
            errors.to_string(),
            "a.toml:1:1: unknown key `x`\n  | x = 1\n  | ^\n  fix: remove it\n\
             a.toml:2:6: too short\n  | \ty = [1, 2]\n  | \t    ^^^^^^\n  fix: write three numbers\n\
             a.toml: no [data] section\n  fix: add one"
        );
    }

    #[test]
    fn counts_characters_not_bytes() {
        let log = Log::new(Path::new("a.toml"), "é = \"ü\" # → 1");
        log.report(Some(5..9), "wrong", "mend it");
        let errors = log.conclude(Some(())).unwrap_err();
        assert_eq!(errors.problems[0].column, Some(5));
        assert_eq!(errors.problems[0].excerpt.as_deref(), Some("é = \"ü\" # → 1\n    ^^^"));
    }

    #[test]
    fn survives_long_lines_control_characters_and_odd_spans() {
        let text = format!("\u{1b}[31m{} = 1", "k".repeat(10_000));
        let log = Log::new(Path::new("a.toml"), &text);
        for span in [0..10_000, 9_000..9_001, 10_008..10_009, std::ops::Range { start: 5, end: 2 }, usize::MAX..usize::MAX] {
            log.report(Some(span), "wrong", "mend it");
        }
        let shown = log.conclude(Some(())).unwrap_err().to_string();
        assert!(shown.lines().all(|line| line.chars().count() < 140), "{shown}");
        assert!(!shown.contains('\u{1b}'));
    }

    #[test]
    fn concludes_with_the_value_when_nothing_is_wrong() {
        assert_eq!(Log::new(Path::new("a.toml"), "").conclude(Some(3)), Ok(3));
    }
}
