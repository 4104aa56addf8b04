//! IDX files, the format of MNIST (LeCun, <http://yann.lecun.com/exdb/mnist/>): a magic number that gives the element type and
//! the number of dimensions, the dimensions as big-endian 32-bit numbers, then the elements.

use std::io::{self, Read};
use std::path::Path;

use super::source::{open, read_error};
use super::{Dataset, ExampleShape, Table, Targets, check_size, fault};
use crate::error::DataError;

/// The element type of unsigned bytes, the only one that images and labels come in.
const UNSIGNED_BYTE: u8 = 0x08;

/// Reads images, pixels scaled from 0..=255 to [0, 1], and their labels, the values that occur numbered from 0 in order.
pub(super) fn read(images: &Path, labels: &Path) -> Result<Table, DataError> {
    let (examples, shape, inputs) = read_images(images)?;
    let bytes = read_labels(labels)?;
    if bytes.len() != examples {
        let message = format!(
            "holds {} labels, but {} holds {examples} images: use the label file that belongs to it",
            bytes.len(),
            images.display()
        );
        return Err(fault(labels, None, message));
    }
    let (targets, classes) = number_classes(labels, &bytes)?;
    let features = inputs.len() / examples;
    Ok(Table { data: Dataset { features, shape, inputs, targets }, columns: Vec::new(), classes, notes: Vec::new() })
}

/// The images of a file: how many, what one is, all pixels.
fn read_images(path: &Path) -> Result<(usize, ExampleShape, Vec<f32>), DataError> {
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
    check_size(path, u64::from(*examples), features)?;
    let mut inputs = Vec::new();
    read_elements(path, &mut file, u64::from(*examples) * features, |byte| inputs.push(f32::from(byte) / 255.0))?;
    // Whether channels come first or last the format does not say.
    let shape = match of_one {
        &[height, width] => ExampleShape::Image { channels: 1, height: height as usize, width: width as usize },
        _ => ExampleShape::Flat,
    };
    Ok((*examples as usize, shape, inputs))
}

/// The labels of a file.
fn read_labels(path: &Path) -> Result<Vec<u8>, DataError> {
    let mut file = open(path)?;
    let [count] = read_dimensions(path, &mut file)?[..] else {
        let message = "has more than one dimension: this looks like the image file; write the label file here";
        return Err(fault(path, None, message));
    };
    let mut labels = Vec::new();
    read_elements(path, &mut file, u64::from(count), |byte| labels.push(byte))?;
    Ok(labels)
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

/// Hands on the `count` elements that follow the head, and makes sure that the file ends there.
fn read_elements(path: &Path, file: &mut impl Read, count: u64, mut take: impl FnMut(u8)) -> Result<(), DataError> {
    let mut buffer = vec![0; 1 << 16];
    let mut seen = 0;
    loop {
        let read = match file.read(&mut buffer) {
            Ok(read) => read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(read_error(path, &e)),
        };
        if read == 0 && seen < count {
            let message = format!("ends after {seen} of {count} elements: the file is cut short; fetch it again");
            return Err(fault(path, None, message));
        }
        if read == 0 {
            return Ok(());
        }
        seen += read as u64;
        if seen > count {
            let message = format!("goes on after its {count} elements: the file is damaged or of another kind; fetch it again");
            return Err(fault(path, None, message));
        }
        buffer[..read].iter().for_each(|&byte| take(byte));
    }
}

/// Numbers the values that occur, in order. Letters of EMNIST, for one, are labelled from 1.
fn number_classes(path: &Path, labels: &[u8]) -> Result<(Targets, Vec<String>), DataError> {
    let mut number = [None; 256];
    for &label in labels {
        number[usize::from(label)] = Some(0);
    }
    let mut names = Vec::new();
    for (value, slot) in number.iter_mut().enumerate().filter(|(_, slot)| slot.is_some()) {
        *slot = Some(names.len());
        names.push(value.to_string());
    }
    if names.len() < 2 {
        return Err(fault(path, None, "every label is the same, so there is nothing to learn: name another label file"));
    }
    let labels = labels.iter().filter_map(|&l| number[usize::from(l)]).collect();
    Ok((Targets::Classes { labels, classes: names.len() }, names))
}
