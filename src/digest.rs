//! Digests as text.

/// `bytes` in hexadecimal digits, two for each.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|half| DIGITS[usize::from(half)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_half_of_a_byte_comes_first() {
        assert_eq!(hex(&[0x00, 0x1f, 0xe9, 0xac]), "001fe9ac");
    }
}
