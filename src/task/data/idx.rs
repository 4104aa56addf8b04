//! IDX files, the format of MNIST (LeCun, <http://yann.lecun.com/exdb/mnist/>): a magic number that gives the element type and
//! the number of dimensions, the dimensions as big-endian 32-bit numbers, then the elements.

use std::io::Read;
use std::path::Path;

use super::{Dataset, ExampleShape, Inputs, Sample, Table, Targets, check_size, fault, room_for};
use crate::error::DataError;
use crate::source::{open, read_error};

/// The element type of unsigned bytes, the only one that images and labels come in.
const UNSIGNED_BYTE: u8 = 0x08;

/// Reads images, pixels scaled from 0..=255 to [0, 1], and their labels, the values that occur numbered from 0 in order.
pub(super) fn read(images: &Path, labels: &Path, sample: &Sample) -> Result<Table, DataError> {
    let (dimensions, pixels) = read_images(images, sample)?;
    let (count, bytes) = read_labels(labels, sample)?;
    if count != dimensions[0] {
        let message = format!(
            "holds {count} labels, but {} holds {} images: use the label file that belongs to it",
            images.display(),
            dimensions[0]
        );
        return Err(fault(labels, None, message));
    }
    let (targets, classes) = number_classes(labels, &bytes)?;
    let (shape, inputs) = match dimensions[1..] {
        [height, width] => (ExampleShape::Image { channels: 1, height, width }, Inputs::pixels(pixels, 1)),
        [channels, height, width] => (ExampleShape::Image { channels, height, width }, Inputs::pixels(pixels, channels)),
        _ => {
            check_size::<f32>(images, bytes.len() as u64, (pixels.len() / bytes.len()) as u64)?;
            (ExampleShape::Flat, Inputs::Numbers(pixels.iter().map(|&byte| f32::from(byte) / 255.0).collect()))
        }
    };
    let data = Dataset { features: dimensions[1..].iter().product(), shape, inputs, targets };
    Ok(Table { data, columns: Vec::new(), classes, notes: Vec::new() })
}

/// The images of a file: its dimensions, of which the first counts the images, and the pixels of those in the sample.
fn read_images(path: &Path, sample: &Sample) -> Result<(Vec<usize>, Vec<u8>), DataError> {
    let mut file = open(path)?;
    let dimensions = read_dimensions(path, &mut file)?;
    let [examples, of_one @ ..] = dimensions.as_slice() else {
        return Err(fault(path, None, "has no dimensions, so it is no image file: name an IDX file of images"));
    };
    if of_one.is_empty() {
        return Err(fault(path, None, "has one dimension: this looks like the label file; write the image file here"));
    }
    let shape = || dimensions.iter().map(u32::to_string).collect::<Vec<_>>().join(" × ");
    let Some(features) = of_one.iter().try_fold(1u64, |size, &d| size.checked_mul(u64::from(d))) else {
        return Err(fault(path, None, format!("claims to hold {}, which cannot be: the file is damaged", shape())));
    };
    if *examples == 0 || features == 0 {
        return Err(fault(path, None, format!("holds no pixels ({}): name a file with images", shape())));
    }
    check_size::<u8>(path, sample.about(u64::from(*examples)), features)?;
    let pixels = read_examples(path, &mut file, u64::from(*examples), features, sample)?;
    Ok((dimensions.iter().map(|&d| d as usize).collect(), pixels))
}

/// How many labels a file holds, and those in the sample.
fn read_labels(path: &Path, sample: &Sample) -> Result<(usize, Vec<u8>), DataError> {
    let mut file = open(path)?;
    let [count] = read_dimensions(path, &mut file)?[..] else {
        let message = "has more than one dimension: this looks like the image file; write the label file here";
        return Err(fault(path, None, message));
    };
    Ok((count as usize, read_examples(path, &mut file, u64::from(count), 1, sample)?))
}

/// Reads the head of an IDX file.
fn read_dimensions(path: &Path, file: &mut impl Read) -> Result<Vec<u32>, DataError> {
    let magic = read_word(path, file)?;
    let [0, 0, kind, count] = magic else {
        let message = format!("begins with the bytes {magic:02x?}, which no IDX file does: name an IDX file");
        return Err(fault(path, None, message));
    };
    if kind != UNSIGNED_BYTE {
        let message = format!("holds elements of IDX type {kind:#04x}: convert them to unsigned bytes (type 0x08)");
        return Err(fault(path, None, message));
    }
    (0..count).map(|_| Ok(u32::from_be_bytes(read_word(path, file)?))).collect()
}

/// The next four bytes of the head.
fn read_word(path: &Path, file: &mut impl Read) -> Result<[u8; 4], DataError> {
    let mut word = Vec::with_capacity(4);
    file.by_ref().take(4).read_to_end(&mut word).map_err(|e| read_error(path, &e))?;
    let short = |_| fault(path, None, "ends within its head: it is empty or cut short; fetch it again");
    word.try_into().map_err(short)
}

/// Those of the `examples` of `size` elements that follow the head which are in the sample. Makes sure that the file ends there.
fn read_examples(path: &Path, file: &mut impl Read, examples: u64, size: u64, sample: &Sample) -> Result<Vec<u8>, DataError> {
    const BLOCK: u64 = 1 << 16;
    let mut sample = sample.clone();
    let count = examples.saturating_mul(size);
    let mut taken = room_for(path, sample.about(examples).saturating_mul(size) as usize)?;
    let (mut block, mut seen) = (Vec::new(), 0);
    while seen < count {
        block.clear();
        // Whole examples at a time.
        let wanted = (BLOCK / size).max(1).saturating_mul(size).min(count - seen);
        let read = file.by_ref().take(wanted).read_to_end(&mut block).map_err(|e| read_error(path, &e))? as u64;
        seen += read;
        if read < wanted {
            let message = format!("ends after {seen} of {count} elements: the file is cut short; fetch it again");
            return Err(fault(path, None, message));
        }
        for example in block.chunks_exact(size as usize).filter(|_| sample.takes_next()) {
            taken.extend_from_slice(example);
        }
    }
    if file.take(1).read_to_end(&mut block).map_err(|e| read_error(path, &e))? > 0 {
        let message = format!("goes on after its {count} elements: the file is damaged or of another kind; fetch it again");
        return Err(fault(path, None, message));
    }
    Ok(taken)
}

/// Numbers the values that occur, in order. Letters of EMNIST, for one, are labelled from 1.
fn number_classes(path: &Path, labels: &[u8]) -> Result<(Targets, Vec<String>), DataError> {
    let mut number: [Option<u32>; 256] = [None; 256];
    for &label in labels {
        number[usize::from(label)] = Some(0);
    }
    let mut names = Vec::new();
    for (value, slot) in number.iter_mut().enumerate().filter(|(_, slot)| slot.is_some()) {
        *slot = Some(names.len() as u32);
        names.push(value.to_string());
    }
    if names.len() < 2 {
        return Err(fault(path, None, "every label is the same, so there is nothing to learn: name another label file"));
    }
    let labels = labels.iter().filter_map(|&l| number[usize::from(l)]).collect();
    Ok((Targets::Classes { labels, classes: names.len() }, names))
}
