//! From the bytes of a pipe to lines, as a terminal would show them.

/// Longer lines are cut here and hold no loss, so that a script that prints megabytes without a break costs no memory.
pub(super) const LONGEST: usize = 1 << 20;

/// A line of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Without its end; bytes that are not UTF-8 are replaced, and colours removed.
    pub(super) text: &'a str,
    /// Whether its end is missing because it was too long.
    pub(super) is_cut: bool,
}

/// Puts lines together from pieces.
///
/// A carriage return that no newline follows takes the cursor back to the start of the line, as progress bars do: what was
/// there is overwritten by what comes.
#[derive(Debug, Default)]
pub(super) struct Lines {
    line: Vec<u8>,
    is_cut: bool,
    returned: bool,
    has_overwritten: bool,
}

impl Lines {
    /// Takes what was read, and hands on the lines that it completes.
    pub(super) fn feed(&mut self, mut bytes: &[u8], mut take: impl FnMut(Line<'_>)) {
        while let Some((&first, rest)) = bytes.split_first() {
            match first {
                b'\n' => self.finish(&mut take),
                b'\r' => self.returned = true,
                _ => {
                    if self.returned {
                        self.has_overwritten |= !self.line.is_empty();
                        self.clear();
                    }
                    let plain = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(bytes.len());
                    self.push(&bytes[..plain]);
                    bytes = &bytes[plain..];
                    continue;
                }
            }
            bytes = rest;
        }
    }

    /// Hands on the last line, which no newline ended.
    pub(super) fn finish(&mut self, take: &mut impl FnMut(Line<'_>)) {
        let text = String::from_utf8_lossy(&self.line);
        take(Line { text: &without_escapes(&text), is_cut: self.is_cut });
        self.clear();
    }

    /// Whether a line has begun and not ended.
    pub(super) fn is_pending(&self) -> bool {
        !self.line.is_empty()
    }

    /// Whether a carriage return took the cursor back and something else was written there.
    pub(super) fn has_overwritten(&self) -> bool {
        self.has_overwritten
    }

    fn push(&mut self, bytes: &[u8]) {
        let kept = bytes.len().min(LONGEST - self.line.len());
        self.line.extend_from_slice(&bytes[..kept]);
        self.is_cut |= kept < bytes.len();
    }

    fn clear(&mut self) {
        self.line.clear();
        self.is_cut = false;
        self.returned = false;
    }
}

/// The text without ANSI control sequences: ESC, `[`, parameters, and one letter.
fn without_escapes(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(sequence) = rest.strip_prefix('[') {
            let end = sequence.find(|c: char| ('@'..='~').contains(&c)).map_or(sequence.len(), |end| end + 1);
            rest = &sequence[end..];
        }
    }
    plain.push_str(rest);
    plain.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of `pieces`, and what was left in the end.
    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        for piece in pieces {
            lines.feed(piece, |line| found.push(line.text.to_owned()));
        }
        if lines.is_pending() {
            lines.finish(&mut |line| found.push(format!("{}…", line.text)));
        }
        found
    }

    #[test]
    fn lines_end_in_either_way_wherever_the_pieces_break() {
        let text = b"one\ntwo\r\n\nthree\r\nfour";
        let expected = ["one", "two", "", "three", "four…"];
        assert_eq!(lines(&[text]), expected);
        for at in 0..text.len() {
            assert_eq!(lines(&[&text[..at], &text[at..]]), expected, "{at}");
        }
    }

    #[test]
    fn a_carriage_return_overwrites() {
        assert_eq!(lines(&[b"\r 10% loss=3\r 20% loss=2\r\n"]), [" 20% loss=2"]);
        assert_eq!(lines(&[b"bar\r", b"\n", b"bar\r", b"loss: 1\n"]), ["bar", "loss: 1"]);
        assert_eq!(lines(&[b"a\r\r\nb"]), ["a", "b…"]);
    }

    #[test]
    fn rubbish_and_colours_are_survived() {
        assert_eq!(lines(&[b"\xff\xfe\0\n"]), ["\u{fffd}\u{fffd}\0"]);
        assert_eq!(lines(&["\u{1b}[1;32mloss\u{1b}[0m: 0.5\u{1b}[\n\u{1b}".as_bytes()]), ["loss: 0.5", "…"]);
        // A character that two pieces share.
        assert_eq!(lines(&[b"\xe2\x88", b"\x9e\n"]), ["∞"]);
    }

    #[test]
    fn endless_lines_take_bounded_memory() {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for _ in 0..5 {
            lines.feed(&vec![b'x'; LONGEST], |_| unreachable!("there was no newline"));
        }
        assert!(lines.line.capacity() <= 2 * LONGEST);
        lines.feed(b"\nloss: 1\n", |line| found.push((line.text.len(), line.is_cut)));
        assert_eq!(found, [(LONGEST, true), (7, false)]);
    }
}
