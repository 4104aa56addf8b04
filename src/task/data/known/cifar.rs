//! The binary version of CIFAR-10 (Krizhevsky 2009, <https://www.cs.toronto.edu/~kriz/cifar.html>): records of a label and the
//! red, green and blue planes of a 32 × 32 image, a byte each.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::super::{Dataset, ExampleShape, Inputs, Sample, Table, Targets, fault, room_for};
use crate::error::DataError;
use crate::source::{open, read_error};

/// The files of the training part.
pub(super) const FILES: [&str; 5] =
    ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"];

const CLASSES: [&str; 10] = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
const SIDE: usize = 32;
const PIXELS: usize = 3 * SIDE * SIDE;
const RECORD: usize = 1 + PIXELS;
/// Images in one file.
const MOST: usize = 10_000;

/// Reads these files, one after the other.
pub(super) fn read(files: &[PathBuf], mut sample: Sample) -> Result<Table, DataError> {
    let (mut labels, mut pixels) = (Vec::new(), Vec::new());
    for file in files {
        let records = records(file)?;
        for (i, record) in records.chunks_exact(RECORD).enumerate().filter(|_| sample.takes_next()) {
            if usize::from(record[0]) >= CLASSES.len() {
                let message = format!(
                    "image {i} (counted from 0) has the label {}, not one from 0 to 9: the file is damaged or of another kind; \
                     fetch it again",
                    record[0]
                );
                return Err(fault(file, None, message));
            }
            labels.push(u32::from(record[0]));
            pixels.extend_from_slice(&record[1..]);
        }
    }
    let data = Dataset {
        features: PIXELS,
        shape: ExampleShape::Image { channels: 3, height: SIDE, width: SIDE },
        inputs: Inputs::pixels(pixels, 3),
        targets: Targets::Classes { labels, classes: CLASSES.len() },
    };
    Ok(Table { data, columns: Vec::new(), classes: CLASSES.map(str::to_owned).to_vec(), notes: Vec::new() })
}

/// The records of a file.
fn records(file: &Path) -> Result<Vec<u8>, DataError> {
    let mut records = room_for(file, MOST * RECORD + 1)?;
    let most = (MOST * RECORD) as u64;
    open(file)?.take(most + 1).read_to_end(&mut records).map_err(|e| read_error(file, &e))?;
    if records.is_empty() || !records.len().is_multiple_of(RECORD) || records.len() as u64 > most {
        let message = format!(
            "does not hold a whole number, from 1 to {MOST}, of records of {RECORD} bytes: it is cut short or of another kind; \
             fetch it again"
        );
        return Err(fault(file, None, message));
    }
    Ok(records)
}
