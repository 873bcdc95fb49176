//! What `boxwright schema` says of `--json` holds of what `--json` writes.

use crate::{
    harness::{Test, tests},
    support::BOXWRIGHT,
};
use serde_json::{Value, json};
use std::process::Command;

pub fn tests() -> Vec<Test> {
    let mut all = tests![
        the_judge_of_these_tests_refuses_what_is_wrong,
        an_output_that_is_not_there_is_named,
        what_is_reached_and_what_a_machine_allows_is_as_described,
    ];
    let machine = tests![what_runs_and_traces_write_is_as_described: [Root]];
    all.extend(machine.into_iter().map(Test::alone));
    all
}

fn output(args: &[&str]) -> String {
    let output = Command::new(BOXWRIGHT).args(args).env("BOXWRIGHT_LANG", "en").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn schema(name: &str) -> Value {
    serde_json::from_str(&output(&["schema", name])).unwrap()
}

/// What is wrong with a value by a schema: the words that schemas of this program use. A field that the schema does not name
/// is wrong, so that nothing is written that it does not describe.
fn wrong(value: &Value, schema: &Value, root: &Value, at: &str) -> Vec<String> {
    if schema == &Value::Bool(true) {
        return Vec::new();
    }
    if let Some(name) = schema["$ref"].as_str() {
        let found = root.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("{name} is nowhere"));
        return wrong(value, &together(schema, found), root, at);
    }
    let mut all = Vec::new();
    for word in ["anyOf", "oneOf"] {
        if let Some(ways) = schema[word].as_array() {
            // Fields beside the ways belong to each of them.
            let tried: Vec<Vec<String>> =
                ways.iter().map(|way| wrong(value, &together(schema, way), root, at)).collect();
            if tried.iter().all(|wrong| !wrong.is_empty()) {
                let nearest = tried.into_iter().min_by_key(Vec::len).unwrap();
                return vec![format!("{at}: none of {} ways: {nearest:?}", ways.len())];
            }
            return Vec::new();
        }
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is = |kind: &str| match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type {other}"),
    };
    if !types.is_empty() && !types.iter().any(|kind| is(kind)) {
        return vec![format!("{at}: {value} is no {types:?}")];
    }
    if let Some(wanted) = schema.get("const").filter(|wanted| *wanted != value) {
        return vec![format!("{at}: {value} is not {wanted}")];
    }
    if let Some(known) = schema["enum"].as_array().filter(|known| !known.contains(value)) {
        return vec![format!("{at}: {value} is none of {known:?}")];
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        all.extend(
            values.iter().enumerate().flat_map(|(index, value)| wrong(value, items, root, &format!("{at}/{index}"))),
        );
    }
    if let Some(fields) = value.as_object().filter(|_| types.contains(&"object")) {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        all.extend(required.filter(|name| !fields.contains_key(*name)).map(|name| format!("{at}: lacks {name}")));
        for (name, value) in fields {
            let known = schema["properties"].get(name).or_else(|| schema.get("additionalProperties"));
            match known {
                Some(known) => all.extend(wrong(value, known, root, &format!("{at}/{name}"))),
                None => all.push(format!("{at}: {name} is not described")),
            }
        }
    }
    all
}

/// A way of a schema with the fields that stand beside all of its ways.
fn together(schema: &Value, way: &Value) -> Value {
    let Some(beside) = schema["properties"].as_object() else { return way.clone() };
    let mut way = way.clone();
    for (name, field) in beside {
        way["properties"][name] = field.clone();
    }
    let mut required = schema["required"].as_array().cloned().unwrap_or_default();
    required.extend(way["required"].as_array().cloned().unwrap_or_default());
    way["required"] = required.into();
    way
}

/// Each line is as the schema says, and there are some.
fn holds(name: &str, text: &str) -> usize {
    let schema = schema(name);
    for line in text.lines() {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(wrong(&value, &schema, &schema, ""), [""; 0], "{name}: {line}");
    }
    assert!(!text.is_empty(), "{name}");
    text.lines().count()
}

fn the_judge_of_these_tests_refuses_what_is_wrong() {
    let schema = json!({
        "type": "object", "required": ["a"],
        "properties": { "a": { "type": ["integer", "null"] }, "b": { "$ref": "#/$defs/B" } },
        "$defs": { "B": { "anyOf": [{ "const": "x" }, { "type": "array", "items": { "type": "string" } }] } },
    });
    for (value, right) in [
        (json!({ "a": 1 }), true),
        (json!({ "a": null, "b": "x" }), true),
        (json!({ "a": 1, "b": ["y"] }), true),
        (json!({}), false),
        (json!({ "a": "1" }), false),
        (json!({ "a": 1, "b": "y" }), false),
        (json!({ "a": 1, "b": [2] }), false),
        (json!({ "a": 1, "c": 2 }), false),
        (json!([]), false),
    ] {
        assert_eq!(wrong(&value, &schema, &schema, "").is_empty(), right, "{value}");
    }
}

fn an_output_that_is_not_there_is_named() {
    let output = Command::new(BOXWRIGHT).args(["schema", "docter", "--lang", "en"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("no output `docter`") && said.contains("did you mean `doctor`?"), "{said}");
    let listed = self::output(&["schema"]);
    for name in listed.lines().map(|line| line.split_whitespace().next().unwrap()) {
        assert_eq!(schema(name)["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
    }
}

fn what_is_reached_and_what_a_machine_allows_is_as_described() {
    holds("progress", &output(&["progress", "--json"]));
    holds("doctor", &output(&["doctor", "--json"]));
}

fn what_runs_and_traces_write_is_as_described() {
    let recorded = tempfile::tempdir().unwrap();
    let file = recorded.path().join("recorded");
    let name = file.to_str().unwrap();
    let run = output(&["run", "--json", "--record", name, "isolate", "cgroups/ten-megabytes", "cgroups/prove-cpu"]);
    assert!(holds("run", &run) > 100);
    let certificate: Value = serde_json::from_str(output(&["certificate", name]).lines().next().unwrap()).unwrap();
    holds("certificate", &certificate["certificate"].to_string());
    let traced = output(&["trace", "--json", "--", "unshare", "--uts", "hostname", "box"]);
    assert!(holds("trace", &traced) > 3, "{traced}");
    let played = output(&["what-if", "--json", "isolate/one-call-at-a-time", "unshare", "CLONE_NEWUTS"]);
    holds("what-if", &serde_json::from_str::<Value>(&played).unwrap().to_string());
    let inspected = output(&["inspect", &std::process::id().to_string(), "--json"]);
    holds("inspect", &inspected);
    // What is optional must be there to be held against its schema.
    let event: Value = serde_json::from_str(&inspected).unwrap();
    assert!(event["networks"]["all"][0]["interfaces"].is_array(), "{inspected}");
}
