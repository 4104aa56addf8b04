//! Folders of images: a sub-folder for each class, PNG and JPEG files in it.

use std::fs::read_dir;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};

use image::imageops::FilterType;
use image::{DynamicImage, ImageError, ImageReader};
use rayon::prelude::*;

use super::{Dataset, ExampleShape, Inputs, Note, Sample, Table, Targets, check_size, fault, quoted, room_for, some_of};
use crate::error::DataError;
use crate::source::read_error;

/// Bad files are gathered up to this many before they are reported together.
const MAX_PROBLEMS: usize = 10;

/// Images decoded at once: enough to keep every core busy, and few enough to hold.
const AT_ONCE: usize = 256;

/// Endings of the files that are read, in lower case.
const ENDINGS: [&str; 3] = ["png", "jpg", "jpeg"];

/// Reads every image of the sub-folders of `folder`, resized to `height` × `width` where it has another size, with so many
/// `channels`: 1 for grey, 3 for colour. Classes are numbered in the order of the sub-folders' names, and examples follow the
/// names of the files.
pub(super) fn read(
    folder: &Path,
    [height, width]: [usize; 2],
    channels: usize,
    mut sample: Sample,
) -> Result<Table, DataError> {
    let mut listing = Listing::of(folder)?;
    listing.files.retain(|_| sample.takes_next());
    let features = channels * height * width;
    check_size::<u8>(folder, listing.files.len() as u64, features as u64)?;
    let mut pixels = room_for(folder, listing.files.len() * features)?;
    let mut problems = Vec::new();
    for files in listing.files.chunks(AT_ONCE) {
        let decoded: Vec<_> = files.par_iter().map(|(file, _)| planes(file, [height, width], channels)).collect();
        for (decoded, (file, _)) in decoded.into_iter().zip(files) {
            match decoded {
                Ok(planes) => pixels.extend(planes),
                Err(message) => problems.push(format!("{}: {message}", shown(folder, file))),
            }
        }
        if problems.len() >= MAX_PROBLEMS {
            break;
        }
    }
    if !problems.is_empty() {
        problems.truncate(MAX_PROBLEMS);
        return Err(fault(folder, None, format!("images that cannot be used:\n  {}", problems.join("\n  "))));
    }
    let labels = listing.files.iter().map(|&(_, class)| class).collect();
    let data = Dataset {
        features,
        shape: ExampleShape::Image { channels, height, width },
        inputs: Inputs::pixels(pixels, channels),
        targets: Targets::Classes { labels, classes: listing.classes.len() },
    };
    Ok(Table { data, columns: Vec::new(), notes: listing.note(), classes: listing.classes })
}

/// What lies in a folder.
struct Listing {
    /// The names of the sub-folders.
    classes: Vec<String>,
    /// Every image, and its class.
    files: Vec<(PathBuf, u32)>,
    /// Files that are no images.
    others: Vec<String>,
}

impl Listing {
    fn of(folder: &Path) -> Result<Self, DataError> {
        let mut listing = Self { classes: Vec::new(), files: Vec::new(), others: Vec::new() };
        let mut empty = Vec::new();
        for entry in visible(folder)? {
            if !entry.is_dir() {
                listing.others.push(shown(folder, &entry));
                continue;
            }
            let (class, before) = (listing.classes.len() as u32, listing.files.len());
            for file in visible(&entry)? {
                let ending = file.extension().unwrap_or_default().to_string_lossy().to_lowercase();
                if ENDINGS.contains(&ending.as_str()) && !file.is_dir() {
                    listing.files.push((file, class));
                } else {
                    listing.others.push(shown(folder, &file));
                }
            }
            if listing.files.len() == before {
                empty.push(quoted(&shown(folder, &entry)));
            }
            listing.classes.push(shown(folder, &entry));
        }
        if listing.classes.len() < 2 {
            let message = format!(
                "has {} sub-folders, but there must be one for each of at least two classes, with its PNG or JPEG images in it",
                listing.classes.len()
            );
            return Err(fault(folder, None, message));
        }
        if !empty.is_empty() {
            let message = format!("has sub-folders without PNG or JPEG images: {}; fill or remove them", some_of(&empty));
            return Err(fault(folder, None, message));
        }
        Ok(listing)
    }

    /// A note on what was not read.
    fn note(&self) -> Vec<Note> {
        let note = || Note {
            code: "files-left-out",
            message: format!("left out, as no PNG or JPEG image in the folder of a class: {}", some_of(&self.others)),
            hint: "convert them, move them into that of their class, or out of the way".to_owned(),
        };
        (!self.others.is_empty()).then(note).into_iter().collect()
    }
}

/// The entries of a folder but for hidden ones, in the order of their names, which does not depend on the file system.
fn visible(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let failed = |e: &io::Error| match e.kind() {
        io::ErrorKind::NotADirectory => {
            fault(folder, None, "is a file: name the folder that holds a sub-folder for each class")
        }
        _ => read_error(folder, e),
    };
    let entries = read_dir(folder).map_err(|e| failed(&e))?.collect::<Result<Vec<_>, _>>().map_err(|e| failed(&e))?;
    let mut paths: Vec<PathBuf> = entries.iter().map(std::fs::DirEntry::path).collect();
    paths.retain(|path| !path.file_name().unwrap_or_default().to_string_lossy().starts_with('.'));
    paths.sort();
    Ok(paths)
}

/// A path as seen from `folder`.
fn shown(folder: &Path, path: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned()
}

/// The pixels of an image, channel by channel, or why it cannot be used.
fn planes(file: &Path, [height, width]: [usize; 2], channels: usize) -> Result<Vec<u8>, String> {
    let bytes = std::fs::read(file).map_err(|e| format!("cannot be read: {e}"))?;
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| format!("cannot be read: {e}"))?;
    let image = reader.decode().map_err(|e| match e {
        ImageError::Unsupported(_) => "is no PNG or JPEG image: convert it, or remove it".to_owned(),
        ImageError::Limits(_) => "takes more than 512 MiB unpacked: make it smaller".to_owned(),
        other => format!("is damaged ({other}): fetch it again, or remove it"),
    })?;
    let sized = if (image.height() as usize, image.width() as usize) == (height, width) {
        image
    } else {
        image.resize_exact(width as u32, height as u32, FilterType::Triangle)
    };
    Ok(if channels == 1 { sized.into_luma8().into_raw() } else { colour_planes(&sized) })
}

/// `[height × width × 3]` as `[3 × height × width]`.
fn colour_planes(image: &DynamicImage) -> Vec<u8> {
    let pixels = image.to_rgb8().into_raw();
    (0..3).flat_map(|channel| pixels[channel..].iter().step_by(3).copied().collect::<Vec<_>>()).collect()
}
