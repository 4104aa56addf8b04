//! `lrfind check`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use lrfind::Study;
use lrfind::config::Plan;
use lrfind::lr::LearningRate;
use lrfind::report::summary::{self, Context};
use lrfind::report::{Report, github, json, markdown};

use super::args::{CheckArgs, CheckFormat};
use super::exit::Exit;
use super::{journal, output, trials};

pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<Exit> {
    let mut plan = trials::plan(&args.common)?;
    plan.search.check_margin = args.margin.unwrap_or(plan.search.check_margin);
    let rate = configured_rate(args, &plan)?;
    let task = trials::task(&plan, &args.common)?;
    let study = Study::of_plan(&plan, &task);
    let cost = study.check_forecast();
    if args.common.dry_run {
        return trials::dry_run(&study, &cost, args.format == CheckFormat::Json);
    }
    let dir = args.out.clone().unwrap_or_else(|| Path::new("reports").join(format!("{}-check", plan.name)));
    trials::prepare(&dir, &args.common)?;
    let journal = journal::open(&dir, args.common.fresh);
    let run = trials::run(&study, &cost, &args.common, journal.as_ref(), |options| study.check(rate, options))?;
    let report = &run.made;
    let (files, saved) = trials::save(&run, &dir, &args.common);
    output::print(&rendered(report, args, &plan, &files)?)?;
    add_to_step_summary(report);
    saved.map(|()| Exit::of_check(report, args.fail_on, args.exit_zero))
}

fn configured_rate(args: &CheckArgs, plan: &Plan) -> anyhow::Result<LearningRate> {
    if let Some(rate) = args.lr {
        return LearningRate::new(rate).context("--lr");
    }
    plan.training.learning_rate.with_context(|| {
        let config = args.common.config.display();
        format!("{config}: no learning rate to check; write learning-rate under [training], or give --lr")
    })
}

fn rendered(report: &Report, args: &CheckArgs, plan: &Plan, files: &[PathBuf]) -> anyhow::Result<String> {
    let config = &args.common.config;
    Ok(match args.format {
        CheckFormat::Json => json::render(report)?,
        CheckFormat::Github => {
            let workspace = std::env::var_os("GITHUB_WORKSPACE").map(PathBuf::from);
            let file = in_repository(config, workspace.as_deref());
            github::annotation(report, &file, plan.training.learning_rate_line).unwrap_or_default()
        }
        CheckFormat::Text => {
            let colour = output::colour(&std::io::stdout());
            summary::render(report, &Context { colour, config: Some(config), files })
        }
    })
}

/// The path that GitHub knows the file by: relative to the checkout, with forward slashes.
fn in_repository(file: &Path, workspace: Option<&Path>) -> String {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let relative = workspace.and_then(|root| absolute.strip_prefix(root).ok()).unwrap_or(file);
    relative.strip_prefix(".").unwrap_or(relative).display().to_string().replace('\\', "/")
}

/// Adds the verdict to the summary page of a GitHub job, where there is one. That it cannot be added does not change the
/// verdict, so it is a warning only.
fn add_to_step_summary(report: &Report) {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else { return };
    if let Err(error) = output::append(Path::new(&path), &markdown::render(report)) {
        output::note(&format!("warning: {error}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_name_files_as_the_repository_does() {
        let root = std::path::absolute(".").unwrap();
        let absolute = root.join("configs/x.toml");
        assert_eq!(in_repository(&absolute, Some(&root)), "configs/x.toml");
        assert_eq!(in_repository(Path::new("configs/x.toml"), root.parent()), {
            let folder = root.file_name().unwrap().to_str().unwrap();
            format!("{folder}/configs/x.toml")
        });
        assert_eq!(in_repository(Path::new("./x.toml"), None), "x.toml");
    }
}
