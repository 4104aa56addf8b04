//! The head of a `.npy` file: a magic string, a version, and a Python dictionary with the element type, the order and the
//! shape (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).

use std::io::{self, Read};

/// What every `.npy` file begins with.
const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// Heads are shorter than this; NumPy itself refuses those of more than 10,000 characters.
const LONGEST: u32 = 1 << 16;

/// What the head says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) big_endian: bool,
    pub(super) shape: Vec<usize>,
}

/// The type of the elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// True or false, a byte each.
    Boolean,
    /// An unsigned integer of so many bytes.
    Unsigned(usize),
    /// A signed integer of so many bytes.
    Signed(usize),
    /// A floating-point number of so many bytes.
    Float(usize),
}

impl Kind {
    /// Bytes of one element.
    pub(super) fn size(self) -> usize {
        match self {
            Self::Boolean => 1,
            Self::Unsigned(size) | Self::Signed(size) | Self::Float(size) => size,
        }
    }
}

/// Why a head cannot be used.
pub(super) enum Fault {
    /// The file could not be read.
    Read(io::Error),
    /// What is wrong, and what to do.
    Content(String),
}

impl From<String> for Fault {
    fn from(message: String) -> Self {
        Self::Content(message)
    }
}

/// Reads the head, up to the first element.
pub(super) fn read(file: &mut impl Read) -> Result<Header, Fault> {
    let start = bytes(file, 8)?;
    if !start.starts_with(MAGIC) {
        return Err(format!("begins with the bytes {start:02x?}, which no NumPy array does: write it with numpy.save").into());
    }
    let length = match start[6] {
        1 => u32::from(u16::from_le_bytes(array(&bytes(file, 2)?))),
        2 | 3 => u32::from_le_bytes(array(&bytes(file, 4)?)),
        other => return Err(format!("is of version {other} of the format: save it again with numpy.save").into()),
    };
    if length > LONGEST {
        return Err(format!("has a head of {length} bytes: the file is damaged; save it again").into());
    }
    let text = bytes(file, length as usize)?;
    Ok(parse(&String::from_utf8_lossy(&text))?)
}

/// The next `count` bytes.
fn bytes(file: &mut impl Read, count: usize) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    file.by_ref().take(count as u64).read_to_end(&mut bytes).map_err(Fault::Read)?;
    if bytes.len() < count {
        return Err("ends within its head: it is empty or cut short; save it again".to_owned().into());
    }
    Ok(bytes)
}

/// The first bytes as an array.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    std::array::from_fn(|i| bytes[i])
}

/// Reads the dictionary.
fn parse(text: &str) -> Result<Header, String> {
    let damaged = |key: &str| format!("has no `{key}` in its head that could be read: the file is damaged; save it again");
    let kind = entry(text, "descr").ok_or_else(|| damaged("descr"))?;
    let (kind, big_endian) = element(kind)?;
    let shape = entry(text, "shape").and_then(dimensions).ok_or_else(|| damaged("shape"))?;
    let order = entry(text, "fortran_order").ok_or_else(|| damaged("fortran_order"))?;
    // Where at most one axis is longer than 1, both orders are the same.
    if order.starts_with("True") && shape.iter().filter(|&&d| d > 1).count() > 1 {
        return Err("is stored column by column: save numpy.ascontiguousarray(array)".to_owned());
    }
    if !order.starts_with("True") && !order.starts_with("False") {
        return Err(damaged("fortran_order"));
    }
    shape.iter().try_fold(1usize, |size, &d| size.checked_mul(d)).ok_or_else(|| damaged("shape"))?;
    Ok(Header { kind, big_endian, shape })
}

/// The text from the value of `key` on.
fn entry<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let quoted = [format!("'{key}'"), format!("\"{key}\"")];
    let (_, rest) = quoted.iter().find_map(|key| text.split_once(key.as_str()))?;
    rest.trim_start().strip_prefix(':').map(str::trim_start)
}

/// The element type that a `descr` begins with: `'<f4'`, or a list for records.
fn element(descr: &str) -> Result<(Kind, bool), String> {
    if descr.starts_with('[') {
        return Err("is an array of records: save one field of it, array[\"name\"]".to_owned());
    }
    let code: String = descr.chars().skip(1).take_while(|c| !matches!(c, '\'' | '"')).take(20).collect();
    let big_endian = code.starts_with('>');
    let (kind, size) = code.trim_start_matches(['<', '>', '|', '=']).split_at_checked(1).unwrap_or_default();
    let size = size.parse::<usize>();
    let kind = match (kind, &size) {
        ("b", Ok(1)) => Kind::Boolean,
        ("u", Ok(size @ (1 | 2 | 4 | 8))) => Kind::Unsigned(*size),
        ("i", Ok(size @ (1 | 2 | 4 | 8))) => Kind::Signed(*size),
        ("f", Ok(size @ (4 | 8))) => Kind::Float(*size),
        ("f", _) => return Err(format!("holds numbers of type {code:?}: save array.astype(\"float32\")")),
        ("O", _) => return Err("holds Python objects: save an array of numbers, array.astype(\"float32\")".to_owned()),
        ("U" | "S", _) => {
            return Err("holds text: for classes save numpy.unique(array, return_inverse=True)[1]".to_owned());
        }
        ("c", _) => return Err("holds complex numbers: save their parts as features of their own".to_owned()),
        ("M" | "m", _) => return Err("holds dates or times: save them as numbers".to_owned()),
        _ => return Err(format!("holds elements of type {code:?}: save array.astype(\"float32\")")),
    };
    Ok((kind, big_endian))
}

/// The dimensions that a `shape` begins with: `()`, `(3,)`, `(3, 4)`.
fn dimensions(shape: &str) -> Option<Vec<usize>> {
    let (inside, _) = shape.strip_prefix('(')?.split_once(')')?;
    let items = inside.split(',').map(str::trim).filter(|item| !item.is_empty());
    // Python 2 wrote long integers as `3L`.
    items.map(|item| item.trim_end_matches('L').parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(descr: &str, order: &str, shape: &str) -> Result<Header, String> {
        parse(&format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}      \n"))
    }

    #[test]
    fn reads_types_orders_and_shapes() {
        let of = |kind, big_endian, shape: &[usize]| Ok(Header { kind, big_endian, shape: shape.to_vec() });
        assert_eq!(header("'<f4'", "False", "(3, 4)"), of(Kind::Float(4), false, &[3, 4]));
        assert_eq!(header("'>i8'", "False", "(3,)"), of(Kind::Signed(8), true, &[3]));
        assert_eq!(header("'|u1'", "False", "()"), of(Kind::Unsigned(1), false, &[]));
        assert_eq!(header("\"|b1\"", "True", "(3L, 1L)"), of(Kind::Boolean, false, &[3, 1]));
        let reordered = parse("{\"shape\": (2,), \"descr\": \"<u2\", \"fortran_order\": False}");
        assert_eq!(reordered, of(Kind::Unsigned(2), false, &[2]));
    }

    #[test]
    fn says_what_to_save_instead() {
        for (descr, order, shape, words) in [
            ("'|O'", "False", "(3,)", "Python objects"),
            ("'<U5'", "False", "(3,)", "numpy.unique"),
            ("'<f2'", "False", "(3,)", "astype(\"float32\")"),
            ("'<f16'", "False", "(3,)", "astype(\"float32\")"),
            ("'<c8'", "False", "(3,)", "complex"),
            ("'<M8[ns]'", "False", "(3,)", "dates"),
            ("[('a', '<f4'), ('shape', '<i4')]", "False", "(3,)", "records"),
            ("'<f4'", "True", "(3, 4)", "ascontiguousarray"),
            ("'<f4'", "False", "(99999999999, 99999999999)", "`shape`"),
            ("'<f4'", "False", "(-1,)", "`shape`"),
            ("'<f4'", "maybe", "(1,)", "`fortran_order`"),
            ("''", "False", "(1,)", "type"),
        ] {
            let message = header(descr, order, shape).unwrap_err();
            assert!(message.contains(words), "{message}");
        }
        assert!(parse("").unwrap_err().contains("`descr`"));
    }
}
