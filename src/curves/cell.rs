//! What a cell says: a rate, a seed, a step, a loss, or nothing.

use std::borrow::Cow;

use crate::lr::LearningRate;
use crate::number;
use crate::source::quoted;

/// A cell as it stands in the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    /// Nothing: an empty cell, a null, or a key that is not there.
    Missing,
    /// Text, which may be a number.
    Text(Cow<'a, str>),
    /// A whole number of JSON that is not negative.
    Whole(u64),
    /// Any other number of JSON.
    Number(f64),
    /// A value of JSON that is neither number nor text, in words.
    Other(&'static str),
}

/// What tells the runs of one rate apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Seed {
    /// The file that they are in.
    File,
    /// A number.
    Number(u64),
    /// A name, by its place in the file's list of names.
    Name(u32),
}

/// What people write for a value that is not there.
const MISSING: [&str; 7] = ["na", "n/a", "#n/a", "null", "none", "nil", "-"];

fn is_missing(text: &str) -> bool {
    text.is_empty() || MISSING.iter().any(|word| text.eq_ignore_ascii_case(word))
}

impl Cell<'_> {
    fn shown(&self) -> String {
        match self {
            Self::Missing => "nothing".to_owned(),
            Self::Text(text) => quoted(text.trim()),
            Self::Whole(n) => n.to_string(),
            Self::Number(x) => x.to_string(),
            Self::Other(what) => (*what).to_owned(),
        }
    }

    /// The cell as a number, which need not be finite; `None` where it is none.
    fn number(&self) -> Option<f64> {
        match self {
            Self::Text(text) => text.parse().or_else(|_| text.trim().parse()).ok().or_else(|| number::whole(text.trim())),
            Self::Whole(n) => Some(*n as f64),
            Self::Number(x) => Some(*x),
            Self::Missing | Self::Other(_) => None,
        }
    }

    fn is_missing(&self) -> bool {
        match self {
            Self::Missing => true,
            Self::Text(text) => is_missing(text.trim()),
            _ => false,
        }
    }

    /// A learning rate.
    pub(super) fn rate(&self) -> Result<LearningRate, String> {
        let rate = self.number().map(LearningRate::new);
        match rate {
            Some(Ok(rate)) => Ok(rate),
            Some(Err(error)) => Err(error.to_string()),
            None => Err(format!("{} is no learning rate: write a number such as 0.01", self.shown())),
        }
    }

    /// A step: a whole number, however it is written.
    pub(super) fn step(&self) -> Result<u32, String> {
        let fast = match self {
            Self::Text(text) => text.parse().ok(),
            Self::Whole(n) => u32::try_from(*n).ok(),
            _ => None,
        };
        if let Some(step) = fast {
            return Ok(step);
        }
        match self.number() {
            Some(x) if x.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&x) => Ok(x as u32),
            Some(x) if x > f64::from(u32::MAX) => Err(format!("step {} is too large: at most {}", self.shown(), u32::MAX)),
            _ => Err(format!("{} is no step: write a whole number from 0 on", self.shown())),
        }
    }

    /// A loss, which need not be finite; `None` where none was logged.
    pub(super) fn loss(&self) -> Result<Option<f64>, String> {
        match self.number() {
            Some(loss) => Ok(Some(loss)),
            None if self.is_missing() => Ok(None),
            None => Err(format!("{} is no loss: write a number, nan or inf", self.shown())),
        }
    }

    /// A seed; `name` gives the number of a name.
    pub(super) fn seed(&self, name: impl FnOnce(&str) -> u32) -> Result<Seed, String> {
        match self {
            Self::Whole(n) => Ok(Seed::Number(*n)),
            Self::Number(x) => Ok(Seed::Name(name(&x.to_string()))),
            Self::Text(text) if !text.trim().is_empty() => {
                let text = text.trim();
                // Tables with gaps often turn 3 into 3.0.
                let whole = text.split_once('.').filter(|(_, zeros)| zeros.bytes().all(|b| b == b'0')).map_or(text, |(n, _)| n);
                Ok(whole.parse().map_or_else(|_| Seed::Name(name(text)), Seed::Number))
            }
            Self::Text(_) | Self::Missing => Err("the seed is empty: fill it in".to_owned()),
            Self::Other(what) => Err(format!("{what} is no seed: write a number or a name")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Cell<'_> {
        Cell::Text(text.into())
    }

    #[test]
    fn every_spelling_of_a_loss_that_is_not_finite() {
        for word in ["nan", "NaN", "-nan", "+NAN", "nan(ind)", "-nan(0x8000)", "1.#QNAN", "-1.#IND", " nan "] {
            assert!(text(word).loss().unwrap().unwrap().is_nan(), "{word}");
        }
        for word in ["inf", "Inf", "+inf", "Infinity", "1.#INF", "1e999", "∞"] {
            assert_eq!(text(word).loss(), Ok(Some(f64::INFINITY)), "{word}");
        }
        for word in ["-inf", "-Infinity", "-1.#INF"] {
            assert_eq!(text(word).loss(), Ok(Some(f64::NEG_INFINITY)), "{word}");
        }
        assert_eq!(text(" 2.5e-1\t").loss(), Ok(Some(0.25)));
    }

    #[test]
    fn a_loss_that_was_not_logged_is_not_one_that_diverged() {
        for word in ["", " ", "NA", "n/a", "null", "None", "-"] {
            assert_eq!(text(word).loss(), Ok(None), "{word:?}");
        }
        assert_eq!(Cell::Missing.loss(), Ok(None));
        for cell in [text("low"), Cell::Other("a list")] {
            assert!(cell.loss().unwrap_err().contains("is no loss"));
        }
    }

    #[test]
    fn steps_are_whole_numbers_however_written() {
        for (word, step) in [("0", 0), ("17", 17), ("17.0", 17), ("1e3", 1000), (" 4 ", 4), ("4294967295", u32::MAX)] {
            assert_eq!(text(word).step(), Ok(step), "{word}");
        }
        for word in ["", "-1", "0.5", "nan", "inf", "4294967296", "ten"] {
            assert!(text(word).step().is_err(), "{word}");
        }
        assert_eq!((Cell::Whole(9).step(), Cell::Number(9.0).step()), (Ok(9), Ok(9)));
    }

    #[test]
    fn seeds_are_numbers_where_they_can_be() {
        let seed = |cell: &Cell<'_>| cell.seed(|name| name.len() as u32);
        assert_eq!(seed(&text("7")), Ok(Seed::Number(7)));
        assert_eq!(seed(&text("7.0")), Ok(Seed::Number(7)));
        assert_eq!(seed(&Cell::Whole(u64::MAX)), Ok(Seed::Number(u64::MAX)));
        assert_eq!(seed(&text("1e5")), Ok(Seed::Name(3)));
        assert_eq!(seed(&text("-1")), Ok(Seed::Name(2)));
        assert_eq!(seed(&text("brave-sky-4")), Ok(Seed::Name(11)));
        assert!(seed(&Cell::Missing).is_err() && seed(&text("")).is_err());
    }

    #[test]
    fn rates_are_checked() {
        assert_eq!(text("1e-3").rate().unwrap().get(), 1e-3);
        for word in ["0", "-1", "nan", "fast", ""] {
            assert!(text(word).rate().is_err(), "{word}");
        }
    }
}
