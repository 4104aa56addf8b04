//! What the trials are shown at each step. It depends on a trial's seed alone, so trials at different rates are paired.

mod examples;

use super::augment::Augment;
use super::data::Dataset;
use super::random::{self, Purpose};
use examples::Examples;

/// Most examples in the probe set: enough for a steady loss, and no dearer than a few mini-batches.
const PROBE_EXAMPLES: usize = 256;

/// Examples evaluated at once: more would not be faster, and would need more memory.
pub(crate) const CHUNK_EXAMPLES: usize = 512;

/// What all lanes are shown at one step.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    /// Examples per lane.
    pub(crate) examples: usize,
    /// `[lanes × examples × features]`, or `[examples × features]` that all lanes share. Empty for a quadratic.
    pub(crate) inputs: Vec<f32>,
    /// Laid out like the inputs; as many for each example as the data has.
    pub(crate) targets: Targets,
    /// What dropout draws from in a training step; `None` outside of training.
    pub(crate) draws: Option<Draws>,
}

/// Decides the random numbers that the layers of each trial draw in one training step.
#[derive(Debug, Clone)]
pub(crate) struct Draws {
    /// Each lane's seed.
    pub(crate) seeds: Vec<u64>,
    /// The step, counted from 0.
    pub(crate) step: u64,
    /// Which part of the batch this is, counted from 0, where it is computed in several.
    pub(crate) part: u64,
}

/// What the outputs are compared with.
#[derive(Debug, Clone)]
pub(crate) enum Targets {
    /// The right class of each example.
    Classes(Vec<u32>),
    /// The right value of each output; a quadratic's centre.
    Values(Vec<f32>),
}

/// Where batches come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// Mini-batches of a training set.
    Examples {
        /// The whole set.
        all: Examples,
        /// Examples in a mini-batch; `None` for the whole set at every step.
        batch_size: Option<usize>,
        /// What is done to images that are trained on, but not to the probe set.
        augment: Option<Augment>,
    },
    /// The centre of a quadratic, drawn anew at every step.
    Jitter {
        /// Numbers in a centre.
        dimensions: usize,
        /// Their standard deviation.
        noise: f64,
    },
}

impl Source {
    /// Mini-batches of `batch_size` examples; 0 for the whole set.
    pub(crate) fn examples(data: Dataset, batch_size: usize) -> Self {
        Self::Examples { all: Examples::new(data), batch_size: (batch_size > 0).then_some(batch_size), augment: None }
    }

    /// The same, but with images changed before they are trained on.
    pub(crate) fn augmented(mut self, by: Option<Augment>) -> Self {
        if let Self::Examples { augment, .. } = &mut self {
            *augment = by;
        }
        self
    }

    /// The probe set, shared by all lanes: up to 256 training examples, the same for every trial; a quadratic's resting centre.
    pub(crate) fn probe(&self) -> Batch {
        match self {
            Self::Examples { all, .. } => {
                let order = random::shuffled(all.count, &mut random::stream(0, Purpose::Probe, 0));
                all.shared(order[..all.count.min(PROBE_EXAMPLES)].iter().map(|&row| row as usize))
            }
            Self::Jitter { dimensions, .. } => {
                Batch { examples: 1, inputs: Vec::new(), targets: Targets::Values(vec![0.0; *dimensions]), draws: None }
            }
        }
    }

    /// All of it, in pieces that all lanes share; a quadratic's resting centre.
    pub(crate) fn chunks(&self) -> Box<dyn Iterator<Item = Batch> + '_> {
        match self {
            Self::Examples { all, .. } => Box::new(
                (0..all.count).step_by(CHUNK_EXAMPLES).map(|start| all.shared(start..(start + CHUNK_EXAMPLES).min(all.count))),
            ),
            Self::Jitter { .. } => Box::new(std::iter::once(self.probe())),
        }
    }

    /// The batches for trials with these seeds, from the first step on.
    pub(crate) fn feed(&self, seeds: Vec<u64>) -> Feed<'_> {
        Feed { source: self, seeds, orders: Vec::new(), step: 0 }
    }
}

/// The batches of trials under way, one step after the other.
#[derive(Debug)]
pub(crate) struct Feed<'a> {
    source: &'a Source,
    seeds: Vec<u64>,
    orders: Vec<Order>,
    step: u64,
}

/// The order in which the trials of one seed see the examples in one epoch.
#[derive(Debug)]
struct Order {
    seed: u64,
    epoch: u64,
    rows: Vec<u32>,
}

impl Feed<'_> {
    /// The next batch of every lane.
    pub(crate) fn next(&mut self) -> Batch {
        let step = self.step;
        self.step += 1;
        let batch = match self.source {
            Source::Examples { all, batch_size: None, augment: None } => all.shared(0..all.count),
            Source::Examples { all, batch_size, augment } => {
                self.mini_batch(all, batch_size.unwrap_or(all.count), augment.as_ref(), step)
            }
            Source::Jitter { dimensions, noise } => self.centres(*dimensions, *noise, step),
        };
        Batch { draws: Some(Draws { seeds: self.seeds.clone(), step, part: 0 }), ..batch }
    }

    /// The next batch of every lane in at most so many parts, each with its share of every lane's examples.
    pub(crate) fn next_in_parts(&mut self, parts: usize) -> Vec<Batch> {
        let batch = self.next();
        match self.source {
            Source::Examples { all, batch_size, augment } if parts > 1 => {
                // A whole set that is not augmented is shared by all lanes.
                let lanes = if batch_size.is_none() && augment.is_none() { 1 } else { self.seeds.len() };
                let size = batch.examples.div_ceil(parts);
                let starts = (0..batch.examples).step_by(size);
                let part = |(number, start): (u64, usize)| {
                    let draws = batch.draws.clone().map(|draws| Draws { part: number, ..draws });
                    Batch { draws, ..all.part(&batch, lanes, start..(start + size).min(batch.examples)) }
                };
                (0..).zip(starts).map(part).collect()
            }
            _ => vec![batch],
        }
    }

    /// Goes on with the batch of step `step`.
    pub(crate) fn seek(&mut self, step: u64) {
        self.step = step;
    }

    /// Forgets the lanes whose flag is false.
    pub(crate) fn retain(&mut self, lanes: &[bool]) {
        let mut flags = lanes.iter();
        self.seeds.retain(|_| flags.next() == Some(&true));
    }

    /// An epoch's incomplete last batch is left out: a batch of odd size has a noise of its own.
    fn mini_batch(&mut self, all: &Examples, size: usize, augment: Option<&Augment>, step: u64) -> Batch {
        let per_epoch = (all.count / size).max(1) as u64;
        let (epoch, start) = (step / per_epoch, (step % per_epoch) as usize * size);
        let mut batch = all.empty(size * self.seeds.len());
        batch.examples = size;
        for (lane, &seed) in self.seeds.iter().enumerate() {
            if let Some(twin) = self.seeds[..lane].iter().position(|&earlier| earlier == seed) {
                all.repeat(twin, &mut batch);
            } else {
                let rows = order(&mut self.orders, seed, epoch, all.count);
                let before = batch.inputs.len();
                all.gather(rows[start..start + size].iter().map(|&row| row as usize), &mut batch);
                if let Some(augment) = augment {
                    augment.apply(&mut batch.inputs[before..], &mut random::stream(seed, Purpose::Augment, step));
                }
            }
        }
        batch
    }

    fn centres(&self, dimensions: usize, noise: f64, step: u64) -> Batch {
        let mut centres = Vec::with_capacity(dimensions * self.seeds.len());
        for &seed in &self.seeds {
            let mut rng = random::stream(seed, Purpose::Jitter, step);
            centres.extend((0..dimensions).map(|_| (noise * random::standard_normal(&mut rng)) as f32));
        }
        Batch { examples: 1, inputs: Vec::new(), targets: Targets::Values(centres), draws: None }
    }
}

/// The seed's order in this epoch, kept from step to step.
fn order(orders: &mut Vec<Order>, seed: u64, epoch: u64, examples: usize) -> &[u32] {
    let shuffle = || random::shuffled(examples, &mut random::stream(seed, Purpose::Order, epoch));
    let index = if let Some(index) = orders.iter().position(|order| order.seed == seed) {
        if orders[index].epoch != epoch {
            orders[index] = Order { seed, epoch, rows: shuffle() };
        }
        index
    } else {
        orders.push(Order { seed, epoch, rows: shuffle() });
        orders.len() - 1
    };
    &orders[index].rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AugmentPlan;
    use crate::task::data::{self, ExampleShape};

    /// Examples that carry their own number, from 0.
    fn numbered(count: u16, batch_size: usize) -> Source {
        let numbers: Vec<f32> = (0..count).map(f32::from).collect();
        let (shape, inputs) = (ExampleShape::Flat, numbers.clone().into());
        Source::examples(Dataset { features: 1, shape, inputs, targets: data::Targets::Values(numbers) }, batch_size)
    }

    fn source(batch_size: usize) -> Source {
        numbered(23, batch_size)
    }

    #[test]
    fn an_epoch_shows_each_example_once_and_leaves_the_odd_batch_out() {
        let source = source(5);
        let mut feed = source.feed(vec![9]);
        let mut epochs = Vec::new();
        for _ in 0..2 {
            let epoch: Vec<f32> = (0..4).flat_map(|_| feed.next().inputs).collect();
            let mut seen = epoch.clone();
            seen.sort_by(f32::total_cmp);
            seen.dedup();
            assert_eq!(seen.len(), 20, "{epoch:?}");
            epochs.push(epoch);
        }
        assert_ne!(epochs[0], epochs[1], "each epoch has an order of its own");
    }

    #[test]
    fn a_lane_sees_what_its_seed_says_whoever_is_beside_it() {
        let source = source(5);
        let seeds = vec![1, 2, 1, 3];
        let (mut together, mut alone): (_, Vec<_>) =
            (source.feed(seeds.clone()), seeds.iter().map(|&seed| source.feed(vec![seed])).collect());
        for step in 0..9 {
            if step == 6 {
                let keep = [false, true, true, true];
                together.retain(&keep);
                alone.remove(0);
            }
            let batch = together.next();
            let expected: Vec<f32> = alone.iter_mut().flat_map(|feed| feed.next().inputs).collect();
            assert_eq!(batch.inputs, expected, "step {step}");
            let Targets::Values(values) = batch.targets else { panic!("values stay values") };
            assert_eq!(values, expected, "inputs and targets keep together");
        }
        assert_ne!(source.feed(vec![1]).next().inputs, source.feed(vec![2]).next().inputs);
    }

    /// Twenty-three images of 2 × 2 pixels, none of them 0.
    fn images(batch_size: usize) -> Source {
        let inputs: Vec<f32> = (1..=92u8).map(f32::from).collect();
        let shape = ExampleShape::Image { channels: 1, height: 2, width: 2 };
        let data = Dataset { features: 4, shape, inputs: inputs.into(), targets: data::Targets::Values(vec![0.0; 23]) };
        let augment = Augment::new(AugmentPlan { flip: true, crop: 1 }, shape).unwrap();
        Source::examples(data, batch_size).augmented(Some(augment))
    }

    #[test]
    fn augmentation_is_paired_differs_from_step_to_step_and_spares_the_probe() {
        for batch_size in [23, 0] {
            let source = images(batch_size);
            let (mut pair, mut alone, mut later) = (source.feed(vec![1, 2, 1]), source.feed(vec![2]), source.feed(vec![2]));
            let batch = pair.next();
            let lanes: Vec<&[f32]> = batch.inputs.chunks_exact(92).collect();
            assert_eq!((lanes.len(), lanes[0], lanes[1]), (3, lanes[2], &alone.next().inputs[..]));
            assert_ne!(lanes[0], lanes[1]);
            later.seek(1);
            assert_eq!(alone.next().inputs, later.next().inputs);
            assert!(batch.inputs.contains(&0.0), "shifts leave zeros");
            let mut probe = source.probe().inputs;
            probe.sort_by(f32::total_cmp);
            assert_eq!(probe, (1..=92u8).map(f32::from).collect::<Vec<_>>());
        }
    }

    #[test]
    fn parts_of_a_batch_hold_each_lanes_examples_once() {
        for (batch_size, seeds, lanes) in [(10, vec![1, 2], 2), (0, vec![1, 2], 1)] {
            let source = source(batch_size);
            let whole = source.feed(seeds.clone()).next();
            let parts = source.feed(seeds).next_in_parts(3);
            assert_eq!(parts.iter().map(|part| part.examples).sum::<usize>(), whole.examples);
            assert_eq!(parts.len(), 3);
            for lane in 0..lanes {
                let of = |batch: &Batch| batch.inputs[lane * batch.examples..(lane + 1) * batch.examples].to_vec();
                assert_eq!(parts.iter().flat_map(of).collect::<Vec<_>>(), of(&whole));
            }
            for part in parts {
                let Targets::Values(values) = &part.targets else { panic!("values stay values") };
                assert_eq!((values, part.inputs.len()), (&part.inputs, lanes * part.examples));
            }
        }
    }

    #[test]
    fn batch_size_0_is_everything_in_order() {
        let all = source(0);
        let mut feed = all.feed(vec![1, 2]);
        for _ in 0..2 {
            let batch = feed.next();
            assert_eq!((batch.examples, batch.inputs), (23, (0..23u8).map(f32::from).collect()));
        }
    }

    #[test]
    fn the_jitter_is_paired_and_has_the_stated_deviation() {
        let source = Source::Jitter { dimensions: 3, noise: 0.5 };
        let centres = |seeds: &[u64], steps: usize| -> Vec<f32> {
            let mut feed = source.feed(seeds.to_vec());
            let of = |batch: Batch| match batch.targets {
                Targets::Values(values) => values,
                Targets::Classes(_) => panic!("a centre is no class"),
            };
            (0..steps).flat_map(|_| of(feed.next())).collect()
        };
        let pair = centres(&[4, 4], 1);
        assert_eq!(pair[..3], pair[3..]);
        assert_ne!(centres(&[4], 2)[..3], centres(&[4], 2)[3..]);
        let many = centres(&[4], 4000);
        let variance = many.iter().map(|&c| f64::from(c * c)).sum::<f64>() / many.len() as f64;
        assert!((variance / 0.25 - 1.0).abs() < 0.05, "{variance}");
    }

    #[test]
    fn the_probe_set_is_part_of_the_training_set() {
        let probe = numbered(1000, 10).probe();
        let mut seen = probe.inputs.clone();
        seen.sort_by(f32::total_cmp);
        seen.dedup();
        assert_eq!((probe.examples, seen.len()), (256, 256));
        assert_eq!(source(5).probe().examples, 23);
    }
}
