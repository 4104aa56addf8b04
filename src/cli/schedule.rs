//! `lrfind schedule`.

use lrfind::report::export;

use super::args::ScheduleArgs;
use super::exit::Exit;
use super::output;

pub(crate) fn run(args: &ScheduleArgs) -> anyhow::Result<Exit> {
    let (report, path) = output::read_report(&args.report)?;
    let Some(schedule) = &report.schedule else {
        if let Some(rate) = report.recommendation.learning_rate {
            output::note(&format!("{} recommends {rate}, but knows no planned run, so there is no schedule", path.display()));
            return Ok(Exit::Inconclusive);
        }
        let why = report.recommendation.because.first().map(|reason| format!(": {reason}")).unwrap_or_default();
        output::note(&format!("{} recommends no learning rate, so there is no schedule{why}", path.display()));
        return Ok(Exit::Inconclusive);
    };
    output::print(&export::render(schedule, args.format.into()))?;
    Ok(Exit::Done)
}
