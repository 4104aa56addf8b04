//! The way to a value of a config, and the line on which it stands.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::problems::Log;

/// A part of the way down from the top level of a config.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment {
    /// Of a table, the value of this key.
    Key(&'static str),
    /// Of a list, this element, counted from 0.
    Element(usize),
}

/// The line, counted from 1, on which a config file has what these segments lead to; where it leaves that out, that of the nearest
/// thing which holds it. `None` where it has none of these.
pub fn line_of(path: &Path, key_path: &[Segment]) -> Option<usize> {
    let text = super::text(path).ok()?;
    let document = DeTable::parse(&text).ok()?;
    let mut found = None;
    let mut value: Option<&DeValue<'_>> = None;
    for segment in key_path {
        let next = match (segment, value) {
            (Segment::Key(key), None) => document.get_ref().get(*key),
            (Segment::Key(key), Some(DeValue::Table(table))) => table.get(*key),
            (Segment::Element(index), Some(DeValue::Array(list))) => list.get(*index),
            _ => None,
        };
        let Some(next) = next else { break };
        found = Some(next.span().start);
        value = Some(next.get_ref());
    }
    found.map(|byte| Log::new(path, &text).line(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_path_has_a_line_or_that_of_what_would_hold_it() {
        use Segment::{Element, Key};
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("run.toml");
        std::fs::write(&path, "name = \"é\"\n\n[model]\nlayers = [\n  \"relu\",\n  { layers = [\"relu\",\n \"relu\"] },\n]\n")
            .unwrap();
        let line = |key_path: &[Segment]| line_of(&path, key_path);
        assert_eq!(line(&[Key("name")]), Some(1));
        assert_eq!(line(&[Key("model")]), Some(3));
        assert_eq!(line(&[Key("model"), Key("layers"), Element(0)]), Some(5));
        assert_eq!(line(&[Key("model"), Key("layers"), Element(1), Key("layers"), Element(1)]), Some(7));
        assert_eq!(line(&[Key("model"), Key("layers"), Element(9)]), Some(4), "the list");
        assert_eq!(line(&[Key("model"), Key("hidden"), Element(0)]), Some(3), "the section");
        assert_eq!(line(&[Key("training"), Key("batch-size")]), None);
        assert_eq!(line_of(&folder.path().join("none.toml"), &[Key("name")]), None);
    }
}
