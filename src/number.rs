//! Numbers as programs print them, every spelling of not-a-number and infinity included.

/// The number at the start of `text`, and what follows it.
///
/// Commas may part the thousands of a number that goes on with a decimal point, as in `11,849.60`. Any other comma between two digits
/// may part thousands, decimals or two numbers, so there is no number then.
///
/// Knows `nan`, `-nan(ind)`, `inf`, `Infinity` and `∞` in any case, and Microsoft's `1.#QNAN`, `-1.#IND` and `1.#INF`. A word that
/// only begins like one of them, such as `info`, is no number.
pub(crate) fn leading(text: &str) -> Option<(f64, &str)> {
    let unsigned = text.strip_prefix(['+', '-', '\u{2212}']).unwrap_or(text);
    let sign = if unsigned.len() == text.len() || text.starts_with('+') { 1.0 } else { -1.0 };
    let (value, rest) = special(unsigned).or_else(|| decimal(unsigned))?;
    Some((sign * value, rest))
}

/// The number that `text` is, blanks aside.
pub(crate) fn whole(text: &str) -> Option<f64> {
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
    if has_comma(&text[end..]) {
        let whole = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b',').count();
        let mut groups = text[..whole].split(',');
        let grouped = (1..=3).contains(&end) && !text.starts_with('0') && groups.by_ref().skip(1).all(|group| group.len() == 3);
        let has_point = text[whole..].strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if !(grouped && has_point) {
            return None;
        }
        let fraction = 1 + digits(&text[whole + 1..]);
        let number: String = text[..whole + fraction].chars().filter(|c| *c != ',').collect();
        return number.parse().ok().map(|value| (value, &text[whole + fraction..]));
    }
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

/// Whether the text begins with a comma that a digit follows.
fn has_comma(text: &str) -> bool {
    text.strip_prefix(',').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether somewhere in the text a comma parts two digits.
pub(crate) fn has_ambiguous_comma(text: &str) -> bool {
    text.match_indices(',').any(|(at, _)| text[..at].ends_with(|c: char| c.is_ascii_digit()) && has_comma(&text[at..]))
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
    fn a_comma_parts_thousands_only_before_a_point() {
        assert_eq!(whole("11,849.60"), Some(11_849.6));
        assert_eq!(leading("-1,234,567.8 x"), Some((-1_234_567.8, " x")));
        for text in ["0,6900", "0,123.4", "1,234", "11,84.5", "1234,567.8", "1,2,3", "1,234,56.7"] {
            assert_eq!(leading(text), None, "{text}");
            assert!(has_ambiguous_comma(text), "{text}");
        }
        assert_eq!(leading("3, 4"), Some((3.0, ", 4")));
        assert_eq!(leading("0.53,0.61"), Some((0.53, ",0.61")));
        assert!(!has_ambiguous_comma("loss 3, acc 4, x,1"));
    }

    #[test]
    fn words_are_no_numbers() {
        for text in ["", "-", ".", "e5", "info", "nano", "infinite", "inf_1", "None", "1.2.3", "0x", "nan(", "1.#"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }
}
