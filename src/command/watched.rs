//! Which files a script's losses depend on, as far as can be seen from outside.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::config::ScriptPlan;
use crate::files;

/// Names of files and folders looked at below a script. A folder that holds more is no project's but somebody's home, and then only
/// what lies right beside the script counts.
const MOST_NAMES: usize = 20_000;

/// A file, and its place within what was named.
pub(super) type Watched = (String, PathBuf);

/// The files that the command line names, and those of `depends`; where nothing is said there, what a named script may import: the
/// files with its ending beside and below it.
///
/// # Errors
/// When something of `depends` cannot be read.
pub(super) fn files(plan: &ScriptPlan) -> io::Result<Vec<Watched>> {
    let named = named(plan);
    let mut found: Vec<Watched> = named.iter().map(|path| (String::new(), path.clone())).collect();
    match &plan.depends {
        Some(depends) => {
            for name in depends {
                everything(&plan.directory.join(name), "", &mut found)?;
            }
        }
        None => found.extend(named.iter().flat_map(|script| sources(script))),
    }
    Ok(found)
}

/// The files among the words of the command line that can be read. A program may be run without.
fn named(plan: &ScriptPlan) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for word in plan.run.iter().map(ToString::to_string) {
        // A word of a shell's may be a whole command line.
        for name in word.split([' ', '\t', '\n', '\'', '"', ';', '=']).filter(|name| !name.is_empty()) {
            let path = plan.directory.join(name);
            if path.is_file() && File::open(&path).is_ok() {
                found.push(path);
            }
        }
    }
    found
}

/// The file, or all files in the folder, but for what is hidden, what Python leaves there by itself, and the reports of this program:
/// they would make each run another script's.
fn everything(path: &Path, place: &str, found: &mut Vec<Watched>) -> io::Result<()> {
    if !path.is_dir() {
        File::open(path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
        found.push((place.to_owned(), path.to_owned()));
        return Ok(());
    }
    let mut names = names(path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    // The journal is there before the first trial. Beside it may lie what is not ours.
    let holds_reports = names.iter().any(|name| name == files::JOURNAL);
    names.retain(|name| !(holds_reports && files::ALL.iter().any(|ours| name == ours)));
    for name in names {
        let below = path.join(&name);
        // A link to a folder may lead back here.
        if !(below.is_symlink() && below.is_dir()) {
            everything(&below, &format!("{place}/{}", name.display()), found)?;
        }
    }
    Ok(())
}

/// The files with the ending of `script` beside and below it, but for what is installed there rather than written.
fn sources(script: &Path) -> Vec<Watched> {
    let (Some(ending), Some(root)) = (script.extension(), script.parent()) else { return Vec::new() };
    let mut beside = Vec::new();
    let mut all = Vec::new();
    let mut folders = VecDeque::from([(String::new(), root.to_owned())]);
    let mut looked_at = 0;
    while let Some((place, folder)) = folders.pop_front() {
        let names = names(&folder).unwrap_or_default();
        looked_at += names.len();
        if looked_at > MOST_NAMES {
            return beside;
        }
        let is_installed = |name: &str| names.iter().any(|other| other == name);
        if is_installed("pyvenv.cfg") || is_installed("conda-meta") {
            continue;
        }
        for name in names {
            let (below, place) = (folder.join(&name), format!("{place}/{}", name.display()));
            if below.is_dir() {
                if !below.is_symlink() && name != "site-packages" && name != "node_modules" {
                    folders.push_back((place, below));
                }
            } else if below.extension() == Some(ending) && File::open(&below).is_ok() {
                all.push((place, below));
            }
        }
        if folder == root {
            beside.clone_from(&all);
        }
    }
    all
}

/// What is in a folder, in order, but for what is hidden and what Python leaves there.
fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    let mut names: Vec<_> = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>()?;
    names.retain(|name| !is_hidden(name) && name != "__pycache__");
    names.sort();
    Ok(names)
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}
