//! The cost of recurring statements depends on the number of live rows, not of all rows: their plans
//! are checked on a database with many old rows.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tokio_postgres::Error;

use crate::support::Database;

/// 200,000 accounts of which 1,000 live, 5 million old events, half a million messages of one
/// account, 200,000 that it sent, 3,000 on their way, a command and a line of the audit log for each account. Loaded without indexes, which costs a third of the time.
const PAST: &str = "
    SET maintenance_work_mem = '512MB';
    -- The past needs no triggers: what they would write of it is there.
    SET session_replication_role = replica;
    ALTER TABLE events SET UNLOGGED;
    DROP INDEX events_by_xact, events_to_notify, events_by_kind;
    ALTER TABLE events DROP CONSTRAINT events_pkey, DROP CONSTRAINT events_account_id_seq_key;
    INSERT INTO processes (id, host, pid, version, pid_space, pid_birth, expires_at)
    SELECT md5('process' || n)::uuid, 'here', n, '1', 'here', 1, now() + interval '1 day' FROM generate_series(1, 2) n;
    INSERT INTO whatsapp_accounts (id, operator_id, label, status, desired, deleted_at, owner, event_seq, keyring_id)
    SELECT md5('account' || n)::uuid, md5('operator')::uuid, 'account ' || n,
           CASE WHEN lives THEN 'connected' ELSE 'unpaired' END, CASE WHEN lives THEN 'paired' ELSE 'deleted' END,
           CASE WHEN NOT lives THEN now() - interval '40 days' - n * interval '10 s' END,
           md5('process' || n % 2 + 1)::uuid, CASE WHEN lives THEN 26 ELSE 25 END, CASE WHEN lives THEN md5('keyring' || n)::uuid END
    FROM (SELECT n, n % 200 = 0 AS lives FROM generate_series(1, 200000) n) AS account;
    -- Ten of them were linked just now.
    INSERT INTO keyrings (id, account_id, wrapped_key, master_key, phone_number, device_jid, created_at)
    SELECT keyring_id, id, sha512(label::bytea), md5('m'), '436601234567', '436601234567:12@s.whatsapp.net',
           clock_timestamp() - interval '1 day' * (row_number() OVER (ORDER BY id) > 10)::int
    FROM whatsapp_accounts WHERE keyring_id IS NOT NULL;
    INSERT INTO credentials (account_id, keyring_id, kind, name, sealed)
    SELECT account_id, id, 'session', n::text, 'x' FROM keyrings, generate_series(1, 20) n;
    INSERT INTO unlink_tickets (account_id, keyring_id, reason, source)
    SELECT account_id, id, 'x', 'web' FROM keyrings ORDER BY id LIMIT 5;
    INSERT INTO events (account_id, seq, kind, created_at, notified, xact)
    SELECT a.id, seq, 'session.timeout', now() - interval '20 days' * CASE seq WHEN 1 THEN 2 ELSE 1 END, true, '3'
    FROM generate_series(1, 25) seq, whatsapp_accounts a;
    ALTER TABLE events ADD PRIMARY KEY (id), ADD UNIQUE (account_id, seq);
    CREATE INDEX events_to_notify ON events (id) WHERE NOT notified;
    CREATE INDEX events_by_xact ON events (xact, id);
    CREATE INDEX events_by_kind ON events (kind, created_at, id);
    INSERT INTO commands (account_id, kind, state, created_at, done_at)
    SELECT id, 'account.pair', 'done', now() - interval '40 days', now() - interval '40 days' FROM whatsapp_accounts;
    INSERT INTO commands (account_id, kind)
    SELECT id, 'account.reconnect' FROM whatsapp_accounts WHERE deleted_at IS NULL ORDER BY id LIMIT 20;
    INSERT INTO audit_log (source, action, target_type, target_id)
    SELECT 'web', 'account.paired', 'whatsapp_account', id FROM whatsapp_accounts;
    INSERT INTO events (account_id, seq, kind)
    SELECT id, 26, 'session.timeout' FROM whatsapp_accounts WHERE deleted_at IS NULL ORDER BY id LIMIT 20;
    INSERT INTO messages (account_id, direction, chat, chat_phone, sender, sender_phone, wa_id, kind, state, reason, sent_at)
    SELECT md5('account200')::uuid, 'in', chat || '@lid', 436600000000 + chat, chat || '@lid', 436600000000 + chat, n,
           CASE WHEN NOT waits THEN 'text' END, CASE WHEN waits THEN 'waiting' ELSE 'received' END,
           CASE WHEN waits THEN 'undecryptable' END, now()
    FROM (SELECT n, n % 2000 AS chat, n % 25000 = 0 AS waits FROM generate_series(1, 500000) n) AS message;
    -- The first is under way, and 100 accounts have some that are due, or for later, or to new chats.
    INSERT INTO messages (account_id, direction, chat, sender, wa_id, kind, state, sent_at, due_at, taken_at, taken_by,
                          attempt, told_at, is_new_chat)
    SELECT md5('account200')::uuid, 'out', n % 2000 || '@lid', 'me', '3EB0' || n, 'text',
           CASE n WHEN 1 THEN 'sending' ELSE 'read' END, now(), now(), now() - interval '2 days', md5('other')::uuid, 1,
           now() - interval '2 days', n % 10 = 0
    FROM generate_series(1, 200000) n;
    INSERT INTO messages (account_id, direction, chat, sender, wa_id, kind, state, due_at, is_new_chat, expires_at)
    SELECT a.id, 'out', n || '@lid', 'me', '3EB0A' || n, 'text', 'queued',
           now() + interval '1 day' * CASE WHEN n % 3 = 0 THEN 1 ELSE -1 END, n % 2 = 0, now() + interval '2 days'
    FROM generate_series(1, 2000) n, (SELECT id, row_number() OVER (ORDER BY id) AS nth FROM whatsapp_accounts
                                      WHERE deleted_at IS NULL) AS a
    WHERE a.id = md5('account200')::uuid OR (a.nth <= 100 AND n <= 10);
    INSERT INTO message_bodies (message_id, content)
    SELECT id, '{\"type\": \"text\", \"text\": {\"body\": \"x\"}}' FROM messages WHERE direction = 'out';
    INSERT INTO contacts (account_id, jid, phone, name)
    SELECT a.id, n || '@lid', 436600000000 + n, 'x' FROM generate_series(1, 2000) n, whatsapp_accounts a
    WHERE a.id = md5('account200')::uuid OR (n < 50 AND a.deleted_at IS NULL);
    RESET session_replication_role;
    ANALYZE";

const TABLES: [&str; 9] = [
    "audit_log",
    "commands",
    "contacts",
    "credentials",
    "events",
    "keyrings",
    "message_bodies",
    "messages",
    "whatsapp_accounts",
];

/// Pages that a statement may touch: eight for each of 1,000 living accounts.
const MOST_PAGES: u64 = 8_000;

/// The files of statements that run periodically, for each command or for each connection.
const ASKED: [&str; 16] = [
    "accounts",
    "changes",
    "commands",
    "connections",
    "console",
    "credentials",
    "events",
    "keyrings",
    "messages",
    "metrics",
    "outgoing",
    "processes",
    "prune",
    "sending",
    "settings",
    "tickets",
];

/// Statements of a rotation of the master key, which concern all keys.
const OF_ALL_KEYS: [&str; 3] = ["count_keyrings_by_master_key", "list_keyrings_to_rewrap", "list_keyrings"];

/// SQL to run first, without which a statement would find nothing to do.
const BEFORE: [(&str, &str); 2] = [
    ("give_accounts_back", "UPDATE processes SET draining = true WHERE id = md5('process1')::uuid"),
    ("disown_accounts", "DELETE FROM processes WHERE id = md5('process1')::uuid"),
];

#[tokio::test]
async fn recurring_queries_scale_with_live_rows_only() {
    let database = Database::new().await;
    let begun = std::time::Instant::now();
    database.web.batch_execute("SET synchronous_commit = off").await.unwrap();
    for statement in PAST.split(';') {
        database.web.batch_execute(statement).await.unwrap();
    }
    eprintln!("the past was made in {:.0} s", begun.elapsed().as_secs_f64());
    let mut troubles = Vec::new();
    for statement in ASKED.iter().flat_map(|file| statements(file)) {
        if OF_ALL_KEYS.contains(&statement.name.as_str()) {
            continue;
        }
        // From the sixth execution on, a prepared statement may get a generic plan.
        for before in [0, 6] {
            let Statement { name, arguments, .. } = &statement;
            match database.explain(&statement, before, &TABLES).await {
                Ok((plan, scanned)) if pages(&plan) > MOST_PAGES || !scanned.is_empty() => {
                    let pages = pages(&plan);
                    troubles.push(format!("{name} after {before}: {pages} pages, all of {scanned:?}\n{plan:#}"));
                }
                Ok(_) => {}
                Err(wrong) => troubles.push(format!("{name} ({}): {wrong:?}", arguments.join(", "))),
            }
        }
    }
    assert!(troubles.is_empty(), "{}", troubles.join("\n"));
}

/// 240,000 messages of an account that has written nothing for long, and newer ones of 100 others;
/// all in 2,000 chats, one of which has half of the oldest. Loaded without indexes.
const CHATTER: &str = "
    SET maintenance_work_mem = '512MB';
    SET session_replication_role = replica;
    ALTER TABLE message_bodies SET UNLOGGED;
    ALTER TABLE message_media SET UNLOGGED;
    ALTER TABLE message_receipts SET UNLOGGED;
    ALTER TABLE messages SET UNLOGGED;
    DROP INDEX messages_received_once, messages_of_account, messages_of_chat, messages_waiting;
    INSERT INTO whatsapp_accounts (id, operator_id, label, event_seq)
    SELECT md5('account' || n)::uuid, md5('operator')::uuid, 'account ' || n, 1000 FROM generate_series(100, 200) n;
    INSERT INTO messages (account_id, direction, chat, chat_phone, sender, wa_id, kind, state, sent_at)
    SELECT md5('account' || account)::uuid, 'in', chat || '@lid', 436600000000 + chat, chat || '@lid', n, 'text', 'received', now()
    FROM (SELECT n, CASE WHEN n % 5 = 0 OR n > 300000 THEN 100 + n / 5 % 100 ELSE 200 END AS account,
                 CASE WHEN n % 2 = 0 AND n < 200000 THEN 7 ELSE n / 10 % 2000 END AS chat
          FROM generate_series(1, 500000) n) AS message;
    INSERT INTO message_bodies (message_id, content) SELECT id, '{\"type\": \"text\"}' FROM messages WHERE id > 200000;
    INSERT INTO contacts (account_id, jid, name) SELECT DISTINCT account_id, sender, 'x' FROM messages;
    INSERT INTO events (account_id, seq, kind, payload)
    SELECT a.id, n, 'message.received', jsonb_build_object('messageId', n) FROM whatsapp_accounts a, generate_series(1, 1000) n;
    CREATE UNIQUE INDEX messages_received_once ON messages (account_id, chat, wa_id, sender) WHERE direction <> 'out';
    CREATE INDEX messages_of_account ON messages (account_id, id);
    CREATE INDEX messages_of_chat ON messages (account_id, chat, id);
    CREATE INDEX messages_waiting ON messages (account_id, id) WHERE state = 'waiting';
    RESET session_replication_role;
    ANALYZE";

const TABLES_OF_MESSAGES: [&str; 4] = ["contacts", "events", "message_bodies", "messages"];

/// Of one page of messages: for each of 100 the row, the body, two names and a group.
const MOST_PAGES_OF_A_PAGE: u64 = 2_000;
/// Of a look at each of 2,000 chats.
const MOST_PAGES_OF_CHATS: u64 = 30_000;

#[tokio::test]
async fn a_page_of_messages_costs_the_page_not_the_table() {
    let database = Database::new().await;
    database.web.batch_execute("SET synchronous_commit = off").await.unwrap();
    for statement in CHATTER.split(';') {
        database.web.batch_execute(statement).await.unwrap();
    }
    let mut troubles = Vec::new();
    for statement in statements("reading") {
        for before in [0, 6] {
            let Statement { name, arguments, .. } = &statement;
            let looks_at_each_chat = ["list_chats_of_phone", "list_last_messages_by_chat"].contains(&name.as_str());
            let most = if looks_at_each_chat { MOST_PAGES_OF_CHATS } else { MOST_PAGES_OF_A_PAGE };
            match database.explain(&statement, before, &TABLES_OF_MESSAGES).await {
                Ok((plan, scanned)) if pages(&plan) > most || !scanned.is_empty() => {
                    let pages = pages(&plan);
                    troubles.push(format!("{name} after {before}: {pages} pages, all of {scanned:?}\n{plan:#}"));
                }
                Ok((plan, _)) => eprintln!("{name} after {before}: {} pages", pages(&plan)),
                Err(wrong) => troubles.push(format!("{name} ({}): {wrong:?}", arguments.join(", "))),
            }
        }
    }
    assert!(troubles.is_empty(), "{}", troubles.join("\n"));
}

/// 200 accounts of one operator, of which Postgres has no statistics yet. The last one's number is
/// that of [`argument`], so that a change of it leaves the number as it is.
const YOUNG: &str = "
    INSERT INTO processes (id, host, pid, version, pid_space, pid_birth, expires_at)
    VALUES (md5('process1')::uuid, 'here', 1, '1', 'here', 1, now() + interval '1 day');
    INSERT INTO whatsapp_accounts (id, operator_id, label, phone_number, owner)
    SELECT md5('account' || n)::uuid, md5('operator')::uuid, 'account ' || n, '43660' || (201 - n), md5('process1')::uuid
    FROM generate_series(1, 200) n";

/// Rows of accounts that a change of one may read.
const FEW: i64 = 10;

#[tokio::test]
async fn a_change_of_one_account_reads_no_others() {
    let database = Database::new().await;
    database.web.batch_execute("ALTER TABLE whatsapp_accounts SET (autovacuum_enabled = off)").await.unwrap();
    database.web.batch_execute(YOUNG).await.unwrap();
    let statement = statements("changes").into_iter().find(|statement| statement.name == "record_change").unwrap();
    let Statement { text, arguments, .. } = statement;
    database.web.batch_execute(&format!("PREPARE asked AS {text}")).await.unwrap();
    for asked in 1..=7 {
        database.web.batch_execute("BEGIN").await.unwrap();
        let before = database.rows_read().await;
        database.web.batch_execute(&format!("EXECUTE asked({})", arguments.join(", "))).await.unwrap();
        let read = database.rows_read().await - before;
        assert!((1..=FEW).contains(&read), "time {asked}: {read} rows of accounts were read");
        database.web.batch_execute("ROLLBACK").await.unwrap();
    }
}

impl Database {
    /// How many rows of accounts the current transaction has read so far.
    async fn rows_read(&self) -> i64 {
        let read = "SELECT (seq_tup_read + idx_tup_fetch)::bigint FROM pg_stat_xact_user_tables
                    WHERE relname = 'whatsapp_accounts'";
        self.one(read, &[]).await
    }

    /// The plan of one execution after `before` earlier ones, and the tables that were scanned as a
    /// whole, also by functions and triggers. Everything is rolled back.
    async fn explain(
        &self,
        statement: &Statement,
        before: u32,
        tables: &[&str],
    ) -> Result<(Value, Vec<String>), Error> {
        let Statement { name, text, arguments } = statement;
        let before_it = BEFORE.iter().find(|(of, _)| of == name).map_or("", |(_, sql)| sql);
        let arguments = if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
        let explained = async {
            self.web.batch_execute(&format!("BEGIN; {before_it}; PREPARE asked AS {text}")).await?;
            for _ in 0..before {
                self.web.batch_execute(&format!("EXPLAIN EXECUTE asked{arguments}")).await?;
            }
            let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE asked{arguments}");
            // Postgres reports its counts late, so those of earlier transactions may still be here.
            let scans = "SELECT coalesce(array_agg(concat_ws(' ', relname, seq_scan) ORDER BY relname), '{}')
                         FROM pg_stat_xact_user_tables WHERE seq_scan > 0 AND relname = ANY ($1)";
            let earlier: Vec<String> = self.one(scans, &[&tables]).await;
            let plan = self.web.query_one(&explain, &[]).await?.get(0);
            let scanned: Vec<String> = self.one(scans, &[&tables]).await;
            Ok((plan, scanned.into_iter().filter(|scanned| !earlier.contains(scanned)).collect()))
        };
        let explained = explained.await;
        self.web.batch_execute("ROLLBACK; DEALLOCATE ALL; SELECT pg_advisory_unlock_all()").await?;
        explained
    }
}

/// Pages that the statement and the functions it calls have touched.
pub fn pages(plan: &Value) -> u64 {
    let plan = &plan[0]["Plan"];
    ["Shared Hit Blocks", "Shared Read Blocks"].iter().filter_map(|field| plan[field].as_u64()).sum()
}

struct Statement {
    name: String,
    text: String,
    arguments: Vec<String>,
}

/// The statements of a file of sql/queries as the daemon sends them, which the generated
/// crate holds, each with arguments that fit.
fn statements(file: &str) -> Vec<Statement> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("sql/generated/src/queries/{file}.rs"));
    let source = fs::read_to_string(path).unwrap();
    let made: Vec<Statement> = source.split("\npub fn ").skip(1).map(statement).collect();
    assert!(!made.is_empty(), "{file}");
    made
}

fn statement(made: &str) -> Statement {
    let name = made.split('(').next().unwrap().to_owned();
    let text = made.split("Stmt(").nth(1).unwrap().trim_start().strip_prefix('"').unwrap();
    let end = text.find("\",\n").into_iter().chain(text.find("\", None)")).min().unwrap();
    let text = text[..end].replace("\\\"", "\"").replace("\\n", "\n");
    let (generics, bind) = made.split("fn bind<").nth(1).unwrap().split_once(">(").unwrap();
    let arrays = |kind: &str| generics.contains(&format!("{kind}: crate::ArraySql"));
    let kinds = bind.split(") ->").next().unwrap().split(',').filter_map(|one| one.trim().split_once(": &'a "));
    let kinds: HashMap<&str, &str> = kinds.collect();
    // Statements without rows are generated in another form.
    let names = bind.split("params: [").nth(1).or_else(|| bind.split("&[").nth(1)).unwrap().split(']').next().unwrap();
    let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    let is_of_keys = name.contains("credentials");
    let argument_of = |called| match called {
        // Also kinds of which there are none.
        "kinds" if !is_of_keys => "ARRAY['session.timeout', 'account.paired', 'account.pair', 'none']",
        _ => argument(called, kinds[called], arrays(kinds[called])),
    };
    let arguments = names.map(|name| argument_of(name).to_owned()).collect();
    Statement { name, text, arguments }
}

fn argument(name: &str, kind: &str, is_array: bool) -> &'static str {
    match (name, kind) {
        ("chats", _) => "ARRAY['7@lid', '8@lid']",
        ("messages", _) if is_array => "ARRAY[200001, 200002, 200003, 200004]",
        ("message", _) => "200001",
        ("process" | "owner", _) => "md5('process1')::uuid",
        ("account" | "account_id", _) => "md5('account200')::uuid",
        ("keyring" | "keyring_id", _) => "md5('keyring200')::uuid",
        // By both names, by number alone, and one that refers to another.
        ("messages", _) => {
            r#"'[{"direction": "in", "chat": "7@lid", "chat_phone": "436600000007", "sender": "7@lid",
                  "sender_phone": "436600000007", "wa_id": "A", "kind": "reaction", "refers_to_wa_id": "2007",
                  "state": "received", "sent_ms": 1, "content": {"reaction": {}}},
                 {"direction": "in", "chat": "436600000008@s.whatsapp.net", "chat_phone": "436600000008",
                  "sender": "436600000008@s.whatsapp.net", "sender_phone": "436600000008", "wa_id": "B",
                  "state": "waiting", "reason": "undecryptable", "sent_ms": 1}]'"#
        }
        ("room", _) => "16",
        // As every keyring here has: with another, nothing is taken or written.
        ("epoch", _) => "1",
        ("outcomes", _) => r#"'[{"id": 500001, "state": "sent", "at_ms": 1}]'"#,
        ("ended", _) => r#"'[{"chat": "7@lid", "sender": "7@lid", "wa_id": "A", "what": "peer", "is_certain": true}]'"#,
        ("receipts", _) => {
            r#"'[{"chat": "2@lid", "participant": "2@lid", "wa_ids": ["3EB02", "3EB0X"], "kind": "read", "at_ms": 1},
                 {"chat": "1@lid", "participant": "1@lid", "wa_ids": ["3EB01"], "kind": "delivered", "at_ms": 1}]'"#
        }
        ("since" | "xact", _) => "pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
        ("command", _) => "200001",
        ("command_id" | "after" | "id", "i64") => "1",
        ("limit" | "batch" | "nth" | "sender" | "pid" | "send_burst", _) => "100",
        ("keep_secs", _) => "2592000",
        ("before", _) => "1000000",
        ("status", _) => "'connected'",
        ("desired", _) => "'paired'",
        ("pair_method", _) => "'qr'",
        ("phone" | "phone_number", _) => "'436601'",
        (_, kind) if kind.starts_with("Option<") => "NULL",
        _ if is_array => "'{}'",
        // A renewal that raises the fences does more.
        ("refresh", _) => "true",
        ("renewal", _) => "1",
        (_, "bool") => "false",
        (_, "i16" | "i32" | "i64" | "f64") => "0",
        (_, "f32") => "1",
        (_, "uuid::Uuid") => "md5('other')::uuid",
        (_, "chrono::DateTime<chrono::FixedOffset>") => "now()",
        ("args" | "payload" | "event_payload", _) => "'{}'",
        ("content", _) => r#"'{"to": "436600000007", "type": "text", "text": {"body": "x"}}'"#,
        ("presence", _) => "'silent'",
        _ => "'x'",
    }
}
