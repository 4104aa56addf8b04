//! The inputs of all examples, in as little memory as they need.

/// The inputs of every example, row-major: `[examples × features]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Inputs {
    /// Any numbers.
    Numbers(Vec<f32>),
    /// Pixels or characters: a byte each, a quarter of what their numbers would take, looked up when a batch is made.
    Bytes {
        /// `[examples × features]`.
        bytes: Vec<u8>,
        /// The number that each byte stands for, for each of the equal parts that an example falls into: the channels of an
        /// image, one part for anything else.
        tables: Vec<[f32; 256]>,
    },
}

impl Inputs {
    /// Pixels of images with so many channels, 0..=255 standing for 0 to 1.
    pub(super) fn pixels(bytes: Vec<u8>, channels: usize) -> Self {
        let table = std::array::from_fn(|byte| byte as f32 / 255.0);
        Self::Bytes { bytes, tables: vec![table; channels] }
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Bytes { bytes, .. } => bytes.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory that they take.
    pub fn size(&self) -> u64 {
        match self {
            Self::Numbers(numbers) => size_of_val(numbers.as_slice()) as u64,
            Self::Bytes { bytes, .. } => bytes.len() as u64,
        }
    }

    /// Appends the numbers of example `i`, of `features` numbers, to `row`.
    ///
    /// # Panics
    /// When there is no such example.
    pub fn append(&self, i: usize, features: usize, row: &mut Vec<f32>) {
        let own = i * features..(i + 1) * features;
        match self {
            Self::Numbers(numbers) => row.extend_from_slice(&numbers[own]),
            Self::Bytes { bytes, tables } => {
                for (part, table) in bytes[own].chunks_exact(features / tables.len()).zip(tables) {
                    row.extend(part.iter().map(|&byte| table[usize::from(byte)]));
                }
            }
        }
    }

    /// Takes the marked examples, of `features` numbers, out. Works in place, so that no second copy of the data is made.
    pub(super) fn take(&mut self, marked: &[bool], features: usize) -> Self {
        match self {
            Self::Numbers(numbers) => Self::Numbers(take_rows(numbers, marked, features)),
            Self::Bytes { bytes, tables } => Self::Bytes { bytes: take_rows(bytes, marked, features), tables: tables.clone() },
        }
    }
}

impl From<Vec<f32>> for Inputs {
    fn from(numbers: Vec<f32>) -> Self {
        Self::Numbers(numbers)
    }
}

/// Takes the marked rows, of `width` items, out of `all`.
pub(super) fn take_rows<T: Copy>(all: &mut Vec<T>, marked: &[bool], width: usize) -> Vec<T> {
    let mut taken = Vec::with_capacity(marked.iter().filter(|&&m| m).count() * width);
    let mut kept = 0;
    for (i, &out) in marked.iter().enumerate() {
        let row = i * width..(i + 1) * width;
        if out {
            taken.extend_from_slice(&all[row]);
        } else {
            all.copy_within(row, kept * width);
            kept += 1;
        }
    }
    all.truncate(kept * width);
    all.shrink_to_fit();
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stand_for_the_numbers_of_their_channel() {
        let mut inputs = Inputs::pixels(vec![0, 255, 51, 102, 1, 2, 3, 4], 2);
        let Inputs::Bytes { tables, .. } = &mut inputs else { panic!() };
        tables[1][51] = -7.0;
        let mut row = Vec::new();
        inputs.append(0, 4, &mut row);
        assert_eq!(row, [0.0, 1.0, -7.0, 0.4]);
        inputs.append(1, 4, &mut row);
        assert_eq!((row.len(), row[4]), (8, 1.0 / 255.0));
    }

    #[test]
    fn rows_are_taken_out_whole_and_in_order() {
        let mut all: Vec<u8> = (0..10).collect();
        let taken = take_rows(&mut all, &[true, false, false, true, false], 2);
        assert_eq!((taken, all), (vec![0, 1, 6, 7], vec![2, 3, 4, 5, 8, 9]));
    }
}
