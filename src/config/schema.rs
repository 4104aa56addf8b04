//! The JSON Schema of a config, made from the same [`keys`](super::keys()) as its reference, for editors that complete and check TOML.

use serde_json::{Map, Value, json};

use super::keys::{Key, keys};

/// The JSON Schema (draft 2020-12) of a config file. It knows the names and types of the keys; which of them go together only
/// reading the config tells.
pub fn json_schema() -> Value {
    let mut schema = object("");
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "lrfind config".into();
    let layer = json!({ "anyOf": [{ "type": "string" }, object("model.layers")] });
    schema["$defs"] = json!({ "layers": { "type": "array", "items": layer } });
    schema
}

/// The keys of a section and of those within it.
fn object(section: &str) -> Value {
    let own = || keys().iter().filter(|key| key.section == section);
    let properties: Map<String, Value> = own().map(|key| (key.name.to_owned(), property(key))).collect();
    // At the top level `[command]` may stand instead of the others.
    let required: Vec<&str> =
        own().filter(|key| !section.is_empty() && key.default == "required").map(|key| key.name).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn property(key: &Key) -> Value {
    let within = if key.section.is_empty() { key.name.to_owned() } else { format!("{}.{}", key.section, key.name) };
    let mut schema = match (key.section, key.name) {
        // One string where `shell` is set.
        ("command", "run") => any(&["string", "strings"], &within),
        _ => any(&key.kind.split(" or ").collect::<Vec<_>>(), &within),
    };
    schema["description"] = format!("{} (default: {})", key.meaning, key.default).into();
    schema
}

/// One of these kinds, as the reference names them.
fn any(kinds: &[&str], within: &str) -> Value {
    match kinds {
        [kind] => one(kind, within),
        _ => json!({ "anyOf": kinds.iter().map(|kind| one(kind, within)).collect::<Vec<_>>() }),
    }
}

fn one(kind: &str, within: &str) -> Value {
    let row =
        |of: &str, count: usize| json!({ "type": "array", "items": { "type": of }, "minItems": count, "maxItems": count });
    match kind {
        "section" => object(within),
        "layers" => json!({ "$ref": "#/$defs/layers" }),
        "integers" => json!({ "type": "array", "items": { "type": "integer" } }),
        "numbers" => json!({ "type": "array", "items": { "type": "number" } }),
        "strings" => json!({ "type": "array", "items": { "type": "string" } }),
        "table of strings" => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        "two integers" => row("integer", 2),
        "three integers" => row("integer", 3),
        "two numbers" => row("number", 2),
        "boolean" | "integer" | "number" | "string" => json!({ "type": kind }),
        // The values themselves, as TOML and JSON both write them.
        _ => json!({ "enum": kind.split(" | ").filter_map(|value| serde_json::from_str(value).ok()).collect::<Vec<Value>>() }),
    }
}
