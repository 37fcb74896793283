//! The words of the domain as schemas of the OpenAPI document, so that a client reads there
//! every word that it can meet and what it means; and the schemas of commands and events.

use std::fmt::Write as _;

use actix_web::{get, web::Json};
use paird_actors::domain::{
    AuditAction, CommandKind, CommandState, Desired, EventKind, MessageDirection, MessageKind, MessageState, Phase,
    Reason, Status, Tone, schema,
};
use serde_json::{Value, json};
use utoipa::openapi::schema::{Array, ArrayBuilder, Object, ObjectBuilder, SchemaType, Type};

use super::problem::ProblemCode;

fn words<T: Copy>(
    about: &str,
    all: &[T],
    word: impl Fn(T) -> &'static str,
    meaning: impl Fn(T) -> &'static str,
) -> ObjectBuilder {
    let mut description = format!("{about}\n");
    for one in all {
        let _ = write!(description, "\n- `{}`: {}", word(*one), meaning(*one));
    }
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(all.iter().map(|one| word(*one))))
}

pub fn status() -> Object {
    words("What the account is.", Status::ALL, Status::as_str, Status::meaning).build()
}

/// Of a parameter that may be repeated.
pub fn statuses() -> Array {
    ArrayBuilder::new().items(status()).build()
}

/// Of a parameter that may be repeated.
pub fn reason_words() -> Array {
    ArrayBuilder::new().items(reason_word()).build()
}

pub fn desired() -> Object {
    words("What the operator wants.", Desired::ALL, Desired::as_str, Desired::meaning).build()
}

pub fn reason_word() -> Object {
    words("The word that the reason begins with.", Reason::ALL, Reason::as_str, Reason::headline).build()
}

pub fn phase() -> Object {
    words("Where pairing stands.", Phase::ALL, Phase::as_str, Phase::meaning).build()
}

pub fn actions() -> Array {
    let about = "Kinds of commands that make sense now; the first is what one most likely came for.";
    ArrayBuilder::new().description(Some(about)).items(kind_of_command("A kind.").build()).build()
}

pub fn command_kind() -> Object {
    kind_of_command("What to do.").examples([json!(CommandKind::Pair)]).build()
}

/// A command may have been sent past the API, with a kind that there is not.
pub fn kind_as_sent() -> Object {
    let kinds: Vec<_> = CommandKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let about = format!("As it was sent: {}; another one if it failed because of that.", kinds.join(", "));
    ObjectBuilder::new().schema_type(Type::String).description(Some(about)).build()
}

fn kind_of_command(about: &str) -> ObjectBuilder {
    words(about, CommandKind::ALL, CommandKind::as_str, CommandKind::meaning)
}

pub fn event_kind() -> Object {
    words("What happened.", EventKind::ALL, EventKind::as_str, EventKind::meaning).build()
}

/// Of a parameter that may be repeated.
pub fn event_kinds() -> Array {
    ArrayBuilder::new().items(event_kind()).build()
}

/// Of a parameter that may be repeated.
pub fn audit_actions() -> Array {
    ArrayBuilder::new().items(audit_action()).build()
}

/// Of a parameter that may be repeated.
pub fn command_kinds() -> Array {
    ArrayBuilder::new().items(kind_of_command("A kind.").build()).build()
}

pub fn command_state() -> Object {
    words("How far it is.", CommandState::ALL, CommandState::as_str, CommandState::meaning).build()
}

/// Of a parameter that may be repeated.
pub fn command_states() -> Array {
    ArrayBuilder::new().items(command_state()).build()
}

pub fn tone() -> Object {
    words("How good it is.", Tone::ALL, Tone::as_str, Tone::meaning).build()
}

pub fn audit_action() -> Object {
    words("What was done.", AuditAction::ALL, AuditAction::as_str, AuditAction::meaning).build()
}

pub fn message_direction() -> Object {
    words("Who wrote it.", MessageDirection::ALL, MessageDirection::as_str, MessageDirection::meaning).build()
}

pub fn message_kind() -> Object {
    let kinds =
        words("What it is; null while it cannot be read.", MessageKind::ALL, MessageKind::as_str, MessageKind::meaning);
    let or_null = MessageKind::ALL.iter().map(|kind| json!(kind)).chain([Value::Null]);
    kinds.schema_type(SchemaType::from_iter([Type::String, Type::Null])).enum_values(Some(or_null)).build()
}

/// The kinds that can be sent.
pub fn sendable_kind() -> Object {
    const KINDS: [MessageKind; 5] =
        [MessageKind::Text, MessageKind::Reaction, MessageKind::Edit, MessageKind::Revoke, MessageKind::Location];
    words("What it is to be.", &KINDS, MessageKind::as_str, MessageKind::meaning).build()
}

pub fn message_state() -> Object {
    words("How far it is.", MessageState::ALL, MessageState::as_str, MessageState::meaning).build()
}

pub fn problem_code() -> Object {
    words("What went wrong, for programs.", ProblemCode::ALL, ProblemCode::as_str, ProblemCode::meaning).build()
}

/// JSON Schema of a command as `{kind, args}`; `$defs` has the args of each kind.
#[utoipa::path(tag = "commands", responses((status = 200, body = Object, content_type = "application/json")))]
#[get("/api/schemas/commands.json")]
pub async fn command_schemas() -> Json<Value> {
    Json(schema::commands())
}

/// JSON Schema of an event as `{kind, payload}`; `$defs` has the payload of each kind.
#[utoipa::path(tag = "history", responses((status = 200, body = Object, content_type = "application/json")))]
#[get("/api/schemas/events.json")]
pub async fn event_schemas() -> Json<Value> {
    Json(schema::events())
}
