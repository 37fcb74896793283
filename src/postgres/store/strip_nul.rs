//! Texts from outside, as Postgres takes them: it knows no null character.

use serde_json::Value;

pub fn text(text: &str) -> String {
    text.replace('\0', "")
}

pub fn json(value: &Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        Value::String(inner) => Value::String(text(inner)),
        Value::Array(items) => Value::Array(items.iter().map(json).collect()),
        Value::Object(fields) => Value::Object(fields.iter().map(|(name, value)| (text(name), json(value))).collect()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json as value;

    #[test]
    fn null_characters_go_at_every_depth_and_in_names() {
        assert_eq!(super::json(&value!({"a\0": ["x\0y", {"b": "\0"}]})), value!({"a": ["xy", {"b": ""}]}));
    }
}
