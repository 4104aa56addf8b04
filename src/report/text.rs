//! Numbers and sentences as a person reads them.

use crate::lr::format_significant;

/// `n` with a comma between thousands: `9,000`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (k, digit) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `value` in three significant digits.
pub fn number(value: f64) -> String {
    format_significant(value, 3)
}

/// A learning rate in the four significant digits that the search rounds its rates to: the rate shown is the rate tried.
pub fn rate(value: f64) -> String {
    format_significant(value, 4)
}

/// A factor in two digits, whole from 10 on: `3.5`, `12`.
pub fn factor(value: f64) -> String {
    if value < 10.0 { format_significant(value, 2) } else { grouped(value.round() as u64) }
}

/// A share as a percentage: `12 %`, `0.4 %`, `under 0.1 %`.
pub fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.001 { "under 0.1 %".to_owned() } else { format!("{} %", format_significant(share * 100.0, 2)) }
}

/// `count` with its noun, the plural made with an s: `1 seed`, `3 seeds`.
pub fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// `text` in lines of at most `width` characters where its words allow, broken at blanks. Control characters, which could
/// drive a terminal, become blanks.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        let line = lines.last_mut().map_or("", |line| line.as_str());
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// Rows of equally many cells as lines, each column as wide as its widest cell, with two blanks between.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0) + 2;
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.concat().trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let shown: Vec<_> = [0, 7, 999, 1_000, 12_345, 1_234_567].map(grouped).into();
        assert_eq!(shown, ["0", "7", "999", "1,000", "12,345", "1,234,567"]);
        assert_eq!(counted(1, "seed"), "1 seed");
        assert_eq!(counted(0, "seed"), "0 seeds");
    }

    #[test]
    fn factors_have_two_digits_or_are_whole() {
        assert_eq!([0.25, 1.0, 3.52, 12.6, 1_234.5].map(factor), ["0.25", "1", "3.5", "13", "1,235"]);
    }

    #[test]
    fn shares_read_as_percentages() {
        assert_eq!([0.0, 0.000_2, 0.004, 0.123, 1.4].map(percent), ["0 %", "under 0.1 %", "0.4 %", "12 %", "140 %"]);
    }

    #[test]
    fn sentences_break_at_blanks() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable", 3), ["unbreakable"]);
        assert_eq!(wrapped("", 3), [""]);
        assert_eq!(wrapped("a\u{1b}[31mb", 20), ["a [31mb"]);
    }
}
