//! What trials take of the machine, in words: for the plan, and in full for `--verbose`.

use lrfind::Study;
use lrfind::report::text::counted;
use lrfind::task::{Bound, Footprint, in_words};
use serde_json::{Value, json};

use super::args::RunArgs;
use super::output;
use super::trials::Workers;

/// The line of the plan; empty where nothing is known.
pub(crate) fn line(study: &Study<'_>) -> String {
    study.footprint.map_or_else(String::new, |found| format!("memory {}\n", memory(&found)))
}

/// The same for a program.
pub(crate) fn json(study: &Study<'_>) -> Value {
    study.footprint.map_or(Value::Null, |found| {
        json!({
            "lanes": found.lanes,
            "workers": found.workers,
            "trial_bytes": found.trial,
            "kept_bytes": found.kept,
            "data_bytes": found.data,
            "total_bytes": found.total(),
            "allowed_bytes": found.allowed,
        })
    })
}

/// Tells on standard error what was chosen and why, where that is wanted.
pub(crate) fn explain(study: &Study<'_>, workers: Workers, args: &RunArgs) {
    if args.verbose {
        output::note(text(study.footprint.as_ref(), workers).trim_end());
    }
}

fn text(found: Option<&Footprint>, workers: Workers) -> String {
    let Some(found) = found else {
        let jobs = counted(workers.jobs as u64, "script");
        return rows(&[
            ("lanes", "1: a script trains one model".to_owned()),
            ("workers", format!("{jobs} at a time; their memory is not known here")),
        ]);
    };
    let (step, set) = (in_words(found.step), in_words(found.working_set()));
    let why = match found.bound {
        Bound::Gain => ", the most that gain anything".to_owned(),
        Bound::Cache => format!(": the working set holds no more; one trial touches {step} in a step"),
        Bound::Memory => format!(": the memory holds no more beside {}", counted(found.workers as u64, "worker")),
        Bound::Asked => ", as asked for".to_owned(),
    };
    let cache = match found.cache {
        Some(cache) => format!("{} of second-level cache for each core", in_words(cache)),
        None => "the system does not tell the second-level cache; what 1 MiB would allow is taken".to_owned(),
    };
    let fewer = if found.workers < found.workers_wanted {
        format!(": the memory holds no more trials, and {} were wanted", found.workers_wanted)
    } else {
        String::new()
    };
    rows(&[
        ("lanes", format!("{}{why}", found.lanes)),
        ("workers", format!("{}{fewer}", found.workers)),
        ("one trial", format!("{}; it touches {step} in a step", in_words(found.trial))),
        ("memory", memory(found)),
        ("cache", cache),
        ("working set", format!("{set} for the lanes of a worker")),
    ])
}

/// Such as `about 40 MiB of 8 GiB: 16 trials of 1.2 MiB in each of 2 workers, 450 KiB of data; a finished trial keeps 80 KiB while
/// there is room`.
fn memory(found: &Footprint) -> String {
    let (total, allowed, trial) = (in_words(found.total()), in_words(found.allowed), in_words(found.trial));
    let data = if found.data > 0 { format!(", {} of data", in_words(found.data)) } else { String::new() };
    let (lanes, workers) = (counted(found.lanes as u64, "trial"), counted(found.workers as u64, "worker"));
    let each = if found.workers == 1 { format!("in {workers}") } else { format!("in each of {workers}") };
    let kept = in_words(found.kept);
    format!("about {total} of {allowed}: {lanes} of {trial} {each}{data}; a finished trial keeps {kept} while there is room")
}

fn rows(rows: &[(&str, String)]) -> String {
    rows.iter().map(|(name, text)| format!("{name:<12} {text}\n")).collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUND: Footprint = Footprint {
        lanes: 5,
        bound: Bound::Cache,
        workers: 2,
        workers_wanted: 2,
        step: 800 << 10,
        trial: 3 << 19,
        kept: 1 << 18,
        data: 1 << 20,
        allowed: 8 << 30,
        cache: Some(1 << 20),
    };

    fn text_of(found: Footprint) -> String {
        text(Some(&found), Workers { jobs: found.workers, are_scripts: false })
    }

    #[test]
    fn every_bound_is_told_with_its_reason() {
        let cached = text_of(FOUND);
        for part in [
            "lanes        5: the working set holds no more; one trial touches 800 KiB in a step",
            "workers      2\n",
            "memory       about 16 MiB of 8 GiB: 5 trials of 1.5 MiB in each of 2 workers, 1 MiB of data; a finished trial keeps 256 KiB",
            "1 MiB of second-level cache for each core",
            "working set  4 MiB",
        ] {
            assert!(cached.contains(part), "{part}: {cached}");
        }
        assert!(text_of(Footprint { lanes: 16, bound: Bound::Gain, ..FOUND }).contains("16, the most that gain anything"));
        assert!(text_of(Footprint { bound: Bound::Asked, ..FOUND }).contains("5, as asked for"));
        assert!(text_of(Footprint { cache: None, ..FOUND }).contains("does not tell"));
        let tight = text_of(Footprint { lanes: 1, bound: Bound::Memory, workers: 1, workers_wanted: 3, ..FOUND });
        assert!(tight.contains("1: the memory holds no more beside 1 worker\n"), "{tight}");
        assert!(tight.contains("1: the memory holds no more trials, and 3 were wanted"), "{tight}");
        assert!(tight.contains("1 trial of 1.5 MiB in 1 worker, 1 MiB"), "{tight}");
    }

    #[test]
    fn of_scripts_only_their_number_is_known() {
        let told = text(None, Workers { jobs: 1, are_scripts: true });
        assert!(told.contains("1 script at a time") && !told.contains("cache"), "{told}");
    }
}
