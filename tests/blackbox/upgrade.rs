//! Today's daemon on a database as the first release made it.
//!
//! The sealed keys must log in, so they come from a pairing with the sandbox, which only
//! today's daemon can do here: its rows are copied into a schema of version 1, column by
//! column. This shows that the migrations preserve such rows for today's daemon, but not
//! that an old binary writes the same bytes.

use paird_sandbox::{Fault, PausePoint};
use paird_testkit::{Stage, Web};
use refinery::Target;
use serde_json::json;
use tokio_postgres::{Client, NoTls};

mod migrations {
    refinery::embed_migrations!("sql/migrations");
}

/// The tables of version 1, each after those that it references.
const TABLES: [&str; 10] = [
    "processes",
    "whatsapp_accounts",
    "whatsapp_groups",
    "audit_log",
    "commands",
    "events",
    "event_consumers",
    "keyrings",
    "credentials",
    "unlink_tickets",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_of_version_1_comes_back_connected_without_a_scan() {
    let (mut stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let numbers = ["436606000001", "436606000002", "436606000003", "436606000004"];
    let desk = web.connect_account("desk", numbers[0], &stage.phones).await;
    let shop = web.connect_account("shop", numbers[1], &stage.phones).await;
    let parked = web.connect_account("parked", numbers[2], &stage.phones).await;
    web.does("account.unpair", parked, json!({})).await;
    let gone = web.connect_account("gone", numbers[3], &stage.phones).await;
    stage.phones.fault(Fault::Pause { at: PausePoint::BeforeUnlink, number: None }).await;
    web.does("account.delete", gone, json!({})).await;
    let pending = web.account("pending").await;
    web.does("account.pair", pending, json!({})).await;
    web.qr(pending).await;
    let read = "INSERT INTO event_consumers (consumer, account_id, seq) VALUES ('shop', $1, 2)";
    web.sql.execute(read, &[&desk]).await.unwrap();
    daemon.kill().await;
    stage.phones.clear_faults().await;
    let waiting = web.send("account.resume", parked, json!({})).await;

    let old = stage.database.as_ref().unwrap().create_database("version_1", None).await.unwrap();
    carry_over(&stage.dsn, &old).await;
    let before = seen(&stage.web.sql).await;
    stage.web = Web::connect(&old).await;
    let web = &stage.web;
    assert_eq!(version(&web.sql).await, 1);
    assert_eq!(seen(&web.sql).await, before);

    let daemon = stage.daemon(&[("DATABASE_URL", &old)]).await;
    let newest = migrations::migrations::runner().get_migrations().iter().map(refinery::Migration::version).max();
    assert_eq!(Some(version(&web.sql).await), newest);
    for account in [desk, shop] {
        web.works(account).await;
    }
    assert_eq!(web.outcome(waiting).await.0, "done", "a command that waited");
    web.works(parked).await;
    web.event(gone, "account.unlinked", 0).await;
    stage.phones.devices_are(numbers[3], 0).await;
    stage.phones.add("436606000005").await;
    web.scan(pending, "436606000005", &stage.phones).await;
    web.status_is(pending, "connected").await;
    assert_eq!(stage.phones.report().await.links_made, 5, "each was linked once, the fifth after the upgrade");
    let read = web.count("SELECT seq FROM event_consumers WHERE consumer = 'shop' AND account_id = $1", &[&desk]).await;
    assert_eq!(read, 2);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binary_older_than_the_schema_says_so_and_ends() {
    let stage = Stage::empty().await;
    let later = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
                 SELECT 999, 'later', applied_on, '1' FROM refinery_schema_history WHERE version = 1";
    stage.web.sql.execute(later, &[]).await.unwrap();
    let (status, said) = stage.daemon_starting(&[]).last_words().await;
    assert_eq!(status.code(), Some(1), "{said}");
    let complaints: Vec<_> = said.lines().filter(|line| line.starts_with("paird: ")).collect();
    let words = "the database has schema version 999, this paird knows up to ";
    assert!(matches!(complaints[..], [one] if one.contains(words) && one.ends_with("start a newer paird")), "{said}");
    stage.finish([]).await;
}

/// Copies all rows into a new schema of version 1, as far as it has their columns.
async fn carry_over(from: &str, to: &str) {
    let (from, mut to) = (connect(from).await, connect(to).await);
    migrations::migrations::runner().set_target(Target::Version(1)).run_async(&mut to).await.unwrap();
    for table in TABLES {
        let sql = format!("SELECT coalesce(json_agg(t), '[]')::text FROM {table} t");
        let rows: String = from.query_one(&sql, &[]).await.unwrap().get(0);
        let sql = format!(
            "INSERT INTO {table} OVERRIDING SYSTEM VALUE
             SELECT * FROM json_populate_recordset(NULL::{table}, $1::text::json)"
        );
        to.execute(&sql, &[&rows]).await.unwrap();
    }
    for table in ["audit_log", "commands", "events"] {
        let sql = format!("SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))");
        to.query_one(&sql, &[]).await.unwrap();
    }
}

/// The data that must survive: every account's status, keys and last event.
async fn seen(sql: &Client) -> Vec<String> {
    let rows = "SELECT concat_ws(' ', a.label, a.status, a.desired, a.keyring_id, a.event_seq, md5(string_agg(
                    encode(c.sealed, 'hex'), ',' ORDER BY c.keyring_id, c.kind, c.name)))
                FROM whatsapp_accounts a LEFT JOIN credentials c ON c.account_id = a.id
                GROUP BY a.id ORDER BY a.created_at, a.id";
    sql.query(rows, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

async fn version(sql: &Client) -> i32 {
    sql.query_one("SELECT max(version) FROM refinery_schema_history", &[]).await.unwrap().get(0)
}

async fn connect(dsn: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(dsn, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
