//! `sql/roles.sql` with real logins: what each may, and that it may no more.

use std::collections::BTreeMap;

use paird::postgres::migrate::{MigrateError, migrate};
use paird::postgres::pool::Dsn;
use paird::postgres::roles::{self, Isolation};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::support::{Database, connect};
use paird::postgres::rights::{COLUMNS, FUNCTIONS, Role, SEQUENCES};

/// A new table or column fails the test until it is decided in sql/roles.sql and src/postgres/rights.rs.
#[tokio::test]
async fn every_column_of_every_table_is_decided_for_all_roles() {
    let database = granted().await;
    let sql = "SELECT c.relname::text, a.attname::text, role,
                      coalesce(string_agg(letter, '' ORDER BY nth) FILTER (WHERE CASE right_
                          WHEN 'DELETE' THEN has_table_privilege(role, c.oid, right_)
                          ELSE has_column_privilege(role, c.oid, a.attnum, right_) END), '')
               FROM pg_class c
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped,
                    unnest($1::text[]) AS role,
                    (VALUES (1, 'S', 'SELECT'), (2, 'I', 'INSERT'), (3, 'U', 'UPDATE'), (4, 'D', 'DELETE'))
                        AS rights (nth, letter, right_)
               WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
               GROUP BY c.relname, a.attname, role";
    let rows = database.web.query(sql, &[&Role::ALL.map(Role::name).to_vec()]).await.unwrap();
    let found: BTreeMap<(String, String, String), String> =
        rows.iter().map(|row| ((row.get(0), row.get(1), row.get(2)), row.get(3))).collect();
    let mut decided = BTreeMap::new();
    for rights in &COLUMNS {
        for column in rights.columns.split(' ') {
            for role in Role::ALL {
                let key = (rights.table.to_owned(), column.to_owned(), role.name().to_owned());
                assert_eq!(decided.insert(key, rights.of(role).to_owned()), None, "{column} is decided twice");
            }
        }
    }
    let undecided: Vec<_> = found.iter().filter(|(column, _)| !decided.contains_key(*column)).collect();
    assert!(undecided.is_empty(), "decide in sql/roles.sql and src/postgres/rights.rs: {undecided:?}");
    assert_eq!(found, decided);
}

#[tokio::test]
async fn each_role_may_call_what_is_its_own_with_the_owners_rights() {
    let database = granted().await;
    let sql = "SELECT p.oid::regprocedure::text,
                      ARRAY(SELECT role FROM unnest($1::text[]) AS role WHERE has_function_privilege(role, p.oid, 'EXECUTE'))
               FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace AND p.prosecdef";
    let rows = database.web.query(sql, &[&Role::ALL.map(Role::name).to_vec()]).await.unwrap();
    let found: BTreeMap<String, Vec<String>> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let decided = FUNCTIONS.iter().map(|one| {
        let callers = one.callers.iter().map(|role| role.name().to_owned()).collect();
        (one.signature.to_owned(), callers)
    });
    assert_eq!(found, decided.collect());
}

#[tokio::test]
async fn each_role_may_use_the_sequences_that_it_needs() {
    let database = granted().await;
    let sql = "SELECT c.relname::text,
                      ARRAY(SELECT role FROM unnest($1::text[]) AS role WHERE has_sequence_privilege(role, c.oid, 'USAGE'))
               FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'S'";
    let rows = database.web.query(sql, &[&Role::ALL.map(Role::name).to_vec()]).await.unwrap();
    let found = rows.iter().map(|row| (row.get::<_, String>(0), row.get::<_, Vec<String>>(1)));
    let found: Vec<_> = found.filter(|(_, users)| !users.is_empty()).collect();
    let decided = SEQUENCES
        .map(|(name, users)| (name.to_owned(), users.iter().map(|role| role.name().to_owned()).collect::<Vec<_>>()));
    assert_eq!(found, decided);
}

#[tokio::test]
async fn a_table_that_is_made_later_is_closed_to_all() {
    let database = granted().await;
    database.web.batch_execute("CREATE TABLE proxies (secret text)").await.unwrap();
    roles::grant(&database.dsn, Isolation::AsItIs).await.unwrap();
    for group in Role::ALL.map(Role::name) {
        refuses(&database.login(group).await, "SELECT * FROM proxies").await;
    }
}

#[tokio::test]
async fn the_web_app_has_no_rights_beyond_its_own() {
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
async fn no_role_may_create_functions_in_the_schema() {
    let database = granted().await;
    // The default of databases that were made by Postgres 14 or before.
    database.web.batch_execute("GRANT CREATE ON SCHEMA public TO PUBLIC").await.unwrap();
    roles::grant(&database.dsn, Isolation::AsItIs).await.unwrap();
    let overload = "CREATE FUNCTION send_command(kind text, account uuid, args text) RETURNS bigint
                    LANGUAGE sql AS 'SELECT 1::bigint'";
    for group in Role::ALL.map(Role::name) {
        refuses(&database.login(group).await, overload).await;
    }
    let name = format!("stranger_{}", Uuid::new_v4().simple());
    database
        .web
        .batch_execute(&format!("CREATE ROLE {name} LOGIN; GRANT CONNECT ON DATABASE paird TO {name}"))
        .await
        .unwrap();
    refuses(&connect(&database.text_of(&name)).await, overload).await;
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
    roles::grant(&dsn, Isolation::AsItIs).await.unwrap();
    roles::grant(&dsn, Isolation::AsItIs).await.unwrap();
    let web = database.login("paird_web").await;
    web.batch_execute("SET search_path = \"Tenant 7\"").await.unwrap();
    let sql = "INSERT INTO whatsapp_accounts (operator_id, label) VALUES ($1, 'desk') RETURNING id";
    let account: Uuid = web.query_one(sql, &[&Uuid::new_v4()]).await.unwrap().get(0);
    // The function finds its tables whatever the caller's search_path is.
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
            .replace("$message", "1")
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
    roles::grant(&database.dsn, Isolation::AsItIs).await.unwrap();
    roles::grant(&database.dsn, Isolation::AsItIs).await.unwrap();
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

#[tokio::test]
async fn a_logins_own_functions_get_around_no_limit() {
    let database = Database::new().await;
    roles::grant(&database.dsn, Isolation::AsItIs).await.unwrap();
    let account = database.account(Uuid::new_v4(), "desk").await;
    let login = "CREATE ROLE shop LOGIN IN ROLE paird_web; CREATE SCHEMA shop AUTHORIZATION shop";
    database.web.batch_execute(login).await.unwrap();
    let shop = connect(&database.text.replace("user=paird", "user=shop")).await;
    let own = "CREATE FUNCTION shop.char_length(text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
               CREATE FUNCTION shop.same(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
               CREATE OPERATOR shop.!~ (LEFTARG = text, RIGHTARG = text, FUNCTION = shop.same)";
    shop.batch_execute(own).await.unwrap();
    for path in ["shop, public, pg_catalog", "shop"] {
        shop.batch_execute(&format!("SET search_path = {path}")).await.unwrap();
        for value in [
            "label = repeat('x', 201)",
            "label = E'\\x01'",
            "label = ''",
            "proxy = repeat('x', 2001)",
            "send_rate = 0",
            "tags = '{a,A}'",
            "tags = ARRAY[repeat('x', 41)]",
            "desired_phone = '0'",
        ] {
            let sql = format!("UPDATE public.whatsapp_accounts SET {value} WHERE id = $1");
            let wrong = shop.execute(&sql, &[&account.0]).await.expect_err(value);
            assert_eq!(wrong.code(), Some(&SqlState::CHECK_VIOLATION), "{path}: {value}: {wrong:?}");
        }
        let pace = "UPDATE public.whatsapp_accounts SET send_burst = send_burst + 1 WHERE id = $1";
        assert_eq!(shop.execute(pace, &[&account.0]).await.unwrap(), 1, "{path}");
    }
}
