//! JSON Schemas of what goes in and comes out: the `args` of each kind of command, and the
//! `payload` of each kind of event.

use serde_json::{Map, Value, json};

use super::{CommandKind, EventKind, Unlinked};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of `{"kind", "args"}`; `$defs` has that of each kind's args by itself.
pub fn commands() -> Value {
    let kinds = CommandKind::ALL.iter().map(|kind| (kind.as_str(), kind.meaning(), kind.args_schema()));
    document("paird commands", "args", kinds.collect())
}

/// The schema of `{"kind", "payload"}`; `$defs` has that of each kind's payload by itself.
pub fn events() -> Value {
    let kinds = EventKind::ALL.iter().map(|kind| (kind.as_str(), kind.meaning(), kind.payload_schema()));
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

impl CommandKind {
    /// Strict, as the daemon is: an unknown argument is an error.
    pub fn args_schema(self) -> Value {
        // As people write numbers, in digits of any script: what stands between them is skipped.
        let phone = || json!({ "type": ["string", "null"], "pattern": r"^\P{L}*\p{Nd}\P{L}*$" });
        let flag = || json!({ "type": ["boolean", "null"], "default": false });
        let (properties, rest) = match self {
            Self::Pair => (
                json!({
                    "method": { "enum": ["qr", "code", null], "default": "qr" },
                    "phone": phone(),
                    "expectPhone": phone(),
                }),
                json!({
                    "if": { "properties": { "method": { "const": "code" } }, "required": ["method"] },
                    "then": { "properties": { "phone": { "type": "string" } }, "required": ["phone"] },
                    "else": { "properties": { "phone": { "type": "null" } } },
                }),
            ),
            Self::Passkey => (
                json!({ "response": {}, "confirm": flag() }),
                json!({ "oneOf": [
                    {
                        "properties": { "response": { "not": { "type": "null" } }, "confirm": { "enum": [false, null] } },
                        "required": ["response"],
                    },
                    {
                        "properties": { "response": { "type": "null" }, "confirm": { "const": true } },
                        "required": ["confirm"],
                    },
                ] }),
            ),
            Self::Unpair => (json!({ "logout": flag() }), json!({})),
            Self::Cancel | Self::Resume | Self::Reconnect | Self::Delete | Self::SyncGroups => (json!({}), json!({})),
        };
        let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
        if let (Value::Object(schema), Value::Object(rest)) = (&mut schema, rest) {
            schema.extend(rest);
        }
        schema
    }
}

impl EventKind {
    /// Open, so that a later version may add fields: a consumer skips what it does not know.
    pub fn payload_schema(self) -> Value {
        let properties = match self {
            Self::Qr | Self::Code => json!({
                "ts": { "type": "integer", "description": "milliseconds since 1970" },
                "expiresAt": time(),
            }),
            Self::Passkey => json!({
                "stage": { "enum": ["challenge", "confirm"] },
                "request": { "description": "the options for WebAuthn, or the code to compare" },
            }),
            Self::Connected => json!({ "phoneNumber": or_null(phone()) }),
            Self::Duplicate => json!({ "phoneNumber": phone(), "existingLabel": { "type": "string" } }),
            Self::WrongPhone => json!({ "phoneNumber": phone(), "expectedPhone": phone() }),
            Self::Timeout => json!({}),
            Self::Cancelled => json!({ "reason": { "enum": ["operator", "superseded"] } }),
            Self::Failed | Self::LoggedOut => json!({ "reason": reason() }),
            Self::Disconnected => json!({ "reason": reason(), "nextRetryAt": time() }),
            Self::Held => json!({ "reason": reason(), "until": or_null(time()) }),
            Self::GroupsSynced => json!({ "count": { "type": "integer", "minimum": 0 } }),
            Self::AccountUnpaired | Self::AccountDeleted => {
                let words = [Unlinked::Confirmed, Unlinked::Pending, Unlinked::None].map(Unlinked::as_str);
                json!({ "unlinked": { "enum": words } })
            }
            Self::AccountUnlinked | Self::UnlinkAbandoned => json!({ "reason": { "type": "string" } }),
            Self::CommandFailed => json!({
                "commandId": { "type": "integer" },
                "kind": { "type": "string", "description": "as it was sent" },
                "reason": { "type": "string", "description": "for people" },
            }),
        };
        let mut required: Vec<&String> = properties.as_object().into_iter().flat_map(Map::keys).collect();
        required.sort();
        json!({ "type": "object", "properties": properties, "required": required })
    }
}

fn time() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

fn phone() -> Value {
    json!({ "type": "string", "pattern": "^[0-9]{7,15}$" })
}

fn reason() -> Value {
    json!({ "type": "string", "description": "a word, as status_reason begins with, and after a colon what was said of it" })
}

fn or_null(mut schema: Value) -> Value {
    if let Some(kind) = schema.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
    }
    schema
}
