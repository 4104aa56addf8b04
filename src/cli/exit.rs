//! The exit codes: stable, and each the sign of one thing only.

use std::process::ExitCode;

use lrfind::report::comparison::{Answer as Moved, Comparison};
use lrfind::report::range_test::RangeTest;
use lrfind::report::verification::{Answer, Verification};
use lrfind::report::{CheckVerdict, Report, Status};

use super::args::{FailOn, MovedOn};

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done: `find` recommends a rate, `check` says that the rate is safe, the rates of `verify` are stable, those of `compare` did
    /// not fall, or the file is written.
    Done = 0,
    /// The verdict of `check` is unstable or too close, as `--fail-on` has it, or full runs of `verify` are unstable at the
    /// recommended or the configured rate, or `compare` finds that the rates moved, as its `--fail-on` has it. Nothing else ends with
    /// this code, so a CI job can trust it.
    Verdict = 1,
    /// Wrong usage, config or data, a file that cannot be read or written, or an error inside lrfind, a panic included.
    Error = 2,
    /// Inconclusive: `find` or `analyze` has no rate to recommend, `check`, `verify` or `compare` cannot tell, or no rule of `sweep`
    /// suggests a rate.
    Inconclusive = 3,
    /// Interrupted by Ctrl-C or a termination signal; the partial report is written, marked so.
    Interrupted = 130,
}

/// The codes as the help shows them.
pub(crate) const HELP: &str = "\
Exit codes:
  0    safe, stable, or done
  1    check: the learning rate is unstable or too close to it (see --fail-on); verify: full runs at it are;
       compare: the threshold or the recommendation fell; nothing else ends with 1
  2    wrong usage, config or data; a file that cannot be read or written; an internal error
  3    inconclusive: find or analyze has no rate to recommend, check, verify or compare cannot tell, or no rule of sweep
       suggests a rate
  130  interrupted; the partial report is written";

impl Exit {
    /// For the report of a `find` or an `analyze`.
    pub(crate) fn of_find(report: &Report) -> Self {
        match report.status {
            Status::Partial => Self::Interrupted,
            Status::Complete if report.recommendation.learning_rate.is_some() => Self::Done,
            Status::Complete => Self::Inconclusive,
        }
    }

    /// For a range test.
    pub(crate) fn of_sweep(test: &RangeTest) -> Self {
        match test.status {
            Status::Partial => Self::Interrupted,
            Status::Complete if test.has_suggestion() => Self::Done,
            Status::Complete => Self::Inconclusive,
        }
    }

    /// For a verification.
    pub(crate) fn of_verify(verification: &Verification) -> Self {
        match (verification.status, verification.verdict.answer) {
            (Status::Partial, _) => Self::Interrupted,
            (Status::Complete, Answer::Held | Answer::Behind) => Self::Done,
            (Status::Complete, Answer::Unstable) => Self::Verdict,
            (Status::Complete, Answer::Inconclusive) => Self::Inconclusive,
        }
    }

    /// For a comparison.
    pub(crate) fn of_compare(comparison: &Comparison, fail_on: MovedOn) -> Self {
        match comparison.answer {
            Moved::Fell => Self::Verdict,
            Moved::Rose if fail_on == MovedOn::Move => Self::Verdict,
            Moved::Unchanged | Moved::Rose => Self::Done,
            Moved::Inconclusive => Self::Inconclusive,
        }
    }

    /// For the report of a `check`. `exit_zero` turns a verdict into success, whatever it is.
    pub(crate) fn of_check(report: &Report, fail_on: FailOn, exit_zero: bool) -> Self {
        if report.status == Status::Partial {
            return Self::Interrupted;
        }
        match report.check.as_ref().map(|check| check.verdict) {
            _ if exit_zero => Self::Done,
            Some(CheckVerdict::Safe) => Self::Done,
            Some(CheckVerdict::Marginal) if fail_on == FailOn::Unstable => Self::Done,
            Some(CheckVerdict::Marginal | CheckVerdict::Unstable) => Self::Verdict,
            Some(CheckVerdict::Inconclusive) | None => Self::Inconclusive,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
