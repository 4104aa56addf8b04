//! `lrfind check`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use lrfind::config::Config;
use lrfind::lr::LearningRate;
use lrfind::report::summary::{self, Context};
use lrfind::report::{Report, github, json, markdown};

use super::args::{CheckArgs, CheckFormat};
use super::exit::Exit;
use super::subject::Subject;
use super::{footprint, journal, output, subject, trials};

pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<Exit> {
    let mut config = subject::searched(&args.subject, &args.search, &args.run)?;
    let search = config.search_mut();
    search.check_margin = args.margin.unwrap_or(search.check_margin);
    let rate = configured_rate(args, &config)?;
    let (name, line) = (config.name().to_owned(), config.learning_rate_line());
    let subject = Subject::build(config, &args.subject, &args.run)?;
    let workers = subject.workers(&args.run);
    let study = subject.study();
    footprint::explain(&study, workers, &args.run);
    let cost = study.check_forecast(rate);
    if args.run.dry_run {
        return trials::dry_run(&study, &cost, args.format == CheckFormat::Json);
    }
    let dir = args.out.clone().unwrap_or_else(|| Path::new("reports").join(format!("{name}-check")));
    trials::prepare(&dir, &args.run)?;
    let journal = journal::open(&dir, args.run.fresh);
    let run = trials::run(&study, &cost, &args.run, workers, journal.as_ref(), |options| study.check(rate, options))?;
    let report = &run.made;
    let (files, saved) = trials::save(&run, journal.as_ref(), &dir, &args.run);
    output::print(&rendered(report, args, line, &files)?)?;
    add_to_step_summary(report);
    saved.map(|()| Exit::of_check(report, args.fail_on, args.exit_zero))
}

fn configured_rate(args: &CheckArgs, config: &Config) -> anyhow::Result<LearningRate> {
    if let Some(rate) = args.lr {
        return LearningRate::new(rate).context("--lr");
    }
    config.learning_rate().with_context(|| match &args.subject.config {
        Some(path) => {
            format!("{}: no learning rate to check; write learning-rate under [training], or give --lr", path.display())
        }
        None => "no learning rate to check: give --lr".to_owned(),
    })
}

fn rendered(report: &Report, args: &CheckArgs, line: Option<usize>, files: &[PathBuf]) -> anyhow::Result<String> {
    Ok(match args.format {
        CheckFormat::Json => json::render(report)?,
        CheckFormat::Github => {
            let workspace = std::env::var_os("GITHUB_WORKSPACE").map(PathBuf::from);
            let file = in_repository(&subject::place(&args.subject), workspace.as_deref());
            github::annotation(report, &file, line).unwrap_or_default()
        }
        CheckFormat::Text => {
            let colour = output::colour(&std::io::stdout());
            summary::render(report, &Context { colour, config: args.subject.config.as_deref(), files })
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
