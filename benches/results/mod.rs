//! The files of a benchmark's results: what was measured, and the table and picture made of it.

use std::path::{Path, PathBuf};

use serde::Serialize;

/// Writes what was measured to `json`, and its table and picture beside it.
///
/// # Panics
/// When a file cannot be written.
pub(crate) fn write(json: &Path, measured: &impl Serialize, table: String, picture: Vec<u8>) {
    let text = serde_json::to_string_pretty(measured).expect("figures are plain data") + "\n";
    std::fs::create_dir_all(json.parent().expect("the path has a folder")).expect("the results' folder can be made");
    let files: [(PathBuf, Vec<u8>); 3] = [
        (json.to_owned(), text.into_bytes()),
        (json.with_extension("md"), table.into_bytes()),
        (json.with_extension("png"), picture),
    ];
    for (path, bytes) in files {
        std::fs::write(&path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}
