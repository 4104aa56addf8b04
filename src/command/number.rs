//! Numbers as programs print them, every spelling of not-a-number and infinity included.

/// The number at the start of `text`, and what follows it.
///
/// Knows `nan`, `-nan(ind)`, `inf`, `Infinity` and `∞` in any case, and Microsoft's `1.#QNAN`, `-1.#IND` and `1.#INF`. A word that
/// only begins like one of them, such as `info`, is no number.
pub(super) fn leading(text: &str) -> Option<(f64, &str)> {
    let unsigned = text.strip_prefix(['+', '-', '\u{2212}']).unwrap_or(text);
    let sign = if unsigned.len() == text.len() || text.starts_with('+') { 1.0 } else { -1.0 };
    let (value, rest) = special(unsigned).or_else(|| decimal(unsigned))?;
    Some((sign * value, rest))
}

/// The number that `text` is, blanks aside.
pub(super) fn whole(text: &str) -> Option<f64> {
    leading(text.trim()).filter(|(_, rest)| rest.is_empty()).map(|(value, _)| value)
}

/// Longer spellings first, so that none is taken for its beginning.
const SPECIAL: [(&str, f64); 9] = [
    ("infinity", f64::INFINITY),
    ("inf", f64::INFINITY),
    ("∞", f64::INFINITY),
    ("1.#inf", f64::INFINITY),
    ("1.#qnan", f64::NAN),
    ("1.#snan", f64::NAN),
    ("1.#nan", f64::NAN),
    ("1.#ind", f64::NAN),
    ("nan", f64::NAN),
];

fn special(text: &str) -> Option<(f64, &str)> {
    let (word, value) =
        SPECIAL.into_iter().find(|(word, _)| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)))?;
    let mut rest = &text[word.len()..];
    if text.starts_with('1') {
        // Padded with zeros to the digits asked for: 1.#INF00.
        rest = rest.trim_start_matches('0');
    } else if value.is_nan()
        && let Some((payload, after)) = rest.strip_prefix('(').and_then(|inner| inner.split_once(')'))
        && payload.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    {
        // nan(ind), nan(0x8000).
        rest = after;
    }
    let goes_on = rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    (!goes_on).then_some((value, rest))
}

fn decimal(text: &str) -> Option<(f64, &str)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut end = digits(text);
    let mut count = end;
    if text[end..].starts_with('.') {
        let fraction = digits(&text[end + 1..]);
        end += 1 + fraction;
        count += fraction;
    }
    if count == 0 {
        return None;
    }
    if let Some(exponent) = text[end..].strip_prefix(['e', 'E']) {
        let signed = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let power = digits(signed);
        if power > 0 {
            end += 1 + (exponent.len() - signed.len()) + power;
        }
    }
    text[..end].parse().ok().map(|value| (value, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_what_is_not_finite() {
        for text in [
            "nan",
            "NaN",
            "NAN",
            "-nan",
            "+NaN",
            "nan(ind)",
            "-nan(ind)",
            "-nan(snan)",
            "nan(0x8000)",
            "1.#QNAN",
            "1.#QNAN0",
            "1.#SNAN",
            "-1.#IND",
            "-1.#IND00",
            "1.#nan",
        ] {
            assert!(whole(text).is_some_and(f64::is_nan), "{text}");
        }
        for text in ["inf", "Inf", "INF", "+inf", "infinity", "Infinity", "∞", "1.#INF", "1.#INF00", "1e999"] {
            assert_eq!(whole(text), Some(f64::INFINITY), "{text}");
        }
        for text in ["-inf", "-Infinity", "-∞", "-1.#INF", "-1e999"] {
            assert_eq!(whole(text), Some(f64::NEG_INFINITY), "{text}");
        }
    }

    #[test]
    fn plain_numbers() {
        for (text, value) in [
            ("0.53", 0.53),
            ("-2", -2.0),
            ("+.5", 0.5),
            ("5.", 5.0),
            ("1e-3", 1e-3),
            ("1E+3", 1e3),
            ("−1.5", -1.5),
            (" 7 ", 7.0),
        ] {
            assert_eq!(whole(text), Some(value), "{text}");
        }
        assert_eq!(leading("0.5, acc 0.9"), Some((0.5, ", acc 0.9")));
        assert_eq!(leading("3eggs"), Some((3.0, "eggs")));
    }

    #[test]
    fn words_are_no_numbers() {
        for text in ["", "-", ".", "e5", "info", "nano", "infinite", "inf_1", "None", "1.2.3", "0x", "nan(", "1.#"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }
}
