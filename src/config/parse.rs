//! The whole file: sections in turn, then what they must agree on.

use std::path::Path;

use toml::de::DeTable;

use super::command_plan::{CommandPlan, Config};
use super::plan::{DataPlan, DeviceKind, Plan};
use super::problems::{ConfigErrors, Log, shown};
use super::section::Section;
use super::{command, data, model, search, training};

/// The longest name of a run: a folder's name, with room for what is added to it.
const LONGEST_NAME: usize = 100;

/// Checks the text of a config file, of either kind.
///
/// `path` is where the text came from: problems name it, its folder is where relative paths start, and its stem is the
/// default name. The file system is not touched.
///
/// # Errors
/// Everything that is wrong with the text, in the order of the lines; a syntax error hides the rest.
pub fn parse_any(text: &str, path: &Path) -> Result<Config, ConfigErrors> {
    let log = Log::new(path, text);
    let document = match DeTable::parse(text) {
        Ok(document) => document,
        Err(error) => {
            // The parser may quote the text, and may say more than one line.
            let message = format!("not valid TOML: {}", shown(error.message()));
            log.report(error.span(), message, "mend the syntax here (see https://toml.io); the rest is checked after that");
            return log.conclude(None);
        }
    };
    let mut top = Section::top(&log, document.get_ref());
    let name = name(&mut top).unwrap_or_else(|| default_name(path));
    let folder = path.parent().unwrap_or(Path::new(""));
    let script = top.section("command", "command");
    let config = if script.is_absent() {
        read_model(top, name, folder).map(Config::Model)
    } else {
        read_command(top, script, name, folder).map(Config::Command)
    };
    log.conclude(config)
}

/// As [`parse_any`], for configs of data and a model alone.
///
/// # Errors
/// As [`parse_any`], and when the config runs a command.
pub fn parse(text: &str, path: &Path) -> Result<Plan, ConfigErrors> {
    match parse_any(text, path)? {
        Config::Model(plan) => Ok(plan),
        Config::Command(_) => Err(ConfigErrors::whole_file(
            path,
            "this config runs a command, and a model that is trained here is needed".to_owned(),
            "give a config with [data] and [model] instead of [command]".to_owned(),
        )),
    }
}

fn read_command(mut top: Section<'_>, script: Section<'_>, name: String, folder: &Path) -> Option<CommandPlan> {
    top.note_context("[command]");
    let command = command::read(script, folder);
    let training = command::training(top.section("training", "training"));
    let optimizer = training.as_ref().and_then(|training| training.optimizer.as_ref());
    let search = search::read(top.section("search", "search"), optimizer);
    top.finish();
    Some(CommandPlan { name, command: command?, training: training?, search: search? })
}

fn read_model(mut top: Section<'_>, name: String, folder: &Path) -> Option<Plan> {
    let device = top.choice("device", DeviceKind::NAMES).unwrap_or_default();

    let section = top.section("data", "data");
    if section.is_absent() {
        top.complain(
            "",
            "there is no [data] section",
            "add `[data]` and, below it, `kind = \"csv\"` and `path = \"…\"`; or `[command]` to run a training script of your own",
        );
    }
    let (no_data, quadratic) = (section.is_absent(), section.says("problem", "quadratic"));
    let data = if no_data { None } else { data::read(section, folder) };

    let on_quadratic = if quadratic || no_data { Some(quadratic) } else { data.as_ref().map(DataPlan::is_quadratic) };
    let (model, init_from) = model::read(top.section("model", "model"), on_quadratic, folder);
    let training = training::read(top.section("training", "training"), data.as_ref().map(DataPlan::task));
    let optimizer = training.as_ref().map(|training| &training.optimizer);
    let search = search::read(top.section("search", "search"), optimizer);
    top.finish();
    Some(Plan { name, data: data?, model: model?, init_from, training: training?, search: search?, device })
}

fn name(top: &mut Section<'_>) -> Option<String> {
    let name = top.string("name")?;
    if name != sanitized(name) {
        top.complain(
            "name",
            format!("`{}` cannot name a report folder", shown(name)),
            format!(
                "use at most {LONGEST_NAME} letters, digits, `-`, `_` and `.`, no `.` first: `name = \"{}\"`",
                sanitized(name)
            ),
        );
        return None;
    }
    Some(name.to_owned())
}

/// The file's stem as far as it can name a folder.
fn default_name(path: &Path) -> String {
    sanitized(&path.file_stem().unwrap_or_default().to_string_lossy())
}

/// `text` with everything that a run's name may not hold replaced by `-`; "config" if nothing is left.
pub(crate) fn sanitized(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let name: String =
        text.trim().trim_start_matches('.').chars().take(LONGEST_NAME).map(|c| if allowed(c) { c } else { '-' }).collect();
    if name.chars().all(|c| c == '-') { "config".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_fit_for_a_folder() {
        for (text, name) in [
            ("digits-mlp_2.5", "digits-mlp_2.5"),
            ("my run", "my-run"),
            ("../../etc", "-..-etc"),
            ("..", "config"),
            ("", "config"),
            ("学習", "config"),
            ("a/b\\c\u{0}d", "a-b-c-d"),
        ] {
            assert_eq!(sanitized(text), name, "{text}");
            assert_eq!(sanitized(name), name);
        }
        assert_eq!(sanitized(&"x".repeat(500)).len(), LONGEST_NAME);
    }

    #[test]
    fn the_default_name_is_the_stem() {
        assert_eq!(default_name(Path::new("configs/digits mlp.toml")), "digits-mlp");
        assert_eq!(default_name(Path::new("/")), "config");
    }
}
