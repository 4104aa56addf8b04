//! The JSON Schema of a config accepts what the program accepts, and refuses what is misspelt or of another type.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::cli::Folder;
use lrfind::config::{json_schema, keys};
use serde_json::Value;

/// What is wrong with `value`, for the part of JSON Schema that the schema uses.
fn faults(root: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (word, rule) in schema.as_object().unwrap() {
        let complain = |holds: bool| if holds { Vec::new() } else { vec![format!("{place}: {word} {rule}, but {value}")] };
        let all = |values: Vec<(&Value, &Value, String)>| {
            values.into_iter().flat_map(|(schema, value, place)| faults(root, schema, value, &place)).collect()
        };
        let below = |key: &str| format!("{place}.{key}");
        found.extend(match word.as_str() {
            "$schema" | "$defs" | "title" | "description" => Vec::new(),
            "$ref" => faults(root, root.pointer(rule.as_str().unwrap().strip_prefix('#').unwrap()).unwrap(), value, place),
            "enum" => complain(rule.as_array().unwrap().contains(value)),
            "type" => complain(match rule.as_str().unwrap() {
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_i64() || value.is_u64(),
                "number" => value.is_number(),
                "array" => value.is_array(),
                "object" => value.is_object(),
                other => panic!("unknown type {other}"),
            }),
            "anyOf" => complain(rule.as_array().unwrap().iter().any(|schema| faults(root, schema, value, place).is_empty())),
            "items" => all(value.as_array().into_iter().flatten().map(|item| (rule, item, below("item"))).collect()),
            "minItems" => complain(value.as_array().is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap())),
            "maxItems" => complain(value.as_array().is_none_or(|items| items.len() as u64 <= rule.as_u64().unwrap())),
            "required" => {
                let has = |key: &Value| value.get(key.as_str().unwrap()).is_some();
                complain(!value.is_object() || rule.as_array().unwrap().iter().all(has))
            }
            "properties" => {
                let known = value.as_object().into_iter().flatten().filter_map(|(k, v)| Some((rule.get(k)?, v, below(k))));
                all(known.collect())
            }
            "additionalProperties" => {
                let none = Value::from(serde_json::Map::new());
                let known = schema.get("properties").unwrap_or(&none);
                let others: Vec<_> =
                    value.as_object().into_iter().flatten().filter(|(key, _)| known.get(key).is_none()).collect();
                match rule {
                    Value::Bool(false) => complain(others.is_empty()),
                    rule => all(others.into_iter().map(|(key, value)| (rule, value, below(key))).collect()),
                }
            }
            other => panic!("unknown word {other}"),
        });
    }
    found
}

fn faults_of(config: &str) -> Vec<String> {
    let schema = json_schema();
    let value: Value = toml::from_str(config).unwrap();
    faults(&schema, &schema, &value, "config")
}

fn configs(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            configs(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
}

#[test]
fn every_config_of_the_project_fits() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for folder in ["configs", "benches"] {
        configs(&root.join(folder), &mut paths);
    }
    assert!(paths.len() > 50, "{paths:?}");
    for path in paths {
        assert_eq!(faults_of(&fs::read_to_string(&path).unwrap()), [""; 0], "{}", path.display());
    }
}

#[test]
fn the_example_of_every_key_fits_and_another_type_does_not() {
    for key in keys().iter().filter(|key| key.section != "model.layers") {
        let required = keys().iter().filter(|other| other.section == key.section && other.default == "required");
        let others = required.filter(|other| other.name != key.name && !key.section.is_empty());
        let lines: Vec<String> = others.map(|other| format!("{} = {}\n", other.name, other.example)).collect();
        let header = if key.section.is_empty() { String::new() } else { format!("[{}]\n", key.section) };
        // The parents that a section within another needs are left out: what is missing in them is not of interest here.
        let of_this = |example: &str| {
            let config = format!("{header}{}{} = {example}\n", lines.concat(), key.name);
            faults_of(&config).into_iter().filter(|fault| !fault.contains("required [\"kind\"]")).collect::<Vec<_>>()
        };
        let is_within = key.section.contains('.') && ["data", "command"].iter().any(|top| key.section.starts_with(top));
        if !is_within {
            assert_eq!(of_this(key.example), [""; 0], "[{}] {}", key.section, key.name);
        }
        assert!(!of_this("1979-05-27").is_empty() || key.kind.contains("string"), "[{}] {}", key.section, key.name);
    }
}

#[test]
fn what_is_misspelt_or_of_another_type_does_not_fit() {
    let good =
        "[data]\nkind = \"csv\"\npath = \"x\"\n[model]\nkind = \"mlp\"\nhidden = [8]\n[training]\noptimizer = \"adam\"\n";
    assert_eq!(faults_of(good), [""; 0]);
    for (from, to) in [
        ("\"csv\"", "\"cvs\""),
        ("kind = \"csv\"\n", ""),
        ("path", "paht"),
        ("[8]", "8"),
        ("[8]", "[8.5]"),
        ("[training]\n", "[training]\nbatch-size = \"some\"\n"),
        ("[training]\n", "[training]\nschedule = { kind = \"curved\" }\n"),
        ("[training]\n", "[training]\nepochs = true\n"),
        ("hidden = [8]", "layers = [{ kind = \"conv\", chanels = 3 }]"),
        ("hidden = [8]", "layers = [{ kind = \"residual\", layers = [1] }]"),
        ("[training]\n", "[search]\nrange = [0.1]\n[training]\n"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        assert!(!faults_of(&bad).is_empty(), "{bad}");
    }
}

#[test]
fn the_program_prints_it() {
    let ran = Folder::new().lrfind("schema").ends_with(0);
    let printed: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(printed, json_schema());
}
