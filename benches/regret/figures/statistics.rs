//! Summaries of a handful of numbers.

/// The arithmetic mean; not a number for no values.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The standard deviation of a sample; `None` for fewer than two values.
pub(crate) fn deviation(values: &[f64]) -> Option<f64> {
    let middle = mean(values);
    let squares: f64 = values.iter().map(|v| (v - middle).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}

/// The value below which this share of the values lies, linear between neighbours; `None` for no values.
pub(crate) fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = share * sorted.len().saturating_sub(1) as f64;
    let (below, above) = (*sorted.get(at.floor() as usize)?, *sorted.get(at.ceil() as usize)?);
    // Equal neighbours may both be infinite.
    Some(if below == above { below } else { below + (above - below) * at.fract() })
}

/// The 50 % quantile.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// Wilson's (1927) 95 % score interval for a share of which `k` of `n` were seen.
pub(crate) fn wilson(k: u64, n: u64) -> [f64; 2] {
    if n == 0 {
        return [0.0, 1.0];
    }
    let (z2, n, p) = (1.96 * 1.96, n as f64, k as f64 / n as f64);
    let centre = p + z2 / (2.0 * n);
    let half = (z2 * (p * (1.0 - p) / n + z2 / (4.0 * n * n))).sqrt();
    [centre - half, centre + half].map(|end| (end / (1.0 + z2 / n)).clamp(0.0, 1.0))
}

/// How often the bootstrap draws.
const DRAWS: usize = 2000;

/// The bootstrap over `count` tasks: draws with replacement, the same for everything that is compared on them.
pub(crate) struct Bootstrap(Vec<Vec<usize>>);

impl Bootstrap {
    pub(crate) fn over(count: usize) -> Self {
        let mut state = 1u64;
        let mut draw = || {
            // Knuth's MMIX generator: fixed, and good enough to draw tasks.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % count
        };
        Self((0..DRAWS).map(|_| (0..count).map(|_| draw()).collect()).collect())
    }

    fn means(&self, values: &[f64]) -> Vec<f64> {
        let of = |draw: &Vec<usize>| draw.iter().map(|&i| values[i]).sum::<f64>() / draw.len() as f64;
        self.0.iter().map(of).collect()
    }

    /// The 90 % interval of the mean.
    pub(crate) fn interval(&self, values: &[f64]) -> [f64; 2] {
        let means = self.means(values);
        [0.05, 0.95].map(|share| quantile(&means, share).unwrap_or(f64::NAN))
    }

    /// The share of draws in which the mean of `ours` lies below that of `theirs`.
    pub(crate) fn share_below(&self, ours: &[f64], theirs: &[f64]) -> f64 {
        let (ours, theirs) = (self.means(ours), self.means(theirs));
        ours.iter().zip(&theirs).filter(|(a, b)| a < b).count() as f64 / DRAWS as f64
    }
}
