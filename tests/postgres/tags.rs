//! Tags, the number that an account is for, and how accounts are found.

use paird::postgres::roles::{self, Isolation};
use paird_actors::{
    domain::{Command, Phone},
    ports::FleetStore as _,
};
use serde_json::Value;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::support::{Database, connect};

#[tokio::test]
async fn what_is_no_list_of_tags_is_refused_by_name() {
    let database = Database::new().await;
    let account = database.account(Uuid::new_v4(), "desk").await;
    let spaces = "tags_have_1_to_40_printable_characters_and_no_comma";
    for (column, value, constraint) in [
        ("tags", "ARRAY(SELECT n::text FROM generate_series(1, 21) n)", "tags_are_at_most_20"),
        ("tags", "ARRAY['']", spaces),
        ("tags", "ARRAY[repeat('x', 41)]", spaces),
        ("tags", "ARRAY['a,b']", spaces),
        ("tags", "ARRAY[E'a\\nb']", spaces),
        ("tags", "ARRAY[' vip']", spaces),
        ("tags", "ARRAY[E'vip\\u00a0']", spaces),
        ("tags", "ARRAY['vip', NULL]", spaces),
        ("tags", "'{{a,b},{c,d}}'", spaces),
        ("tags", "ARRAY['VIP', 'vip']", "tags_differ_in_more_than_case"),
        ("tags", "ARRAY['Ärger', 'äRGER']", "tags_differ_in_more_than_case"),
        ("desired_phone", "'+43660'", "desired_phone_is_7_to_15_digits"),
        ("desired_phone", "''", "desired_phone_is_7_to_15_digits"),
    ] {
        let sql = format!("UPDATE whatsapp_accounts SET {column} = {value} WHERE id = $1");
        let wrong = database.web.execute(&sql, &[&account.0]).await.expect_err(&sql);
        assert_eq!(wrong.code(), Some(&SqlState::CHECK_VIOLATION), "{sql}: {wrong:?}");
        assert_eq!(wrong.as_db_error().unwrap().constraint(), Some(constraint), "{sql}");
    }
    let right =
        "UPDATE whatsapp_accounts SET tags = '{VIP, north wing, 北}', desired_phone = '436601234567' WHERE id = $1";
    assert_eq!(database.web.execute(right, &[&account.0]).await.unwrap(), 1);
}

#[tokio::test]
async fn two_changes_of_tags_are_both_carried_out() {
    let database = Database::new().await;
    for (present, added, removed, left) in [
        (&["VIP", "north"][..], &["vip", "south"][..], &[][..], &["VIP", "north", "south"][..]),
        (&["VIP", "north"], &["north"], &["NORTH", "west"], &["VIP", "north"]),
        (&["a"], &["b", "c", "B"], &["a"], &["b", "c"]),
        (&[], &[], &["x"], &[]),
    ] {
        let changed: Vec<String> = database.one("SELECT changed_tags($1, $2, $3)", &[&present, &added, &removed]).await;
        assert_eq!(changed, left, "{present:?} + {added:?} - {removed:?}");
    }
}

#[tokio::test]
async fn tags_are_audited_and_go_with_their_account() {
    let database = Database::new().await;
    let account = database.account(Uuid::new_v4(), "desk").await;
    for sql in [
        "UPDATE whatsapp_accounts SET tags = '{vip}' WHERE id = $1",
        // The same again is no change.
        "UPDATE whatsapp_accounts SET tags = '{vip}' WHERE id = $1",
        "UPDATE whatsapp_accounts SET tags = '{}', desired_phone = '436601234567' WHERE id = $1",
        "UPDATE whatsapp_accounts SET tags = '{vip}' WHERE id = $1",
        "UPDATE whatsapp_accounts SET deleted_at = now(), desired = 'deleted' WHERE id = $1",
    ] {
        assert_eq!(database.web.execute(sql, &[&account.0]).await.unwrap(), 1);
    }
    let left: i64 = database
        .one(
            "SELECT count(*) FROM whatsapp_accounts WHERE tags = '{}' AND desired_phone IS NULL AND id = $1",
            &[&account.0],
        )
        .await;
    assert_eq!(left, 1, "nothing of it is left");
    let rows = database.web.query("SELECT action, payload - 'label', channel FROM audit_log ORDER BY id", &[]).await;
    let lines: Vec<String> = rows
        .unwrap()
        .iter()
        .map(|row| format!("{} {} {}", row.get::<_, &str>(0), row.get::<_, Value>(1), row.get::<_, &str>(2)))
        .collect();
    assert_eq!(
        lines,
        [
            "account.added {} row",
            r#"account.tagged {"tags":["vip"]} row"#,
            r#"account.tagged {"tags":[]} row"#,
            r#"account.number_desired {"desiredPhone":"436601234567"} row"#,
            r#"account.tagged {"tags":["vip"]} row"#,
        ]
    );
}

#[tokio::test]
async fn a_tenant_tags_its_own_accounts_and_no_others() {
    let database = Database::new().await;
    roles::grant(&database.dsn, Isolation::On).await.unwrap();
    let (ours, theirs) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let (own, other) = (database.account(ours, "ours").await, database.account(theirs, "theirs").await);
    let logins = "CREATE ROLE shop LOGIN IN ROLE paird_web; CREATE ROLE of_daemon LOGIN IN ROLE paird_daemon";
    database.web.batch_execute(logins).await.unwrap();
    let login = |name: &'static str| {
        let text = database.text.replace("user=paird", &format!("user={name}"));
        async move { connect(&text).await }
    };
    let shop = login("shop").await;
    shop.batch_execute(&format!("SET paird.operator = '{ours}'")).await.unwrap();
    for value in ["tags = '{vip}'", "desired_phone = '436601234567'"] {
        let sql = format!("UPDATE whatsapp_accounts SET {value} WHERE id = $1");
        assert_eq!(shop.execute(&sql, &[&own.0]).await.unwrap(), 1);
        assert_eq!(shop.execute(&sql, &[&other.0]).await.unwrap(), 0);
        let wrong = login("of_daemon").await.execute(&sql, &[&own.0]).await.expect_err("not the daemon's to write");
        assert_eq!(wrong.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
    }
    let seen = shop.query("SELECT tags FROM whatsapp_accounts", &[]).await.unwrap();
    assert_eq!(seen.iter().map(|row| row.get(0)).collect::<Vec<Vec<String>>>(), [["vip"]]);
}

#[tokio::test]
async fn an_attempt_is_for_the_desired_number_unless_it_names_one() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let account = database.account(Uuid::new_v4(), "desk").await;
    let desired = "UPDATE whatsapp_accounts SET desired_phone = '436601234567' WHERE id = $1";
    database.web.execute(desired, &[&account.0]).await.unwrap();
    for (args, expected) in [
        ("{}", Some("436601234567")),
        (r#"{"expectPhone": null}"#, Some("436601234567")),
        (r#"{"expectPhone": "1234567"}"#, Some("1234567")),
        (r#"{"method": "code", "phone": "1234567"}"#, None),
    ] {
        let sql = "SELECT send_command('account.pair', $1, $2::text::jsonb)";
        let command: i64 = database.one(sql, &[&account.0, &args]).await;
        let taken = daemon.store.take_commands().await.unwrap();
        let Ok(Command::Pair(request)) = &taken[0].command else { panic!("{taken:?}") };
        assert_eq!(request.expect_phone.as_ref().map(Phone::digits), expected, "{args}");
        let stored: Value = database.one("SELECT args FROM commands WHERE id = $1", &[&command]).await;
        assert_eq!(stored, serde_json::from_str::<Value>(args).unwrap(), "the row stays as it was sent");
        let done = "UPDATE commands SET state = 'done', done_at = now() WHERE id = $1";
        database.web.execute(done, &[&command]).await.unwrap();
    }
    for args in ["[]", "7"] {
        let sql = "SELECT send_command('account.pair', $1, $2::text::jsonb)";
        database.one::<i64>(sql, &[&account.0, &args]).await;
        let taken = daemon.store.take_commands().await.unwrap();
        assert!(taken[0].command.is_err(), "{args}");
        database.web.execute("UPDATE commands SET state = 'done', done_at = now()", &[]).await.unwrap();
    }
}

/// 5,000 living accounts in an order of creation that is not that of their ids, among 50,000 deleted ones.
const FLEET: &str = "
    SET session_replication_role = replica;
    INSERT INTO whatsapp_accounts (operator_id, label, status, status_reason, desired, created_at, deleted_at, tags, phone_number)
    SELECT md5('operator')::uuid, 'account ' || n, CASE WHEN n % 10 = 0 THEN 'held' ELSE 'connected' END,
           CASE WHEN n % 10 = 0 THEN 'banned: 403' ELSE 'connected' END, 'paired',
           '2026-01-01'::timestamptz + n * interval '1 s',
           CASE WHEN n % 11 <> 0 THEN now() - interval '2 days' END,
           CASE WHEN n % 2 = 0 THEN ARRAY['VIP'] ELSE '{}' END, CASE WHEN n % 11 = 0 THEN 436600000000 + n END
    FROM generate_series(1, 55000) n;
    RESET session_replication_role;
    ANALYZE whatsapp_accounts";

/// A page of 50 accounts: for each its row and three lookups beside it.
const MOST_PAGES: u64 = 1_000;

#[tokio::test]
async fn a_page_of_accounts_costs_the_page_wherever_it_is() {
    let database = Database::new().await;
    for statement in FLEET.split(';') {
        database.web.batch_execute(statement).await.unwrap();
    }
    let (text, names) = find_accounts();
    database.web.batch_execute(&format!("PREPARE found AS {text}")).await.unwrap();
    for asked in 1..=7 {
        for after in ["NULL", "'2026-01-01'::timestamptz + interval '50000 s'"] {
            let values: Vec<&str> = names
                .iter()
                .map(|name| match name.as_str() {
                    "after_at" => after,
                    "most" => "50",
                    "statuses" | "reasons" | "known_reasons" | "tags" | "searched_reasons" => "'{}'",
                    _ => "NULL",
                })
                .collect();
            let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE found({})", values.join(", "));
            let plan: Value = database.web.query_one(&explain, &[]).await.unwrap().get(0);
            let read = |field: &str| plan[0]["Plan"][field].as_u64().unwrap();
            let pages = read("Shared Hit Blocks") + read("Shared Read Blocks");
            assert!(pages < MOST_PAGES, "time {asked}, after {after}: {pages} pages\n{plan:#}");
            assert!(plan.to_string().contains("whatsapp_accounts_listing"), "{plan:#}");
            assert_eq!(plan[0]["Plan"]["Actual Rows"], 50);
        }
    }
}

/// The statement as the console sends it, and its parameters in their order.
fn find_accounts() -> (String, Vec<String>) {
    let path = format!("{}/sql/generated/src/queries/console.rs", env!("CARGO_MANIFEST_DIR"));
    let source = std::fs::read_to_string(path).unwrap();
    let made = source.split("\npub fn find_accounts(").nth(1).unwrap();
    let text = made.split("Stmt(").nth(1).unwrap().trim_start().strip_prefix('"').unwrap();
    let end = text.find("\",\n").into_iter().chain(text.find("\", None)")).min().unwrap();
    let text = text[..end].replace("\\\"", "\"").replace("\\n", "\n");
    let names = made.split("params: [").nth(1).unwrap().split(']').next().unwrap();
    let names = names.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    (text, names.collect())
}
