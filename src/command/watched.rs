//! Which files a script's losses depend on, as far as can be seen from outside.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::config::{ScriptPlan, is_script};
use crate::files;

/// Names looked at below a script. A folder that holds more may be somebody's home, and then only what lies right beside the script
/// counts.
const MOST_NAMES: usize = 200_000;

/// A file that can be read, and its place within what was named.
pub(super) type Watched = (String, PathBuf);

/// The files that the command line names, and those of `depends`; where nothing is said there, what a named script may import: the
/// files with its ending beside and below it.
///
/// # Errors
/// When something of `depends` cannot be read.
pub(super) fn files(plan: &ScriptPlan) -> io::Result<Vec<Watched>> {
    let named = named(plan);
    let mut found: Vec<Watched> = named.iter().map(|path| (String::new(), path.clone())).collect();
    if let Some(depends) = &plan.depends {
        for name in depends {
            everything(&plan.directory.join(name), "", &mut found)?;
        }
    } else {
        let kinds: BTreeSet<(&Path, &OsStr)> = named.iter().filter_map(|path| kind(path)).collect();
        found.extend(kinds.into_iter().flat_map(|(folder, ending)| sources(folder, ending)));
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

/// The folder and the ending of a script; data and configs import nothing.
fn kind(path: &Path) -> Option<(&Path, &OsStr)> {
    path.parent().zip(path.extension()).filter(|_| is_script(path))
}

/// The file, or all files in the folder.
fn everything(path: &Path, place: &str, found: &mut Vec<Watched>) -> io::Result<()> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    if path.is_file() {
        File::open(path).map_err(named)?;
        found.push((place.to_owned(), path.to_owned()));
    } else if path.is_dir() {
        for name in names(path).map_err(named)? {
            let below = path.join(&name);
            // A link to a folder may lead back here.
            if !(below.is_symlink() && below.is_dir()) {
                everything(&below, &format!("{place}/{}", name.display()), found)?;
            }
        }
    }
    Ok(())
}

/// The files with this ending in and below the folder, but for what is installed there rather than written.
fn sources(root: &Path, ending: &OsStr) -> Vec<Watched> {
    let mut found = Vec::new();
    let mut beside = 0;
    let mut looked_at = 0;
    let mut folders = VecDeque::from([(String::new(), root.to_owned())]);
    while let Some((place, folder)) = folders.pop_front() {
        let names = names(&folder).unwrap_or_default();
        let holds = |name: &str| names.iter().any(|other| other == name);
        if folder != root && (holds("pyvenv.cfg") || holds("conda-meta")) {
            continue;
        }
        looked_at += names.len();
        for name in names {
            let (below, place) = (folder.join(&name), format!("{place}/{}", name.display()));
            if below.extension() == Some(ending) && below.is_file() {
                if File::open(&below).is_ok() {
                    found.push((place, below));
                }
            } else if below.is_dir() && !below.is_symlink() && name != "site-packages" && name != "node_modules" {
                folders.push_back((place, below));
            }
        }
        if folder == root {
            beside = found.len();
        }
        if looked_at > MOST_NAMES {
            found.truncate(beside);
            break;
        }
    }
    found
}

/// What is in a folder, in order, but for what is hidden, what Python leaves there by itself, and the reports of this program: they
/// would make each run another script's.
fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    let mut names: Vec<_> = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>()?;
    // The journal is there before the first trial. Beside it may lie what is not ours.
    let holds_reports = names.iter().any(|name| name == files::JOURNAL);
    let is_ours = |name: &OsString| holds_reports && files::ALL.iter().any(|ours| name == ours);
    names.retain(|name| !name.as_encoded_bytes().starts_with(b".") && name != "__pycache__" && !is_ours(name));
    names.sort();
    Ok(names)
}
