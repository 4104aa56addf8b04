//! Data sets known by name: which files they are made of, where they are looked for, and where they come from.
//!
//! Nothing is downloaded. Only the training part is read: the goal is the training loss.

mod cifar;

use std::env;
use std::path::{Path, PathBuf};

use super::{Sample, Table, fault, idx};
use crate::config::KnownSet;
use crate::error::DataError;

/// The variable that names the folder of data sets.
const VARIABLE: &str = "LRFIND_DATA";

/// The training part of `set`, from `folder` or, without one, from where data sets are kept; and where that was.
pub(super) fn read(set: KnownSet, folder: Option<&Path>, sample: Sample) -> Result<(PathBuf, Table), DataError> {
    let folder = folder.map_or_else(|| kept(set), Path::to_owned);
    let table = match set {
        KnownSet::Mnist | KnownSet::FashionMnist => {
            let files = find(set, &folder, &["train-images-idx3-ubyte", "train-labels-idx1-ubyte"])?;
            idx::read(&files[0], &files[1], &sample)?
        }
        KnownSet::Cifar10 => cifar::read(&find(set, &folder, &cifar::FILES)?, sample)?,
    };
    Ok((folder, table))
}

/// The folder in which a data set is kept: `$LRFIND_DATA/<name>`, or else `~/.cache/lrfind/<name>`.
fn kept(set: KnownSet) -> PathBuf {
    let all = env::var_os(VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || env::home_dir().unwrap_or_default().join(".cache").join("lrfind");
    all.unwrap_or_else(home).join(set.name())
}

/// Where the files of these names are, plain or `.gz`: in `folder`, or in the folder that CIFAR-10 is packed in.
fn find(set: KnownSet, folder: &Path, names: &[&str]) -> Result<Vec<PathBuf>, DataError> {
    let places = [folder.to_owned(), folder.join("cifar-10-batches-bin")];
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for name in names {
        let mut candidates = places.iter().flat_map(|place| [place.join(name), place.join(format!("{name}.gz"))]);
        match candidates.find(|path| path.is_file()) {
            Some(path) => found.push(path),
            None => missing.push(*name),
        }
    }
    if missing.is_empty() {
        return Ok(found);
    }
    let message = format!(
        "the data set {} is looked for in this folder, which lacks {}: get what is missing from {} and put it here, plain or .gz, \
         or name its folder by `path` in [data], or the folder above it by the environment variable {VARIABLE}",
        set.name(),
        missing.join(", "),
        origin(set)
    );
    Err(fault(folder, None, message))
}

/// Where the files can be had.
fn origin(set: KnownSet) -> &'static str {
    match set {
        KnownSet::Mnist => "https://storage.googleapis.com/cvdf-datasets/mnist/",
        KnownSet::FashionMnist => "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        KnownSet::Cifar10 => "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz (unpack it)",
    }
}
