//! The layers of `src/` as the README describes them: who may use whom, and how long a file may get.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A longer file holds more than one idea.
const LONGEST: usize = 450;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The path of a source file as modules: `src/search/mod.rs` is `["search"]`.
fn modules(file: &Path) -> Vec<String> {
    let relative = file.strip_prefix(root().join("src")).unwrap().with_extension("");
    let mut parts: Vec<String> = relative.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    parts.pop_if(|last| last == "mod");
    parts
}

/// The table of layers in the README: each module with those that it may use.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, rest) = readme.split_once("<!-- layout:begin -->").expect("README.md has <!-- layout:begin -->");
    let (table, _) = rest.split_once("<!-- layout:end -->").expect("README.md has <!-- layout:end -->");
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let cells: Vec<&str> = line.split('|').collect();
        (names(cells[1]).pop_first().unwrap(), names(cells[2]))
    })
    .collect()
}

/// The code without comments and without the unit tests at its end, which may use anything.
fn code(text: &str) -> String {
    let own = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    own.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The start of what a path names, given what follows `crate::`: one name, or several in braces.
fn heads(rest: &str) -> Vec<String> {
    let name = |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(list) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let mut depth = 0;
    let mut items = vec![String::new()];
    for c in list.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => items.push(String::new()),
            _ => {
                depth += i32::from(c == '{') - i32::from(c == '}');
                items.last_mut().unwrap().push(c);
            }
        }
    }
    items.iter().map(|item| name(item)).filter(|item| !item.is_empty()).collect()
}

/// The names at the top of the crate that the code of `module` uses.
fn uses(module: &[String], code: &str) -> BTreeSet<String> {
    let absolute = code.match_indices("crate::").filter(|(at, _)| !ends_in_name(&code[..*at]));
    let mut found: BTreeSet<String> = absolute.flat_map(|(at, word)| heads(&code[at + word.len()..])).collect();
    // `super::` as often as the module is deep leads to the top of the crate too.
    let climb = "super::".repeat(module.len());
    found.extend(code.match_indices(&climb).flat_map(|(at, _)| heads(&code[at + climb.len()..])));
    found
}

fn ends_in_name(text: &str) -> bool {
    text.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$')
}

#[test]
fn modules_use_only_what_the_readme_allows() {
    let table = table();
    let mut wrong = Vec::new();
    for file in sources(&root().join("src")) {
        let module = modules(&file);
        if module == ["lib"] || module == ["main"] {
            continue;
        }
        let Some(allowed) = table.get(&module[0]) else {
            panic!("the table in README.md has no row for `{}`", module[0]);
        };
        let text = code(&fs::read_to_string(&file).unwrap());
        for used in uses(&module, &text) {
            if used != module[0] && !allowed.contains(&used) {
                wrong.push(format!("{} uses `{used}`", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "not allowed by the table in README.md:\n{}", wrong.join("\n"));
}

#[test]
fn the_table_names_every_module_and_has_no_cycles() {
    let table = table();
    let folders = sources(&root().join("src")).into_iter().map(|file| modules(&file)[0].clone());
    let present: BTreeSet<String> = folders.filter(|name| name != "lib" && name != "main").collect();
    assert_eq!(present, table.keys().cloned().collect(), "modules in src/ and rows in README.md");
    // Take away what uses nothing that is left, until nothing is left.
    let mut left = table;
    while !left.is_empty() {
        let names: BTreeSet<String> = left.keys().cloned().collect();
        left.retain(|_, uses| !uses.is_disjoint(&names));
        assert!(left.len() < names.len(), "these use each other in a circle: {names:?}");
    }
}

#[test]
fn the_network_library_stays_in_one_layer() {
    for file in sources(&root().join("src")) {
        let module = modules(&file);
        let text = code(&fs::read_to_string(&file).unwrap());
        let imports = text.lines().map(str::trim_start).any(|line| line.starts_with("use burn"));
        assert!(!imports || module[0] == "task", "{} uses burn; only `task` may", file.display());
    }
}

#[test]
fn the_analysis_is_pure() {
    for file in sources(&root().join("src/analysis")) {
        let text = code(&fs::read_to_string(&file).unwrap());
        for outside in ["std::fs", "std::io", "std::time", "std::thread", "std::env", "rayon", "rand::"] {
            assert!(!text.contains(outside), "{} uses {outside}", file.display());
        }
    }
}

#[test]
fn no_file_is_too_long() {
    for file in sources(&root().join("src")) {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines, more than {LONGEST}: split it", file.display());
    }
}

#[test]
fn the_reader_of_paths_sees_every_form() {
    let module = ["search".to_owned(), "find".to_owned()];
    let text = code(
        "use crate::lr::{LearningRate, LrRange};\nuse crate::{record::{Event, Observer}, trial};\n\
         // crate::comment\nlet x = super::super::report::new(); mycrate::other(); super::near();\n\
         #[cfg(test)]\nmod tests {\n    use crate::study;\n}",
    );
    let found: Vec<String> = uses(&module, &text).into_iter().collect();
    assert_eq!(found, ["lr", "record", "report", "trial"]);
}
