//! The answer on a terminal, to be understood in five seconds.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::text::{self, counted, factor, number, percent, wrapped};
use super::{
    BestEarly, Censored, Check, CheckVerdict, CurveColumns, CurvesReport, Instability, Report, Status, Verdict, export,
};

/// Column at which the facts begin, and the width to which sentences are broken.
const INDENT: usize = 16;
const WIDTH: usize = 100;

/// What the report itself does not know.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// Whether to colour the text, for a terminal.
    pub colour: bool,
    /// The config file, for the command to run next.
    pub config: Option<&'a Path>,
    /// The files written.
    pub files: &'a [PathBuf],
}

/// The summary of what `find` or, where the report holds a verdict, `check` learned; with a newline at the end.
pub fn render(report: &Report, context: &Context<'_>) -> String {
    let mut page = Page { text: String::new(), colour: context.colour };
    match &report.check {
        Some(check) => checked(&mut page, report, check),
        None => found(&mut page, report),
    }
    if report.status == Status::Partial {
        page.fact("interrupted", "the trials were stopped before their end; this is what the finished ones say");
    }
    for warning in &report.warnings {
        page.fact_in("warning", Colour::Yellow, &format!("{}; {}", warning.message, warning.hint));
    }
    match &report.curves {
        Some(curves) => page.fact("read", &read(curves)),
        None => page.fact("cost", &cost(report)),
    }
    if report.check.is_none()
        && let Some(schedule) = &report.schedule
    {
        page.lines("to paste", export::toml(schedule).lines());
    }
    if !context.files.is_empty() {
        let files: Vec<_> = context.files.iter().map(|file| file.display().to_string()).collect();
        page.lines("files", files.iter().map(String::as_str));
    }
    if let Some(command) = next_command(report, context.config) {
        page.lines("next", [command.as_str()]);
    }
    page.text
}

fn found(page: &mut Page, report: &Report) {
    let answer = &report.recommendation;
    if let Some(rate) = answer.learning_rate {
        let schedule = report.schedule.as_ref().map(|s| format!("   ({})", course(s))).unwrap_or_default();
        page.headline(Colour::Green, &format!("recommended learning rate  {}", text::rate(rate)), &schedule);
    } else {
        page.headline(Colour::Red, "no learning rate recommended", "");
    }
    page.sentences("why", &answer.because);
    if let Some(best) = &report.best_early.value {
        page.fact("best early", &early(report, best));
    } else if let Some(reason) = &report.best_early.reason {
        page.fact("best early", &format!("none: {reason}"));
    }
    page.fact("unstable from", &threshold(&report.instability));
    if let Some(headroom) = headroom(report) {
        page.fact("headroom", &headroom);
    }
    if let Some(p) = answer.p_unstable {
        page.fact("risk", &format!("{} estimated chance that a full run at this rate becomes unstable", percent(p)));
    }
    if let (Some(low), Some(high)) = (answer.low, answer.high)
        && low < high
    {
        page.fact("as good", &format!("{} to {}", number(low), number(high)));
    }
    if answer.learning_rate.is_none() {
        page.fact("what to do", advice(report));
    }
}

/// The best early rate with its loss, over the seeds tried at that rate for that long.
fn early(report: &Report, best: &BestEarly) -> String {
    let there = report.trials.iter().filter(|t| t.iterations == best.iterations && is_at(t.learning_rate, best.learning_rate));
    let seeds: BTreeSet<u64> = there.map(|t| t.seed).collect();
    let (rate, length) = (number(best.learning_rate), counted(best.iterations, "iteration"));
    let [median, low, high] = [best.loss.median, best.loss.low, best.loss.high].map(number);
    let loss = match seeds.len() {
        0 => format!("{median}, {low} to {high}"),
        1 => format!("{median} with 1 seed"),
        seeds => format!("{median}, {low} to {high} over {}", counted(seeds as u64, "seed")),
    };
    format!("{rate} after {length} (loss {loss})")
}

/// How far the recommendation stays below the threshold: `3.5× below the threshold, 0.168`.
pub fn headroom(report: &Report) -> Option<String> {
    let threshold = report.instability.threshold.map(|t| format!(", {}", number(t))).unwrap_or_default();
    report.recommendation.headroom.map(|headroom| format!("{}× below the threshold{threshold}", factor(headroom)))
}

/// Whether a trial's rate is `rate`, but for rounding.
fn is_at(trial: f64, rate: f64) -> bool {
    (trial / rate - 1.0).abs() < 1e-9
}

fn checked(page: &mut Page, report: &Report, check: &Check) {
    let (word, colour) = match check.verdict {
        CheckVerdict::Safe => ("SAFE", Colour::Green),
        CheckVerdict::Marginal => ("TOO CLOSE", Colour::Yellow),
        CheckVerdict::Unstable => ("UNSTABLE", Colour::Red),
        CheckVerdict::Inconclusive => ("INCONCLUSIVE", Colour::Yellow),
    };
    page.headline(colour, word, &format!("  {}", verdict_sentence(report, check)));
    page.sentences("why", &check.findings);
    if check.verdict != CheckVerdict::Safe {
        match check.safe_learning_rate {
            Some(rate) => page.fact("safe rate", &text::rate(rate)),
            None => page.fact("safe rate", "none found by these trials; run `lrfind find` to look for one"),
        }
    }
}

/// The verdict in a word or two that follow "learning rate": `unstable`.
pub fn verdict_words(verdict: CheckVerdict) -> &'static str {
    match verdict {
        CheckVerdict::Safe => "safe",
        CheckVerdict::Marginal => "too close to instability",
        CheckVerdict::Unstable => "unstable",
        CheckVerdict::Inconclusive => "not judged: inconclusive",
    }
}

/// The verdict in a sentence: `learning rate 0.5: 2 of 3 seeds unstable (1 collapsed, 1 not finite)`.
pub fn verdict_sentence(report: &Report, check: &Check) -> String {
    let rate = text::rate(check.learning_rate);
    let seeds = counted(check.seeds as u64, "seed");
    match check.verdict {
        CheckVerdict::Safe => format!("learning rate {rate}: stable for {seeds}, and so are the rates tried above it"),
        CheckVerdict::Marginal => {
            format!("learning rate {rate}: stable for {seeds}, but training becomes unstable just above it")
        }
        CheckVerdict::Unstable if check.unstable_seeds == 0 => {
            format!("learning rate {rate}: stable for {seeds}, but a lower one is unstable")
        }
        CheckVerdict::Unstable => {
            format!("learning rate {rate}: {} of {seeds} unstable{}", check.unstable_seeds, ways(report, check.learning_rate))
        }
        CheckVerdict::Inconclusive => format!("learning rate {rate}: the trials do not tell whether it is safe"),
    }
}

/// How the trials at `rate` went wrong, most frequent first: ` (2 collapsed, 1 not finite)`.
fn ways(report: &Report, rate: f64) -> String {
    let at_rate = || report.trials.iter().filter(|trial| is_at(trial.learning_rate, rate));
    let kinds = [(Verdict::NonFinite, "not finite"), (Verdict::BlowUp, "blew up"), (Verdict::Collapsed, "collapsed")];
    let mut counts: Vec<_> =
        kinds.map(|(verdict, words)| (at_rate().filter(|trial| trial.verdict == verdict).count(), words)).into();
    counts.retain(|(count, _)| *count > 0);
    counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let words: Vec<_> = counts.iter().map(|(count, words)| format!("{count} {words}")).collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}

/// Where training becomes unstable, in words.
pub fn threshold(instability: &Instability) -> String {
    let interval = instability
        .full_run_interval
        .map(|i| {
            let (confidence, low, high) = (percent(i.confidence), number(i.low), number(i.high));
            format!("; full runs from {low} to {high} on ({confidence} interval)")
        })
        .unwrap_or_default();
    let bracket = match (instability.last_stable, instability.first_unstable, instability.censored) {
        (Some(stable), Some(unstable), _) => {
            // A bracket narrower than three digits can tell is shown in the four of the rates tried.
            let show = if number(stable) == number(unstable) { text::rate } else { number };
            format!("{} for some seed ({} is stable)", show(unstable), show(stable))
        }
        (None, Some(unstable), Some(Censored::BelowRange)) => {
            format!("{} or lower: unstable at every rate tried", number(unstable))
        }
        (None, Some(unstable), _) => format!("{} or lower", number(unstable)),
        (Some(stable), None, _) => format!("no rate tried was unstable, up to {}", number(stable)),
        (None, None, _) => "not known".to_owned(),
    };
    bracket + &interval
}

/// Where the rate goes: `linear decay to 0.0012 over 9,000 iterations`.
fn course(schedule: &super::ScheduleReport) -> String {
    let warmup = match schedule.shape.warmup_iterations {
        0 => String::new(),
        n => format!(" after {} of warm-up", counted(n, "iteration")),
    };
    if schedule.kind == "constant" {
        return format!("constant{warmup}");
    }
    let span = counted(schedule.decay_iterations, "iteration");
    format!("{} decay to {} over {span}{}", schedule.kind, number(schedule.final_rate), warmup.replace(" after", ","))
}

/// What was read: `42 curves from 16,800 rows of a file: learning rate from lr, seed from run, …`.
pub fn read(curves: &CurvesReport) -> String {
    let files = if curves.files == 1 { "one file".to_owned() } else { counted(curves.files as u64, "file") };
    let columns = |c: &CurveColumns| {
        let seed = c.seed.as_ref().map_or("one seed for each file".to_owned(), |seed| format!("seed from {seed:?}"));
        format!("rate from {:?}, {seed}, step from {:?}, loss from {:?}", c.learning_rate, c.step, c.loss)
    };
    let columns: Vec<String> = curves.columns.iter().map(columns).collect();
    let (count, rows) = (counted(curves.curves as u64, "curve"), counted(curves.rows, "row"));
    format!("{count} in {rows} of {files}; {}", columns.join("; or "))
}

/// What to do when there is no recommendation.
fn advice(report: &Report) -> &'static str {
    if report.status == Status::Partial {
        return "run the same command again: it goes on where this one stopped";
    }
    if report.curves.is_some() {
        return match report.instability.censored {
            Some(Censored::BelowRange) => "add curves at lower rates: every rate was unstable",
            Some(Censored::AboveRange) => "add curves at higher rates, longer ones, or more seeds",
            None => "add curves: of more rates, of more seeds, or longer ones",
        };
    }
    let has = |code: &str| report.warnings.iter().any(|warning| warning.code == code);
    if has("trials-failed") {
        return "mend what makes trials fail, and run again";
    }
    if has("budget-exhausted") {
        return "raise --budget";
    }
    if has("nothing-learnt") {
        return "see whether data and loss are right and of a usual scale; if they are, give the trials more --iterations";
    }
    match report.instability.censored {
        Some(Censored::BelowRange) => {
            "look lower with --range, and see whether the data is scaled and the loss is right: every rate tried was unstable"
        }
        Some(Censored::AboveRange) => "look higher with --range, or give the trials more --iterations or more --seeds",
        None => "give the trials more --seeds or more --iterations",
    }
}

/// What the answer cost: `12,300 trial-iterations, 1.4 times the planned run`.
pub fn cost(report: &Report) -> String {
    let share = and_of_planned_run(report.cost.share_of_planned_run);
    format!("{}{share}", counted(report.cost.trial_iterations, "trial-iteration"))
}

/// What follows a number of iterations: `, 14 % of the planned run`, or nothing where the length of that is not known.
pub fn and_of_planned_run(share: Option<f64>) -> String {
    share.map(|share| format!(", {}", of_planned_run(share))).unwrap_or_default()
}

/// A share of the planned run in words: `14 % of the planned run`, `1.4 times the planned run`.
pub fn of_planned_run(share: f64) -> String {
    if share < 1.1 {
        format!("{} of the planned run", percent(share))
    } else {
        format!("{} times the planned run", factor(share))
    }
}

/// The command that follows from the answer.
fn next_command(report: &Report, config: Option<&Path>) -> Option<String> {
    let config = quoted(&config?.display().to_string());
    if report.status == Status::Partial {
        return None;
    }
    match &report.check {
        None => report.recommendation.learning_rate.map(|rate| format!("lrfind check {config} --lr {rate}")),
        Some(check) if check.verdict == CheckVerdict::Safe => None,
        Some(check) => Some(match check.safe_learning_rate {
            Some(rate) => format!("lrfind check {config} --lr {rate}"),
            None => format!("lrfind find {config}"),
        }),
    }
}

/// `word` as a shell reads it in one piece.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./+:@%,=".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// The colours used, as numbers of ANSI's "select graphic rendition".
#[derive(Clone, Copy)]
enum Colour {
    Red = 31,
    Green = 32,
    Yellow = 33,
}

/// Text in two columns under a headline.
struct Page {
    text: String,
    colour: bool,
}

impl Page {
    fn headline(&mut self, colour: Colour, bold: &str, rest: &str) {
        let bold = self.painted(Some(colour), bold);
        self.text.extend([bold.as_str(), rest, "\n\n"]);
    }

    fn fact(&mut self, label: &str, text: &str) {
        self.put(&format!("{label:INDENT$}"), wrapped(text, WIDTH - INDENT).iter().map(String::as_str));
    }

    fn fact_in(&mut self, label: &str, colour: Colour, text: &str) {
        let label = self.painted(Some(colour), &format!("{label:INDENT$}"));
        self.put(&label, wrapped(text, WIDTH - INDENT).iter().map(String::as_str));
    }

    fn sentences(&mut self, label: &str, sentences: &[String]) {
        let lines: Vec<_> = sentences.iter().flat_map(|sentence| wrapped(sentence, WIDTH - INDENT)).collect();
        self.lines(label, lines.iter().map(String::as_str));
    }

    fn lines<'t>(&mut self, label: &str, lines: impl IntoIterator<Item = &'t str>) {
        self.put(&format!("{label:INDENT$}"), lines);
    }

    fn put<'t>(&mut self, label: &str, lines: impl IntoIterator<Item = &'t str>) {
        for (k, line) in lines.into_iter().enumerate() {
            let label = if k == 0 { label.to_owned() } else { " ".repeat(INDENT) };
            self.text.extend([label.as_str(), line, "\n"]);
        }
    }

    fn painted(&self, colour: Option<Colour>, text: &str) -> String {
        match colour {
            Some(colour) if self.colour => format!("\u{1b}[1;{}m{text}\u{1b}[0m", colour as u8),
            _ => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{ScheduleReport, sample};

    fn plain(report: &Report) -> String {
        let files = [PathBuf::from("reports/digits/report.json")];
        render(report, &Context { colour: false, config: Some(Path::new("configs/digits.toml")), files: &files })
    }

    #[test]
    fn the_number_comes_first() {
        let text = plain(&sample::found());
        assert_eq!(
            text,
            "\
recommended learning rate  0.12   (linear decay to 0.0012 over 9,000 iterations)

why             it keeps 93 % of the best rate's progress
                it is 5 times below the threshold
best early      0.05 after 100 iterations (loss 0.312, 0.298 to 0.341 over 2 seeds)
unstable from   0.631 for some seed (0.562 is stable); full runs from 0.54 to 0.88 on (90 %
                interval)
headroom        5× below the threshold, 0.596
risk            1.2 % estimated chance that a full run at this rate becomes unstable
as good         0.09 to 0.16
warning         only 3 seeds were tried; give --seeds 5
cost            12,300 trial-iterations, 1.4 times the planned run
to paste        learning-rate = 0.12
                schedule = { kind = \"linear\", decay-epochs = 200, final-fraction = 0.01 }
files           reports/digits/report.json
next            lrfind check configs/digits.toml --lr 0.12
"
        );
    }

    #[test]
    fn one_seed_has_no_range() {
        let mut report = sample::found();
        let best = report.best_early.value.clone().unwrap();
        report.trials.retain(|t| t.seed == 0);
        assert_eq!(early(&report, &best), "0.05 after 100 iterations (loss 0.312 with 1 seed)");
    }

    #[test]
    fn only_what_is_to_be_typed_has_four_digits() {
        let mut report = sample::found();
        report.recommendation.learning_rate = Some(0.047_69);
        (report.instability.last_stable, report.instability.first_unstable) = (Some(0.1655), Some(0.1707));
        let text = plain(&report);
        assert!(text.starts_with("recommended learning rate  0.04769 "), "{text}");
        assert!(text.contains("unstable from   0.171 for some seed (0.166 is stable); full runs"), "{text}");
        assert!(text.ends_with("--lr 0.04769\n"), "{text}");
        report.instability.last_stable = Some(0.1706);
        assert!(plain(&report).contains("unstable from   0.1707 for some seed (0.1706 is stable)"));
    }

    #[test]
    fn without_an_answer_it_says_why_and_what_to_do() {
        let text = plain(&sample::nothing_found());
        assert!(text.starts_with("no learning rate recommended\n\nwhy             no rate did better"), "{text}");
        assert!(text.contains("unstable from   no rate tried was unstable, up to 10\n"), "{text}");
        assert!(text.contains("what to do      look higher with --range"), "{text}");
        assert!(!text.contains("next "), "{text}");
    }

    #[test]
    fn a_verdict_names_the_seeds_and_a_safe_rate() {
        let text = plain(&sample::checked());
        assert!(text.starts_with("UNSTABLE  learning rate 0.5: 2 of 3 seeds unstable (1 not finite, 1 collapsed)\n"), "{text}");
        assert!(text.contains("\nsafe rate       0.12\n"), "{text}");
        assert!(text.ends_with("\nnext            lrfind check configs/digits.toml --lr 0.12\n"), "{text}");
    }

    #[test]
    fn an_interrupted_search_says_so() {
        let text = plain(&Report { status: Status::Partial, ..sample::found() });
        assert!(text.contains("\ninterrupted     the trials") && !text.contains("\nnext"), "{text}");
        assert!(!plain(&sample::found()).contains("interrupted"));
    }

    #[test]
    fn colour_only_when_asked() {
        let coloured = render(&sample::found(), &Context { colour: true, ..Context::default() });
        assert!(coloured.starts_with("\u{1b}[1;32mrecommended learning rate  0.12\u{1b}[0m   ("), "{coloured}");
        assert!(!plain(&sample::found()).contains('\u{1b}'));
    }

    #[test]
    fn the_next_command_survives_a_shell() {
        assert_eq!(quoted("a b/it's.toml"), "'a b/it'\\''s.toml'");
        assert_eq!(quoted("configs/x.toml"), "configs/x.toml");
    }

    #[test]
    fn a_constant_schedule_and_a_warm_up_read_well() {
        let mut schedule: ScheduleReport = sample::schedule();
        schedule.shape.warmup_iterations = 20;
        assert_eq!(course(&schedule), "linear decay to 0.0012 over 9,000 iterations, 20 iterations of warm-up");
        schedule.kind = "constant".into();
        assert_eq!(course(&schedule), "constant after 20 iterations of warm-up");
    }
}
