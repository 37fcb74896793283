//! JSON Schemas of what goes in and comes out, as documents: the `args` of each kind of command,
//! and the `payload` of each kind of event. Each kind's own schema stands beside the kind.

use serde_json::{Map, Value, json};

use super::{CommandKind, EventKind};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of `{"kind", "args"}`; `$defs` has that of each kind's args by itself.
pub fn commands() -> Value {
    let kinds = CommandKind::ALL.iter().map(|kind| (kind.as_str(), kind.meaning(), kind.args_schema()));
    document("paird commands", "args", kinds.collect())
}

/// The schema of `{"kind", "payload"}`; `$defs` has that of each kind's payload by itself, with
/// an example.
pub fn events() -> Value {
    let schema = |kind: &EventKind| {
        let mut schema = kind.payload_schema();
        if let Value::Object(fields) = &mut schema {
            fields.insert("examples".to_owned(), json!([kind.example()]));
        }
        schema
    };
    let kinds = EventKind::ALL.iter().map(|kind| (kind.as_str(), kind.meaning(), schema(kind)));
    document("paird events", "payload", kinds.collect())
}

fn document(title: &str, body: &str, kinds: Vec<(&'static str, &'static str, Value)>) -> Value {
    let one_of = kinds.iter().map(|(kind, ..)| {
        json!({
            "properties": { "kind": { "const": kind }, body: { "$ref": format!("#/$defs/{kind}") } },
            "required": ["kind", body],
        })
    });
    let one_of: Vec<Value> = one_of.collect();
    let described = kinds.into_iter().map(|(kind, meaning, mut schema)| {
        if let Value::Object(fields) = &mut schema {
            fields.insert("description".to_owned(), Value::String(meaning.to_owned()));
        }
        (kind.to_owned(), schema)
    });
    let defs: Map<String, Value> = described.collect();
    json!({ "$schema": DIALECT, "title": title, "type": "object", "oneOf": one_of, "$defs": defs })
}

pub(super) fn time() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

pub(super) fn phone() -> Value {
    json!({ "type": "string", "pattern": "^[0-9]{7,15}$" })
}

pub(super) fn message_id() -> Value {
    json!({ "type": "integer", "description": "the id of a row of messages" })
}

pub(super) fn key() -> Value {
    json!({ "type": "string", "description": "what the message was sent with" })
}

pub(super) fn jid() -> Value {
    json!({ "type": "string", "description": "WhatsApp's name: a LID where it is known" })
}

pub(super) fn reason() -> Value {
    json!({ "type": "string", "description": "a word like those of status_reason, and after a colon the details" })
}

pub(super) fn or_null(mut schema: Value) -> Value {
    if let Some(kind) = schema.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
    }
    schema
}
