//! Plain text: each character is to be told from those before it.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use super::{Dataset, ExampleShape, Inputs, MAX_BYTES, Table, Targets, check_size, fault};
use crate::error::DataError;
use crate::source::{open, read_error};

/// Reads a text as pieces of `context` characters that follow one another without overlap, so that an epoch is one pass through
/// the text. The target of each character is the next one; what does not fill a piece is left out. The vocabulary is what occurs,
/// in the order of the code points.
pub(super) fn read(path: &Path, context: usize) -> Result<Table, DataError> {
    let text = text(path)?;
    let length = text.chars().count();
    let vocabulary: Vec<char> = text.chars().collect::<BTreeSet<_>>().into_iter().collect();
    if vocabulary.len() < 2 {
        let kinds = vocabulary.len();
        return Err(fault(path, None, format!("has {kinds} different characters, so there is nothing to learn: name a text")));
    }
    let pieces = length.saturating_sub(1) / context;
    if pieces < 2 {
        let message = format!(
            "holds {length} characters, too few for two pieces of context = {context} and the character after them: \
             lower `context`, or name a longer text"
        );
        return Err(fault(path, None, message));
    }
    let used = pieces * context;
    check_size::<f32>(path, used as u64, 1)?;
    let number = |character: char| vocabulary.binary_search(&character).unwrap_or_default() as u32;
    let labels: Vec<u32> = text.chars().skip(1).take(used).map(number).collect();
    let inputs = inputs(text.chars().take(used).map(number), vocabulary.len());
    let data = Dataset {
        features: context,
        shape: ExampleShape::Tokens { context, vocabulary: vocabulary.len() },
        inputs,
        targets: Targets::Classes { labels, classes: vocabulary.len() },
    };
    let classes = vocabulary.iter().map(char::to_string).collect();
    Ok(Table { data, columns: Vec::new(), classes, notes: Vec::new() })
}

/// The numbers of the characters, in a byte each where that is enough.
fn inputs(numbers: impl Iterator<Item = u32>, vocabulary: usize) -> Inputs {
    if vocabulary > 256 {
        return Inputs::Numbers(numbers.map(|number| number as f32).collect());
    }
    let table = std::array::from_fn(|byte| byte as f32);
    Inputs::Bytes { bytes: numbers.map(|number| number as u8).collect(), tables: vec![table] }
}

/// The whole file, which must be UTF-8.
fn text(path: &Path) -> Result<String, DataError> {
    let mut bytes = Vec::new();
    // One byte more than may be used tells a file that is too long from one that just fits.
    open(path)?.take(MAX_BYTES / 8 + 1).read_to_end(&mut bytes).map_err(|e| read_error(path, &e))?;
    if bytes.len() as u64 > MAX_BYTES / 8 {
        let message = format!("is longer than {} MiB: use a part of it, which finds the same learning rate", MAX_BYTES >> 23);
        return Err(fault(path, None, message));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(fault(path, 1, "the text is UTF-16: save the file as UTF-8"));
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        let before = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        let line = before.split(|&byte| byte == b'\n').count() as u64;
        fault(path, line, "is not UTF-8 text from this line on: save the file as UTF-8")
    })?;
    match text.strip_prefix('\u{feff}') {
        Some(rest) => Ok(rest.to_owned()),
        None => Ok(text),
    }
}
