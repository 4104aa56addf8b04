//! The rates of a trial in a file, for scripts that can change their rate from step to step.

use std::io::{self, BufWriter, Write};

use tempfile::{NamedTempFile, TempPath};

use crate::record::TrialSpec;

/// A file that holds the rate of each step of the trial, one a line. It is there until the path is dropped.
pub(super) fn file(spec: &TrialSpec) -> io::Result<TempPath> {
    let mut file = BufWriter::new(NamedTempFile::with_prefix("lrfind-rates-")?);
    for step in 0..spec.total_iterations() {
        writeln!(file, "{}", spec.rate_at(step))?;
    }
    Ok(file.into_inner().map_err(io::IntoInnerError::into_error)?.into_temp_path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lr::LearningRate;
    use crate::record::Recovery;

    #[test]
    fn every_step_has_its_rate_and_the_file_goes_with_its_path() {
        let gentle = Recovery { learning_rate: LearningRate::new(0.01).unwrap(), iterations: 4 };
        let rate = LearningRate::new(1.0).unwrap();
        let spec = TrialSpec { warmup: 2, recovery: Some(gentle), ..TrialSpec::steady(rate, 0, 3) };
        let path = file(&spec).unwrap();
        let rates: Vec<f64> = std::fs::read_to_string(&path).unwrap().lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(rates, [0.5, 1.0, 1.0, 0.1, 0.01, 0.01, 0.01]);
        let there = path.to_path_buf();
        drop(path);
        assert!(!there.exists());
    }
}
