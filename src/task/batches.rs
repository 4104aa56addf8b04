//! What the trials are shown at each step. It depends on a trial's seed alone, so trials at different rates are paired.

use super::data::{self, Dataset};
use super::random::{self, Purpose};

/// Most examples in the probe set: enough for a steady loss, and no dearer than a few mini-batches.
const PROBE_EXAMPLES: usize = 256;

/// Examples evaluated at once: more would not be faster, and would need more memory.
const CHUNK_EXAMPLES: usize = 512;

/// What all lanes are shown at one step.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    /// Examples per lane.
    pub(crate) examples: usize,
    /// `[lanes × examples × features]`, or `[examples × features]` that all lanes share. Empty for a quadratic.
    pub(crate) inputs: Vec<f32>,
    /// Laid out like the inputs.
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
        /// The whole set as one batch.
        all: Batch,
        /// Numbers per example.
        features: usize,
        /// Examples in a mini-batch; `None` for the whole set in its own order at every step.
        batch_size: Option<usize>,
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
        let examples = data.len();
        let targets = match data.targets {
            data::Targets::Classes { labels, .. } => Targets::Classes(labels.into_iter().map(|label| label as u32).collect()),
            data::Targets::Values(values) => Targets::Values(values),
        };
        let all = Batch { examples, inputs: data.inputs, targets, draws: None };
        Self::Examples { all, features: data.features, batch_size: (batch_size > 0).then_some(batch_size) }
    }

    /// The probe set, shared by all lanes: up to 256 training examples, the same for every trial; a quadratic's resting centre.
    pub(crate) fn probe(&self) -> Batch {
        match self {
            Self::Examples { all, features, .. } => {
                let order = random::shuffled(all.examples, &mut random::stream(0, Purpose::Probe, 0));
                let mut probe = all.empty(PROBE_EXAMPLES);
                probe.examples = all.examples.min(PROBE_EXAMPLES);
                probe.gather(all, *features, &order[..probe.examples]);
                probe
            }
            Self::Jitter { dimensions, .. } => {
                Batch { examples: 1, inputs: Vec::new(), targets: Targets::Values(vec![0.0; *dimensions]), draws: None }
            }
        }
    }

    /// All of it, in pieces that all lanes share; a quadratic's resting centre.
    pub(crate) fn chunks(&self) -> Box<dyn Iterator<Item = Batch> + '_> {
        match self {
            Self::Examples { all, features, .. } => {
                let rows: Vec<u32> = (0..all.examples as u32).collect();
                Box::new((0..all.examples).step_by(CHUNK_EXAMPLES).map(move |start| {
                    let rows = &rows[start..(start + CHUNK_EXAMPLES).min(all.examples)];
                    let mut chunk = all.empty(rows.len());
                    chunk.examples = rows.len();
                    chunk.gather(all, *features, rows);
                    chunk
                }))
            }
            Self::Jitter { .. } => Box::new(std::iter::once(self.probe())),
        }
    }

    /// The batches for trials with these seeds, from the first step on.
    pub(crate) fn feed(&self, seeds: Vec<u64>) -> Feed<'_> {
        Feed { source: self, seeds, orders: Vec::new(), step: 0 }
    }
}

impl Batch {
    /// A batch like this one with room for so many examples, but none in it.
    fn empty(&self, examples: usize) -> Self {
        let per_example = self.inputs.len() / self.examples.max(1);
        let targets = match self.targets {
            Targets::Classes(_) => Targets::Classes(Vec::with_capacity(examples)),
            Targets::Values(_) => Targets::Values(Vec::with_capacity(examples)),
        };
        Self { examples: 0, inputs: Vec::with_capacity(examples * per_example), targets, draws: None }
    }

    /// Appends these rows of `all`.
    fn gather(&mut self, all: &Self, features: usize, rows: &[u32]) {
        for &row in rows {
            let start = row as usize * features;
            self.inputs.extend_from_slice(&all.inputs[start..start + features]);
        }
        let rows = rows.iter().map(|&row| row as usize);
        match (&mut self.targets, &all.targets) {
            (Targets::Classes(own), Targets::Classes(all)) => own.extend(rows.map(|row| all[row])),
            (Targets::Values(own), Targets::Values(all)) => own.extend(rows.map(|row| all[row])),
            _ => unreachable!("`empty` makes targets of the same kind"),
        }
    }

    /// Appends the examples of an earlier lane once more.
    fn repeat(&mut self, lane: usize, features: usize) {
        let rows = lane * self.examples..(lane + 1) * self.examples;
        self.inputs.extend_from_within(rows.start * features..rows.end * features);
        match &mut self.targets {
            Targets::Classes(labels) => labels.extend_from_within(rows),
            Targets::Values(values) => values.extend_from_within(rows),
        }
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
            Source::Examples { all, batch_size: None, .. } => all.clone(),
            Source::Examples { all, features, batch_size: Some(size) } => self.mini_batch(all, *features, *size, step),
            Source::Jitter { dimensions, noise } => self.centres(*dimensions, *noise, step),
        };
        Batch { draws: Some(Draws { seeds: self.seeds.clone(), step }), ..batch }
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
    fn mini_batch(&mut self, all: &Batch, features: usize, size: usize, step: u64) -> Batch {
        let per_epoch = (all.examples / size).max(1) as u64;
        let (epoch, start) = (step / per_epoch, (step % per_epoch) as usize * size);
        let mut batch = all.empty(size * self.seeds.len());
        batch.examples = size;
        for (lane, &seed) in self.seeds.iter().enumerate() {
            if let Some(twin) = self.seeds[..lane].iter().position(|&earlier| earlier == seed) {
                batch.repeat(twin, features);
            } else {
                let rows = order(&mut self.orders, seed, epoch, all.examples);
                batch.gather(all, features, &rows[start..start + size]);
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

    /// Twenty-three examples that carry their own number.
    fn source(batch_size: usize) -> Source {
        let numbers: Vec<f32> = (0..23u8).map(f32::from).collect();
        Source::examples(
            Dataset {
                features: 1,
                shape: data::ExampleShape::Flat,
                inputs: numbers.clone(),
                targets: data::Targets::Values(numbers),
            },
            batch_size,
        )
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
        let numbers: Vec<f32> = (0..1000u16).map(f32::from).collect();
        let data = Dataset {
            features: 1,
            shape: data::ExampleShape::Flat,
            inputs: numbers.clone(),
            targets: data::Targets::Values(numbers),
        };
        let probe = Source::examples(data, 10).probe();
        let mut seen = probe.inputs.clone();
        seen.sort_by(f32::total_cmp);
        seen.dedup();
        assert_eq!((probe.examples, seen.len()), (256, 256));
        assert_eq!(source(5).probe().examples, 23);
    }
}
