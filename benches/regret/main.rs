//! How much worse a full run ends at a recommended rate than at the best rate of hindsight: `cargo bench --bench regret`.
//!
//! Tasks go through `measure` one after another: full runs at a grid of rates (`truth`, `runs`), the answers of all rules
//! (`contest`, `exhaustive`), full runs at these. `figures` computes everything that is told from what was measured, `plots` draws it. Full runs
//! are kept in `target/regret`, so an interrupted benchmark goes on where it stood. `arguments` lists the flags.

mod arguments;
mod contest;
mod exhaustive;
mod figures;
mod measure;
mod plots;
mod runs;
mod steady;
mod truth;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use serde::Deserialize;

use arguments::Arguments;
use figures::{Summary, Task};

fn main() -> ExitCode {
    if std::env::args().any(|word| word == "--help") {
        print!("{}", arguments::HELP);
        return ExitCode::SUCCESS;
    }
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    if arguments.redraw {
        let path = arguments.out.join(format!("{}.json", arguments.stem()));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let measured: Measured = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        write(&measured, &arguments);
        return ExitCode::SUCCESS;
    }
    let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/regret");
    std::fs::create_dir_all(&cache).expect("the cache folder can be made");
    let mut measured = Measured { schema_version: 5, command: arguments.command.clone(), tasks: Vec::new() };
    for path in configs(&arguments) {
        let started = Instant::now();
        match measure::measure(&path, &arguments, &cache) {
            Err(why) => println!("skipped {}: {why}", path.display()),
            Ok(None) => println!("{} ({:.0} s)", path.display(), started.elapsed().as_secs_f64()),
            Ok(Some(task)) => {
                println!("{} ({:.0} s)", in_short(&task), started.elapsed().as_secs_f64());
                measured.tasks.push(task);
                // After each task, so that an interrupted benchmark leaves what it knows.
                write(&measured, &arguments);
            }
        }
    }
    if measured.tasks.is_empty() {
        return if arguments.truth { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    print!("\n{}", figures::short(&figures::summary(&measured.tasks), &measured.command));
    ExitCode::SUCCESS
}

/// The configs of the tasks that were asked for, by name.
fn configs(arguments: &Arguments) -> Vec<PathBuf> {
    let folder = &arguments.configs;
    let listed = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut configs: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    configs.retain(|path| path.extension().is_some_and(|e| e == "toml"));
    let stem = |path: &PathBuf| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    configs.retain(|path| arguments.filters.is_empty() || arguments.filters.iter().any(|f| stem(path).contains(f.as_str())));
    configs.sort();
    configs
}

/// A task in one line.
fn in_short(task: &Task) -> String {
    let (ours, costs) = (&task.rows[0], &task.hindsight.costs);
    let rate = |i: usize| task.rows[i].answers[0].rate.unwrap_or(f64::NAN);
    let answer = ours.answers[0];
    format!(
        "{} {:<28} best {:<9.3e} ours {:<9.3e} early {:<9.3e} regret {:>7.4} ratio {:>7.3} unstable {} cost {:>6}",
        task.half,
        task.name,
        task.hindsight.best,
        rate(0),
        rate(1),
        costs.regret(answer.cost),
        costs.ratio(answer.cost),
        ours.unstable,
        answer.trial_iterations,
    )
}

/// What is kept of a benchmark; everything else follows from it.
#[derive(Deserialize)]
struct Measured {
    schema_version: u32,
    command: String,
    tasks: Vec<Task>,
}

/// The file of results: what was measured, one line for each task, and what follows from it for those who do not want to
/// compute it.
fn results(measured: &Measured, summary: &Summary) -> serde_json::Result<String> {
    let tasks: Vec<String> = measured.tasks.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    Ok(format!(
        "{{\n\"schema_version\": {},\n\"command\": {},\n\"summary\": {},\n\"tasks\": [\n{}\n]\n}}\n",
        measured.schema_version,
        serde_json::to_string(&measured.command)?,
        serde_json::to_string(summary)?,
        tasks.join(",\n"),
    ))
}

fn write(measured: &Measured, arguments: &Arguments) {
    let summary = figures::summary(&measured.tasks);
    let json = results(measured, &summary).expect("figures are plain data");
    let tables = figures::markdown(&summary, &measured.command);
    let mut files = vec![(".md".to_owned(), tables.into_bytes()), (".json".to_owned(), json.into_bytes())];
    for (name, png) in plots::all(&measured.tasks, &summary).expect("the figures can be drawn") {
        files.push((format!("-{name}.png"), png));
    }
    std::fs::create_dir_all(&arguments.out).expect("the results' folder can be made");
    for (end, bytes) in files {
        let path = arguments.out.join(arguments.stem() + &end);
        std::fs::write(&path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}
