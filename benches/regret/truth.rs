//! What hindsight knows: full runs at a dense grid of rates.

use lrfind::lr::{LearningRate, significant};

use crate::figures::{Answer, Costs, Hindsight, Row};
use crate::runs::FullRuns;

/// Digits kept of a cost: single precision holds no more.
pub(crate) const DIGITS: usize = 7;

/// Rates a decade of the dense grid.
const DENSITY: i32 = 8;
/// Steps of the dense grid between rates of the coarse one, and its ends: 10⁻⁶ and 10².
const COARSE: i32 = 4;
const COARSE_ENDS: (i32, i32) = (-6 * DENSITY, 2 * DENSITY);
/// Steps of the dense grid below and above the best coarse rate.
const BELOW: i32 = 8;
const ABOVE: i32 = 12;
/// No grid reaches beyond these steps: 10⁻¹⁰ and 10⁵.
const ENDS: (i32, i32) = (-10 * DENSITY, 5 * DENSITY);

pub(crate) struct Truth<'a> {
    runs: FullRuns<'a>,
    /// Full runs at each rate.
    pub(crate) seeds: u64,
    /// Half decades, run with one seed each; ascending.
    coarse: Vec<LearningRate>,
    /// Eighths of decades, run with all seeds; ascending.
    pub(crate) grid: Vec<LearningRate>,
    best: LearningRate,
    pub(crate) costs: Costs,
}

/// What full runs at one rate came to, over all seeds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) cost: f64,
    pub(crate) unstable: u64,
    /// Runs whose cost is, at some time after the first tenth, above the initial one.
    pub(crate) violent: u64,
    pub(crate) held_out: Option<f64>,
    pub(crate) reached: Option<u64>,
}

impl<'a> Truth<'a> {
    /// Runs half decades with one seed, then eighths with all seeds around the best and up to instability.
    pub(crate) fn explore(mut runs: FullRuns<'a>, seeds: u64) -> Self {
        let at = |eighths: i32| LearningRate::from_log10(f64::from(eighths) / f64::from(DENSITY));
        let steps: Vec<i32> = (COARSE_ENDS.0..=COARSE_ENDS.1).step_by(COARSE as usize).collect();
        let coarse: Vec<LearningRate> = steps.iter().map(|&k| at(k)).collect();
        runs.make(&coarse, 1);
        let middle = steps[least(&coarse, |rate| mean_cost(&runs, rate, 1))];
        let (mut low, mut high) = (middle - BELOW, middle + ABOVE);
        let (grid, best) = loop {
            let grid: Vec<LearningRate> = (low..=high).map(at).collect();
            runs.make(&grid, seeds);
            let best = least(&grid, |rate| mean_cost(&runs, rate, seeds));
            if best < COARSE as usize && low > ENDS.0 {
                low -= COARSE;
            } else if best + 2 * COARSE as usize > grid.len() && high < ENDS.1 {
                high += COARSE;
            } else {
                break (grid, best);
            }
        };
        let best = grid[best];
        let mean_at = |share: usize| {
            let costs = (0..seeds).filter_map(|seed| {
                let curve = runs.curve(best, seed);
                curve[(curve.len() - 1) * share / 100]
            });
            costs.sum::<f64>() / seeds as f64
        };
        let costs = Costs { initial: mean_at(0), tenth: mean_at(10), least: mean_cost(&runs, best, seeds) };
        Self { runs, seeds, coarse, grid, best, costs }
    }

    /// Makes the full runs at these rates, all together.
    pub(crate) fn prepare(&mut self, rates: &[LearningRate]) {
        self.runs.make(rates, self.seeds);
    }

    /// What the full runs at this rate did, which must have been made.
    ///
    /// A run is unstable when it diverges or, at a rate above the best one, ends no further than the best run was after a tenth.
    pub(crate) fn known(&self, rate: LearningRate) -> Outcome {
        let curves: Vec<Vec<Option<f64>>> = (0..self.seeds).map(|seed| self.runs.curve(rate, seed)).collect();
        let is_unstable = |curve: &&Vec<Option<f64>>| self.is_unstable(rate, curve);
        let parts = curves[0].len() - 1;
        let initial = self.costs.initial;
        let is_violent =
            |curve: &&Vec<Option<f64>>| curve[parts / 10..].iter().any(|cost| cost.is_none_or(|cost| cost > initial));
        let held_out: Option<Vec<f64>> = (0..self.seeds).map(|seed| self.runs.held_out(rate, seed)).collect();
        Outcome {
            cost: mean_cost(&self.runs, rate, self.seeds),
            unstable: curves.iter().filter(is_unstable).count() as u64,
            violent: curves.iter().filter(is_violent).count() as u64,
            held_out: held_out.map(|costs| costs.iter().sum::<f64>() / costs.len() as f64),
            reached: self.reached(&curves),
        }
    }

    fn is_unstable(&self, rate: LearningRate, curve: &[Option<f64>]) -> bool {
        curve[curve.len() - 1].is_none_or(|last| rate > self.best && last > self.costs.lost())
    }

    /// What somebody would get who could afford full runs at the whole grid: the rate that is best for all seeds but one, and what
    /// the run with that one does there; an answer for each seed that is left out.
    pub(crate) fn grid_search(&self) -> Row {
        let others = |left_out: u64| (0..self.seeds).filter(move |seed| *seed != left_out);
        let cost_of_others = |rate, left_out| others(left_out).map(|seed| final_cost(&self.runs, rate, seed)).sum::<f64>();
        let chosen: Vec<(LearningRate, u64)> =
            (0..self.seeds).map(|seed| (self.grid[least(&self.grid, |rate| cost_of_others(rate, seed))], seed)).collect();
        let share = 1.0 / chosen.len() as f64;
        // A mean over seeds, as of the other rows: single runs would make ratios look smaller.
        let cost = chosen.iter().map(|&(rate, seed)| share * final_cost(&self.runs, rate, seed)).sum();
        let answer = |&(rate, _): &(LearningRate, u64)| Answer {
            rate: Some(rate.get()),
            cost: significant(cost, DIGITS),
            interpolated: false,
            trial_iterations: self.grid.len() as u64 * (self.seeds - 1) * self.runs.iterations(),
        };
        let is_unstable = |&&(rate, seed): &&(LearningRate, u64)| self.is_unstable(rate, &self.runs.curve(rate, seed));
        let held_out: Option<Vec<f64>> = chosen.iter().map(|&(rate, seed)| self.runs.held_out(rate, seed)).collect();
        Row {
            contestant: "grid of full runs".into(),
            answers: chosen.iter().map(answer).collect(),
            runs: self.seeds,
            unstable: chosen.iter().filter(is_unstable).count() as u64,
            held_out: held_out.map(|costs| costs.iter().sum::<f64>() / costs.len() as f64),
            reached: self.reached(&chosen.iter().map(|&(rate, seed)| self.runs.curve(rate, seed)).collect::<Vec<_>>()),
        }
    }

    /// Iterations after which the mean of these runs comes to the target.
    fn reached(&self, curves: &[Vec<Option<f64>>]) -> Option<u64> {
        let parts = curves[0].len() - 1;
        let mean_at = |i: usize| curves.iter().map(|c| c[i].unwrap_or(f64::INFINITY)).sum::<f64>() / curves.len() as f64;
        let part = (0..=parts).find(|&i| mean_at(i) <= self.costs.target());
        part.map(|i| i as u64 * self.runs.iterations() / parts as u64)
    }

    /// The final cost at a rate, and whether it was read off the neighbours on the grid, or on the coarse grid where the rate
    /// lies outside: log J is linear in log ε between them. Rates outside both are run.
    pub(crate) fn cost(&mut self, rate: LearningRate) -> (f64, bool) {
        let seeds_of = |grid: &[LearningRate]| if grid == self.grid { self.seeds } else { 1 };
        let between = [&self.grid, &self.coarse].into_iter().find_map(|grid| {
            let above = grid.iter().position(|known| *known >= rate)?;
            let low = if grid[above] == rate { above } else { above.checked_sub(1)? };
            Some((grid[low], grid[above], seeds_of(grid)))
        });
        let Some((low, high, seeds)) = between else {
            self.prepare(&[rate]);
            return (mean_cost(&self.runs, rate, self.seeds), false);
        };
        if low == high {
            return (mean_cost(&self.runs, rate, seeds), false);
        }
        let share = (rate.log10() - low.log10()) / (high.log10() - low.log10());
        let log = |rate| (mean_cost(&self.runs, rate, seeds) + self.costs.precision()).ln();
        ((log(low) + share * (log(high) - log(low))).exp() - self.costs.precision(), true)
    }

    /// The grid's rates around the one above the best from which at least this share of the seeds is unstable.
    pub(crate) fn threshold(&self, share: f64) -> Option<[LearningRate; 2]> {
        let fails = |rate: LearningRate| {
            let unstable = self.known(rate).unstable;
            unstable > 0 && unstable as f64 >= share * self.seeds as f64
        };
        let first = self.grid.iter().position(|&rate| rate > self.best && fails(rate))?;
        Some([self.grid[first - 1], self.grid[first]])
    }

    /// The ends of the grid's rates around the best one whose cost is, as far as a user would notice, the same.
    fn as_good(&self) -> [LearningRate; 2] {
        let best = self.grid.iter().position(|rate| *rate == self.best).expect("the best rate is one of the grid");
        let holds = |rate: &&LearningRate| self.costs.is_as_good(mean_cost(&self.runs, **rate, self.seeds));
        let above = self.grid[best..].iter().take_while(holds).last();
        let below = self.grid[..=best].iter().rev().take_while(holds).last();
        [below, above].map(|end| end.copied().unwrap_or(self.best))
    }

    /// All of this as figures.
    pub(crate) fn hindsight(&self) -> Hindsight {
        let best = self.known(self.best);
        let threshold = |share| self.threshold(share).map(|ends| ends.map(LearningRate::get));
        Hindsight {
            iterations: self.runs.iterations(),
            seeds: self.seeds,
            grid: [self.grid[0].get(), self.grid[self.grid.len() - 1].get()],
            best: self.best.get(),
            as_good: self.as_good().map(LearningRate::get),
            costs: self.costs,
            held_out: best.held_out,
            reached: best.reached,
            threshold: threshold(0.0),
            half_threshold: threshold(0.5),
        }
    }
}

/// The position of the rate whose figure is least.
fn least(rates: &[LearningRate], figure: impl Fn(LearningRate) -> f64) -> usize {
    (0..rates.len()).min_by(|&a, &b| figure(rates[a]).total_cmp(&figure(rates[b]))).unwrap_or(0)
}

/// The mean over the first seeds of the final cost.
fn mean_cost(runs: &FullRuns<'_>, rate: LearningRate, seeds: u64) -> f64 {
    (0..seeds).map(|seed| final_cost(runs, rate, seed)).sum::<f64>() / seeds as f64
}

/// The final cost on the training set; a diverged run counts as if nothing had been learnt.
fn final_cost(runs: &FullRuns<'_>, rate: LearningRate, seed: u64) -> f64 {
    let curve = runs.curve(rate, seed);
    let initial = curve[0].unwrap_or(f64::INFINITY);
    curve[curve.len() - 1].map_or(initial, |last| last.min(initial))
}
