//! The examples that batches are made of.

use std::ops::Range;

use super::super::data::{self, Dataset, Inputs};
use super::{Batch, Targets};

/// Examples to make batches of.
#[derive(Debug)]
pub(crate) struct Examples {
    /// How many there are.
    pub(super) count: usize,
    /// Numbers per example.
    features: usize,
    /// Targets per example: more than one where each character of a text has its own.
    answers: usize,
    inputs: Inputs,
    targets: Targets,
}

impl Examples {
    /// All of `data`.
    pub(super) fn new(data: Dataset) -> Self {
        let count = data.len();
        let answers = data.targets.len().checked_div(count).unwrap_or(0);
        let targets = match data.targets {
            data::Targets::Classes { labels, .. } => Targets::Classes(labels),
            data::Targets::Values(values) => Targets::Values(values),
        };
        Self { count, features: data.features, answers, inputs: data.inputs, targets }
    }

    /// A batch without examples, but with room for so many.
    pub(super) fn empty(&self, room: usize) -> Batch {
        let targets = match self.targets {
            Targets::Classes(_) => Targets::Classes(Vec::with_capacity(room * self.answers)),
            Targets::Values(_) => Targets::Values(Vec::with_capacity(room * self.answers)),
        };
        Batch { examples: 0, inputs: Vec::with_capacity(room * self.features), targets, draws: None }
    }

    /// These rows as a batch that all lanes share.
    pub(super) fn shared(&self, rows: impl ExactSizeIterator<Item = usize>) -> Batch {
        let mut batch = self.empty(rows.len());
        batch.examples = rows.len();
        self.gather(rows, &mut batch);
        batch
    }

    /// Appends these rows to `batch`, whose number of examples is the caller's to set.
    pub(super) fn gather(&self, rows: impl Iterator<Item = usize>, batch: &mut Batch) {
        for row in rows {
            self.inputs.append(row, self.features, &mut batch.inputs);
            let own = row * self.answers..(row + 1) * self.answers;
            match (&mut batch.targets, &self.targets) {
                (Targets::Classes(shown), Targets::Classes(all)) => shown.extend_from_slice(&all[own]),
                (Targets::Values(shown), Targets::Values(all)) => shown.extend_from_slice(&all[own]),
                _ => unreachable!("`empty` makes targets of the same kind"),
            }
        }
    }

    /// The same examples of every lane of `batch`, which has so many lanes.
    pub(super) fn part(&self, batch: &Batch, lanes: usize, own: Range<usize>) -> Batch {
        let mut part = self.empty(own.len() * lanes);
        part.examples = own.len();
        for lane in 0..lanes {
            let rows = lane * batch.examples + own.start..lane * batch.examples + own.end;
            part.inputs.extend_from_slice(&batch.inputs[rows.start * self.features..rows.end * self.features]);
            let answers = rows.start * self.answers..rows.end * self.answers;
            match (&mut part.targets, &batch.targets) {
                (Targets::Classes(own), Targets::Classes(all)) => own.extend_from_slice(&all[answers]),
                (Targets::Values(own), Targets::Values(all)) => own.extend_from_slice(&all[answers]),
                _ => unreachable!("`empty` makes targets of the same kind"),
            }
        }
        part
    }

    /// Appends the examples of an earlier lane once more.
    pub(super) fn repeat(&self, lane: usize, batch: &mut Batch) {
        let rows = lane * batch.examples..(lane + 1) * batch.examples;
        batch.inputs.extend_from_within(rows.start * self.features..rows.end * self.features);
        let answers = rows.start * self.answers..rows.end * self.answers;
        match &mut batch.targets {
            Targets::Classes(labels) => labels.extend_from_within(answers),
            Targets::Values(values) => values.extend_from_within(answers),
        }
    }
}
