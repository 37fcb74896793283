//! Operators as tenants, `sql/isolate.sql`: with real logins, every table, every function.

use paird::postgres::roles::{self, Isolation};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::support::{Database, connect};

const OURS: Uuid = Uuid::from_u128(1);
const THEIRS: Uuid = Uuid::from_u128(2);

/// Two operators with a row in every table that a web app may read, and logins.
struct Tenants {
    database: Database,
    ours: Uuid,
    theirs: Uuid,
}

impl Tenants {
    async fn new(isolation: Isolation) -> Self {
        let database = Database::new().await;
        roles::grant(&database.dsn, isolation).await.unwrap();
        let (ours, theirs) = (database.account(OURS, "ours").await.0, database.account(THEIRS, "theirs").await.0);
        for account in [ours, theirs] {
            let sql = format!(
                "INSERT INTO whatsapp_groups (account_id, jid, subject, participants, is_admin)
                     VALUES ('{account}', 'g', 'subject', 1, false);
                 INSERT INTO events (account_id, seq, kind) VALUES ('{account}', 1, 'session.timeout');
                 INSERT INTO event_consumers (consumer, account_id, seq) VALUES ('shop', '{account}', 1);
                 SELECT send_command('account.cancel', '{account}', '{{}}', 'key');
                 INSERT INTO contacts (account_id, jid) VALUES ('{account}', '1@lid');
                 INSERT INTO contact_checks (account_id, phone, asked_at) VALUES ('{account}', '436601234567', now());
                 SELECT create_pairing_link('{account}');
                 INSERT INTO message_receipts (message_id, participant)
                 SELECT send_message('{account}', '{{\"to\": \"1@g.us\", \"type\": \"text\", \"text\": {{\"body\": \"x\"}}}}'), '1@lid';
                 WITH m AS (INSERT INTO messages (account_id, direction, chat, sender, wa_id, kind, state, sent_at)
                            VALUES ('{account}', 'in', '1@lid', '1@lid', 'A', 'text', 'received', now()) RETURNING id)
                 INSERT INTO message_bodies (message_id, content) SELECT id, '{{}}' FROM m"
            );
            database.web.batch_execute(&sql).await.unwrap();
        }
        database
            .web
            .batch_execute(
                "CREATE ROLE shop LOGIN IN ROLE paird_web; CREATE ROLE of_daemon LOGIN IN ROLE paird_daemon;
                 CREATE ROLE of_console LOGIN IN ROLE paird_console",
            )
            .await
            .unwrap();
        Self { database, ours, theirs }
    }

    async fn login(&self, login: &str) -> Client {
        connect(&self.database.text.replace("user=paird", &format!("user={login}"))).await
    }

    /// A web app that works for an operator.
    async fn shop(&self, operator: Uuid) -> Client {
        let shop = self.login("shop").await;
        shop.batch_execute(&format!("SET paird.operator = '{operator}'")).await.unwrap();
        shop
    }

    /// Tables that a web app may read: all but `processes` hold rows of accounts.
    async fn tables(&self) -> Vec<String> {
        let sql = "SELECT c.relname::text FROM pg_class c
                   WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
                     AND has_any_column_privilege('paird_web', c.oid, 'SELECT') AND c.relname <> 'processes'
                   ORDER BY 1";
        self.database.web.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }
}

async fn count(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

async fn is_refused(client: &Client, sql: &str) -> String {
    let wrong = client.batch_execute(sql).await.expect_err(sql);
    assert_eq!(wrong.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{sql}: {wrong:?}");
    wrong.as_db_error().unwrap().message().to_owned()
}

/// The statement that counts an account's rows in a table.
fn rows_of(table: &str, account: Uuid) -> String {
    let column = match table {
        "whatsapp_accounts" => "id",
        "audit_log" => "target_id",
        "message_bodies" | "message_receipts" => {
            return format!(
                "SELECT count(b.message_id) FROM {table} b JOIN messages m ON m.id = b.message_id
                 WHERE m.account_id = '{account}'"
            );
        }
        _ => "account_id",
    };
    format!("SELECT count({column}) FROM {table} WHERE {column} = '{account}'")
}

#[tokio::test]
async fn an_operator_sees_no_row_of_another_in_any_table() {
    let tenants = Tenants::new(Isolation::On).await;
    let tables = tenants.tables().await;
    assert!(tables.len() >= 6, "{tables:?}");
    let shop = tenants.shop(OURS).await;
    let (unset, daemon, console) =
        (tenants.login("shop").await, tenants.login("of_daemon").await, tenants.login("of_console").await);
    for table in &tables {
        let (ours, theirs) = (rows_of(table, tenants.ours), rows_of(table, tenants.theirs));
        // A new table needs a row of each operator here, and a policy in sql/isolate.sql.
        assert!(count(&tenants.database.web, &theirs).await > 0, "{table} has no row of theirs: add one to this test");
        assert!(count(&shop, &ours).await > 0, "{table}");
        assert_eq!(count(&shop, &theirs).await, 0, "{table} shows rows of another operator");
        assert_eq!(count(&unset, &ours).await + count(&unset, &theirs).await, 0, "{table} without the setting");
        for (login, other) in [("the daemon", &daemon), ("the console", &console)] {
            let reads = format!("SELECT has_any_column_privilege('{table}', 'SELECT')");
            if other.query_one(&reads, &[]).await.unwrap().get(0) {
                assert!(count(other, &theirs).await > 0, "{login} sees all of {table}");
            }
        }
    }
    // A session may work for several operators, one after the other.
    shop.batch_execute(&format!("SET paird.operator = '{THEIRS}'")).await.unwrap();
    assert_eq!(count(&shop, &rows_of("events", tenants.ours)).await, 0);
    assert!(count(&shop, &rows_of("events", tenants.theirs)).await > 0);
    // An invalid operator is an error, and does not switch the filter off.
    shop.batch_execute("SET paird.operator = 'all'").await.unwrap();
    assert!(shop.batch_execute("SELECT id FROM whatsapp_accounts").await.is_err());
}

#[tokio::test]
async fn an_operator_touches_no_row_of_another_on_any_way() {
    let tenants = Tenants::new(Isolation::On).await;
    let (shop, theirs) = (tenants.shop(OURS).await, tenants.theirs);
    let before = "SELECT md5(string_agg(to_jsonb(t)::text, '' ORDER BY to_jsonb(t)::text)) FROM (
                      SELECT to_jsonb(a) FROM whatsapp_accounts a WHERE a.operator_id <> $1
                      UNION ALL SELECT to_jsonb(c) FROM commands c WHERE c.account_id = $2
                      UNION ALL SELECT to_jsonb(m) FROM messages m WHERE m.account_id = $2
                      UNION ALL SELECT to_jsonb(l) FROM pairing_links l WHERE l.account_id = $2
                      UNION ALL SELECT to_jsonb(r) FROM event_consumers r WHERE r.account_id = $2) AS t";
    let untouched: String = tenants.database.one(before, &[&OURS, &theirs]).await;
    for sql in [
        "UPDATE whatsapp_accounts SET label = 'taken' WHERE operator_id <> current_operator()".to_owned(),
        "UPDATE whatsapp_accounts SET proxy = 'http://x:1', presence = 'available' WHERE label = 'theirs'".to_owned(),
        format!("UPDATE event_consumers SET seq = 99 WHERE account_id = '{theirs}'"),
        format!("DELETE FROM event_consumers WHERE account_id = '{theirs}'"),
    ] {
        assert_eq!(shop.execute(&sql, &[]).await.unwrap(), 0, "{sql}");
    }
    for sql in [
        format!("INSERT INTO whatsapp_accounts (operator_id, label) VALUES ('{THEIRS}', 'slipped in')"),
        format!("INSERT INTO event_consumers (consumer, account_id) VALUES ('other', '{theirs}')"),
        format!(
            "INSERT INTO event_consumers (consumer, account_id, seq) VALUES ('shop', '{theirs}', 9)
                 ON CONFLICT (consumer, account_id) DO UPDATE SET seq = excluded.seq"
        ),
        format!("UPDATE event_consumers SET account_id = '{theirs}'"),
    ] {
        is_refused(&shop, &sql).await;
    }
    // The refusal does not tell whether an account of another operator exists.
    let mut said = Vec::new();
    for account in [format!("'{theirs}'"), format!("'{}'", Uuid::new_v4()), "NULL".to_owned()] {
        for key in ["NULL", "'key'"] {
            said.push(
                is_refused(&shop, &format!("SELECT send_command('account.delete', {account}, '{{}}', {key})")).await,
            );
        }
    }
    let text = r#"'{"to": "1@lid", "type": "text", "text": {"body": "x"}}'"#;
    for account in [format!("'{theirs}'"), format!("'{}'", Uuid::new_v4()), "NULL".to_owned()] {
        said.push(is_refused(&shop, &format!("SELECT send_message({account}, {text}, 'key')")).await);
    }
    assert!(said.iter().all(|words| *words == said[0]), "{said:?}");
    for account in [format!("'{theirs}'"), format!("'{}'", Uuid::new_v4()), "NULL".to_owned()] {
        said.push(is_refused(&shop, &format!("SELECT create_pairing_link({account})")).await);
    }
    assert!(said.iter().all(|words| *words == said[0]), "{said:?}");
    let link = "SELECT id FROM pairing_links WHERE account_id = $1";
    for (account, is_own) in [(theirs, false), (tenants.ours, true)] {
        let link: Uuid = tenants.database.one(link, &[&account]).await;
        let revoked = shop.query_one("SELECT revoke_pairing_link($1)", &[&link]).await.unwrap();
        assert_eq!(revoked.get::<_, bool>(0), is_own);
    }
    let queued: i64 =
        tenants.database.one("SELECT id FROM messages WHERE account_id = $1 AND state = 'queued'", &[&theirs]).await;
    for id in [queued, 999_999] {
        assert!(!shop.query_one("SELECT cancel_message($1)", &[&id]).await.unwrap().get::<_, bool>(0));
    }
    let own = tenants.ours;
    let sent = shop.query_one(&format!("SELECT send_message('{own}', {text})"), &[]).await.unwrap().get::<_, i64>(0);
    assert!(shop.query_one("SELECT cancel_message($1)", &[&sent]).await.unwrap().get::<_, bool>(0));
    assert_eq!(tenants.database.one::<String>(before, &[&OURS, &theirs]).await, untouched);

    // An operator's own rows can be changed as before.
    let ours = tenants.ours;
    for sql in [
        format!("UPDATE whatsapp_accounts SET label = 'still ours', proxy = 'http://x:1' WHERE id = '{ours}'"),
        format!("INSERT INTO whatsapp_accounts (operator_id, label) VALUES ('{OURS}', 'another')"),
        format!("SELECT send_command('account.delete', '{ours}', '{{}}', 'key-2')"),
        format!(
            "INSERT INTO event_consumers (consumer, account_id, seq) VALUES ('shop', '{ours}', 9)
                 ON CONFLICT (consumer, account_id) DO UPDATE SET seq = excluded.seq"
        ),
    ] {
        assert!(shop.execute(&sql, &[]).await.unwrap() >= 1, "{sql}");
    }
}

/// The check costs more than the rest of `send_command`.
#[tokio::test]
async fn only_tenants_have_their_commands_checked() {
    let database = Database::new().await;
    let is_checked = "SELECT tgenabled <> 'D' FROM pg_trigger WHERE tgname = 'command_is_of_ones_own'";
    assert!(!database.one::<bool>(is_checked, &[]).await, "the check is off by default");
    for (isolation, expected) in
        [(Isolation::AsItIs, false), (Isolation::On, true), (Isolation::AsItIs, true), (Isolation::Off, false)]
    {
        roles::grant(&database.dsn, isolation).await.unwrap();
        assert_eq!(database.one::<bool>(is_checked, &[]).await, expected);
    }
}

#[tokio::test]
async fn no_function_says_more_to_an_operator_than_the_tables() {
    let tenants = Tenants::new(Isolation::On).await;
    let sql = "SELECT p.proname::text FROM pg_proc p
               WHERE p.pronamespace = current_schema()::regnamespace AND p.prosecdef
                 AND has_function_privilege('paird_web', p.oid, 'EXECUTE') ORDER BY 1";
    let definers: Vec<String> = tenants.database.web.query(sql, &[]).await.unwrap().iter().map(|r| r.get(0)).collect();
    // All other functions run with the caller's rights. A new one here needs a case in the test above.
    assert_eq!(
        definers,
        ["cancel_message", "create_pairing_link", "revoke_pairing_link", "send_command", "send_message"]
    );
    let shop = tenants.shop(OURS).await;
    let readers = "SELECT count(*) FROM list_readers('{}')";
    tenants
        .database
        .web
        .batch_execute(
            "UPDATE event_consumers SET consumer = 'secret' WHERE account_id <> (
        SELECT id FROM whatsapp_accounts WHERE label = 'ours')",
        )
        .await
        .unwrap();
    assert_eq!(count(&shop, readers).await, 1);
    for sql in [
        "SELECT * FROM list_consumers()".to_owned(),
        "SELECT prune_events('30 days', '{}', 0, 10, true)".to_owned(),
        format!(
            "SELECT store_heard_command('h', 1, now(), '1 s', 'account.cancel', '{}', '{{}}', NULL, NULL)",
            tenants.theirs
        ),
        format!(
            "SELECT store_heard_command('h', 1, now(), '1 s', 'account.cancel', '{}', '{{}}', NULL, NULL, 'x')",
            tenants.theirs
        ),
    ] {
        is_refused(&shop, &sql).await;
    }
    let lane = "SELECT may_send_commands(oid) FROM pg_roles WHERE rolname = $1";
    assert!(!tenants.database.one::<bool>(lane, &[&"shop"]).await, "a bare NOTIFY names no operator");
    assert!(tenants.database.one::<bool>(lane, &[&"of_console"]).await);
}

/// `ALTER ROLE … SET` by a superuser fixes the operator of a login, which can then not change it.
#[tokio::test]
async fn a_login_whose_operator_is_fixed_gets_no_other() {
    let tenants = Tenants::new(Isolation::On).await;
    let fixed = format!("ALTER ROLE shop SET paird.operator = '{OURS}'");
    tenants.database.web.batch_execute(&fixed).await.unwrap();
    tenants.database.web.batch_execute("CREATE SCHEMA AUTHORIZATION shop").await.unwrap();
    let shop = tenants.login("shop").await;
    let sees = "SELECT string_agg(label, ' ') FROM whatsapp_accounts";
    for attempt in [
        format!("SET paird.operator = '{THEIRS}'"),
        "RESET paird.operator".to_owned(),
        "DISCARD ALL".to_owned(),
        "SET paird.operator = ''".to_owned(),
        "ALTER ROLE shop RESET ALL".to_owned(),
        format!(
            "CREATE TEMPORARY TABLE pg_db_role_setting AS
                 SELECT 0::oid AS setdatabase, oid AS setrole, ARRAY['paird.operator={THEIRS}'] AS setconfig
                 FROM pg_catalog.pg_roles WHERE rolname = 'shop'"
        ),
        format!(
            "CREATE FUNCTION shop.starts_with(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
             CREATE FUNCTION shop.nullif(text, text) RETURNS text LANGUAGE sql AS $$SELECT '{THEIRS}'$$;
             CREATE FUNCTION shop.current_operator() RETURNS uuid LANGUAGE sql AS $$SELECT '{THEIRS}'::uuid$$;
             SET search_path = shop, public, pg_catalog; SET paird.operator = '{THEIRS}'"
        ),
        "SET row_security = on".to_owned(),
    ] {
        shop.batch_execute(&attempt).await.unwrap();
        assert_eq!(shop.query_one(sees, &[]).await.unwrap().get::<_, String>(0), "ours", "{attempt}");
        is_refused(&shop, &format!("SELECT public.send_command('account.cancel', '{}')", tenants.theirs)).await;
    }
    for attempt in
        [fixed.replace(&OURS.to_string(), &THEIRS.to_string()), "ALTER ROLE shop RESET paird.operator".into()]
    {
        is_refused(&shop, &attempt).await;
    }
}

#[tokio::test]
async fn the_roles_set_again_leave_isolation_as_it_is() {
    let tenants = Tenants::new(Isolation::AsItIs).await;
    let all = "SELECT count(*) FROM whatsapp_accounts";
    let dsn = &tenants.database.dsn;
    let shop = tenants.login("shop").await;
    assert_eq!(count(&shop, all).await, 2, "nobody asked for isolation");
    for (asked, isolated) in [
        (Isolation::On, true),
        (Isolation::AsItIs, true),
        (Isolation::On, true),
        (Isolation::Off, false),
        (Isolation::AsItIs, false),
        (Isolation::Off, false),
        (Isolation::On, true),
    ] {
        let granted = roles::grant(dsn, asked).await.unwrap();
        assert_eq!(
            (granted.is_isolated, count(&shop, all).await),
            (isolated, if isolated { 0 } else { 2 }),
            "{asked:?}"
        );
    }
    assert_eq!(count(&tenants.login("of_daemon").await, all).await, 2);
}
