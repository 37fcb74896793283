//! The words in the schema's checks and in statements are those of the domain's enums.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use paird_actors::domain::{
    AuditAction, CommandKind, Desired, EventKind, MessageDirection, MessageKind, MessageState, Reason, Status,
    StatusReason,
};

use crate::support::Database;

/// The string literals of an SQL text.
fn literals(sql: &str) -> BTreeSet<String> {
    let code = sql.lines().map(|line| line.split("--").next().unwrap()).collect::<Vec<_>>().join("\n");
    code.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
}

async fn allowed(database: &Database, constraint: &str) -> BTreeSet<String> {
    let sql = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = $1";
    literals(&database.one::<String>(sql, &[&constraint]).await)
}

fn words<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> BTreeSet<String> {
    all.iter().map(|one| word(*one).to_owned()).collect()
}

#[tokio::test]
async fn the_checks_of_columns_allow_exactly_the_words_there_are() {
    let database = Database::new().await;
    let statuses = allowed(&database, "whatsapp_accounts_status_check").await;
    assert_eq!(statuses, words(Status::ALL, Status::as_str));
    let desired = allowed(&database, "whatsapp_accounts_desired_check").await;
    assert_eq!(desired, words(Desired::ALL, Desired::as_str));
    let kinds = allowed(&database, "messages_kind_check").await;
    assert_eq!(kinds, words(MessageKind::ALL, MessageKind::as_str));
    let directions = allowed(&database, "messages_direction_check").await;
    assert_eq!(directions, words(MessageDirection::ALL, MessageDirection::as_str));
    let states = allowed(&database, "messages_state_check").await;
    assert_eq!(states, words(MessageState::ALL, MessageState::as_str));
    let methods = allowed(&database, "whatsapp_accounts_pair_method_check").await;
    let known = &CommandKind::Pair.args_schema()["properties"]["method"]["enum"];
    assert_eq!(methods, known.as_array().unwrap().iter().filter_map(|word| Some(word.as_str()?.to_owned())).collect());
}

#[tokio::test]
async fn a_new_account_has_a_reason_that_is_a_word() {
    let database = Database::new().await;
    let sql = "INSERT INTO whatsapp_accounts (operator_id, label) VALUES (gen_random_uuid(), 'shop')
               RETURNING status_reason";
    assert_eq!(StatusReason::parse(&database.one::<String>(sql, &[]).await), Reason::New.into());
}

#[test]
fn every_kind_that_a_statement_names_exists() {
    let known: BTreeSet<String> = [
        words(CommandKind::ALL, CommandKind::as_str),
        words(EventKind::ALL, EventKind::as_str),
        words(AuditAction::ALL, AuditAction::as_str),
    ]
    .into_iter()
    .flatten()
    .collect();
    let is_kind = |text: &String| {
        let (noun, rest) = text.split_once('.').unwrap_or_default();
        ["account", "session", "groups", "command", "message", "sending", "chat"].contains(&noun)
            && rest.chars().all(|c| c.is_alphabetic() || c == '_')
    };
    let mut found = BTreeSet::new();
    for folder in ["sql/queries", "sql/migrations"] {
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            found.extend(literals(&fs::read_to_string(entry.unwrap().path()).unwrap()).into_iter().filter(is_kind));
        }
    }
    assert!(found.len() >= 5, "the statements were read: {found:?}");
    assert_eq!(found.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn taking_commands_knows_which_kinds_run_beside_others() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/queries/commands.sql")).unwrap();
    let (_, rest) = text.split_once("AND r.kind NOT IN (").expect("the exception for what runs beside others");
    let excepted = literals(rest.split(')').next().unwrap());
    let concurrent = CommandKind::ALL.iter().filter(|kind| kind.runs_concurrently()).map(|kind| kind.as_str());
    assert_eq!(concurrent.map(str::to_owned).collect::<BTreeSet<_>>(), excepted);
}
