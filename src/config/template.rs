//! Words of a command line with places for what changes from trial to trial.

use std::fmt;

use serde::{Serialize, Serializer};

/// What a place in a [`Template`] stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// The learning rate of the trial.
    Lr,
    /// The seed of the trial.
    Seed,
    /// How many steps the trial takes.
    Steps,
    /// One of the configured devices.
    Device,
    /// The path of a file with the rate of each step.
    Rates,
    /// The steps after which the loss on a fixed set of examples is wanted.
    Probe,
}

impl Placeholder {
    /// Every placeholder with its name, as it stands between braces.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("lr", Self::Lr),
        ("seed", Self::Seed),
        ("steps", Self::Steps),
        ("device", Self::Device),
        ("rates", Self::Rates),
        ("probe", Self::Probe),
    ];
}

/// A word such as `--lr={lr}`. Braces around anything but a lower-case name are left as they are, and `{{lr}}` is the text
/// `{lr}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    source: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Place(Placeholder),
}

impl Template {
    /// Reads a word. `Err` holds the name in braces that is no placeholder.
    ///
    /// # Errors
    /// When a name in braces is no placeholder.
    pub fn new(source: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut rest = source;
        while let Some(at) = rest.find('{') {
            text.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some((name, after)) = name_in_braces(&rest[1..]).filter(|(_, after)| after.starts_with('}')) {
                text.extend(["{", name, "}"]);
                rest = &after[1..];
            } else if let Some((name, after)) = name_in_braces(rest) {
                let known = Placeholder::NAMES.into_iter().find(|(known, _)| *known == name);
                let (_, placeholder) = known.ok_or_else(|| name.to_owned())?;
                pieces.extend([Piece::Text(std::mem::take(&mut text)), Piece::Place(placeholder)]);
                rest = after;
            } else {
                text.push('{');
                rest = &rest[1..];
            }
        }
        pieces.push(Piece::Text(text + rest));
        Ok(Self { source: source.to_owned(), pieces })
    }

    /// A word without places: braces in it mean nothing.
    pub fn literal(source: &str) -> Self {
        Self { source: source.to_owned(), pieces: vec![Piece::Text(source.to_owned())] }
    }

    /// Whether the placeholder occurs.
    pub fn has(&self, placeholder: Placeholder) -> bool {
        self.pieces.contains(&Piece::Place(placeholder))
    }

    /// The word with `value` in each place.
    pub fn fill(&self, value: impl Fn(Placeholder) -> String) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Place(placeholder) => value(*placeholder),
        };
        self.pieces.iter().map(piece).collect()
    }
}

/// The name at the start of `text` between braces, and what follows.
fn name_in_braces(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.strip_prefix('{')?.split_once('}')?;
    let plain = |c: char| c.is_ascii_lowercase() || c == '-' || c == '_';
    (!name.is_empty() && name.chars().all(plain)).then_some((name, rest))
}

impl fmt::Display for Template {
    /// As it was written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.source)
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(source: &str) -> String {
        Template::new(source).unwrap().fill(|placeholder| match placeholder {
            Placeholder::Lr => "0.1".to_owned(),
            Placeholder::Seed => "7".to_owned(),
            Placeholder::Steps => "100".to_owned(),
            Placeholder::Device => "1".to_owned(),
            Placeholder::Rates => "r.txt".to_owned(),
            Placeholder::Probe => "0,100".to_owned(),
        })
    }

    #[test]
    fn every_place_is_filled() {
        assert_eq!(filled("--lr={lr},{seed}/{steps}@{device}"), "--lr=0.1,7/100@1");
        assert_eq!(filled("{lr}{lr} <{rates} {probe}"), "0.10.1 <r.txt 0,100");
        assert_eq!(filled("plain"), "plain");
        assert_eq!(filled(""), "");
    }

    #[test]
    fn other_braces_are_text() {
        for text in ["${HOME}", "{\"a\": {\"b\": 1}}", "{", "}", "{}", "{ lr }", "{LR}", "a{0}b"] {
            assert_eq!(filled(text), text);
        }
        assert_eq!(filled("{{lr}} {lr}"), "{lr} 0.1");
        assert_eq!(filled("awk '{{print}}'"), "awk '{print}'");
    }

    #[test]
    fn an_unknown_name_is_refused() {
        assert_eq!(Template::new("--n={step}").unwrap_err(), "step");
        assert_eq!(Template::new("{lr} {learning-rate}").unwrap_err(), "learning-rate");
    }
}
