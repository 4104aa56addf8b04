//! From a report to the full runs that put it to the test, and from those to the verification.

use super::{Study, compile};
use crate::analysis::full_runs::{Claim, FullAssessment, RateOutcome, Subject, assess_full};
use crate::lr::{LearningRate, significant};
use crate::record::TrialSpec;
use crate::report::verification::{
    ClaimReport, CostsOf, FullRunFacts, HoldVerdict, RateReport, Role, RunReport, SCHEMA_VERSION, Verification,
};
use crate::report::{Report, Status, Tool, Warning};
use crate::schedule::{Decay, Schedule};
use crate::search::{self, RunOptions, Stop};

/// The first seed of full runs; those of trials usually stay far below.
const FIRST_SEED: u64 = 1_000_000;

/// Evaluations of the whole data along a run.
const EVALUATIONS: u64 = 40;

/// Digits kept of a cost: single precision holds no more.
const COST_DIGITS: usize = 7;

/// The full runs that put a report to the test.
#[derive(Debug, Clone, PartialEq)]
pub struct FullRunPlan {
    /// The recommended rate.
    pub recommended: LearningRate,
    /// The rates, ascending, each once and with all that it is.
    pub rates: Vec<(LearningRate, Vec<Role>)>,
    /// The seeds, none of which a trial of the report has.
    pub seeds: Vec<u64>,
    /// The planned run's schedule squeezed into `fraction` of it; its length is that of the runs.
    pub schedule: Schedule,
    /// The length of the runs as a share of the planned run.
    pub fraction: f64,
}

impl FullRunPlan {
    /// Runs of `fraction` of the planned run's `schedule`, with so many `seeds`, at the best early and the recommended rate of
    /// `report`, just below its threshold, at the `configured` rate and at those `requested`. `None` where the report
    /// recommends no rate.
    pub fn new(
        report: &Report,
        configured: Option<LearningRate>,
        requested: &[LearningRate],
        seeds: usize,
        schedule: Schedule,
        fraction: f64,
    ) -> Option<Self> {
        let rate = |value: Option<f64>| value.and_then(|value| LearningRate::new(value).ok());
        let recommended = rate(report.recommendation.learning_rate)?;
        let bracket = &report.instability;
        // Where nothing tried was unstable, the highest rate tried is below no threshold that is known.
        let below = bracket.first_unstable.and(rate(bracket.last_stable));
        let best_early = rate(report.best_early.value.as_ref().map(|best| best.learning_rate));
        let named = [
            (Role::Recommended, Some(recommended)),
            (Role::Configured, configured),
            (Role::BestEarly, best_early),
            (Role::BelowThreshold, below),
        ];
        let named = named.into_iter().filter_map(|(role, rate)| Some((role, rate?)));
        let mut rates: Vec<(LearningRate, Vec<Role>)> = Vec::new();
        for (role, rate) in named.chain(requested.iter().map(|&rate| (Role::Requested, rate))) {
            match rates.iter_mut().find(|(known, _)| *known == rate) {
                Some((_, roles)) if roles.contains(&role) => {}
                Some((_, roles)) => roles.push(role),
                None => rates.push((rate, vec![role])),
            }
        }
        rates.sort_by(|a, b| a.0.get().total_cmp(&b.0.get()));
        let seeds = (FIRST_SEED..).filter(|seed| !report.seeds.contains(seed)).take(seeds).collect();
        Some(Self { recommended, rates, seeds, schedule: schedule.squeezed(fraction), fraction })
    }

    /// The runs, seed by seed.
    pub fn specs(&self) -> Vec<TrialSpec> {
        let run = |rate: LearningRate, seed: u64| {
            TrialSpec::full(rate, seed, self.schedule, self.schedule.decay_iterations, EVALUATIONS)
        };
        self.seeds.iter().flat_map(|&seed| self.rates.iter().map(move |(rate, _)| run(*rate, seed))).collect()
    }

    fn rate_of(&self, role: Role) -> Option<LearningRate> {
        self.rates.iter().find(|(_, roles)| roles.contains(&role)).map(|(rate, _)| *rate)
    }
}

impl Study<'_> {
    /// The schedule of full runs: that of the planned run, or where the rate cannot change within a run, a steady rate for as
    /// long. `None` where no run is planned.
    pub fn full_schedule(&self) -> Option<Schedule> {
        let planned = self.schedule?;
        Some(if self.objective.can_change_rate() { planned } else { Schedule { decay: Decay::Constant, ..planned } })
    }

    /// What to know where the runs kept their rate although the planned one lets it fall.
    fn steady_instead(&self, plan: &FullRunPlan) -> Option<Warning> {
        let planned = self.schedule?.decay;
        (plan.schedule.decay == Decay::Constant && planned != Decay::Constant).then(|| {
            compile::warning(
                "steady-runs",
                format!(
                    "the runs keep their rate where the planned one lets it fall ({}): at a steady rate a run ends on a noise floor \
                     that grows with the rate, which speaks for rates that are too low",
                    planned.name()
                ),
                "have the script read the rate of each step from the file `{rates}`",
            )
        })
    }

    /// Makes the full runs of `plan`, and says what they show.
    pub fn verify(&self, plan: &FullRunPlan, options: &RunOptions<'_>) -> Verification {
        let sweep = search::full_runs(self.objective, &plan.specs(), options);
        let subject = Subject {
            recommended: plan.recommended,
            best_early: plan.rate_of(Role::BestEarly),
            configured: plan.rate_of(Role::Configured),
        };
        let assessment = assess_full(&sweep.trials, &subject);
        let specs = plan.specs();
        let evaluated_at = |spec: &TrialSpec| (0..=spec.iterations).filter(|&step| spec.evaluates_at(step)).collect();
        Verification {
            schema_version: SCHEMA_VERSION,
            tool: Tool { name: env!("CARGO_PKG_NAME").into(), version: env!("CARGO_PKG_VERSION").into() },
            name: self.name.clone(),
            status: if sweep.stop == Some(Stop::Cancelled) { Status::Partial } else { Status::Complete },
            config: self.config.clone(),
            config_sha256: compile::sha256(&self.config),
            device: self.device.clone(),
            run: FullRunFacts {
                iterations: plan.schedule.decay_iterations,
                fraction: plan.fraction,
                schedule: plan.schedule,
                costs_of: if self.is_script { CostsOf::Steps } else { CostsOf::WholeData },
                seeds: plan.seeds.clone(),
                evaluated_at: specs.first().map_or_else(Vec::new, evaluated_at),
            },
            warnings: self.steady_instead(plan).into_iter().collect(),
            verdict: verdict(&assessment, plan),
            claim: assessment.claim.as_ref().map(claim),
            rates: plan.rates.iter().filter_map(|(rate, roles)| row(&assessment, *rate, roles)).collect(),
            cost: self.cost(sweep.trial_iterations()),
        }
    }
}

fn share(value: f64) -> f64 {
    significant(value, compile::DIGITS)
}

fn verdict(assessment: &FullAssessment<'_>, plan: &FullRunPlan) -> HoldVerdict {
    let recommended = assessment.rates.iter().find(|row| row.learning_rate == plan.recommended);
    HoldVerdict {
        answer: assessment.answer,
        learning_rate: plan.recommended.get(),
        best_learning_rate: assessment.hindsight.map(|hindsight| hindsight.best.get()),
        regret: recommended.and_then(|row| row.regret).map(share),
        cost_ratio: recommended.and_then(|row| row.ratio).map(share),
        seeds_compared: assessment.seeds.len(),
        first_unstable: assessment.rates.iter().find(|row| row.unstable() > 0).map(|row| row.learning_rate.get()),
    }
}

fn claim(claim: &Claim) -> ClaimReport {
    ClaimReport {
        paid: claim.paid,
        best_early: claim.best_early.get(),
        higher: claim.higher.get(),
        saving: share(claim.saving),
        low: claim.interval.map(|(low, _)| share(low)),
        high: claim.interval.map(|(_, high)| share(high)),
        cost_ratio: claim.ratio.map(share),
        better_seeds: claim.better,
        seeds_compared: claim.seeds,
    }
}

fn row(assessment: &FullAssessment<'_>, rate: LearningRate, roles: &[Role]) -> Option<RateReport> {
    let found: &RateOutcome<'_> = assessment.rates.iter().find(|row| row.learning_rate == rate)?;
    let runs = found.runs.iter().map(|run| RunReport {
        seed: run.record.spec.seed,
        outcome: run.record.outcome.clone(),
        unstable: run.unstable,
        training_costs: run.record.evaluations.iter().map(|e| e.train).collect(),
        held_out_costs: run.record.evaluations.iter().map(|e| e.held_out).collect(),
    });
    Some(RateReport {
        learning_rate: rate.get(),
        roles: roles.to_vec(),
        training_cost: found.cost.map(|cost| significant(cost, COST_DIGITS)),
        held_out_cost: found.held_out.map(|cost| significant(cost, COST_DIGITS)),
        cost_ratio: found.ratio.map(share),
        regret: found.regret.map(share),
        finished: found.runs.iter().filter(|run| run.record.is_finished()).count(),
        unstable: found.unstable(),
        iterations_to_best: found.reached,
        runs: runs.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn rate(value: f64) -> LearningRate {
        LearningRate::new(value).unwrap()
    }

    fn plan(report: &Report, configured: Option<f64>, requested: &[f64]) -> Option<FullRunPlan> {
        let requested: Vec<LearningRate> = requested.iter().map(|&r| rate(r)).collect();
        FullRunPlan::new(report, configured.map(rate), &requested, 3, sample::schedule().shape, 0.2)
    }

    #[test]
    fn each_rate_is_run_once_with_all_that_it_is() {
        let mut report = sample::found();
        report.recommendation.learning_rate = Some(0.05);
        let plan = plan(&report, Some(0.05), &[2.0, 0.05, 2.0]).unwrap();
        let below = report.instability.last_stable.unwrap();
        let all = vec![Role::Recommended, Role::Configured, Role::BestEarly, Role::Requested];
        assert_eq!(
            plan.rates,
            [(rate(0.05), all), (rate(below), vec![Role::BelowThreshold]), (rate(2.0), vec![Role::Requested])]
        );
        assert_eq!(plan.specs().len(), 9);
        assert!(plan.specs().iter().all(|spec| spec.iterations == 1_800 && spec.evaluations == EVALUATIONS));
    }

    #[test]
    fn the_seeds_are_none_of_the_trials() {
        let report = Report { seeds: vec![0, FIRST_SEED, FIRST_SEED + 2], ..sample::found() };
        let seeds = plan(&report, None, &[]).unwrap().seeds;
        assert_eq!(seeds, [FIRST_SEED + 1, FIRST_SEED + 3, FIRST_SEED + 4]);
    }

    #[test]
    fn without_a_threshold_nothing_is_just_below_it() {
        let mut report = sample::found();
        report.instability.first_unstable = None;
        let plan = plan(&report, None, &[]).unwrap();
        assert!(plan.rates.iter().all(|(_, roles)| !roles.contains(&Role::BelowThreshold)), "{plan:?}");
    }

    #[test]
    fn no_recommendation_no_plan() {
        assert_eq!(plan(&sample::nothing_found(), Some(0.1), &[0.2]), None);
    }
}
