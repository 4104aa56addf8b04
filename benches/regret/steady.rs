//! A task whose trials keep their rate and always begin anew, as those of a script do that takes one rate and no more.

use lrfind::error::TrialError;
use lrfind::record::TrialSpec;
use lrfind::trial::{Objective, Run};

pub(crate) struct Steady<'a>(pub(crate) &'a dyn Objective);

impl Objective for Steady<'_> {
    fn max_lanes(&self) -> usize {
        self.0.max_lanes()
    }

    fn can_change_rate(&self) -> bool {
        false
    }

    fn identity(&self) -> Option<String> {
        self.0.identity()
    }

    fn start(&self, specs: &[TrialSpec]) -> Result<Box<dyn Run + '_>, TrialError> {
        self.0.start(specs)
    }
}
