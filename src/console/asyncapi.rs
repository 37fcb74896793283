//! The AsyncAPI document: the live stream, and the channels of Postgres.

use actix_web::{get, web::Json};
use paird_actors::domain::{CommandKind, EventKind, Tone};
use serde_json::{Map, Value, json};

use super::routes::in_one_word;
use crate::{config::usual_channels, postgres::subscriptions::OUTGOING_CHANNEL};

/// The AsyncAPI document: the live stream, and what is sent on channels of Postgres.
#[utoipa::path(tag = "live", responses((status = 200, body = Object, content_type = "application/json")))]
#[get("/api/asyncapi.json")]
pub async fn document() -> Json<Value> {
    Json(asyncapi())
}

/// Made of the same kinds as the OpenAPI document, to which it refers for an account.
pub fn asyncapi() -> Value {
    let usual = usual_channels();
    let mut messages = Map::new();
    let live = channel(
        &mut messages,
        "Live",
        "/api/events",
        "console",
        "Server-sent events: `event` is the name of the message, `id` the place to go on from with Last-Event-ID.",
        [("account", account()), ("accounts", accounts())]
            .into_iter()
            .chain(EventKind::ALL.iter().map(|kind| (kind.as_str(), live_event(*kind)))),
    );
    let events = channel(
        &mut messages,
        "Notified",
        usual.events,
        "postgres",
        "Rings for each new event, at least once and in order per account. Every login that may connect hears it and \
         can send the same: read the row. PAIRD_EVENT_CHANNEL names another channel; large fields may be left out, \
         and all that is not required with PAIRD_EVENT_PAYLOAD=wake.",
        EventKind::ALL.iter().map(|kind| (kind.as_str(), notified_event(*kind))),
    );
    let bell = ("bell", message("send_command has made a row.", json!({ "type": "string", "const": "" })));
    let commands = channel(
        &mut messages,
        "Bare",
        usual.commands,
        "postgres",
        "Commands as notifications, for senders who may execute send_command; one that no daemon hears is lost. \
         PAIRD_COMMAND_CHANNEL names another channel. Daemons ring each other here, too.",
        CommandKind::ALL.iter().map(|kind| (kind.as_str(), bare_command(*kind))).chain([bell]),
    );
    let account = json!({ "type": "string", "format": "uuid", "description": "The account's id." });
    let outgoing = channel(
        &mut messages,
        "Outgoing",
        OUTGOING_CHANNEL,
        "postgres",
        "Rings daemons when an account has another message to send.",
        [("account", message("The account with the message.", account))],
    );
    let operation =
        |action: &str, channel: &str| json!({ "action": action, "channel": reference("channels", channel) });
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "paird",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What paird tells, and hears, as it happens. openapi.json has the HTTP API.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "console": { "host": "127.0.0.1:8088", "protocol": "http", "security": [reference("components/securitySchemes", "token")] },
            "postgres": { "host": "localhost:5432", "protocol": "postgres", "description": "Notifications of the database of DATABASE_URL." },
        },
        "channels": { "live": live, "events": events, "commands": commands, "outgoing": outgoing },
        "operations": {
            "tellLive": operation("send", "live"),
            "notifyEvent": operation("send", "events"),
            "hearCommand": operation("receive", "commands"),
            "hearOutgoing": operation("receive", "outgoing"),
        },
        "components": {
            "messages": messages,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

/// A channel whose messages are put among all others, each under a name of its own.
fn channel<'a>(
    all: &mut Map<String, Value>,
    prefix: &str,
    address: &str,
    server: &str,
    about: &str,
    messages: impl IntoIterator<Item = (&'a str, Value)>,
) -> Value {
    let mut own = Map::new();
    for (name, mut message) in messages {
        let id = format!("{prefix}{}", in_one_word(name));
        message["name"] = json!(name);
        own.insert(id.clone(), reference("components/messages", &id));
        all.insert(id, message);
    }
    json!({
        "address": address,
        "description": about,
        "servers": [reference("servers", server)],
        "messages": own,
    })
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/{kind}/{name}") })
}

fn message(summary: &str, payload: Value) -> Value {
    json!({ "summary": summary, "payload": payload })
}

fn account() -> Value {
    let deleted = json!({
        "type": "object",
        "properties": { "id": { "type": "string", "format": "uuid" }, "deleted": { "const": true } },
        "required": ["id", "deleted"],
    });
    let shown = json!({ "$ref": "./openapi.json#/components/schemas/Account" });
    message(
        "An account as it is now, without its pair code; or that it was deleted.",
        json!({ "oneOf": [shown, deleted] }),
    )
}

fn accounts() -> Value {
    let payload = json!({
        "type": "object",
        "properties": { "ids": { "type": "array", "items": { "type": "string", "format": "uuid" } } },
        "required": ["ids"],
    });
    message("The ids of all accounts, once those of the start were sent.", payload)
}

/// The payload of an event, with more fields beside its own.
fn event(kind: EventKind, more: Value, are_own_required: bool) -> Value {
    let mut schema = kind.payload_schema();
    let mut required = if are_own_required { schema["required"].take() } else { json!([]) };
    let head = json!({
        "type": { "const": kind },
        "accountId": { "type": "string", "format": "uuid" },
        "id": { "type": "integer" },
        "seq": { "type": "integer", "description": "Without gaps per account." },
    });
    for fields in [head, more] {
        let Value::Object(fields) = fields else { continue };
        for (name, field) in fields {
            if let Value::Array(required) = &mut required
                && !OPTIONAL.contains(&name.as_str())
            {
                required.push(json!(name));
            }
            schema["properties"][name] = field;
        }
    }
    schema["required"] = required;
    message(kind.meaning(), schema)
}

/// Fields that not every event has.
const OPTIONAL: [&str; 2] = ["reasonText", "truncated"];

fn live_event(kind: EventKind) -> Value {
    let more = json!({
        "createdAt": { "type": "string", "format": "date-time" },
        "eventText": { "type": "string", "description": "The event as a sentence, without its full stop." },
        "tone": { "enum": Tone::ALL },
        "reasonText": { "type": "string", "description": "The reason as a sentence, if there is one." },
    });
    event(kind, more, true)
}

fn notified_event(kind: EventKind) -> Value {
    event(kind, json!({ "truncated": { "const": true, "description": "Large fields were left out." } }), false)
}

fn bare_command(kind: CommandKind) -> Value {
    let mut schema = kind.args_schema();
    schema["properties"]["type"] = json!({ "const": kind });
    schema["properties"]["accountId"] = json!({ "type": "string", "format": "uuid" });
    schema["properties"]["dedupeKey"] = json!({ "type": ["string", "null"], "maxLength": 200 });
    let own = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    schema["required"] = [vec![json!("type"), json!("accountId")], own].concat().into();
    message(kind.meaning(), schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_every_channel_is_in_the_asyncapi_document() {
        let made = asyncapi();
        let names = |channel: &str| -> Vec<String> {
            let messages = made["channels"][channel]["messages"].as_object().unwrap().values();
            messages
                .map(|message| {
                    let place = message["$ref"].as_str().unwrap().strip_prefix('#').unwrap();
                    made.pointer(place).unwrap()["name"].as_str().unwrap().to_owned()
                })
                .collect()
        };
        for kind in EventKind::ALL {
            for channel in ["live", "events"] {
                assert!(names(channel).iter().any(|name| name == kind.as_str()), "{kind} on {channel}");
            }
        }
        for kind in CommandKind::ALL {
            assert!(names("commands").iter().any(|name| name == kind.as_str()), "{kind}");
        }
        let addresses: Vec<&str> =
            made["channels"].as_object().unwrap().values().map(|one| one["address"].as_str().unwrap()).collect();
        assert_eq!(addresses, ["paird_command", "paird_event", "/api/events", "paird_outgoing"]);
    }
}
