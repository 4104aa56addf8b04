//! What the README promises, held against the program.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::readme::assert_quotes;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn help(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_lrfind")).args(arguments).arg("--help").output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that `--help` lists, but not `help` itself.
fn commands() -> Vec<String> {
    let help = help(&[]);
    let (_, rest) = help.split_once("\nCommands:\n").unwrap();
    let list = rest.lines().take_while(|line| !line.is_empty());
    list.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

/// The long flags that a command's help lists, but not those that every command has.
fn flags(command: &str) -> Vec<String> {
    let help = help(&[command]);
    let listed = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let long = listed.filter_map(|line| line.split([' ', ',', '[']).find(|word| word.starts_with("--")));
    long.filter(|flag| !["--help", "--version"].contains(flag)).map(str::to_owned).collect()
}

/// The fenced blocks of a language.
fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let fence = format!("\n```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect()
}

#[test]
fn holds_the_config_reference() {
    assert_quotes("config-reference", &lrfind::config::reference(), "readme");
}

#[test]
fn describes_every_command_and_flag() {
    let readme = read("README.md");
    let commands = commands();
    assert!(commands.contains(&"find".to_owned()) && commands.len() >= 5, "{commands:?}");
    for command in commands {
        assert!(readme.contains(&format!("`lrfind {command}")), "README.md does not describe `lrfind {command}`");
        for flag in flags(&command) {
            assert!(readme.contains(&format!("`{flag}")), "README.md does not describe `{flag}` of {command}");
        }
    }
    assert!(flags("check").contains(&"--fail-on".to_owned()), "{:?}", flags("check"));
}

#[test]
fn lists_every_exit_code_of_the_help() {
    let help = help(&[]);
    let (_, codes) = help.split_once("Exit codes:\n").unwrap();
    let readme = read("README.md");
    let words = codes.lines().filter_map(|line| line.split_whitespace().next());
    // A line that does not begin with a number goes on with the one before.
    let codes: Vec<&str> = words.filter(|word| word.parse::<u8>().is_ok()).collect();
    assert!(codes.len() >= 5, "{codes:?}");
    for code in codes {
        assert!(readme.contains(&format!("\n| {code} |")), "README.md does not describe exit code {code}");
    }
}

#[test]
fn shows_the_example_of_the_crate_documentation() {
    let docs = read("src/lib.rs");
    let docs = docs.lines().filter_map(|line| line.strip_prefix("//!")).map(|line| line.strip_prefix(' ').unwrap_or(line));
    let docs = docs.collect::<Vec<_>>().join("\n");
    let readme = read("README.md");
    assert_eq!(blocks(&readme, "rust"), blocks(&docs, "rust"), "README.md and src/lib.rs show different examples");
    assert_eq!(blocks(&docs, "rust").len(), 1);
}

#[test]
fn names_every_key_of_the_report() {
    let readme = read("README.md");
    let (_, section) = readme.split_once("\n## report.json\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let report = lrfind::Study::new("empty", &Nothing).find(&lrfind::RunOptions::default());
    let json = serde_json::to_value(report).unwrap();
    for key in json.as_object().unwrap().keys() {
        assert!(section.contains(&format!("`{key}`")), "README.md does not describe `{key}` of report.json");
    }
}

/// Cannot be trained.
struct Nothing;

impl lrfind::trial::Objective for Nothing {
    fn start(&self, _: &[lrfind::record::TrialSpec]) -> Result<Box<dyn lrfind::trial::Run + '_>, lrfind::error::TrialError> {
        Err(lrfind::error::TrialError::new("there is nothing to train"))
    }
}

#[test]
fn links_to_files_that_exist() {
    let readme = read("README.md");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let targets: Vec<&str> = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    let local: Vec<&&str> = targets.iter().filter(|target| !target.contains("://") && !target.starts_with('#')).collect();
    assert!(!local.is_empty());
    for target in local {
        // The published package leaves the reports out.
        let left_out = target.starts_with("reports/") && !root.join("reports").exists();
        assert!(left_out || root.join(target).exists(), "README.md links to {target}, which does not exist");
    }
}
