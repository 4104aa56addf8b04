//! The real program, run in a folder of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A quadratic whose threshold under plain SGD is 2 / 20 = 0.1.
pub const QUADRATIC: &str = "[data]\nkind = \"synthetic\"\nproblem = \"quadratic\"\ncurvatures = [20.0, 2.0, 0.5]\n";

/// The handwritten digits that the examples use.
pub fn digits() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/digits-mlp.toml")
}

/// An empty folder that the program is run in.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The program, ready to be given arguments; blind to the settings of whoever runs the tests.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lrfind"));
        command.current_dir(self.0.path()).env_remove("GITHUB_WORKSPACE").env_remove("GITHUB_STEP_SUMMARY");
        command
    }

    /// Runs the program with the words of `arguments`.
    pub fn lrfind(&self, arguments: &str) -> Ran {
        Ran::of(&self.command().args(arguments.split_whitespace()).output().unwrap())
    }

    /// Runs the program on the digits.
    pub fn on_digits(&self, command: &str, arguments: &str) -> Ran {
        Ran::of(&self.command().arg(command).arg(digits()).args(arguments.split_whitespace()).output().unwrap())
    }

    /// The report in this folder's `dir`.
    pub fn report(&self, dir: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.path(dir).join("report.json")).unwrap()).unwrap()
    }

    /// Name and content of every file in this folder's `dir`.
    pub fn files(&self, dir: &str) -> BTreeMap<String, Vec<u8>> {
        let entries = std::fs::read_dir(self.path(dir)).unwrap().map(Result::unwrap);
        entries.map(|e| (e.file_name().into_string().unwrap(), std::fs::read(e.path()).unwrap())).collect()
    }
}

/// What a run of the program left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Expects this exit code, and no panic in any case.
    #[track_caller]
    pub fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(!self.stderr.contains("panicked") && !self.stderr.contains("internal error, please"), "{self:#?}");
        self
    }

    /// Expects all of these on standard error.
    #[track_caller]
    pub fn complains_of(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "no {part:?} in {self:#?}");
        }
        self
    }
}
