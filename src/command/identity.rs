//! What tells one script from another whose trials give other numbers.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::config::ScriptPlan;
use crate::digest::hex;
use crate::files;

/// The identity of a script: a digest of its command line, its environment and how its losses are read, of its `surroundings`
/// such as the number of threads, and of its `files`.
pub(super) fn of(plan: &ScriptPlan, surroundings: &BTreeMap<String, String>, files: &str) -> Option<String> {
    let parts = (&plan.run, plan.shell, &plan.environment, &plan.loss, plan.stream, &plan.diverged, surroundings);
    let mut digest = Sha256::new();
    digest.update(serde_json::to_vec(&(parts, &plan.send, files)).ok()?);
    Some(format!("script {}", hex(&digest.finalize())))
}

/// A digest of the content of every file that the command line names and of all that it is said to depend on. What else it imports
/// and reads cannot be seen from here.
///
/// `None` when a file cannot be read.
pub(super) fn of_files(plan: &ScriptPlan) -> Option<String> {
    let mut digest = Sha256::new();
    for word in plan.run.iter().map(ToString::to_string) {
        // A word of a shell's may be a whole command line.
        for name in word.split([' ', '\t', '\n', '\'', '"', ';', '=']).filter(|name| !name.is_empty()) {
            file(&mut digest, &plan.directory.join(name)).ok()?;
        }
    }
    for name in &plan.depends {
        everything(&mut digest, &plan.directory.join(name), "").ok()?;
    }
    Some(hex(&digest.finalize()))
}

/// Digests the length and the content of the file, if it is one.
fn file(digest: &mut Sha256, path: &Path) -> io::Result<()> {
    if path.is_file() {
        let mut file = File::open(path)?;
        digest.update(file.metadata()?.len().to_le_bytes());
        io::copy(&mut file, &mut Writer(digest))?;
    }
    Ok(())
}

/// Digests the file, or place and content of all files in the folder, `place` within what was named, but for what is hidden, what
/// Python leaves there by itself, and the reports of this program: they would make each run another script's.
fn everything(digest: &mut Sha256, path: &Path, place: &str) -> io::Result<()> {
    if !path.is_dir() {
        digest.update(place);
        digest.update([0]);
        return file(digest, path);
    }
    let mut names: Vec<_> = fs::read_dir(path)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>()?;
    // The journal is there before the first trial. Beside it may lie what is not ours.
    let holds_reports = names.iter().any(|name| name == files::JOURNAL);
    let is_ours = |name: &OsString| holds_reports && files::ALL.iter().any(|ours| name == ours);
    names.retain(|name| !name.as_encoded_bytes().starts_with(b".") && name != "__pycache__" && !is_ours(name));
    names.sort();
    for name in names {
        let below = path.join(&name);
        // A link to a folder may lead back here.
        if !(below.is_symlink() && below.is_dir()) {
            everything(digest, &below, &format!("{place}/{}", name.display()))?;
        }
    }
    Ok(())
}

struct Writer<'a>(&'a mut Sha256);

impl io::Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Config, parse_any};

    fn identity(folder: &Path, run: &str, rest: &str) -> String {
        let text = format!("[command]\nrun = {run}\n{rest}");
        match parse_any(&text, &folder.join("x.toml")).unwrap() {
            Config::Command(plan) => of(&plan.command, &BTreeMap::new(), &of_files(&plan.command).unwrap()).unwrap(),
            Config::Model(_) => panic!("no command: {text}"),
        }
    }

    #[test]
    fn only_what_can_change_the_numbers_changes_it() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("train.py");
        std::fs::write(&script, "one").unwrap();
        let run = "[\"python\", \"train.py\", \"{lr}\"]";
        let own = identity(folder.path(), run, "");
        for same in ["timeout = 5\njobs = 3\n", "step-timeout = 9\n", "[search]\nseeds = 5\n", "[training]\niterations = 9\n"] {
            assert_eq!(identity(folder.path(), run, same), own, "{same}");
        }
        let mut seen = vec![own.clone()];
        for (run, rest) in [
            ("[\"python3\", \"train.py\", \"{lr}\"]", ""),
            (run, "environment = { A = \"1\" }\n"),
            (run, "loss = \"json\"\n"),
            (run, "stream = \"both\"\n"),
            (run, "diverged = [\"a\"]\n"),
            ("\"python 'train.py' {lr}\"", "shell = true\n"),
        ] {
            seen.push(identity(folder.path(), run, rest));
        }
        std::fs::write(&script, "two").unwrap();
        seen.push(identity(folder.path(), run, ""));
        seen.push(identity(folder.path(), "\"python 'train.py' {lr}\"", "shell = true\n"));
        let count = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), count);
        std::fs::write(&script, "one").unwrap();
        assert_eq!(identity(folder.path(), run, ""), own);
    }

    #[test]
    fn what_a_script_depends_on_is_part_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        for name in ["lib/deep", "lib/__pycache__", "lib/.git"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        write("data.csv", "1");
        write("lib/deep/model.py", "1");
        let own = || identity(folder.path(), "[\"train\", \"{lr}\"]", "depends = [\"data.csv\", \"lib\"]\n");
        let first = own();
        std::fs::create_dir(folder.path().join("lib/empty")).unwrap();
        for ignored in ["lib/__pycache__/model.pyc", "lib/.git/HEAD", "other.csv"] {
            write(ignored, "1");
            assert_eq!(own(), first, "{ignored}");
        }
        let mut seen = vec![first.clone()];
        for (name, text) in [("data.csv", "2"), ("lib/deep/model.py", "2"), ("lib/deep/more.py", "")] {
            write(name, text);
            seen.push(own());
        }
        std::fs::rename(folder.path().join("lib/deep/more.py"), folder.path().join("lib/deep/less.py")).unwrap();
        seen.push(own());
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 5);
    }

    #[test]
    fn reports_are_not_what_a_script_depends_on() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let own = || identity(folder.path(), "[\"train\", \"{lr}\"]", "depends = [\".\"]\n");
        write("model.py", "1");
        let first = own();
        for folder in ["reports/x", "reports/x-check", "."] {
            for name in files::ALL {
                write(&format!("{folder}/{name}"), name);
            }
            assert_eq!(own(), first, "{folder}");
        }
        let mut seen = vec![first];
        for name in ["model.py", "reports/x/other.json", "images/schedule.png"] {
            write(name, "2");
            seen.push(own());
        }
        // Without a journal beside it, it is somebody else's.
        write("data/report.json", "1");
        seen.push(own());
        write("data/report.json", "2");
        seen.push(own());
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 6);
    }
}
