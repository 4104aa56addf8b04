//! The verification on a terminal: the verdict, a table of the rates, and what follows from it.

use std::path::PathBuf;

use super::{Answer, ClaimReport, CostsOf, Paid, RateReport, Role, Verification};
use crate::report::text::{self, counted, factor, grouped, number, percent, rate, wrapped};
use crate::report::{Status, Verdict, summary};

/// Column at which the facts begin, and the width to which sentences are broken.
const INDENT: usize = 16;
const WIDTH: usize = 100;

/// The verdict, the table of rates and what follows; with a newline at the end.
pub fn render(verification: &Verification, files: &[PathBuf]) -> String {
    let word = match verification.verdict.answer {
        Answer::Held => "HELD",
        Answer::Behind => "STABLE, BUT BEHIND",
        Answer::Unstable => "UNSTABLE",
        Answer::Inconclusive => "INCONCLUSIVE",
    };
    let room = WIDTH - word.len() - 2;
    let mut text = format!("{word}  {}\n\n{}\n", wrapped(&headline(verification), room).join("\n"), table(verification));
    for (label, sentence) in facts(verification) {
        let lines = wrapped(&sentence, WIDTH - INDENT).join(&format!("\n{:INDENT$}", ""));
        text.extend([format!("{label:INDENT$}"), lines, "\n".to_owned()]);
    }
    for (k, file) in files.iter().enumerate() {
        let label = format!("{:INDENT$}", if k == 0 { "files" } else { "" });
        text.extend([label, file.display().to_string(), "\n".to_owned()]);
    }
    text
}

/// The verdict in a sentence, without a full stop.
pub fn headline(verification: &Verification) -> String {
    let verdict = &verification.verdict;
    let recommended = rate(verdict.learning_rate);
    let runs = verification.rate_of(Role::Recommended).map_or(0, |row| row.finished);
    match verdict.answer {
        Answer::Held | Answer::Behind => {
            format!("{recommended} is stable in {}; {}", counted(runs as u64, "full run"), quality(verification))
        }
        Answer::Unstable => {
            let rows = [Role::Recommended, Role::Configured].map(|role| (role, verification.rate_of(role)));
            let mut rows: Vec<(Role, &RateReport)> = rows.into_iter().filter_map(|(role, row)| Some((role, row?))).collect();
            rows.dedup_by(|a, b| a.1.learning_rate == b.1.learning_rate);
            rows.sort_by_key(|(_, row)| row.unstable == 0);
            let of = |(role, row): &(Role, &RateReport)| {
                let fate = if row.unstable > 0 { losses(row) } else { "stable".to_owned() };
                format!("{} {}: {fate}", role.words(), rate(row.learning_rate))
            };
            rows.iter().map(of).collect::<Vec<_>>().join("; ")
        }
        Answer::Inconclusive if verdict.seeds_compared == 0 => "no seed finished its runs at every rate".to_owned(),
        Answer::Inconclusive => "no rate got below the cost where its runs began, so there is nothing to compare".to_owned(),
    }
}

/// `2 of 3 full runs unstable (1 not finite, 1 collapsed)`.
fn losses(row: &RateReport) -> String {
    let kinds = [(Verdict::NonFinite, "not finite"), (Verdict::BlowUp, "blew up"), (Verdict::Collapsed, "collapsed")];
    let count = |verdict| row.runs.iter().filter(|run| run.unstable == Some(verdict)).count();
    let ways: Vec<String> =
        kinds.into_iter().map(|(v, words)| (count(v), words)).filter(|w| w.0 > 0).map(|(n, w)| format!("{n} {w}")).collect();
    format!("{} of {} unstable ({})", row.unstable, counted(row.finished as u64, "full run"), ways.join(", "))
}

/// How good the recommended rate is.
fn quality(verification: &Verification) -> String {
    let verdict = &verification.verdict;
    let Some(best) = verdict.best_learning_rate else { return "how good it is, these runs do not tell".to_owned() };
    if best == verdict.learning_rate {
        return "no rate tested ends at a lower cost".to_owned();
    }
    let of = match verdict.cost_ratio {
        Some(ratio) if ratio < 2.0 => format!("{} above that of", percent(ratio - 1.0)),
        Some(ratio) => format!("{} times that of", factor(ratio)),
        None => "above that of".to_owned(),
    };
    let regret = verdict.regret.map(|regret| format!(" (regret {})", percent(regret))).unwrap_or_default();
    format!("its final cost is {of} the best rate tested, {}{regret}", rate(best))
}

fn table(verification: &Verification) -> String {
    /// The column that is left out where no rate has a number for it: a script holds nothing out.
    const HELD_OUT: usize = 3;
    let heads = ["rate", "what it is", "training cost", "held out", "regret", "unstable", "near the best after"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    let cell = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), number);
    rows.extend(verification.rates.iter().map(|row| {
        vec![
            rate(row.learning_rate),
            row.roles.iter().map(|role| role.words()).collect::<Vec<_>>().join(", "),
            cell(row.training_cost),
            cell(row.held_out_cost),
            row.regret.map_or_else(|| "-".to_owned(), percent),
            format!("{} of {}", row.unstable, row.finished),
            row.iterations_to_best.map_or_else(|| "-".to_owned(), grouped),
        ]
    }));
    if verification.rates.iter().all(|row| row.held_out_cost.is_none()) {
        for row in &mut rows {
            row.remove(HELD_OUT);
        }
    }
    text::table(&rows)
}

/// What to know beside the table, as (label, sentence).
fn facts(verification: &Verification) -> Vec<(&'static str, String)> {
    let run = &verification.run;
    let seeds = counted(run.seeds.len() as u64, "seed");
    let mut facts = vec![("runs", format!("{} at each rate, {seeds} that no trial had", counted(run.iterations, "iteration")))];
    if run.fraction < 1.0 {
        let share = percent(run.fraction);
        facts.push(("", format!("the schedule squeezed to {share} of its length; the whole run may still differ")));
    }
    if run.costs_of == CostsOf::Steps {
        let part = counted(run.evaluated_at.get(1).copied().unwrap_or(run.iterations), "step");
        facts.push(("training cost", format!("the mean of the losses that the script printed in its last {part}")));
    }
    facts.extend(verification.warnings.iter().map(|warning| ("warning", format!("{}: {}", warning.message, warning.hint))));
    facts.push(("regret", "what a rate leaves of that which the best one gains after the first tenth of the run".to_owned()));
    facts.push(("higher pays?", claim(verification)));
    if let Some(row) = verification.rate_of(Role::BelowThreshold)
        && row.finished > 0
    {
        let at = rate(row.learning_rate);
        facts.push((
            "threshold",
            match row.unstable {
                0 => format!("{at}, just below the threshold of the trials, is stable in full runs too"),
                _ => format!("{at} was stable in the trials, but not over full runs: {}", losses(row)),
            },
        ));
    }
    if let Some(failed) = failures(verification) {
        facts.push(("failed", failed));
    }
    if verification.status == Status::Partial {
        facts.push(("interrupted", "finished runs are kept: the same command goes on where this one stopped".to_owned()));
    }
    let share = summary::and_of_planned_run(verification.cost.share_of_planned_run);
    let cost = counted(verification.cost.trial_iterations, "iteration");
    facts.push(("cost", format!("{cost} over all runs{share}")));
    facts
}

/// Whether a higher rate than the best early one paid.
fn claim(verification: &Verification) -> String {
    let Some(claim) = &verification.claim else {
        return match verification.rate_of(Role::BestEarly) {
            None => "not known: the report has no best early rate".to_owned(),
            Some(early) if !verification.rates.iter().any(|row| row.learning_rate > early.learning_rate) => {
                "not known: no rate above the best early one was tested; name one with --lr".to_owned()
            }
            Some(_) => "not known: these runs cannot be compared".to_owned(),
        };
    };
    let (early, higher) = (rate(claim.best_early), rate(claim.higher));
    if verification.rates.iter().any(|row| row.learning_rate == claim.higher && row.unstable > 0) {
        return format!("no: every rate tested above the best early {early} is unstable; name one between with --lr");
    }
    let lower = if claim.saving >= 0.0 { "lower" } else { "higher" };
    let answer = match claim.paid {
        Paid::Yes => "yes",
        Paid::No => "no",
        Paid::Unclear => "not clear",
    };
    let by = percent(claim.saving.abs());
    let evidence = evidence(claim);
    format!("{answer}: {higher} ends {lower} than the best early {early}, by a regret of {by} ({evidence})")
}

/// `90 % interval −0.1 % to 4 %; lower for 2 of 3 seeds`.
fn evidence(claim: &ClaimReport) -> String {
    let seeds = format!("lower for {} of {}", claim.better_seeds, counted(claim.seeds_compared as u64, "seed"));
    match (claim.low, claim.high) {
        (Some(low), Some(high)) => format!("90 % interval of the saving {} to {}; {seeds}", signed(low), signed(high)),
        _ => format!("{seeds}; more --seeds would tell"),
    }
}

fn signed(share: f64) -> String {
    if share < 0.0 { format!("−{}", percent(-share)) } else { percent(share) }
}

/// Why runs failed, if any did.
fn failures(verification: &Verification) -> Option<String> {
    let outcomes = verification.rates.iter().flat_map(|row| &row.runs).map(|run| &run.outcome);
    let messages: Vec<&str> = outcomes.filter_map(|outcome| outcome.failure()).collect();
    let first = messages.first()?;
    Some(format!("{} could not be made: {first}", counted(messages.len() as u64, "run")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Outcome;
    use crate::report::verification::sample;

    #[test]
    fn the_verdict_comes_first_then_the_rates_and_what_follows() {
        let files = [PathBuf::from("a/verify.json"), PathBuf::from("a/verification.png")];
        assert_eq!(
            render(&sample::held(), &files),
            "\
HELD  0.12 is stable in 2 full runs; its final cost is 4 % above that of the best rate tested, 0.5
(regret 0.4 %)

rate  what it is                training cost  held out  regret  unstable  near the best after
0.05  configured, best early    0.04           0.24      3.4 %   0 of 2    -
0.12  recommended               0.0104         0.21      0.4 %   0 of 2    8,100
0.5   just below the threshold  0.01           0.21      0 %     0 of 2    8,100

runs            9,000 iterations at each rate, 2 seeds that no trial had
regret          what a rate leaves of that which the best one gains after the first tenth of the run
higher pays?    yes: 0.5 ends lower than the best early 0.05, by a regret of 3 % (90 % interval of
                the saving 1 % to 5 %; lower for 2 of 2 seeds)
threshold       0.5, just below the threshold of the trials, is stable in full runs too
cost            54,000 iterations over all runs, 6 times the planned run
files           a/verify.json
                a/verification.png
"
        );
    }

    #[test]
    fn unstable_runs_are_counted_and_told_apart() {
        let text = render(&sample::unstable(), &[]);
        assert!(
            text.starts_with("UNSTABLE  recommended 0.12: 1 of 2 full runs unstable (1 not finite); configured 0.05: stable\n"),
            "{text}"
        );
        assert!(text.contains("0.5 was stable in the trials, but not over full runs: 1 of 2 full runs unstable"), "{text}");
        assert!(text.contains("higher pays?    no: every rate tested above the best early 0.05 is unstable"), "{text}");
    }

    #[test]
    fn the_same_rate_in_two_roles_is_named_once() {
        let mut both = sample::unstable();
        both.rates[1].roles.push(Role::Configured);
        both.rates[0].roles = vec![Role::BestEarly];
        assert_eq!(headline(&both), "recommended 0.12: 1 of 2 full runs unstable (1 not finite)");
    }

    #[test]
    fn what_cannot_be_said_is_said() {
        let mut verification = sample::held();
        verification.claim = None;
        verification.status = Status::Partial;
        verification.run.fraction = 0.2;
        verification.verdict.answer = Answer::Inconclusive;
        verification.verdict.seeds_compared = 0;
        verification.rates[0].runs[0].outcome = Outcome::Failed { message: "out of memory".into() };
        let text = render(&verification, &[]);
        for part in [
            "INCONCLUSIVE  no seed finished its runs at every rate\n",
            "not known: these runs cannot be compared",
            "squeezed to 20 % of its length",
            "failed          1 run could not be made: out of memory",
            "interrupted     finished runs are kept",
        ] {
            assert!(text.contains(part), "no {part:?} in {text}");
        }
        verification.rates.truncate(1);
        assert!(render(&verification, &[]).contains("no rate above the best early one was tested"));
    }

    #[test]
    fn a_loss_and_an_unclear_saving_read_well() {
        let mut verification = sample::held();
        let claim = verification.claim.as_mut().unwrap();
        (claim.paid, claim.saving, claim.low, claim.high) = (Paid::Unclear, -0.002, Some(-0.01), Some(0.006));
        (claim.better_seeds, verification.verdict.cost_ratio) = (1, Some(3.1));
        let text = render(&verification, &[]).replace("\n                ", " ");
        assert!(
            text.contains(
                "not clear: 0.5 ends higher than the best early 0.05, by a regret of 0.2 % (90 % interval of the saving −1 % to \
                 0.6 %; lower for 1 of 2 seeds)"
            ),
            "{text}"
        );
        assert!(headline(&verification).contains("its final cost is 3.1 times that of the best rate tested, 0.5"));
    }

    #[test]
    fn what_nothing_was_held_out_of_has_no_column_for_it() {
        let mut verification = sample::held();
        verification.rates[0].held_out_cost = None;
        assert!(table(&verification).contains("0.04           -         3.4 %"));
        for row in &mut verification.rates {
            row.held_out_cost = None;
        }
        let table = table(&verification);
        assert!(!table.contains("held out") && table.contains("0.04           3.4 %"), "{table}");
    }
}
