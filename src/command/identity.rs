//! What tells one script from another whose trials give other numbers.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use sha2::{Digest, Sha256};

use super::watched::Watched;
use crate::config::ScriptPlan;
use crate::digest::hex;

/// The identity of a script: a digest of its command line, its environment and how its losses are read, of its `surroundings`
/// such as the number of threads, and of its `files`.
pub(super) fn of(plan: &ScriptPlan, surroundings: &BTreeMap<String, String>, files: &str) -> Option<String> {
    let parts = (&plan.run, plan.shell, &plan.environment, &plan.loss, plan.stream, &plan.diverged, surroundings);
    let mut digest = Sha256::new();
    digest.update(serde_json::to_vec(&(parts, &plan.send, files)).ok()?);
    Some(format!("script {}", hex(&digest.finalize())))
}

/// A digest of what the `watched` files hold. What else the script imports and reads cannot be seen from here.
///
/// `None` when a file cannot be read.
pub(super) fn of_files(watched: &[Watched]) -> Option<String> {
    let mut digest = Sha256::new();
    for (place, path) in watched {
        digest.update(place);
        digest.update([0]);
        let mut file = File::open(path).ok()?;
        digest.update(file.metadata().ok()?.len().to_le_bytes());
        io::copy(&mut file, &mut Writer(&mut digest)).ok()?;
    }
    Some(hex(&digest.finalize()))
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
    use crate::command::watched;
    use crate::config::{Config, parse_any};
    use crate::files;

    fn identity(folder: &Path, run: &str, rest: &str) -> String {
        let text = format!("[command]\nrun = {run}\n{rest}");
        match parse_any(&text, &folder.join("x.toml")).unwrap() {
            Config::Command(plan) => {
                let watched = watched::files(&plan.command).unwrap();
                of(&plan.command, &BTreeMap::new(), &of_files(&watched).unwrap()).unwrap()
            }
            Config::Model(_) => panic!("no command: {text}"),
        }
    }

    /// Writes a file, and makes its folders.
    fn write(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
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
    fn what_a_script_may_import_is_part_of_it_where_nothing_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| write(folder.path(), name, text);
        write("src/train.py", "import model");
        let own = |rest: &str| identity(folder.path(), "[\"python\", \"src/train.py\", \"{lr}\"]", rest);
        let (first, alone) = (own(""), own("depends = [\"src/train.py\"]\n"));
        for ignored in
            ["top.py", "src/notes.txt", "src/.cache/x.py", "src/venv/pyvenv.cfg", "src/venv/lib/x.py", "src/__pycache__/x.py"]
        {
            write(ignored, "1");
            assert_eq!(own(""), first, "{ignored}");
        }
        let mut seen = vec![first];
        for (name, text) in [("src/model.py", "1"), ("src/model.py", "2"), ("src/layers/deep/gate.py", "1")] {
            write(name, text);
            seen.push(own(""));
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 4);
        assert_eq!(own("depends = [\"src/train.py\"]\n"), alone, "it was told that there is nothing else");
    }

    #[test]
    fn data_on_the_command_line_import_nothing_and_a_script_in_its_environment_does() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| std::fs::write(folder.path().join(name), "1").unwrap();
        let own = || identity(folder.path(), "[\"python\", \"train.py\", \"x.json\", \"{lr}\"]", "");
        for name in ["train.py", "x.json", "pyvenv.cfg"] {
            write(name);
        }
        let first = own();
        write("other.json");
        assert_eq!(own(), first);
        write("model.py");
        assert_ne!(own(), first, "it lies beside the script, whatever else does");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("train.sh"), "1").unwrap();
        let own = || identity(folder.path(), "[\"sh\", \"train.sh\", \"{lr}\"]", "depends = [\".\"]\n");
        let first = own();
        std::os::unix::fs::symlink("nowhere", folder.path().join("dangling")).unwrap();
        // Opened, it would wait for somebody to write.
        let pipe = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status();
        assert!(pipe.is_ok_and(|status| status.success()));
        assert_eq!(own(), first);
    }

    #[test]
    fn reports_are_not_what_a_script_depends_on() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| write(folder.path(), name, text);
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
