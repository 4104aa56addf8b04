//! One section of the config: hands out typed values, records what is wrong, and in the end the keys that nobody took.

use std::fmt::Display;
use std::ops::{Bound, Range, RangeBounds};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{self, similar};
use super::problems::{Log, shown};
use crate::lr::format_significant;

/// A value of the TOML tree and where it was written.
pub(crate) type Value<'a> = Spanned<DeValue<'a>>;

/// Numbers beyond this serve no purpose here and overflow single precision soon after.
pub(crate) const LARGE: f64 = 1e12;

/// The numbers above 0, up to and including `high`.
pub(crate) fn above_zero_to(high: f64) -> (Bound<f64>, Bound<f64>) {
    (Bound::Excluded(0.0), Bound::Included(high))
}

/// A reader of one section.
///
/// Its methods return `None` or the default for a key that is absent, and also for a value that is wrong, after recording it.
pub(crate) struct Section<'a> {
    log: &'a Log<'a>,
    /// As in the header; empty for the top level.
    name: &'static str,
    content: Content<'a>,
    /// The header, or the value that stands for the section.
    span: Option<Range<usize>>,
    /// The choice that decides which keys apply, once it is known: `kind = "csv"`.
    variant: Option<String>,
    /// The keys that the parser has asked for.
    asked: Vec<&'static str>,
}

/// What stands in the file for a section.
enum Content<'a> {
    Absent,
    /// Something else; already reported.
    Wrong,
    /// One string, short for a table with only this `kind`.
    Word(&'a Value<'a>),
    Table(&'a DeTable<'a>),
}

impl<'a> Section<'a> {
    /// The top level of a file.
    pub(crate) fn top(log: &'a Log<'a>, table: &'a DeTable<'a>) -> Self {
        Self::new(log, "", Content::Table(table), None)
    }

    fn new(log: &'a Log<'a>, name: &'static str, content: Content<'a>, span: Option<Range<usize>>) -> Self {
        Self { log, name, content, span, variant: None, asked: Vec::new() }
    }

    /// The section under `key`, called `name` in full.
    pub(crate) fn section(&mut self, key: &'static str, name: &'static str) -> Section<'a> {
        let Some(value) = self.find(key) else { return Self::new(self.log, name, Content::Absent, self.span.clone()) };
        let content = if let DeValue::Table(table) = value.get_ref() {
            Content::Table(table)
        } else {
            self.wrong(key, value, &format!("a section: `[{name}]` and its keys below it"));
            Content::Wrong
        };
        Self::new(self.log, name, content, Some(value.span()))
    }

    /// As [`Section::section`], but one string may stand for a table with only that `kind`.
    pub(crate) fn section_or_word(&mut self, key: &'static str, name: &'static str) -> Section<'a> {
        let Some(value) = self.find(key) else { return Self::new(self.log, name, Content::Absent, self.span.clone()) };
        let content = match value.get_ref() {
            DeValue::Table(table) => Content::Table(table),
            DeValue::String(_) => Content::Word(value),
            _ => {
                self.wrong(key, value, "a name or a table");
                Content::Wrong
            }
        };
        Self::new(self.log, name, content, Some(value.span()))
    }

    /// The items of an array under `key`, each a section called `name` in messages, or one string that stands for it.
    pub(crate) fn sections_or_words(&mut self, key: &'static str, name: &'static str) -> Option<Vec<Section<'a>>> {
        let value = self.find(key)?;
        let items = self.to_items(key, value, "layers")?;
        let section = |item: &'a Value<'a>| {
            let content = match item.get_ref() {
                DeValue::Table(table) => Content::Table(table),
                DeValue::String(_) => Content::Word(item),
                _ => {
                    self.wrong(key, item, "an array of names and tables");
                    Content::Wrong
                }
            };
            Self::new(self.log, name, content, Some(item.span()))
        };
        Some(items.iter().map(section).collect())
    }

    /// Whether the file says nothing about this section.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self.content, Content::Absent)
    }

    /// Whether this key of this section is in the file, with whatever value.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Whether this key is in the file with this string.
    pub(crate) fn says(&self, key: &str, word: &str) -> bool {
        self.value(key).is_some_and(|value| value.get_ref().as_str() == Some(word))
    }

    /// The 1-based line of a key's value.
    pub(crate) fn line(&self, key: &str) -> Option<usize> {
        self.value(key).map(|value| self.log.line(value.span().start))
    }

    fn value(&self, key: &str) -> Option<&'a Value<'a>> {
        match self.content {
            Content::Table(table) => table.get(key),
            Content::Word(word) if key == "kind" => Some(word),
            _ => None,
        }
    }

    fn find(&mut self, key: &'static str) -> Option<&'a Value<'a>> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        self.value(key)
    }

    /// A string.
    pub(crate) fn string(&mut self, key: &'static str) -> Option<&'a str> {
        let value = self.find(key)?;
        let text = value.get_ref().as_str().filter(|text| !text.trim().is_empty());
        if text.is_none() {
            self.wrong(key, value, "a string that is not empty");
        }
        text
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self, key: &'static str) -> Option<bool> {
        let value = self.find(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong(key, value, "true or false");
        }
        flag
    }

    /// A number in `range`; integers will do.
    pub(crate) fn number(&mut self, key: &'static str, range: impl RangeBounds<f64>) -> Option<f64> {
        let value = self.find(key)?;
        self.to_number(key, value, &range)
    }

    /// An integer in `range`.
    pub(crate) fn integer<T>(&mut self, key: &'static str, range: impl RangeBounds<T>) -> Option<T>
    where
        T: TryFrom<i128> + PartialOrd + Display,
    {
        let value = self.find(key)?;
        self.to_integer(key, value, &range)
    }

    /// An array of numbers in `range`, at least one.
    pub(crate) fn numbers(&mut self, key: &'static str, range: impl RangeBounds<f64>) -> Option<Vec<f64>> {
        let value = self.find(key)?;
        let items = self.to_items(key, value, "numbers")?;
        items.iter().map(|item| self.to_number(key, item, &range)).collect()
    }

    /// An array of integers in `range`, at least one.
    pub(crate) fn integers<T>(&mut self, key: &'static str, range: impl RangeBounds<T>) -> Option<Vec<T>>
    where
        T: TryFrom<i128> + PartialOrd + Display,
    {
        let value = self.find(key)?;
        let items = self.to_items(key, value, "integers")?;
        items.iter().map(|item| self.to_integer(key, item, &range)).collect()
    }

    /// An array of strings, at least one.
    pub(crate) fn strings(&mut self, key: &'static str) -> Option<Vec<String>> {
        let value = self.find(key)?;
        let items = self.to_items(key, value, "strings")?;
        items.iter().map(|item| self.to_string(key, item)).collect()
    }

    /// The names and values of a table whose names are the user's own; empty where it is absent or wrong.
    pub(crate) fn table_of_strings(&mut self, key: &'static str) -> Vec<(String, String)> {
        let Some(value) = self.find(key) else { return Vec::new() };
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(key, value, "a table of strings");
            return Vec::new();
        };
        let pair = |(name, value): (&Spanned<_>, &Value<'_>)| {
            let name: &std::borrow::Cow<'_, str> = name.get_ref();
            Some((name.to_string(), self.to_string(key, value)?))
        };
        table.iter().filter_map(pair).collect()
    }

    /// Whatever is written, for keys that take more than one type; see [`Section::wrong_value`].
    pub(crate) fn any(&mut self, key: &'static str) -> Option<&'a DeValue<'a>> {
        self.find(key).map(Spanned::get_ref)
    }

    /// One of the named options.
    pub(crate) fn choice<T: Copy>(&mut self, key: &'static str, options: &[(&'static str, T)]) -> Option<T> {
        let value = self.find(key)?;
        let written = value.get_ref().as_str();
        let chosen = options.iter().find(|(name, _)| Some(*name) == written);
        if chosen.is_none() {
            let names: Vec<_> = options.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            let meant = written.and_then(|written| similar(written, options.iter().map(|(name, _)| *name)));
            let fix = match meant {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => format!("write {}", names.join(" or ")),
            };
            self.log.report(Some(value.span()), self.must_be(key, value, &names.join(" or ")), fix);
        }
        chosen.map(|(_, option)| *option)
    }

    /// As [`Section::choice`], where the choice decides which other keys apply.
    pub(crate) fn variant<T: Copy>(&mut self, key: &'static str, options: &[(&'static str, T)]) -> Option<T> {
        let chosen = self.choice(key, options)?;
        self.note_variant(key, self.value(key)?.get_ref().as_str()?);
        Some(chosen)
    }

    /// Says which keys apply where no [`Section::variant`] does.
    pub(crate) fn note_variant(&mut self, key: &str, option: &str) {
        self.variant = Some(format!("{key} = \"{option}\""));
    }

    /// As [`Section::note_variant`], where another section decides.
    pub(crate) fn note_context(&mut self, context: &str) {
        self.variant = Some(context.to_owned());
    }

    /// Records a required key that is absent. Passes `value` on.
    pub(crate) fn require<T>(&self, key: &'static str, value: Option<T>) -> Option<T> {
        if value.is_none() && !self.has(key) && !matches!(self.content, Content::Wrong) {
            let example = self.example(key);
            self.log.report(
                self.span.clone(),
                format!("{} has no `{key}`", self.label()),
                format!("add, for example, `{key} = {example}`"),
            );
        }
        value
    }

    /// Records a problem with a key's value, or with the section where the key is absent.
    pub(crate) fn complain(&self, key: &str, message: impl Into<String>, fix: impl Into<String>) {
        let span = self.value(key).map(Spanned::span).or_else(|| self.span.clone());
        self.log.report(span, message, fix);
    }

    /// Records that a key's value is not what it must be.
    pub(crate) fn wrong_value(&self, key: &'static str, expected: &str) {
        if let Some(value) = self.value(key) {
            self.wrong(key, value, expected);
        }
    }

    /// Records the keys that nobody asked for.
    pub(crate) fn finish(self) {
        let Content::Table(table) = self.content else { return };
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if self.asked.contains(&name) {
                continue;
            }
            if keys::find(self.name, name).is_none() {
                let (message, fix) = self.unknown(name, value.get_ref().is_table());
                self.log.report(Some(key.span()), message, fix);
            } else if let Some(variant) = &self.variant {
                let message = format!("`{name}` has no use with {variant} in {}", self.label());
                self.log.report(Some(key.span()), message, format!("remove it; {}", self.usable()));
            }
        }
    }

    /// Message and fix for a key that does not exist.
    fn unknown(&self, name: &str, is_section: bool) -> (String, String) {
        // At the top level a table is a section, and is named as one.
        let titled = is_section && self.name.is_empty();
        let quoted = |name: &str| if titled { format!("[{name}]") } else { format!("`{name}`") };
        let message = if titled {
            format!("unknown section {}", quoted(&shown(name)))
        } else {
            format!("unknown key {} in {}", quoted(&shown(name)), self.label())
        };
        let known = || keys::keys().iter().filter(|key| key.section == self.name).map(|key| key.name);
        let homes: Vec<_> =
            keys::keys().iter().filter(|key| key.name == name).map(|key| format!("[{}]", key.section)).collect();
        if !homes.is_empty() {
            let homes = homes.join(" or ");
            return (format!("{message}; it belongs in {homes}"), format!("move it to {homes}"));
        }
        match similar(name, self.asked.iter().copied()).or_else(|| similar(name, known())) {
            Some(meant) => {
                let meant = quoted(meant);
                (format!("{message}; did you mean {meant}?"), format!("write {meant}, or remove it"))
            }
            None => (message, format!("remove it; {}", self.usable())),
        }
    }

    /// The keys that can be used here.
    fn usable(&self) -> String {
        let names: Vec<_> = self.asked.iter().map(|name| format!("`{name}`")).collect();
        format!("the keys here are {}", names.join(", "))
    }

    fn to_number(&self, key: &'static str, value: &Value<'_>, range: &impl RangeBounds<f64>) -> Option<f64> {
        let number = match value.get_ref() {
            DeValue::Float(float) => float.as_str().parse().ok(),
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse().ok(),
            DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|i| i as f64),
            _ => None,
        };
        let usable = number.filter(|number: &f64| number.is_finite() && range.contains(number));
        if usable.is_none() {
            self.wrong(key, value, &format!("a number {}", describe(range, |bound| format_significant(*bound, 6))));
        }
        usable
    }

    fn to_integer<T>(&self, key: &'static str, value: &Value<'_>, range: &impl RangeBounds<T>) -> Option<T>
    where
        T: TryFrom<i128> + PartialOrd + Display,
    {
        let integer = match value.get_ref() {
            DeValue::Integer(integer) => i128::from_str_radix(integer.as_str(), integer.radix()).ok(),
            _ => None,
        };
        let usable = integer.and_then(|integer| T::try_from(integer).ok()).filter(|integer| range.contains(integer));
        if usable.is_none() {
            self.wrong(key, value, &format!("an integer {}", describe(range, T::to_string)));
        }
        usable
    }

    fn to_items(&self, key: &'static str, value: &'a Value<'a>, of: &str) -> Option<&'a [Value<'a>]> {
        let items = value.get_ref().as_array().map(AsRef::as_ref).filter(|items: &&[_]| !items.is_empty());
        if items.is_none() {
            self.wrong(key, value, &format!("an array of {of} that is not empty"));
        }
        items
    }

    fn to_string(&self, key: &'static str, value: &Value<'_>) -> Option<String> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong(key, value, "a string");
        }
        text.map(str::to_owned)
    }

    fn wrong(&self, key: &'static str, value: &Value<'_>, expected: &str) {
        let fix = format!("write, for example, `{key} = {}`", self.example(key));
        self.log.report(Some(value.span()), self.must_be(key, value, expected), fix);
    }

    fn must_be(&self, key: &str, value: &Value<'_>, expected: &str) -> String {
        let (kind, written) = (value.get_ref().type_str(), self.log.written(&value.span()));
        format!("`{key}` in {} must be {expected}, not the {kind} `{written}`", self.label())
    }

    fn example(&self, key: &str) -> &'static str {
        keys::find(self.name, key).map_or("…", |key| key.example)
    }

    /// The section's name for messages.
    fn label(&self) -> String {
        if self.name.is_empty() { "the top level".to_owned() } else { format!("[{}]", self.name) }
    }
}

/// A range in words that follow "a number" or "an integer".
fn describe<T>(range: &impl RangeBounds<T>, show: impl Fn(&T) -> String) -> String {
    use Bound::{Excluded, Included, Unbounded};
    match (range.start_bound().map(&show), range.end_bound().map(&show)) {
        (Included(low), Included(high)) => format!("from {low} to {high}"),
        (Included(low), Excluded(high)) => format!("of at least {low} and below {high}"),
        (Included(low), Unbounded) => format!("of at least {low}"),
        (Excluded(low), Included(high)) => format!("above {low}, up to {high}"),
        (Excluded(low), Excluded(high)) => format!("above {low} and below {high}"),
        (Excluded(low), Unbounded) => format!("above {low}"),
        (Unbounded, Included(high)) => format!("of at most {high}"),
        (Unbounded, Excluded(high)) => format!("below {high}"),
        (Unbounded, Unbounded) => "that fits in 64 bits".to_owned(),
    }
}
