//! What is published of the domain's words is the domain's: the tables of `sql/README.md` and
//! the schemas in `sql/schemas`. With `UPDATE_DOCS=1` the tests write them instead:
//!
//! `UPDATE_DOCS=1 cargo test -p paird-actors --test published`

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

use std::{fs, path::PathBuf};

use boon::{Compiler, SchemaIndex, Schemas};
use paird_actors::domain::{
    AuditAction, CancelReason, Command, CommandId, CommandKind, Desired, Event, EventKind, Instant, PasskeyStage,
    Phase, Reason, Status, Unlinked, schema,
};
use paird_scan::{check_tables, code, is_update, table};
use proptest::prelude::*;
use serde_json::{Value, json};

fn published(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../sql").join(path)
}

fn fields(schema: &Value) -> String {
    let names: Vec<String> = schema["properties"].as_object().unwrap().keys().map(code).collect();
    names.join(", ")
}

/// Each table of the document by its name.
fn tables() -> Vec<(&'static str, String)> {
    let commands = CommandKind::ALL.iter().map(|kind| {
        let args: Vec<String> = kind.arguments().iter().map(code).collect();
        [code(kind), args.join(", "), kind.meaning().to_owned()]
    });
    let events = EventKind::ALL.iter().map(|kind| {
        let ends = if kind.is_terminal() { "yes" } else { "" };
        [code(kind), fields(&kind.payload_schema()), kind.meaning().to_owned(), ends.to_owned()]
    });
    let statuses = Status::ALL.iter().map(|status| [code(status), status.meaning().to_owned()]);
    let desired = Desired::ALL.iter().map(|desired| [code(desired), desired.meaning().to_owned()]);
    let written = Reason::ALL.iter().filter(|reason| **reason != Reason::Unknown);
    let reasons = written
        .map(|reason| [code(reason), reason.headline().to_owned(), reason.advice().unwrap_or_default().to_owned()]);
    let actions = AuditAction::ALL.iter().map(|action| [code(action), action.meaning().to_owned()]);
    let phases = Phase::ALL.iter().map(|phase| [code(phase), phase.meaning().to_owned()]);
    vec![
        ("statuses", table(["status", "meaning"], statuses)),
        ("desired", table(["desired", "meaning"], desired)),
        ("reasons", table(["reason", "meaning", "what to do"], reasons)),
        ("commands", table(["kind", "args", "meaning"], commands)),
        ("events", table(["kind", "payload", "meaning", "ends an attempt"], events)),
        ("audit actions", table(["action", "meaning"], actions)),
        ("phases", table(["phase", "meaning"], phases)),
    ]
}

const UPDATE: &str = "cargo test -p paird-actors --test published";

#[test]
fn the_tables_of_the_document_are_the_words_of_the_domain() {
    check_tables(&published("README.md"), &tables(), UPDATE);
}

#[test]
fn the_published_schemas_are_those_of_the_domain() {
    for (name, schema) in [("commands", schema::commands()), ("events", schema::events())] {
        let path = published("schemas").join(format!("{name}.json"));
        if is_update() {
            fs::write(&path, format!("{schema:#}\n")).unwrap();
        }
        let written: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert!(written == schema, "{name}.json is out of date: UPDATE_DOCS=1 {UPDATE}");
    }
}

struct Validator {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Validator {
    fn of(document: Value) -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.enable_format_assertions();
        compiler.add_resource("paird.json", document).unwrap();
        let index = compiler.compile("paird.json", &mut schemas).unwrap();
        Self { schemas, index }
    }

    fn takes(&self, value: &Value) -> bool {
        self.schemas.validate(value, self.index).is_ok()
    }
}

/// The example of each kind, and what events of the same kind may tell otherwise.
fn payloads_of_each_kind() -> Vec<(EventKind, Value)> {
    let examples = EventKind::ALL.iter().map(|kind| (*kind, kind.example()));
    let others = [
        Event::Passkey { stage: PasskeyStage::Confirm, request: json!(null), expires_at: Instant(1_700_000_000_123) },
        Event::Timeout { after: Some(Reason::NoLogin.into()) },
        Event::Connected { phone: None },
        Event::Cancelled { reason: CancelReason::Superseded },
        Event::Held { reason: Reason::TemporaryBan.into(), until: Some(Instant(1_700_000_000_123)) },
        Event::AccountUnpaired { unlinked: Unlinked::None },
        Event::CommandFailed { command: CommandId(7), kind: "account.wave".to_owned(), reason: "no".to_owned() },
    ];
    examples.chain(others.iter().map(|event| (event.kind(), event.payload()))).collect()
}

#[test]
fn every_payload_fits_its_schema_and_has_no_other_field() {
    let validator = Validator::of(schema::events());
    for (kind, payload) in payloads_of_each_kind() {
        assert!(validator.takes(&json!({"kind": kind, "payload": payload})), "{kind}: {payload}");
        let described = kind.payload_schema();
        for field in payload.as_object().unwrap().keys() {
            assert!(
                described["properties"].get(field).is_some(),
                "{kind} has a field {field} that no schema describes"
            );
        }
    }
    assert!(!validator.takes(&json!({"kind": "session.qr", "payload": {}})));
    assert!(
        !validator.takes(&json!({"kind": "session.qrr", "payload": {"ts": 1, "expiresAt": "2026-01-01T00:00:00Z"}}))
    );
}

fn takes_args(validator: &Validator, kind: CommandKind, args: &Value) -> bool {
    validator.takes(&json!({"kind": kind, "args": args}))
}

#[test]
fn schema_and_parser_accept_the_same_args() {
    let validator = Validator::of(schema::commands());
    for (kind, args, is_good) in [
        (CommandKind::Pair, json!({}), true),
        (CommandKind::Pair, json!({"method": "code", "phone": " +43 (660) 123-4567"}), true),
        (CommandKind::Pair, json!({"method": "code"}), false),
        (CommandKind::Pair, json!({"phone": "436601234567"}), false),
        (CommandKind::Pair, json!({"method": "sms"}), false),
        (CommandKind::Pair, json!({"expectphone": "436601234567"}), false),
        (CommandKind::Pair, json!({"expectPhone": "call me"}), false),
        (CommandKind::Passkey, json!({"response": {"id": "x"}}), true),
        (CommandKind::Passkey, json!({"confirm": true}), true),
        (CommandKind::Passkey, json!({"response": "x", "confirm": true}), false),
        (CommandKind::Passkey, json!({}), false),
        (CommandKind::Unpair, json!({"logout": true}), true),
        (CommandKind::Unpair, json!({"logout": "yes"}), false),
        (CommandKind::Delete, json!({"logout": true}), false),
        (CommandKind::SyncGroups, json!({}), true),
        (CommandKind::ReadChat, json!({"chat": "+43 660 1234567", "upTo": 7}), true),
        (CommandKind::ReadChat, json!({"chat": "+43 660 1234567"}), false),
        (CommandKind::ReadChat, json!({"chat": "+43 660 1234567", "upTo": 0}), false),
        (CommandKind::ReadChat, json!({"chat": null, "upTo": 7}), false),
        (CommandKind::ShowTyping, json!({"chat": "1@lid", "state": "paused"}), true),
        (CommandKind::ShowTyping, json!({"chat": "1@lid", "state": "available"}), false),
        (CommandKind::ShowTyping, json!({"chat": "1@lid"}), false),
        (CommandKind::CheckContacts, json!({"phones": ["+43 660 1234567"]}), true),
        (CommandKind::CheckContacts, json!({"phones": []}), false),
        (CommandKind::CheckContacts, json!({"phones": "436601234567"}), false),
        (CommandKind::CheckContacts, json!({"phones": vec!["436601234567"; 51]}), false),
    ] {
        assert_eq!(takes_args(&validator, kind, &args), is_good, "the schema of {kind}: {args}");
        assert_eq!(Command::parse(kind.as_str(), &args).is_ok(), is_good, "{kind}: {args}");
    }
    for kind in CommandKind::ALL {
        let schema = kind.args_schema();
        let mut described: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
        let mut known = kind.arguments().to_vec();
        described.sort();
        known.sort_unstable();
        assert_eq!(described, known, "{kind}");
    }
}

fn any_args() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!(false)),
        Just(json!("qr")),
        Just(json!("code")),
        Just(json!("436601234567")),
        "[0-9 +().-]{0,18}".prop_map(Value::from),
        Just(json!({"id": 1})),
    ];
    let name = prop::sample::select(vec!["method", "phone", "expectPhone", "response", "confirm", "logout"]);
    prop::collection::btree_map(name.prop_map(str::to_owned), value, 0..3)
        .prop_map(|fields| Value::Object(fields.into_iter().collect()))
}

proptest! {
    /// The daemon may say more, of the digits of a number; never less.
    #[test]
    fn accepted_args_validate_against_the_schema(
        kind in prop::sample::select(CommandKind::ALL.to_vec()),
        args in any_args(),
    ) {
        if Command::parse(kind.as_str(), &args).is_ok() {
            let validator = Validator::of(schema::commands());
            prop_assert!(takes_args(&validator, kind, &args), "{kind}: {args}");
        }
    }
}
