//! What `verify` is about to do and what it costs, for a person and for a program.

use lrfind::Study;
use lrfind::record::TrialSpec;
use lrfind::report::summary;
use lrfind::report::text::{counted, grouped, rate};
use lrfind::report::verification::Role;
use lrfind::study::FullRunPlan;
use serde_json::json;

use crate::cli::args::{FindFormat, VerifyArgs};
use crate::cli::exit::Exit;
use crate::cli::{footprint, output, trials};

/// The plan and the cost of the `missing` runs, for a person.
pub(super) fn text(study: &Study<'_>, full: &FullRunPlan, missing: &[TrialSpec]) -> String {
    let specs = full.specs();
    let named = |(at, roles): &(_, Vec<Role>)| {
        let roles = roles.iter().map(|role| role.words()).collect::<Vec<_>>().join(", ");
        format!("  {:<9} {roles}\n", rate(lrfind::LearningRate::get(*at)))
    };
    let kept = specs.len() - missing.len();
    let kept = if kept > 0 { format!(", {} of them kept from before", grouped(kept as u64)) } else { String::new() };
    let iterations = iterations(missing);
    let share = summary::and_of_planned_run(study.share_of_planned_run(iterations));
    format!(
        "{}: {}; {}\n{} of {}, {} at each rate{kept}\n{}{}in all about {} trial-iterations{share}\n",
        study.name,
        study.model,
        study.optimizer,
        counted(specs.len() as u64, "full run"),
        counted(full.schedule.decay_iterations, "iteration"),
        counted(full.seeds.len() as u64, "seed"),
        full.rates.iter().map(named).collect::<String>(),
        footprint::line(study),
        grouped(iterations),
    )
}

/// Prints the plan instead of making the runs.
pub(super) fn dry_run(study: &Study<'_>, full: &FullRunPlan, missing: &[TrialSpec], args: &VerifyArgs) -> anyhow::Result<Exit> {
    let specs = full.specs();
    let rates: Vec<_> = full.rates.iter().map(|(rate, roles)| json!({ "learning_rate": rate, "roles": roles })).collect();
    let plan = json!({
        "config": study.config,
        "rates": rates,
        "seeds": full.seeds,
        "iterations": full.schedule.decay_iterations,
        "fraction": full.fraction,
        "runs": specs.len(),
        "runs_kept": specs.len() - missing.len(),
        "total_iterations": iterations(missing),
        "planned_run": study.planned_iterations(),
        "share_of_planned_run": study.share_of_planned_run(iterations(missing)),
        "memory": footprint::json(study),
    });
    let printed = if args.format == FindFormat::Json { format!("{plan:#}\n") } else { text(study, full, missing) };
    output::print(&printed)?;
    Ok(Exit::Done)
}

/// Prints the plan of the search that comes first where there is no report yet: the rates are not known before.
pub(super) fn without_report(study: &Study<'_>, args: &VerifyArgs) -> anyhow::Result<Exit> {
    let search = study.find_forecast();
    if args.format == FindFormat::Text {
        let then = "no report yet: this search comes first, and its answer tells the rates of the full runs";
        output::print(&format!("{}{then}\n", trials::describe(study, &search)))?;
        return Ok(Exit::Done);
    }
    let plan = json!({
        "config": study.config,
        "rates": null,
        "search_iterations": search.total_iterations,
        "fraction": args.fraction,
        "planned_run": study.planned_iterations(),
        "memory": footprint::json(study),
    });
    output::print(&format!("{plan:#}\n"))?;
    Ok(Exit::Done)
}

fn iterations(specs: &[TrialSpec]) -> u64 {
    specs.iter().map(TrialSpec::total_iterations).sum()
}
