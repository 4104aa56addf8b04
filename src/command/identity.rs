//! What tells one script from another whose trials give other numbers.

use std::fs::File;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::config::ScriptPlan;

/// The identity of a script: a digest of its command line, its environment and how its losses are read, of the threads it is told
/// to use, and of the content of every file that the command line names. What it imports, and what it reads without being told,
/// cannot be seen from here.
///
/// `None` when a file that it names cannot be read.
pub(super) fn of(plan: &ScriptPlan, threads: usize) -> Option<String> {
    let mut digest = Sha256::new();
    let parts = (&plan.run, plan.shell, &plan.environment, &plan.loss, plan.stream, &plan.diverged, threads);
    digest.update(serde_json::to_vec(&parts).ok()?);
    for word in plan.run.iter().map(ToString::to_string) {
        // A word of a shell's may be a whole command line.
        for name in word.split([' ', '\t', '\n', '\'', '"', ';', '=']).filter(|name| !name.is_empty()) {
            file(&mut digest, &plan.directory.join(name)).ok()?;
        }
    }
    let hex = digest.finalize().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    Some(format!("script {hex}"))
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
            Config::Command(plan) => of(&plan.command, 1).unwrap(),
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
}
