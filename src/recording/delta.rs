//! A sample as what has changed since the one before: a second of a container that only counts is a few hundred bytes instead
//! of eight thousand.
//!
//! The kernel's own words are kept in objects within objects. Of two of them the difference is an object with one entry for
//! each key that differs: `"=KEY": VALUE` where it has another value, `"~KEY": DIFFERENCE` where both are objects, `"-KEY": null`
//! where it is gone. Lists are taken as a whole.

use serde_json::{Map, Value};

/// What makes `now` of `before`.
pub(super) fn difference(before: &Map<String, Value>, now: &Map<String, Value>) -> Map<String, Value> {
    let mut out = Map::new();
    for (key, value) in now {
        match (before.get(key), value) {
            (Some(same), value) if same == value => {}
            (Some(Value::Object(before)), Value::Object(now)) => {
                out.insert(format!("~{key}"), difference(before, now).into());
            }
            (_, value) => {
                out.insert(format!("={key}"), value.clone());
            }
        }
    }
    let gone = before.keys().filter(|key| !now.contains_key(*key));
    out.extend(gone.map(|key| (format!("-{key}"), Value::Null)));
    out
}

/// Makes what was then into what is now; false where this is no difference to it.
pub(super) fn apply(to: &mut Map<String, Value>, difference: Map<String, Value>) -> bool {
    difference.into_iter().all(|(key, value)| {
        let Some((kind, key)) = key.split_at_checked(1) else { return false };
        match (kind, value) {
            ("=", value) => {
                to.insert(key.into(), value);
                true
            }
            ("-", _) => to.remove(key).is_some(),
            ("~", Value::Object(inner)) => {
                to.get_mut(key).and_then(Value::as_object_mut).is_some_and(|to| apply(to, inner))
            }
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(object) => object,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_difference_makes_the_one_of_the_other() {
        let all = [
            json!({}),
            json!({"a": 1, "=a": {"~a": 2}, "": null, "空": [1, {"b": 2}]}),
            json!({"a": null, "=a": {"~a": 2, "b": {}}, "空": [1, {"b": 3}]}),
            json!({"a": {"b": 1}, "=a": {"b": {"c": null}}}),
            json!({"=a": 3}),
        ]
        .map(object);
        for before in &all {
            for now in &all {
                let mut made = before.clone();
                assert!(apply(&mut made, difference(before, now)));
                assert_eq!(&made, now);
            }
            assert!(difference(before, before).is_empty());
        }
    }

    #[test]
    fn what_is_no_difference_is_not_taken() {
        for wrong in
            [json!({"": 1}), json!({"a": 1}), json!({"-b": null}), json!({"~a": {}}), json!({"é": 1}), json!({"~c": 1})]
        {
            assert!(!apply(&mut object(json!({"a": 1, "c": {}})), object(wrong.clone())), "{wrong}");
        }
    }
}
