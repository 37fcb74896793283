//! What the derived document cannot say: the arguments of each kind of command, and the payload of each
//! kind of event.

use paird_actors::domain::{Command, CommandKind, EventKind};
use serde_json::{Map, Value, json};

use super::routes::in_one_word;

const SCHEMAS: &str = "#/components/schemas/";

/// Puts a schema for each kind in the place of those of a command and of an event of any kind.
pub fn add_kinds(document: &mut Value) {
    let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") else { return };
    let commands = CommandKind::ALL.iter().map(|kind| (kind.as_str(), command(*kind))).collect();
    one_of(schemas, "NewCommand", "kind", "Command", commands);

    if let Some(fields) = schemas.get_mut("Event").and_then(Value::as_object_mut) {
        let is_of_kind = |name: &str| ["type", "payload"].contains(&name);
        if let Some(Value::Object(properties)) = fields.get_mut("properties") {
            properties.retain(|name, _| !is_of_kind(name));
        }
        if let Some(Value::Array(required)) = fields.get_mut("required") {
            required.retain(|name| !name.as_str().is_some_and(is_of_kind));
        }
        let head = Value::Object(std::mem::take(fields));
        schemas.insert("EventHead".to_owned(), head);
    }
    let events = EventKind::ALL.iter().map(|kind| (kind.as_str(), event(*kind))).collect();
    one_of(schemas, "Event", "type", "Event", events);
}

/// A component for each kind, and one that is any of them, told apart by a property.
fn one_of(schemas: &mut Map<String, Value>, name: &str, property: &str, prefix: &str, kinds: Vec<(&str, Value)>) {
    let mut mapping = Map::new();
    for (kind, schema) in kinds {
        let own = format!("{prefix}{}", in_one_word(kind));
        mapping.insert(kind.to_owned(), Value::String(format!("{SCHEMAS}{own}")));
        schemas.insert(own, schema);
    }
    let variants: Vec<Value> = mapping.values().map(|place| json!({ "$ref": place })).collect();
    let any = json!({ "oneOf": variants, "discriminator": { "propertyName": property, "mapping": mapping } });
    schemas.insert(name.to_owned(), any);
}

fn command(kind: CommandKind) -> Value {
    let mut args = kind.args_schema();
    let needs_args = Command::parse(kind.as_str(), &json!({})).is_err();
    if !needs_args {
        args["type"] = json!(["object", "null"]);
    }
    let required = if needs_args { json!(["kind", "args"]) } else { json!(["kind"]) };
    json!({
        "type": "object",
        "description": kind.meaning(),
        "properties": { "kind": { "type": "string", "const": kind }, "args": args },
        "required": required,
        "additionalProperties": false,
    })
}

fn event(kind: EventKind) -> Value {
    let mut payload = kind.payload_schema();
    payload["examples"] = json!([kind.example()]);
    let own = json!({
        "type": "object",
        "properties": { "type": { "type": "string", "const": kind }, "payload": payload },
        "required": ["type", "payload"],
    });
    json!({ "description": kind.meaning(), "allOf": [{ "$ref": format!("{SCHEMAS}EventHead") }, own] })
}
