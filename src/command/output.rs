//! What a script has said: its losses, and its last words.

use std::collections::VecDeque;

use super::lines::{Line, Lines};
use super::loss::{LossReader, probed};
use super::process::Stream;
use crate::config::{Placeholder, ScriptPlan, Streams};
use crate::number::has_ambiguous_comma;

/// Last lines that are kept of each stream, and how many characters of each.
const LAST_LINES: usize = 6;
const LAST_CHARACTERS: usize = 200;

/// What a script that stays says when it is ready for a trial.
const READY: &str = "ready";

/// Everything that was read from a script.
#[derive(Debug)]
pub(super) struct Output {
    out: Channel,
    err: Channel,
    heard: Heard,
}

/// One stream: how its bytes become lines, and its lines losses.
#[derive(Debug)]
struct Channel {
    lines: Lines,
    reader: LossReader,
    /// Whether its losses count.
    counts: bool,
}

#[derive(Debug)]
struct Heard {
    losses: VecDeque<f64>,
    /// Losses of probes, where the script was asked for some.
    probes: Option<VecDeque<f64>>,
    last_out: VecDeque<String>,
    last_err: VecDeque<String>,
    /// The stream that does not count holds losses.
    elsewhere: bool,
    /// Texts that speak of divergence, and whether one was heard.
    diverged: (Vec<String>, bool),
    /// Whether a script that stays has said that it is ready for a trial.
    ready: bool,
}

impl Output {
    pub(super) fn new(plan: &ScriptPlan, reader: &LossReader) -> Self {
        let channel = |other| Channel { lines: Lines::default(), reader: reader.clone(), counts: plan.stream != other };
        let heard = Heard {
            losses: VecDeque::new(),
            probes: plan.has(Placeholder::Probe).then(VecDeque::new),
            last_out: VecDeque::new(),
            last_err: VecDeque::new(),
            elsewhere: false,
            diverged: (plan.diverged.clone(), false),
            ready: false,
        };
        Self { out: channel(Streams::Stderr), err: channel(Streams::Stdout), heard }
    }

    /// Takes what was read.
    pub(super) fn take(&mut self, stream: Stream, bytes: &[u8]) {
        let heard = &mut self.heard;
        let Channel { lines, reader, counts } = if stream == Stream::Out { &mut self.out } else { &mut self.err };
        lines.feed(bytes, |line| heard.take(stream, line, reader, *counts));
    }

    /// Whether a script that stays has said since the last trial began that it is ready for the next.
    pub(super) fn is_ready(&self) -> bool {
        self.heard.ready
    }

    /// Forgets what was said, for a trial begins. How losses are read stays: a table names its columns once.
    pub(super) fn forget(&mut self) {
        let Heard { losses, probes, last_out, last_err, elsewhere, diverged, ready } = &mut self.heard;
        losses.clear();
        probes.iter_mut().for_each(VecDeque::clear);
        last_out.clear();
        last_err.clear();
        (*elsewhere, diverged.1, *ready) = (false, false, false);
    }

    /// Takes the last lines, which no newline ended; they count only if the script was not cut off.
    pub(super) fn finish(&mut self, whole: bool) {
        for (stream, channel) in [(Stream::Out, &mut self.out), (Stream::Err, &mut self.err)] {
            let Channel { lines, reader, counts } = channel;
            let heard = &mut self.heard;
            if lines.is_pending() {
                lines.finish(&mut |line| heard.take(stream, line, reader, *counts && whole));
            }
        }
    }

    /// The first loss that was not handed out yet.
    pub(super) fn next_loss(&mut self) -> Option<f64> {
        self.heard.losses.pop_front()
    }

    /// The first loss of a probe that was not handed out yet.
    pub(super) fn next_probe(&mut self) -> Option<f64> {
        self.heard.probes.as_mut()?.pop_front()
    }

    /// Whether a line spoke of divergence.
    pub(super) fn speaks_of_divergence(&self) -> bool {
        self.heard.diverged.1
    }

    /// Whether the stream that does not count holds losses.
    pub(super) fn has_losses_elsewhere(&self) -> bool {
        self.heard.elsewhere
    }

    /// Whether lines were overwritten where losses count.
    pub(super) fn has_overwritten(&self) -> bool {
        [&self.out, &self.err].iter().any(|channel| channel.counts && channel.lines.has_overwritten())
    }

    /// Whether nothing was said at all.
    pub(super) fn is_empty(&self) -> bool {
        self.heard.last_out.is_empty() && self.heard.last_err.is_empty()
    }

    /// Whether the last words hold a word for numbers that are not finite.
    pub(super) fn mentions_infinity(&self) -> bool {
        let words = ["nan", "nans", "inf", "infinity", "infinite", "finite", "overflow", "underflow", "overflowerror"];
        let mentions =
            |line: &String| line.to_lowercase().split(|c: char| !c.is_alphanumeric()).any(|word| words.contains(&word));
        self.last_words().iter().any(mentions)
    }

    /// Whether the last words speak of a loss, and of a number with a comma.
    pub(super) fn has_ambiguous_comma(&self) -> bool {
        self.last_words().iter().any(|line| line.to_lowercase().contains("loss") && has_ambiguous_comma(line))
    }

    /// The last lines, indented, after a newline: of standard error, where a program says why it fails, or else of standard
    /// output.
    pub(super) fn quoted(&self) -> String {
        let lines: Vec<String> = self.last_words().iter().map(|line| format!("\n  | {line}")).collect();
        lines.concat()
    }

    fn last_words(&self) -> &VecDeque<String> {
        if self.heard.last_err.is_empty() { &self.heard.last_out } else { &self.heard.last_err }
    }
}

impl Heard {
    fn take(&mut self, stream: Stream, line: Line<'_>, reader: &mut LossReader, counts: bool) {
        let (texts, diverged) = &mut self.diverged;
        *diverged = *diverged || texts.iter().any(|text| line.text.contains(text));
        if counts && !line.is_cut {
            self.losses.extend(reader.read(line.text));
            if let Some(probes) = &mut self.probes {
                probes.extend(probed(line.text));
            }
        } else if !self.elsewhere && !line.is_cut {
            self.elsewhere = reader.read(line.text).is_some();
        }
        if line.text.trim().is_empty() {
            return;
        }
        self.ready |= stream == Stream::Out && line.text.trim() == READY;
        let last = if stream == Stream::Out { &mut self.last_out } else { &mut self.last_err };
        if last.len() == LAST_LINES {
            last.pop_front();
        }
        let shown = line.text.trim_end().chars().take(LAST_CHARACTERS);
        last.push_back(shown.map(|c| if c.is_control() { ' ' } else { c }).collect());
    }
}
