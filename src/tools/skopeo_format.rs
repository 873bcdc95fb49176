//! `skopeo inspect --format TEMPLATE`: the part of Go's templates that people type, over what would be printed otherwise.

use crate::image::manifest::indented;
use serde_json::Value;

/// What is understood, for messages.
const FORMS: &str = "{{.Field.Field}}  {{json .}}  {{len .Field}}  {{index .Field \"KEY\"}}  {{range .Field}}…{{end}}";
/// How deep ranges may lie in each other.
const MAX_DEPTH: usize = 8;

/// A piece of a template.
enum Piece<'a> {
    Text(&'a str),
    Action(&'a str),
}

/// Fills in a template.
pub(super) fn format(template: &str, value: &Value) -> Result<String, String> {
    let pieces = pieces(template)?;
    let mut out = String::new();
    let rest = fill(&pieces, value, &mut out, 0)?;
    if rest.is_empty() { Ok(out) } else { Err("an {{end}} without its {{range}}".into()) }
}

fn pieces(mut rest: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut all = Vec::new();
    while let Some((text, after)) = rest.split_once("{{") {
        let (action, after) = after.split_once("}}").ok_or("a {{ without its }}")?;
        // Dashes take away the blanks beside them.
        let text = if action.starts_with("- ") { text.trim_end() } else { text };
        rest = if action.ends_with(" -") { after.trim_start() } else { after };
        let action = action.strip_prefix("- ").unwrap_or(action);
        all.extend([Piece::Text(text), Piece::Action(action.strip_suffix(" -").unwrap_or(action).trim())]);
    }
    all.push(Piece::Text(rest));
    Ok(all)
}

/// Fills in pieces up to the `end` that belongs to them; gives what follows it.
fn fill<'p, 'a>(
    mut pieces: &'p [Piece<'a>],
    dot: &Value,
    out: &mut String,
    depth: usize,
) -> Result<&'p [Piece<'a>], String> {
    if depth > MAX_DEPTH {
        return Err(format!("ranges more than {MAX_DEPTH} deep"));
    }
    while let Some((piece, rest)) = pieces.split_first() {
        pieces = rest;
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Action("end") if depth > 0 => return Ok(rest),
            Piece::Action(action) => match action.strip_prefix("range ") {
                Some(over) => {
                    let over = evaluate(over.trim(), dot)?;
                    let each: Vec<&Value> = match &over {
                        Value::Array(all) => all.iter().collect(),
                        Value::Object(map) => map.values().collect(),
                        _ => Vec::new(),
                    };
                    for one in each {
                        fill(rest, one, out, depth + 1)?;
                    }
                    // Once more with nothing, to find the end.
                    pieces = fill(rest, &Value::Null, &mut String::new(), depth + 1)?;
                }
                None => out.push_str(&shown(&evaluate(action, dot)?)),
            },
        }
    }
    if depth > 0 { Err("a {{range}} without its {{end}}".into()) } else { Ok(&[]) }
}

fn evaluate(action: &str, dot: &Value) -> Result<Value, String> {
    let wrong = || format!("{{{{{action}}}}} is not understood; templates are made of {FORMS}");
    let words: Vec<&str> = action.split_whitespace().collect();
    match words.as_slice() {
        ["json", of] => {
            let value = path(of, dot).ok_or_else(wrong)??;
            Ok(Value::String(value.to_string()))
        }
        ["len", of] => {
            let length = match path(of, dot).ok_or_else(wrong)?? {
                Value::Array(all) => all.len(),
                Value::Object(map) => map.len(),
                Value::String(text) => text.len(),
                _ => 0,
            };
            Ok(Value::from(length))
        }
        ["index", of, ..] => {
            let key = action.split_once(of).map_or("", |(_, key)| key.trim());
            let value = path(of, dot).ok_or_else(wrong)??;
            Ok(match (serde_json::from_str(key).map_err(|_| wrong())?, &value) {
                (Value::String(key), Value::Object(map)) => map.get(&key).cloned().unwrap_or_default(),
                (Value::Number(at), Value::Array(all)) => {
                    let at = at.as_u64().and_then(|at| usize::try_from(at).ok());
                    at.and_then(|at| all.get(at)).cloned().ok_or("an index beyond the end")?
                }
                _ => Value::Null,
            })
        }
        [of] => path(of, dot).ok_or_else(wrong)?,
        _ => Err(wrong()),
    }
}

/// `.Field.Field`; none where it is not a path.
fn path(text: &str, dot: &Value) -> Option<Result<Value, String>> {
    let names = text.strip_prefix('.')?;
    let mut value = dot;
    if dot.is_null() {
        return Some(Ok(Value::Null));
    }
    for name in names.split('.').filter(|_| !names.is_empty()) {
        if name.is_empty() || !name.chars().all(|letter| letter.is_alphanumeric() || letter == '_') {
            return None;
        }
        // The tool's own names for fields are those of JSON, but for capitals and underscores.
        let plain = |name: &str| name.replace('_', "").to_lowercase();
        let found = value.as_object().and_then(|map| map.iter().find(|(key, _)| plain(key) == plain(name)));
        match found {
            Some((_, found)) => value = found,
            None => {
                let known = value.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>().join(", "));
                return Some(Err(format!("no field {name:?}; the fields are {}", known.unwrap_or_default())));
            }
        }
    }
    Some(Ok(value.clone()))
}

/// As Go prints a value.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "<no value>".into(),
        Value::String(text) => text.clone(),
        Value::Array(all) => format!("[{}]", all.iter().map(shown).collect::<Vec<_>>().join(" ")),
        Value::Object(map) => {
            let all = map.iter().map(|(key, value)| format!("{key}:{}", shown(value)));
            format!("map[{}]", all.collect::<Vec<_>>().join(" "))
        }
        other => indented(other.to_string().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_filled_in() {
        let value = serde_json::json!({
            "Name": "h/x", "Os": "linux", "Layers": ["a", "b"], "Labels": {"k.x": "v", "l": "w"}, "rootfs": {"diff_ids": [1, 2]},
            "Env": null
        });
        let table = [
            ("{{.Name}} {{ .Os }}", Ok("h/x linux")),
            ("{{.Layers}} {{.Labels}}", Ok("[a b] map[k.x:v l:w]")),
            ("{{range .Layers}}<{{.}}>{{end}}.", Ok("<a><b>.")),
            ("{{range .Env}}{{.x}}{{end}}{{.RootFS.DiffIDs}}", Ok("[1 2]")),
            (
                "{{json .Layers}} {{len .Layers}} {{index .Labels \"k.x\"}} {{index .Layers 1}}",
                Ok("[\"a\",\"b\"] 2 v b"),
            ),
            ("a {{- .Os -}} b", Ok("alinuxb")),
            ("plain", Ok("plain")),
            ("{{.Nam}}", Err("no field \"Nam\"; the fields are Env, Labels, Layers, Name, Os, rootfs")),
            ("{{if .Name}}x{{end}}", Err("not understood")),
            ("{{.Name", Err("without its }}")),
            ("{{range .Layers}}", Err("without its {{end}}")),
            ("{{end}}", Err("not understood")),
            ("{{index .Layers 7}}", Err("beyond the end")),
        ];
        for (template, wanted) in table {
            match (format(template, &value), wanted) {
                (Ok(found), Ok(wanted)) => assert_eq!(found, wanted, "{template}"),
                (Err(found), Err(wanted)) => assert!(found.contains(wanted), "{template}: {found}"),
                (found, _) => panic!("{template}: {found:?}"),
            }
        }
    }
}
