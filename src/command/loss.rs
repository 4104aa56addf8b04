//! How a loss is read from a line of output.

use csv::{ReaderBuilder, StringRecord, Trim};
use regex_lite::Regex;
use serde_json::Value;

use crate::config::LossFormat;
use crate::number::{leading, whole};

/// Reads losses from the lines of one stream, in order.
#[derive(Debug, Clone)]
pub(super) enum LossReader {
    Plain,
    Json { path: Vec<String> },
    Regex(Regex),
    Csv { column: String, place: Option<(usize, u8)> },
}

impl LossReader {
    /// `None` for an expression that is none; a checked config holds no such.
    pub(super) fn new(format: &LossFormat) -> Option<Self> {
        Some(match format {
            LossFormat::Plain => Self::Plain,
            LossFormat::Json { key } => Self::Json { path: key.split('.').map(str::to_owned).collect() },
            LossFormat::Regex { pattern } => Self::Regex(Regex::new(pattern).ok()?),
            LossFormat::Csv { column } => Self::Csv { column: column.clone(), place: None },
        })
    }

    /// The loss on this line, if it holds one.
    pub(super) fn read(&mut self, line: &str) -> Option<f64> {
        match self {
            Self::Plain => plain(line),
            Self::Json { path } => json(line, path),
            Self::Regex(regex) => field(regex.captures_iter(line).last()?.get(1)?.as_str()),
            Self::Csv { column, place } => csv(line, column, place),
        }
    }
}

/// The number after the last `loss` of the line that is not a validation or test loss. One that is called just `loss` comes before one
/// with a longer name, and last come the best so far and parts of it.
fn plain(line: &str) -> Option<f64> {
    // ASCII alone changes its case, so places in one are places in the other.
    let lower = line.to_ascii_lowercase();
    // `Test set: average loss: 0.05`.
    let first = lower.split(|c: char| !c.is_alphanumeric() && c != '_').find(|word| !word.is_empty());
    if first.is_some_and(|word| OTHER_DATA.contains(&word)) {
        return None;
    }
    let mut found = [None; 3];
    for (at, word) in lower.rmatch_indices("loss") {
        let before = &lower[..at];
        if is_named(before, &OTHER_DATA) {
            continue;
        }
        let Some(loss) = value_after(&line[at + word.len()..]) else { continue };
        let rank = if is_named(before, &OTHER) { 2 } else { usize::from(before.ends_with(joins)) };
        found[rank].get_or_insert(loss);
    }
    found.into_iter().flatten().next()
}

/// What joins the words of a name.
fn joins(c: char) -> bool {
    c.is_alphanumeric() || "_-/.".contains(c)
}

/// Whether one of `words` stands just before `loss`, as a word or a part of its name: `val_loss`, `test/loss`, `Validation loss`.
fn is_named(before: &str, words: &[&str]) -> bool {
    let name_start = before.trim_end_matches(joins).len();
    // A comma or a bar would part them: `validation, loss`, but `[val] loss` and `val: loss`.
    let word_before = before[..name_start].trim_end_matches(|c: char| c.is_whitespace() || ":])}>".contains(c));
    let neighbour = &word_before[word_before.trim_end_matches(joins).len()..];
    [&before[name_start..], neighbour].iter().any(|name| name.split(['_', '-', '/', '.']).any(|part| words.contains(&part)))
}

/// The usual words for data held out.
const OTHER_DATA: [&str; 10] = ["val", "valid", "validation", "test", "testing", "eval", "evaluation", "dev", "heldout", PROBE];

/// Words for losses that are not the one that is minimised: the best so far, or a part. They count where there is no other.
const OTHER: [&str; 7] = ["best", "lowest", "previous", "reg", "regularization", "aux", "auxiliary"];

/// The word for the set of examples that a script was asked to probe.
const PROBE: &str = "probe";

/// The loss of a line that tells of a probe: the number after the last `probe` or `probe_loss` of the line, however losses are read.
pub(super) fn probed(line: &str) -> Option<f64> {
    let lower = line.to_ascii_lowercase();
    let after = lower.rfind(PROBE)? + PROBE.len();
    let name = lower[after..].trim_start_matches(['_', '-', '/', '.', ' ']);
    let rest = name.strip_prefix("loss").unwrap_or(&lower[after..]);
    value_after(&line[line.len() - rest.len()..])
}

/// The number that follows a name: after a quotation mark, a colon or an equals sign, and in whatever prints it wrapped, such as
/// `tensor(0.53, …)` or `[0.53]`. What is in brackets before a colon or an equals sign tells which loss it is: `loss[17] = 0.53`.
fn value_after(text: &str) -> Option<f64> {
    let text = match qualified(text) {
        Some((which, _)) if is_named(&which.to_ascii_lowercase(), &OTHER_DATA) => return None,
        Some((_, rest)) => rest,
        None => text,
    };
    let mut rest = text.trim_start_matches(['"', '\'']).trim_start();
    rest = rest.strip_prefix([':', '=']).unwrap_or(rest).trim_start();
    loop {
        if let Some((loss, _)) = leading(rest) {
            return Some(loss);
        }
        let name = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        let first = |list: &'_ str| list.find(',').unwrap_or(list.len());
        rest = match name.strip_prefix('(').or_else(|| rest.strip_prefix('[')) {
            // Between brackets commas part what is listed.
            Some(list) => &list[..first(list)],
            None => rest.strip_prefix(['"', '\''])?,
        };
    }
}

/// What is in brackets right at the start, and what follows them from a colon or an equals sign on.
fn qualified(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let close = if text.starts_with('[') { ']' } else { ')' };
    let (which, rest) = text.strip_prefix(['[', '('])?.split_once(close)?;
    rest.trim_start().starts_with([':', '=']).then(|| (which, rest.trim_start()))
}

/// The value under a path of keys, or under one key that has dots itself. `null` is how JSON spells a loss that is not finite.
fn json(line: &str, path: &[String]) -> Option<f64> {
    let objects = &line[line.find('{')?..];
    // Many writers print NaN and Infinity bare, which is no JSON.
    let values =
        serde_json::from_str(objects.trim_end()).map_or_else(|_| values(&quoting_infinities(objects)), |value| vec![value]);
    values.iter().rev().find_map(|value| {
        let nested = || path.iter().try_fold(value, |value, key| value.get(key));
        match value.get(path.join(".")).or_else(nested)? {
            Value::Number(number) => number.as_f64(),
            Value::Null => Some(f64::NAN),
            Value::String(text) if text == "null" => Some(f64::NAN),
            Value::String(text) => field(text),
            _ => None,
        }
    })
}

/// The values with which the text begins.
fn values(text: &str) -> Vec<Value> {
    serde_json::Deserializer::from_str(text).into_iter().map_while(Result::ok).collect()
}

/// The text with quotation marks around each number that is not finite, but for those in strings.
fn quoting_infinities(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    let (mut is_string, mut is_escaped) = (false, false);
    while let Some(next) = rest.chars().next() {
        let number = if is_string { None } else { leading(rest) };
        let length = match number {
            Some((value, after)) if !value.is_finite() => {
                kept.extend(["\"", &value.to_string(), "\""]);
                rest = after;
                continue;
            }
            Some((_, after)) => rest.len() - after.len(),
            None => next.len_utf8(),
        };
        is_string ^= next == '"' && !is_escaped;
        is_escaped = is_string && next == '\\' && !is_escaped;
        kept.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    kept
}

/// The number that a field of a table or a match is, perhaps wrapped: `0.53`, `tensor(nan)`.
fn field(text: &str) -> Option<f64> {
    let is_wrapped = text.trim_start().starts_with(|c: char| c.is_alphabetic() || c == '[');
    whole(text).or_else(|| value_after(text).filter(|_| is_wrapped))
}

/// The field of the column, once a line has named the columns.
fn csv(line: &str, column: &str, place: &mut Option<(usize, u8)>) -> Option<f64> {
    if let Some((index, delimiter)) = *place {
        return field(fields(line, delimiter)?.get(index)?);
    }
    let find = |delimiter: u8| Some((fields(line, delimiter)?.iter().position(|name| name == column)?, delimiter));
    *place = b",\t;".iter().find_map(|&delimiter| find(delimiter));
    None
}

fn fields(line: &str, delimiter: u8) -> Option<StringRecord> {
    let mut builder = ReaderBuilder::new();
    builder.has_headers(false).delimiter(delimiter).trim(Trim::All);
    builder.from_reader(line.as_bytes()).into_records().next()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(reader: &mut LossReader, line: &str) -> Option<f64> {
        reader.read(line)
    }

    #[test]
    fn probes_are_told_from_losses() {
        for (line, loss) in [
            ("probe: 0.5", 0.5),
            ("probe_loss=0.5", 0.5),
            ("step 3 loss: 0.7 Probe Loss: 0.5", 0.5),
            ("probe 4", 4.0),
            ("{\"probe/loss\": 0.5}", 0.5),
        ] {
            assert_eq!(probed(line), Some(loss), "{line}");
        }
        assert!(probed("probe: nan").is_some_and(f64::is_nan));
        for line in ["", "loss: 0.5", "probe", "probes 3", "probe: none"] {
            assert_eq!(probed(line), None, "{line}");
        }
        assert_eq!([plain("probe_loss: 0.5"), plain("probe loss: 0.5")], [None, None]);
    }

    #[test]
    fn plain_lines() {
        for (line, loss) in [
            ("loss: 0.53", 0.53),
            ("loss=0.53", 0.53),
            ("step 3 | Loss 0.53 | acc 0.9", 0.53),
            ("epoch 1 train_loss: 1.5e-3", 1.5e-3),
            ("training loss = 7", 7.0),
            (" 10%|█         | 10/100 [00:01<00:09, loss=0.51]loss: 0.53", 0.53),
            ("loss: 0.53 - val_loss: 0.60", 0.53),
            ("val_acc 0.9, loss 0.53", 0.53),
            ("loss: 0.5 Validation loss: 0.6", 0.5),
            ("step 3, eval later, loss 0.5", 0.5),
            ("{'loss': 0.53, 'lr': 0.1}", 0.53),
            ("{\"train/loss\": 0.53}", 0.53),
            ("loss: tensor(0.53, grad_fn=<NllLossBackward0>)", 0.53),
            ("loss: np.float32(0.53)", 0.53),
            ("loss [0.53]", 0.53),
            ("Loss 6.9 (7.0)", 6.9),
            ("loss 1: a loss: 2", 2.0),
            ("loss: -3", -3.0),
            ("value_loss: 0.5", 0.5),
            ("loss: 0.53 probe_loss: 0.6", 0.53),
            ("train: loss 0.53 | val: loss 7.5", 0.53),
            ("step 3 loss 0.53 [val] loss 7.5", 0.53),
            ("Epoch 3 - loss=0.53 - Val: loss=7.5", 0.53),
            ("loss: 0.53 (val) loss: 7.5", 0.53),
            ("loss: 0.53 validation  loss: 7.5", 0.53),
            ("loss: 0.53  testing loss: 7.5", 0.53),
            ("epoch 3 | test 0.9 | loss 0.53", 0.53),
            ("after test, loss 0.53", 0.53),
            ("loss: 0.53 - reg_loss: 0.01", 0.53),
            ("loss 0.53 best_loss 0.02 aux loss: 0.1", 0.53),
            ("total_loss: 0.53 cls_loss_scale: 2", 0.53),
            ("loss: 0.53, ema_loss: 0.6", 0.53),
            ("Loss[17] = 0.53", 0.53),
            ("loss (train): 0.53, loss (val): 0.6", 0.53),
            ("loss: 11,849.60", 11_849.6),
            ("best_loss: 0.53", 0.53),
            ("cls_loss: 0.7 bbox_reg_loss: 0.53", 0.7),
            ("Elapsed 3 min loss 0.53", 0.53),
            ("[12.3 min] loss: 0.53", 0.53),
            ("total loss = 0.53, reg loss = 0.1", 0.53),
            ("loss: [5,100.5]", 5.0),
            ("{\"loss\":[0.53,3]}", 0.53),
        ] {
            assert_eq!(plain(line), Some(loss), "{line}");
        }
        assert!(plain("step 7, loss nan").is_some_and(f64::is_nan));
        assert!(plain("loss=-nan(ind)").is_some_and(f64::is_nan));
        for line in [
            "",
            "loss",
            "loss: info",
            "val_loss: 0.6",
            "test loss: 0.5",
            "epoch_val_loss=1",
            "Test set: Average loss: 0.0521, Accuracy: 98 %",
            "[val] step 3 loss 0.5",
            "loss: 0,53",
            "loss: 11,849",
            "acc 0.9",
            "using CrossEntropyLoss",
        ] {
            assert_eq!(plain(line), None, "{line}");
        }
    }

    #[test]
    fn json_lines() {
        let mut reader = LossReader::new(&LossFormat::Json { key: "train.loss".into() }).unwrap();
        assert_eq!(reads(&mut reader, "{\"train\": {\"loss\": 0.5}, \"step\": 1}"), Some(0.5));
        assert_eq!(reads(&mut reader, "{\"train.loss\": 0.25}"), Some(0.25));
        assert_eq!(reads(&mut reader, "INFO {\"train\": {\"loss\": \"0.5\"}}"), Some(0.5));
        for line in ["{\"train\": {\"loss\": null}}", "{\"train\": {\"loss\": NaN}}", "{\"train\": {\"loss\" : -nan}}"] {
            assert!(reads(&mut reader, line).is_some_and(f64::is_nan), "{line}");
        }
        assert_eq!(reads(&mut reader, "{\"train\": {\"loss\": Infinity}}"), Some(f64::INFINITY));
        // What else is not finite on the line, and where else the name stands, makes no difference.
        for line in [
            "{\"val\": {\"loss\": NaN}, \"train\": {\"loss\": 0.5}}",
            "{\"a\": -Infinity, \"val\": {\"loss\": 3.0}, \"train\": {\"loss\": 0.5}, \"nan\": \"\\\" NaN\"}",
            "{\"step\": 1} {\"train\": {\"loss\": 0.5}, \"grad\": nan} and more",
        ] {
            assert_eq!(reads(&mut reader, line), Some(0.5), "{line}");
        }
        for line in ["{\"by\": \"loss\", \"train\": {\"loss\": NaN}}", "{\"train\": {\"loss\": \"tensor(nan)\"}}"] {
            assert!(reads(&mut reader, line).is_some_and(f64::is_nan), "{line}");
        }
        assert_eq!(reads(&mut reader, "{\"train\": {\"loss\": 1e999}}"), Some(f64::INFINITY));
        for line in ["", "loss: 1", "{\"train\": {\"acc\": 1}}", "{\"loss\": 1}", "{\"train\": {\"loss\": [1]}}", "{"] {
            assert_eq!(reads(&mut reader, line), None, "{line}");
        }
    }

    #[test]
    fn regular_expressions() {
        let mut reader = LossReader::new(&LossFormat::Regex { pattern: r"cost (\S+)".into() }).unwrap();
        assert_eq!(reads(&mut reader, "step 1 cost 0.5 cost 0.25"), Some(0.25));
        assert_eq!(reads(&mut reader, "cost 1.#INF"), Some(f64::INFINITY));
        assert!(reads(&mut reader, "cost tensor(nan)").is_some_and(f64::is_nan));
        assert_eq!(reads(&mut reader, "cost soon"), None);
        assert_eq!(reads(&mut reader, "loss 1"), None);
    }

    #[test]
    fn columns() {
        for (header, line) in
            [("step,loss", "1, 0.5"), ("loss\tstep", "0.5\t1"), ("step;loss;x", "1;0.5;2"), ("\"a,b\",loss", "\"1,2\",0.5")]
        {
            let mut reader = LossReader::new(&LossFormat::Csv { column: "loss".into() }).unwrap();
            assert_eq!(reads(&mut reader, "1,9"), None, "before the header");
            assert_eq!(reads(&mut reader, header), None);
            assert_eq!(reads(&mut reader, line), Some(0.5), "{header}");
            assert_eq!(reads(&mut reader, "Traceback"), None);
            assert!(reads(&mut reader, &line.replace("0.5", "tensor(nan)")).is_some_and(f64::is_nan));
            assert_eq!(reads(&mut reader, ""), None);
        }
    }
}
