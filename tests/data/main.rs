//! Reads real files, good and bad, through the library's front door.

mod arrays;
mod images;
mod parquet;
mod share;
mod tables;
mod text;

use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use lrfind::config::{DataPlan, PreparePlan};
use lrfind::error::DataError;
use lrfind::task::data::{Dataset, Split, Targets, load};
use tempfile::TempDir;

/// A folder with one file in it.
struct Folder(TempDir);

impl Folder {
    fn with(content: impl AsRef<[u8]>) -> Self {
        let folder = Self(TempDir::new().unwrap());
        folder.add("file", content);
        folder
    }

    fn add(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("file")
    }
}

/// Examples as they were read.
const UNTOUCHED: PreparePlan =
    PreparePlan { standardize: false, held_out: 0.0, split_seed: 0, label_noise: 0.0, share: 1.0, augment: None };

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn labels(data: &Dataset) -> &[u32] {
    match &data.targets {
        Targets::Classes { labels, .. } => labels,
        Targets::Values(_) => panic!("not classes"),
    }
}

fn values(data: &Dataset) -> &[f32] {
    match &data.targets {
        Targets::Values(values) => values,
        Targets::Classes { .. } => panic!("not values"),
    }
}

/// The inputs of all examples.
fn numbers(data: &Dataset) -> Vec<f32> {
    (0..data.len()).flat_map(|i| data.row(i)).collect()
}

/// The line and message of the error.
fn refusal(plan: &DataPlan) -> (Option<u64>, String) {
    let error = load(plan).expect_err("this data must be refused");
    (error.line, error.message)
}

#[track_caller]
fn assert_refused((line, message): (Option<u64>, String), expected_line: Option<u64>, words: &[&str]) {
    assert_eq!(line, expected_line, "{message}");
    for word in words {
        assert!(message.contains(word), "{word:?} is not in: {message}");
    }
}

/// Whatever loads must be whole.
fn check_loaded(outcome: &Result<Split, DataError>) {
    for part in outcome.iter().flat_map(|split| [&split.train, &split.held_out]) {
        assert_eq!(part.inputs.len(), part.len() * part.features);
        assert!(numbers(part).iter().all(|x| x.is_finite()));
        if let Targets::Classes { labels, classes } = &part.targets {
            assert!(labels.iter().all(|&l| (l as usize) < *classes));
        }
    }
}
