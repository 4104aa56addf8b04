//! The elements of one array, read as they come.

use std::io::Read;
use std::path::Path;

use super::super::{Sample, fault, room_for};
use super::header::{self, Fault, Header, Kind};
use crate::error::DataError;
use crate::source::read_error;

/// Where an array is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// The file.
    pub(super) path: &'a Path,
    /// Its name in the file, if that is an archive.
    pub(super) array: Option<&'a str>,
}

impl Place<'_> {
    /// A fault of the array here.
    pub(super) fn fault(&self, message: impl AsRef<str>) -> DataError {
        let message = message.as_ref();
        let named = self.array.map_or_else(|| message.to_owned(), |name| format!("the array {name:?} {message}"));
        fault(self.path, None, named)
    }
}

/// An array that is about to be read.
pub(super) struct Array<'a> {
    place: Place<'a>,
    header: Header,
    elements: Box<dyn Read + 'a>,
}

impl<'a> Array<'a> {
    /// Reads the head of the array that `file` holds.
    pub(super) fn open(place: Place<'a>, mut file: Box<dyn Read + 'a>) -> Result<Self, DataError> {
        let header = header::read(&mut file).map_err(|e| match e {
            Fault::Read(e) => read_error(place.path, &e),
            Fault::Content(message) => place.fault(message),
        })?;
        Ok(Self { place, header, elements: file })
    }

    /// Where it is.
    pub(super) fn place(&self) -> Place<'a> {
        self.place
    }

    /// Its dimensions.
    pub(super) fn shape(&self) -> &[usize] {
        &self.header.shape
    }

    /// Its dimensions as Python shows them.
    pub(super) fn shown(&self) -> String {
        let comma = if self.shape().len() == 1 { "," } else { "" };
        format!("({}{comma})", self.shape().iter().map(usize::to_string).collect::<Vec<_>>().join(", "))
    }

    /// How many elements it claims to have.
    pub(super) fn len(&self) -> usize {
        self.shape().iter().product()
    }

    /// Whether its elements are unsigned bytes.
    pub(super) fn is_bytes(&self) -> bool {
        self.header.kind == Kind::Unsigned(1)
    }

    /// The elements of an array of unsigned bytes, `per_example` for each example in the sample.
    pub(super) fn bytes(self, per_example: usize, sample: &Sample) -> Result<Vec<u8>, DataError> {
        let mut all = self.room(per_example, sample)?;
        let mut taken = Taken::new(per_example, sample);
        self.chunks(|chunk| all.extend(chunk.iter().filter(|_| taken.next())))?;
        Ok(all)
    }

    /// Room for the elements of the examples in the sample.
    fn room<T>(&self, per_example: usize, sample: &Sample) -> Result<Vec<T>, DataError> {
        let examples = (self.len() / per_example.max(1)) as u64;
        room_for(self.place.path, sample.about(examples) as usize * per_example)
    }

    /// The elements in single precision, `per_example` for each example in the sample. They must be finite.
    pub(super) fn numbers(self, per_example: usize, sample: &Sample) -> Result<Vec<f32>, DataError> {
        let place = self.place;
        let mut all = self.room(per_example, sample)?;
        let (mut bad, mut count) = (None, 0u64);
        self.each(per_example, sample, |i, value| {
            if !(value as f32).is_finite() {
                bad.get_or_insert((i, value));
                count += 1;
            }
            all.push(value as f32);
        })?;
        let Some((i, value)) = bad else { return Ok(all) };
        let of = if per_example == 1 { String::new() } else { format!(", number {}", i % per_example) };
        Err(place.fault(format!(
            "holds {count} numbers that single precision cannot hold, the first of them {value}, in example {}{of} \
             (counted from 0): replace them or drop their examples",
            i / per_example
        )))
    }

    /// Hands on every element of the examples in the sample, and its position in the array.
    pub(super) fn each(self, per_example: usize, sample: &Sample, mut take: impl FnMut(usize, f64)) -> Result<(), DataError> {
        let Header { kind, big_endian, .. } = self.header;
        let mut taken = Taken::new(per_example, sample);
        self.chunks(|chunk| {
            for element in chunk.chunks_exact(kind.size()) {
                let position = taken.position;
                if taken.next() {
                    take(position, number(kind, big_endian, element));
                }
            }
        })
    }

    /// Hands on the bytes of the elements, whole elements at a time, and makes sure that the file ends with them.
    fn chunks(mut self, mut take: impl FnMut(&[u8])) -> Result<(), DataError> {
        const CHUNK: u64 = 1 << 16;
        let (size, count) = (self.header.kind.size() as u64, self.len() as u64);
        let mut left = count;
        let mut buffer = Vec::with_capacity(CHUNK as usize);
        while left > 0 {
            buffer.clear();
            let wanted = (left * size).min(CHUNK);
            let read = self.elements.by_ref().take(wanted).read_to_end(&mut buffer);
            let read = read.map_err(|e| read_error(self.place.path, &e))? as u64;
            if read < wanted {
                let seen = count - left + read / size;
                let message = format!("ends after {seen} of {count} elements: the file is cut short; save or fetch it again");
                return Err(self.place.fault(message));
            }
            take(&buffer);
            left -= wanted / size;
        }
        match self.elements.take(1).read_to_end(&mut buffer) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.place.fault(format!("goes on after its {count} elements: the file is damaged; save it again"))),
            Err(e) => Err(read_error(self.place.path, &e)),
        }
    }
}

/// Which elements belong to examples in the sample.
struct Taken {
    per_example: usize,
    sample: Sample,
    /// Of the element that comes next.
    position: usize,
    /// Whether the example begun last is in the sample.
    takes: bool,
}

impl Taken {
    fn new(per_example: usize, sample: &Sample) -> Self {
        Self { per_example, sample: sample.clone(), position: 0, takes: false }
    }

    /// Whether the next element does.
    fn next(&mut self) -> bool {
        if self.position.is_multiple_of(self.per_example) {
            self.takes = self.sample.takes_next();
        }
        self.position += 1;
        self.takes
    }
}

/// The element that these bytes hold.
fn number(kind: Kind, big_endian: bool, element: &[u8]) -> f64 {
    // As the low bytes of a little-endian word.
    let mut word = [0; 8];
    word[..element.len()].copy_from_slice(element);
    if big_endian {
        word[..element.len()].reverse();
    }
    let bits = u64::from_le_bytes(word);
    match kind {
        Kind::Boolean => f64::from(u8::from(bits != 0)),
        Kind::Unsigned(_) => bits as f64,
        Kind::Signed(size) => {
            let unused = 64 - 8 * size as u32;
            // Shifting up and back down copies the sign.
            ((bits << unused).cast_signed() >> unused) as f64
        }
        Kind::Float(4) => f64::from(f32::from_bits(bits as u32)),
        Kind::Float(_) => f64::from_bits(bits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_type_and_order() {
        let of = |kind, bytes: &[u8]| {
            let mut reversed = bytes.to_vec();
            reversed.reverse();
            let (little, big) = (number(kind, false, bytes), number(kind, true, &reversed));
            assert_eq!(little.to_bits(), big.to_bits());
            little
        };
        assert_eq!(of(Kind::Boolean, &[1]), 1.0);
        assert_eq!(of(Kind::Unsigned(2), &[0xff, 0xff]), 65_535.0);
        assert_eq!(of(Kind::Signed(1), &[0xff]), -1.0);
        assert_eq!(of(Kind::Signed(4), &(-70_000i32).to_le_bytes()), -70_000.0);
        assert_eq!(of(Kind::Signed(8), &i64::MIN.to_le_bytes()), i64::MIN as f64);
        assert_eq!(of(Kind::Float(4), &0.5f32.to_le_bytes()), 0.5);
        assert_eq!(of(Kind::Float(8), &(-1e300f64).to_le_bytes()), -1e300);
    }
}
