use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use paird::credentials::CredentialStore;
use paird::postgres::migrate::{MigrateError, migrate, migrate_and_tell};
use paird::postgres::pool::Dsn;
use paird_actors::domain::{AccountId, KeyringId};
use refinery::Target;
use uuid::Uuid;
use wacore::store::traits::DeviceStore as _;

use crate::support::{Cluster, Database, connect, eventually, scratch};

mod migrations {
    refinery::embed_migrations!("sql/migrations");
}

#[tokio::test]
async fn daemons_that_start_at_once_on_an_empty_database_all_come_up() {
    let database = Database::new().await;
    let name = format!("t{}", Uuid::new_v4().simple());
    let text = database.cluster.server().create_database(&name, None).await.unwrap();
    let dsn = Dsn::parse(&text).unwrap();
    let (one, two, three, four) = tokio::join!(migrate(&dsn), migrate(&dsn), migrate(&dsn), migrate(&dsn));
    for migrated in [one, two, three, four] {
        migrated.unwrap();
    }
    let versions: i64 =
        connect(&text).await.query_one("SELECT count(*) FROM refinery_schema_history", &[]).await.unwrap().get(0);
    assert_eq!(versions as usize, migrations::migrations::runner().get_migrations().len());
}

#[tokio::test]
async fn a_schema_of_a_newer_paird_is_refused_by_name() {
    let database = Database::new().await;
    let sql = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
               SELECT 999, 'later', applied_on, '1' FROM refinery_schema_history WHERE version = 1";
    database.web.execute(sql, &[]).await.unwrap();
    let wrong = migrate(&database.dsn).await.unwrap_err();
    assert!(matches!(wrong, MigrateError::Newer { found: 999, .. }), "{wrong}");
}

#[tokio::test]
async fn a_database_that_is_not_there_yet_is_waited_for() {
    let cluster = Cluster::start().await;
    let dsn = Dsn::parse(&cluster.server().dsn().replace("dbname=paird", "dbname=later")).unwrap();
    let waiting = tokio::spawn(async move { migrate(&dsn).await });
    cluster.server().create_database("later", None).await.unwrap();
    eventually("the migration ends", async || waiting.is_finished()).await;
    waiting.await.unwrap().unwrap();
}

/// The rows were dumped from a running daemon of the first release.
#[tokio::test]
async fn a_database_of_the_first_release_migrates_and_its_keys_open() {
    let cluster = Database::new().await.cluster;
    let name = format!("t{}", Uuid::new_v4().simple());
    let text = cluster.server().create_database(&name, None).await.unwrap();
    let mut web = connect(&text).await;
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/postgres/fixtures");
    migrations::migrations::runner().set_target(Target::Version(1)).run_async(&mut web).await.unwrap();
    web.batch_execute(&fs::read_to_string(fixtures.join("v1.sql")).unwrap()).await.unwrap();

    let dsn = Dsn::parse(&text).unwrap();
    migrate(&dsn).await.unwrap();
    let database = Database { dsn, text, web, cluster };
    let accounts =
        "SELECT concat_ws(' ', label, status, desired, event_seq) FROM whatsapp_accounts ORDER BY created_at, id";
    let accounts: Vec<String> = database.web.query(accounts, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    let wanted = [
        "desk connected paired 3",
        "shop unpaired unpaired 9",
        "depot unpaired deleted 5",
        "desk again unpaired unpaired 2",
        "gone deleting deleted 4",
        "held held paired 4",
        "lobby pending paired 1",
    ];
    assert_eq!(accounts, wanted);
    let gaps = "SELECT count(*) FROM whatsapp_accounts a
                WHERE event_seq <> (SELECT count(*) FROM events e WHERE e.account_id = a.id)";
    assert_eq!(database.count(gaps).await, 0);

    let daemon = database.daemon().await;
    let key = scratch().join("master.key");
    fs::copy(fixtures.join("v1.master.key"), &key).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let store = CredentialStore::open(daemon.pool.clone(), daemon.process, &key).await.unwrap();
    let keyrings = database.web.query("SELECT account_id, id FROM keyrings", &[]).await.unwrap();
    assert_eq!(keyrings.len(), 4, "connected, parked, held, and a ticket's");
    for row in keyrings {
        let account = AccountId(row.get(0));
        let record = daemon.record(account).await;
        let keyring = store.open_keyring(account, record.fence, KeyringId(row.get(1))).await.unwrap();
        assert!(keyring.load().await.unwrap().is_some(), "its device");
    }
}

/// Rows from before a limit existed must not stop a migration.
#[tokio::test]
async fn rows_that_break_a_new_limit_are_mended_and_named() {
    let cluster = Database::new().await.cluster;
    let name = format!("t{}", Uuid::new_v4().simple());
    let text = cluster.server().create_database(&name, None).await.unwrap();
    let mut web = connect(&text).await;
    migrations::migrations::runner().set_target(Target::Version(12)).run_async(&mut web).await.unwrap();
    let broken = "
        INSERT INTO whatsapp_accounts (operator_id, label, proxy) VALUES
            (gen_random_uuid(), repeat('x', 3000000), NULL), (gen_random_uuid(), E'a\\nb\\x1b[31m', NULL),
            (gen_random_uuid(), '', NULL), (gen_random_uuid(), E' \\t\\x07 ', NULL), (gen_random_uuid(), E'c\\u009bd', NULL),
            (gen_random_uuid(), 'long proxy', repeat('p', 5000)), (gen_random_uuid(), repeat('ü', 200), NULL);
        INSERT INTO commands (account_id, kind, args, dedupe_key, source, state) VALUES
            (NULL, repeat('k', 500), '{}', repeat('d', 2000), repeat('s', 500), 'done'),
            (gen_random_uuid(), 'account.pair', jsonb_build_object('a', repeat('x', 3000000)), NULL, 'web', 'queued');
        INSERT INTO event_consumers (consumer, account_id) VALUES (repeat('c', 500), gen_random_uuid())";
    web.batch_execute(broken).await.unwrap();
    let account: Uuid = web.query_one("SELECT id FROM whatsapp_accounts LIMIT 1", &[]).await.unwrap().get(0);
    let keyed = "INSERT INTO commands (account_id, kind, dedupe_key) VALUES ($1::uuid, 'account.pair', $1::uuid::text || ' click-1')";
    web.execute(keyed, &[&account]).await.unwrap();

    let told = std::sync::Mutex::new(Vec::new());
    let dsn = Dsn::parse(&text).unwrap();
    migrate_and_tell(&dsn, |remark| told.lock().unwrap().push(remark.to_owned())).await.unwrap();
    let told = told.into_inner().unwrap().join("\n");
    for named in ["label", "proxy", "kind", "args", "dedupe_key", "consumer"] {
        assert!(told.contains(named), "{named}: {told}");
    }
    assert!(told.len() < 10_000, "it quotes no value whole");
    let database = Database { dsn, text, web, cluster };
    let odd = "SELECT count(*) FROM whatsapp_accounts WHERE char_length(label) NOT BETWEEN 1 AND 200 OR label ~ E'[\\x01-\\x1f]'";
    assert_eq!(database.count(odd).await, 0);
    assert_eq!(database.count("SELECT count(*) FROM audit_log WHERE action = 'account.renamed'").await, 5);
    assert_eq!(database.count("SELECT count(*) FROM commands WHERE state = 'failed' AND args = '{}'").await, 1);
    assert_eq!(database.count("SELECT count(*) FROM commands WHERE dedupe_key = 'click-1'").await, 1);
    // No row is left whose next update would violate a check.
    database
        .web
        .batch_execute("UPDATE whatsapp_accounts SET fence = fence + 1; UPDATE commands SET taken = NULL")
        .await
        .unwrap();
}

/// What is on its way during an upgrade belongs to the link that it has then.
#[tokio::test]
async fn what_is_being_sent_belongs_to_the_present_link() {
    let cluster = Database::new().await.cluster;
    let name = format!("t{}", Uuid::new_v4().simple());
    let text = cluster.server().create_database(&name, None).await.unwrap();
    let mut web = connect(&text).await;
    migrations::migrations::runner().set_target(Target::Version(25)).run_async(&mut web).await.unwrap();
    let rows = "
        INSERT INTO whatsapp_accounts (operator_id, label) VALUES (gen_random_uuid(), 'desk'), (gen_random_uuid(), 'gone');
        INSERT INTO keyrings (id, account_id, wrapped_key, master_key)
            SELECT gen_random_uuid(), id, '', 'none' FROM whatsapp_accounts;
        UPDATE whatsapp_accounts a SET keyring_id = k.id FROM keyrings k WHERE k.account_id = a.id AND a.label = 'desk';
        INSERT INTO messages (account_id, direction, chat, sender, wa_id, kind, state)
            SELECT a.id, 'out', s.state, 'me', s.state, 'text', s.state
            FROM whatsapp_accounts a, unnest(ARRAY['sending', 'sent']) AS s (state)";
    web.batch_execute(rows).await.unwrap();
    let dsn = Dsn::parse(&text).unwrap();
    migrate(&dsn).await.unwrap();
    let database = Database { dsn, text, web, cluster };
    let named = "SELECT count(*) FROM messages m JOIN whatsapp_accounts a ON a.id = m.account_id
                 WHERE m.taken_under = a.keyring_id AND m.state = 'sending'";
    assert_eq!(database.count(named).await, 1);
    assert_eq!(database.count("SELECT count(*) FROM messages WHERE taken_under IS NULL").await, 3);
}

/// An error at once: waiting would not help.
#[tokio::test]
async fn another_programs_tables_end_a_migration_in_one_line() {
    let database = Database::new().await;
    for (schema, theirs, words) in [
        ("by_table", "CREATE TABLE events (x int)", "relation \"events\" already exists"),
        ("by_view", "CREATE VIEW commands AS SELECT 1 AS x", "relation \"commands\" already exists"),
        ("by_function", "CREATE FUNCTION listen_to(channel text) RETURNS boolean LANGUAGE sql AS 'SELECT true'", "listen_to"),
        (
            "by_history",
            "CREATE TABLE refinery_schema_history (version int4 PRIMARY KEY, name varchar(255), applied_on varchar(255), checksum varchar(255));
             INSERT INTO refinery_schema_history VALUES (77, 'shop', '2026-01-01T00:00:00Z', '1')",
            "V77__shop",
        ),
    ] {
        database.web.batch_execute(&format!("CREATE SCHEMA {schema}; SET search_path = {schema}; {theirs}")).await.unwrap();
        let dsn = Dsn::parse(&format!("{} options='-c search_path={schema}'", database.text)).unwrap();
        let wrong = tokio::time::timeout(std::time::Duration::from_secs(20), migrate(&dsn)).await;
        let wrong = wrong.unwrap_or_else(|_| panic!("{schema}: it waits")).unwrap_err();
        assert!(matches!(wrong, MigrateError::Occupied { .. }), "{schema}: {wrong}");
        let line = wrong.to_string();
        assert!(line.contains(words) && line.contains("CREATE SCHEMA") && line.lines().count() == 1, "{line}");
    }
}

/// Hosted databases give their customers no superuser.
#[tokio::test]
async fn an_owner_without_superuser_rights_migrates_and_prunes() {
    let database = Database::new().await;
    let name = format!("t{}", Uuid::new_v4().simple());
    let text = database.cluster.server().create_database(&name, None).await.unwrap();
    let owned = format!("CREATE ROLE {name} LOGIN; ALTER DATABASE {name} OWNER TO {name}");
    database.web.batch_execute(&owned).await.unwrap();
    let text = text.replace("user=paird", &format!("user={name}"));
    migrate(&Dsn::parse(&text).unwrap()).await.unwrap();
    let owner = connect(&text).await;
    let old = "INSERT INTO audit_log (operator_id, source, action, target_type, target_id, payload, created_at)
               VALUES (gen_random_uuid(), 'web', 'account.added', 'whatsapp_account', gen_random_uuid(), '{}',
                       now() - interval '9 days')";
    owner.execute(old, &[]).await.unwrap();
    let prune = "SELECT gone FROM prune_audit(interval '3 days', 0, 100, false)";
    assert_eq!(owner.query_one(prune, &[]).await.unwrap().get::<_, i64>(0), 1);
    owner.execute(old, &[]).await.unwrap();
    owner.execute("DELETE FROM audit_log", &[]).await.unwrap_err();
}

#[tokio::test]
async fn an_amended_migration_counts_as_the_same_one() {
    let cluster = Cluster::start().await;
    let text = cluster.server().create_database("amended", None).await.unwrap();
    let (dsn, mut web) = (Dsn::parse(&text).unwrap(), connect(&text).await);
    migrations::migrations::runner().set_target(Target::Version(18)).run_async(&mut web).await.unwrap();
    let again = "UPDATE refinery_schema_history SET checksum = $1 WHERE version = 8";
    web.execute(again, &[&"11373730944248512827"]).await.unwrap();
    migrate(&dsn).await.unwrap();
    let later = "SELECT count(*) FROM refinery_schema_history WHERE version > 18";
    assert!(web.query_one(later, &[]).await.unwrap().get::<_, i64>(0) > 0, "the later ones are applied");

    web.execute(again, &[&"1"]).await.unwrap();
    let wrong = migrate(&dsn).await.unwrap_err();
    assert!(matches!(wrong, MigrateError::Divergent(_)), "{wrong}");
}
