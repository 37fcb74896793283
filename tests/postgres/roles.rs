//! `sql/roles.sql` with real logins: what each may, and that it may no more.

use std::collections::BTreeMap;

use paird::postgres::migrate::{MigrateError, migrate};
use paird::postgres::pool::Dsn;
use paird::postgres::roles;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::support::{Database, connect};

/// Every column there is: which letters (Select, Insert, Update, Delete) each role has.
/// A new table or column fails the test until it is decided here and in sql/roles.sql.
const DECIDED: [(&str, &str, &str, &str); 25] = [
    ("audit_log", "action created_at id operator_id payload source target_id target_type", "S", "I"),
    ("commands", "account_id created_at dedupe_key done_at id kind result sent_by source started_at state", "S", "SIU"),
    ("commands", "args heard_at heard_key taken taken_by", "", "SIU"),
    ("credentials", "account_id keyring_id kind name sealed stamp", "", "SIUD"),
    ("event_consumers", "account_id consumer seq updated_at", "SIUD", ""),
    ("events", "account_id created_at id kind payload seq xact", "S", "SI"),
    ("events", "notified", "S", "SIU"),
    (
        "keyrings",
        "account_id created_at device_jid epoch id master_key opened_by opening phone_number wrapped_key",
        "",
        "SIUD",
    ),
    ("processes", "draining expires_at", "S", "SIUD"),
    ("processes", "command_channel drain_no epoch host id master_keys pid pid_birth pid_space", "", "SIUD"),
    ("processes", "renewal renewed_at started_at version", "", "SIUD"),
    ("proxy_logins", "account_id id master_key proxy sealed wrapped_key", "", "SIUD"),
    ("refinery_schema_history", "applied_on checksum name version", "", "S"),
    (
        "unlink_tickets",
        "abandon_at account_id attempts id keyring_id last_error next_retry_at opened_at reason source",
        "",
        "SIUD",
    ),
    ("whatsapp_accounts", "created_at", "S", "S"),
    ("whatsapp_accounts", "id operator_id", "SI", "S"),
    ("whatsapp_accounts", "device_name label presence proxy", "SIU", "S"),
    ("whatsapp_accounts", "deleted_at desired device_jid event_seq expect_phone fence", "S", "SU"),
    ("whatsapp_accounts", "groups_synced_at keyring_id last_change last_phone_number released_at", "S", "SU"),
    ("whatsapp_accounts", "last_qr_at last_qr_png linking_keyring_id next_retry_at owner", "S", "SU"),
    ("whatsapp_accounts", "pair_code pair_deadline pair_method pair_phone phone_key phone_number", "S", "SU"),
    ("whatsapp_accounts", "qr_expires_at status status_reason status_since", "S", "SU"),
    ("whatsapp_groups", "account_id is_admin jid participants", "S", "SIUD"),
    ("whatsapp_groups", "subject synced_at", "S", "SIUD"),
    ("wrapped_keys", "account_id id master_key wrapped_key", "", "S"),
];

#[tokio::test]
async fn every_column_of_every_table_is_decided_for_both_roles() {
    let database = granted().await;
    let sql = "SELECT c.relname::text, a.attname::text, granted.web, granted.daemon
               FROM pg_class c
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped,
                    LATERAL (SELECT string_agg(letter, '' ORDER BY nth) FILTER (WHERE role = 'paird_web') AS web,
                                    string_agg(letter, '' ORDER BY nth) FILTER (WHERE role = 'paird_daemon') AS daemon
                             FROM (VALUES ('paird_web'), ('paird_daemon')) AS roles (role),
                                  (VALUES (1, 'S', 'SELECT'), (2, 'I', 'INSERT'), (3, 'U', 'UPDATE'), (4, 'D', 'DELETE'))
                                      AS rights (nth, letter, right_)
                             WHERE CASE right_ WHEN 'DELETE' THEN has_table_privilege(role, c.oid, right_)
                                   ELSE has_column_privilege(role, c.oid, a.attnum, right_) END) AS granted
               WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";
    let rows = database.web.query(sql, &[]).await.unwrap();
    let letters = |text: Option<String>| text.unwrap_or_default();
    let found: BTreeMap<(String, String), (String, String)> =
        rows.iter().map(|row| ((row.get(0), row.get(1)), (letters(row.get(2)), letters(row.get(3))))).collect();
    let mut decided = BTreeMap::new();
    for (table, columns, web, daemon) in DECIDED {
        for column in columns.split(' ') {
            decided.insert((table.to_owned(), column.to_owned()), (web.to_owned(), daemon.to_owned()));
        }
    }
    let undecided: Vec<_> = found.iter().filter(|(column, _)| !decided.contains_key(*column)).collect();
    assert!(undecided.is_empty(), "decide in sql/roles.sql and here who may do what with {undecided:?}");
    assert_eq!(found, decided);
}

#[tokio::test]
async fn each_role_may_call_what_is_its_own_with_the_owners_rights() {
    let database = granted().await;
    let sql = "SELECT proname::text, has_function_privilege('paird_web', oid, 'EXECUTE'),
                      has_function_privilege('paird_daemon', oid, 'EXECUTE')
               FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND prosecdef ORDER BY proname";
    let rows = database.web.query(sql, &[]).await.unwrap();
    let definers: Vec<(String, bool, bool)> = rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let decided = [
        ("list_consumers", false, true),
        ("proxy_was_changed", false, false),
        ("prune_accounts", false, true),
        ("prune_audit", false, true),
        ("prune_commands", false, true),
        ("prune_events", false, true),
        ("send_command", true, false),
        ("settle_restored_events", false, true),
    ];
    assert_eq!(definers, decided.map(|(name, web, daemon)| (name.to_owned(), web, daemon)));
}

#[tokio::test]
async fn a_table_that_is_made_later_is_closed_to_both() {
    let database = granted().await;
    database.web.batch_execute("CREATE TABLE proxies (secret text)").await.unwrap();
    roles::grant(&database.dsn).await.unwrap();
    for group in ["paird_web", "paird_daemon"] {
        refuses(&database.login(group).await, "SELECT * FROM proxies").await;
    }
}

#[tokio::test]
async fn the_web_app_is_refused_what_is_not_its_own() {
    let database = granted().await;
    let account = database.account(Uuid::new_v4(), "desk").await;
    database.keyring(account).await;
    let web = database.login("paird_web").await;
    for sql in [
        "SELECT * FROM credentials",
        "SELECT count(*) FROM keyrings",
        "SELECT * FROM unlink_tickets",
        "SELECT args FROM commands",
        "SELECT host FROM processes",
        "SELECT * FROM refinery_schema_history",
        "INSERT INTO whatsapp_accounts (operator_id, label, status) VALUES (gen_random_uuid(), 'x', 'connected')",
        "UPDATE whatsapp_accounts SET status = 'connected'",
        "UPDATE whatsapp_accounts SET phone_number = '436601'",
        "UPDATE whatsapp_accounts SET operator_id = gen_random_uuid()",
        "UPDATE whatsapp_accounts SET deleted_at = now()",
        "UPDATE whatsapp_accounts SET owner = NULL, fence = 7",
        "DELETE FROM whatsapp_accounts",
        "INSERT INTO events (account_id, seq, kind) VALUES (gen_random_uuid(), 1, 'session.connected')",
        "UPDATE events SET payload = '{}'",
        "DELETE FROM events",
        "INSERT INTO commands (kind) VALUES ('account.delete')",
        "UPDATE commands SET state = 'queued'",
        "DELETE FROM commands",
        "INSERT INTO audit_log (source, action, target_type) VALUES ('web', 'account.paired', 'x')",
        "DELETE FROM audit_log",
        "DELETE FROM whatsapp_groups",
        "DELETE FROM processes",
        "TRUNCATE event_consumers",
        "CREATE TABLE mine (x int)",
        "ALTER TABLE events ADD COLUMN x int",
        "SELECT store_notified_command('h', 1, '1 s', 'account.pair', NULL, '{}', NULL, NULL)",
        "SELECT store_heard_command('h', 1, now(), '1 s', 'account.pair', NULL, '{}', NULL, NULL)",
    ] {
        refuses(&web, sql).await;
    }
}

#[tokio::test]
async fn the_daemons_role_cannot_do_what_the_web_app_or_owner_may() {
    let database = granted().await;
    database.account(Uuid::new_v4(), "desk").await;
    let daemon = database.login("paird_daemon").await;
    for sql in [
        "INSERT INTO whatsapp_accounts (operator_id, label) VALUES (gen_random_uuid(), 'x')",
        "UPDATE whatsapp_accounts SET label = 'x'",
        "UPDATE whatsapp_accounts SET operator_id = gen_random_uuid()",
        "DELETE FROM whatsapp_accounts",
        "SELECT * FROM audit_log",
        "UPDATE audit_log SET action = 'x'",
        "UPDATE events SET payload = '{}'",
        "DELETE FROM events",
        "DELETE FROM commands",
        "SELECT * FROM event_consumers",
        "SELECT send_command('account.pair', gen_random_uuid())",
        "DELETE FROM refinery_schema_history",
        "CREATE TABLE mine (x int)",
        "DROP TABLE keyrings",
    ] {
        refuses(&daemon, sql).await;
    }
}

#[tokio::test]
async fn a_login_in_neither_role_may_not_send_commands() {
    let database = granted().await;
    let name = format!("stranger_{}", Uuid::new_v4().simple());
    database
        .web
        .batch_execute(&format!("CREATE ROLE {name} LOGIN; GRANT CONNECT ON DATABASE paird TO {name}"))
        .await
        .unwrap();
    let stranger = connect(&database.text_of(&name)).await;
    refuses(&stranger, "SELECT send_command('account.pair', gen_random_uuid())").await;
    refuses(&stranger, "SELECT id FROM whatsapp_accounts").await;
    refuses(&stranger, "CREATE TEMPORARY TABLE t (x int)").await;
}

#[tokio::test]
async fn send_command_ignores_tables_of_the_caller() {
    let database = granted().await;
    let account = database.account(Uuid::new_v4(), "desk").await;
    let web = database.login("paird_web").await;
    web.batch_execute(
        "CREATE TEMPORARY TABLE commands (id bigint, kind text, account_id uuid, args jsonb, dedupe_key text
             CONSTRAINT commands_dedupe_key_key UNIQUE, source text, state text);
         CREATE TEMPORARY TABLE processes (command_channel text);
         SET search_path = pg_temp, public",
    )
    .await
    .unwrap();
    let id: i64 = web.query_one("SELECT public.send_command('account.pair', $1)", &[&account.0]).await.unwrap().get(0);
    let kind: String = database.one("SELECT kind FROM commands WHERE id = $1", &[&id]).await;
    assert_eq!(kind, "account.pair");
}

#[tokio::test]
async fn in_a_schema_of_its_own_everything_is_the_same() {
    let database = Database::new().await;
    database.web.batch_execute("CREATE SCHEMA \"Tenant 7\"").await.unwrap();
    let text = format!("{} options='-c search_path=\"Tenant\\\\ 7\"'", database.text);
    let dsn = Dsn::parse(&text).unwrap();
    migrate(&dsn).await.unwrap();
    roles::grant(&dsn).await.unwrap();
    roles::grant(&dsn).await.unwrap();
    let web = database.login("paird_web").await;
    web.batch_execute("SET search_path = \"Tenant 7\"").await.unwrap();
    let sql = "INSERT INTO whatsapp_accounts (operator_id, label) VALUES ($1, 'desk') RETURNING id";
    let account: Uuid = web.query_one(sql, &[&Uuid::new_v4()]).await.unwrap().get(0);
    // Whatever the caller's search_path is.
    web.batch_execute("RESET search_path").await.unwrap();
    let sql = "SELECT \"Tenant 7\".send_command('account.pair', $1)";
    let id: i64 = web.query_one(sql, &[&account]).await.unwrap().get(0);
    let there = "SELECT count(*) FROM \"Tenant 7\".commands WHERE id = $1";
    assert_eq!(database.one::<i64>(there, &[&id]).await, 1);
    assert_eq!(database.count("SELECT count(*) FROM commands").await, 0);
    refuses(&web, "SELECT * FROM \"Tenant 7\".credentials").await;
}

#[tokio::test]
async fn the_daemons_role_names_the_remedy_for_an_older_schema() {
    let database = granted().await;
    let name = database.login_name("paird_daemon").await;
    let dsn = Dsn::parse(&database.text_of(&name)).unwrap();
    let newest = migrate(&database.dsn).await.unwrap();
    assert_eq!(migrate(&dsn).await.unwrap(), newest);

    database.web.batch_execute("DELETE FROM refinery_schema_history").await.unwrap();
    let wrong = migrate(&dsn).await.unwrap_err();
    assert!(matches!(wrong, MigrateError::NotAllowed { found: 0, known } if known == newest), "{wrong}");
    assert!(wrong.to_string().contains("run paird migrate --roles"), "{wrong}");
    assert_eq!(wrong.to_string().lines().count(), 1);
}

/// The blocks of SQL that a web app's author is given, statement by statement.
#[tokio::test]
async fn every_statement_of_the_readme_runs_as_the_web_app() {
    let interface = statements("sql/README.md", "## The statements of a web app");
    assert!(interface.len() >= 10, "{interface:?}");
    let introduction = statements("README.md", "## Use it from a web app");
    assert!(introduction.len() >= 5, "{introduction:?}");

    let database = granted().await;
    let account = database.account(Uuid::new_v4(), "desk").await;
    let account_text = format!("'{}'", account.0);
    let web = database.login("paird_web").await;
    for statement in interface.into_iter().chain(introduction) {
        // The first of each block is given an operator, all others an account.
        let filled = statement
            .replace("$account", &account_text)
            .replace("$command", "1")
            .replace("$consumer", "'shop'")
            .replace("$seq", "0")
            .replace("$1", &account_text)
            .replace("$2", "0");
        assert!(!filled.contains('$'), "a placeholder that this test does not know: {statement}");
        if let Err(wrong) = web.batch_execute(&filled).await {
            panic!("{statement}: {}", wrong.as_db_error().unwrap());
        }
    }
    let sent = database.count("SELECT count(*) FROM commands WHERE state = 'queued'").await;
    assert!(sent >= 3, "the commands of the block are stored");
}

/// Those of the first block of SQL in a section of a document.
fn statements(document: &str, heading: &str) -> Vec<String> {
    let text = std::fs::read_to_string(format!("{}/{document}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let section = text.split(&format!("{heading}\n")).nth(1).unwrap();
    let block = section.split("```sql\n").nth(1).unwrap().split("```").next().unwrap();
    let lines = block.lines().map(|line| line.split(" -- ").next().unwrap().trim()).collect::<Vec<_>>().join("\n");
    lines.split(';').map(|statement| statement.trim().to_owned()).filter(|statement| !statement.is_empty()).collect()
}

async fn granted() -> Database {
    let database = Database::new().await;
    roles::grant(&database.dsn).await.unwrap();
    roles::grant(&database.dsn).await.unwrap();
    database
}

async fn refuses(client: &Client, sql: &str) {
    let wrong = client.batch_execute(sql).await.expect_err(sql);
    assert_eq!(wrong.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{sql}: {wrong:?}");
}

impl Database {
    /// A login that is a member of the group.
    async fn login_name(&self, group: &str) -> String {
        let name = format!("{group}_{}", Uuid::new_v4().simple());
        self.web.batch_execute(&format!("CREATE ROLE {name} LOGIN IN ROLE {group}")).await.unwrap();
        name
    }

    async fn login(&self, group: &str) -> Client {
        connect(&self.text_of(&self.login_name(group).await)).await
    }

    fn text_of(&self, user: &str) -> String {
        self.text.replace("user=paird", &format!("user={user}"))
    }
}
