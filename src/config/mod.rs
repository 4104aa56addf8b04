//! From TOML text to a checked [`Plan`] or [`CommandPlan`].
//!
//! [`load_any`] reads a file and [`parse_any`] does the rest: the text becomes a spanned TOML tree, each section is read by hand into
//! the plan, and everything that is wrong is reported at once, with its place in the file and what to write instead.

mod command;
mod command_line;
mod command_plan;
mod data;
mod key_path;
mod keys;
mod model;
mod names;
mod optimizer;
mod parse;
mod plan;
mod problems;
mod schedule;
mod schema;
mod search;
mod section;
mod starter;
mod template;
mod training;

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub use command::JOBS;
pub(crate) use command_line::is_script;
pub use command_line::{Flags, Told};
pub use command_plan::*;
pub use key_path::{Segment, line_of};
pub(crate) use keys::similar;
pub use keys::{Key, keys, reference};
pub use parse::{parse, parse_any};
pub use plan::*;
pub use problems::{ConfigErrors, Problem};
pub use schema::json_schema;
pub use search::{ITERATIONS, SEEDS};
pub use starter::{command_starter, starter};
pub use template::{Placeholder, Template};

/// Configs longer than this are refused. A config is a page of text; a longer file is the data, or a device, by mistake.
const LONGEST: u64 = 1 << 20;

/// Reads and checks a config file of data and a model.
///
/// Relative data paths are resolved against the file's folder; whether the data exists is for the data loader to find out.
///
/// # Errors
/// When the file cannot be read, is not UTF-8 text, or holds problems: all of them at once. A `[command]` is one.
pub fn load(path: &Path) -> Result<Plan, ConfigErrors> {
    parse(&read(path)?, path)
}

/// Reads and checks a config file of either kind; see [`load`].
///
/// # Errors
/// As [`load`].
pub fn load_any(path: &Path) -> Result<Config, ConfigErrors> {
    parse_any(&read(path)?, path)
}

fn read(path: &Path) -> Result<String, ConfigErrors> {
    text(path).map_err(|(message, fix)| ConfigErrors::whole_file(path, message, fix))
}

/// The file's text, or what is wrong with the file and how to mend it.
fn text(path: &Path) -> Result<String, (String, String)> {
    let fault = |error: std::io::Error| {
        let fix = match error.kind() {
            std::io::ErrorKind::NotFound => "check the path, or write a starter config with `lrfind init`",
            _ => "give the path of a readable TOML file",
        };
        (format!("cannot read the config: {error}"), fix.to_owned())
    };
    if path.is_dir() {
        return Err(("this is a folder, not a config".to_owned(), "give the path of a TOML file in it".to_owned()));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes)).map_err(fault)?;
    if bytes.len() as u64 > LONGEST {
        return Err(("the config is longer than 1 MiB".to_owned(), "give the TOML config, not the data it names".to_owned()));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].split(|&byte| byte == b'\n').count();
        (format!("the config is not UTF-8 text (line {line})"), "save it as UTF-8, or give the TOML config".to_owned())
    })
}
