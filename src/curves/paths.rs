//! From what was named on the command line to the files to read.

use std::fs;
use std::path::{Path, PathBuf};

use super::{CurvesError, STDIN};
use crate::error::DataError;
use crate::source::fault;

/// Endings of the files that are read in a folder; each may be followed by `.gz`.
const ENDINGS: [&str; 5] = ["csv", "tsv", "jsonl", "ndjson", "json"];

/// The files in `paths` and in the folders among them, however deep; sorted, each once.
///
/// # Errors
/// When a path does not exist, or a folder holds no such file.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CurvesError> {
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for path in paths {
        if let Err(problem) = add(path, &mut files) {
            problems.push(problem);
        }
    }
    if !problems.is_empty() {
        return Err(CurvesError::new(problems));
    }
    files.sort();
    // A file that was named by two paths is one file.
    let mut seen = std::collections::HashSet::new();
    files.retain(|file| seen.insert(fs::canonicalize(file).unwrap_or_else(|_| file.clone())));
    Ok(files)
}

fn add(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), DataError> {
    if path.as_os_str() == STDIN {
        files.push(path.to_owned());
        return Ok(());
    }
    let unreadable =
        |path: &Path, error: &std::io::Error| fault(path, None, format!("cannot be read: {error}: check the path"));
    let found = fs::metadata(path).map_err(|e| unreadable(path, &e))?;
    if !found.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let before = files.len();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        for entry in entries.map_err(|e| unreadable(&folder, &e))? {
            let path = entry.path();
            // Links to folders are not followed: they may lead in a circle.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if has_ending(&path) && path.is_file() {
                files.push(path);
            }
        }
    }
    if files.len() == before {
        let message = format!("the folder holds no curves: files that end in .{}, plain or .gz", ENDINGS.join(", ."));
        return Err(fault(path, None, message));
    }
    Ok(())
}

fn has_ending(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    !name.starts_with('.') && name.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_searched_and_files_are_read_once_and_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::create_dir_all(path("runs/deep")).unwrap();
        for name in ["runs/b.csv", "runs/deep/a.JSONL.gz", "runs/notes.txt", "runs/.hidden.csv", "odd.log"] {
            fs::write(path(name), "").unwrap();
        }
        let found = files(&[path("odd.log"), path("runs/b.csv"), path("runs"), path("runs/deep/../b.csv")]).unwrap();
        assert_eq!(found, [path("odd.log"), path("runs/b.csv"), path("runs/deep/a.JSONL.gz")]);
    }

    #[test]
    fn what_is_not_there_is_named_all_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let message = files(&[dir.path().to_owned(), dir.path().join("x.csv")]).unwrap_err().to_string();
        assert!(message.contains("holds no curves") && message.contains("x.csv: cannot be read"), "{message}");
    }
}
