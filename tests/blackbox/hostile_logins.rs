//! Logins with few rights, or with none but to connect: they learn and change no more than
//! they may, and cannot keep others from working.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use paird_testkit::{Daemon, Logins, Stage, Web, until};
use serde_json::{Value, json};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::command_line::command;

/// A stage with the roles, whose daemon and web app have only the rights of theirs.
struct Fenced {
    stage: Stage,
    daemon: Daemon,
    web: Web,
}

impl Fenced {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let stage = Stage::empty().await;
        let Logins { web: web_dsn, daemon: daemon_dsn, .. } = stage.logins().await;
        let settings: Vec<(&str, &str)> =
            [("DATABASE_URL", daemon_dsn.as_str())].into_iter().chain(settings.iter().copied()).collect();
        let daemon = stage.daemon(&settings).await;
        Self { stage, daemon, web: Web::connect(&web_dsn).await }
    }

    /// A login without any role that can connect, like another program's in the same database.
    async fn stranger(&self) -> Client {
        stranger(&self.stage).await
    }

    /// Waits until a command that the web app sends by NOTIFY has ended, so that all earlier
    /// notifications were handled.
    async fn the_lane_goes_on(&self) {
        let account = self.web.account("after").await;
        notify(&self.web.sql, &json!({"type": "account.cancel", "accountId": account}).to_string()).await;
        let done = format!("SELECT count(*) FROM commands WHERE account_id = '{account}' AND state = 'done'");
        self.stage.web.count_becomes(&done, 1).await;
    }

    async fn finish(self) {
        let Self { stage, daemon, web } = self;
        drop(web);
        stage.finish([daemon]).await;
    }
}

async fn stranger(stage: &Stage) -> Client {
    let name = format!("stranger_{}", Uuid::new_v4().simple());
    let make = format!(
        "CREATE ROLE {name} LOGIN; DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO {name}', current_database()); END $$"
    );
    stage.web.sql.batch_execute(&make).await.unwrap();
    connect(&stage.dsn.replace("user=paird", &format!("user={name}"))).await
}

async fn connect(dsn: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(dsn, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn notify(client: &Client, payload: &str) {
    client.execute("SELECT pg_notify('paird_command', $1)", &[&payload]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_notification_is_not_a_command() {
    let mut fenced = Fenced::start(&[]).await;
    let account = fenced.web.account("desk").await;
    let stranger = fenced.stranger().await;
    for kind in ["account.delete", "account.unpair", "account.passkey", "account.pair", "account.cancel"] {
        notify(&stranger, &json!({"type": kind, "accountId": account}).to_string()).await;
    }
    fenced.the_lane_goes_on().await;
    let of_the_account = "SELECT count(*) FROM commands WHERE account_id = $1";
    assert_eq!(fenced.stage.web.count(of_the_account, &[&account]).await, 0);
    assert!(fenced.stage.web.column::<Option<chrono::DateTime<chrono::Utc>>>(account, "deleted_at").await.is_none());
    let told = fenced.daemon.says("may_not_send_commands=").await;
    assert!(told.contains("send_command") && !told.contains(&account.to_string()), "{told}");
    fenced.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_roles_only_owner_notifications_are_commands() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = stage.web.account("desk").await;
    let stranger = stranger(&stage).await;
    notify(&stranger, &json!({"type": "account.delete", "accountId": account}).to_string()).await;
    let cancel = json!({"type": "account.cancel", "accountId": account}).to_string();
    notify(&stage.web.sql, &cancel).await;
    stage.web.count_becomes("SELECT count(*) FROM commands WHERE state = 'done'", 1).await;
    assert_eq!(stage.web.count("SELECT count(*) FROM commands", &[]).await, 1);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_of_a_gone_sender_is_dropped_and_logged() {
    let mut fenced = Fenced::start(&[]).await;
    let account = fenced.web.account("desk").await;
    let gone = fenced.stage.web.another_connection().await;
    let pid: i32 = gone.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    fenced.daemon.signal(Signal::SIGSTOP);
    notify(&gone, &json!({"type": "account.delete", "accountId": account}).to_string()).await;
    drop(gone);
    let alive = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}");
    fenced.stage.web.count_becomes(&alive, 0).await;
    fenced.daemon.signal(Signal::SIGCONT);
    let told = fenced.daemon.says("sender_gone=1").await;
    assert!(told.contains("send_command"), "{told}");
    fenced.the_lane_goes_on().await;
    let of_the_account = "SELECT count(*) FROM commands WHERE account_id = $1";
    assert_eq!(fenced.stage.web.count(of_the_account, &[&account]).await, 0);
    fenced.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lane_can_be_open_to_all_or_off() {
    let mut off = Fenced::start(&[("PAIRD_NOTIFY_COMMANDS", "off")]).await;
    let account = off.web.account("desk").await;
    notify(&off.web.sql, &json!({"type": "account.cancel", "accountId": account}).to_string()).await;
    off.daemon.says("lane_is_off=1").await;
    off.web.does("account.cancel", account, json!({})).await;
    assert_eq!(off.stage.web.count("SELECT count(*) FROM commands", &[]).await, 1);
    off.finish().await;

    let open = Fenced::start(&[("PAIRD_NOTIFY_COMMANDS", "open")]).await;
    let account = open.web.account("desk").await;
    notify(&open.stranger().await, &json!({"type": "account.cancel", "accountId": account}).to_string()).await;
    open.stage.web.count_becomes("SELECT count(*) FROM commands WHERE state = 'done'", 1).await;
    open.finish().await;
}

/// Whatever a sender with the right to send says, later notifications are handled.
#[tokio::test(flavor = "multi_thread")]
async fn no_notification_stops_the_lane() {
    let fenced = Fenced::start(&[]).await;
    let account = fenced.web.account("desk").await;
    let noise = |length: usize| {
        // Random, so that it does not compress and is too long for an index.
        (0..length / 32).map(|_| Uuid::new_v4().simple().to_string()).collect::<String>()
    };
    let with = |more: Value| {
        let mut command = json!({"type": "account.cancel", "accountId": account});
        command.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        command.to_string()
    };
    let payloads = [
        with(json!({"dedupeKey": noise(3900)})),
        with(json!({"dedupeKey": noise(6016)})),
        with(json!({"dedupeKey": "k".repeat(7000)})),
        with(json!({"dedupeKey": {"a": [1, 2]}})),
        with(json!({"dedupeKey": "null \u{0} inside"})),
        with(json!({"type": noise(7000)})),
        with(json!({"type": "\u{0}"})),
        with(json!({"type": 7})),
        with(json!({"accountId": noise(7000)})),
        with(json!({noise(6016): noise(960)})),
        with(json!({"phone": "\u{202e}\u{200b}\u{feff}\u{10ffff}\u{0}"})),
        format!(r#"{{"type":"account.cancel","accountId":"{account}","n":1e999}}"#),
        format!(r#"{{"type":"account.cancel","accountId":"{account}","n":{}}}"#, "9".repeat(6000)),
        format!(r#"{{"type":"account.cancel","accountId":"{account}","n":-1e-99999999999}}"#),
        format!(r#"{{"type":"account.cancel","accountId":"{account}","n":1e308}}"#),
        format!(r#"{{"type":"account.cancel","accountId":"{account}","s":"\ud800"}}"#),
        format!(r#"{{"type":"account.cancel","accountId":"{account}","s":"\u0000"}}"#),
        format!(r#"{{"type":"account.cancel","accountId":"{account}","a":{}{}}}"#, "[".repeat(3000), "]".repeat(3000)),
        "[".repeat(7900),
        "{".to_owned(),
        "\"".to_owned(),
        "null".to_owned(),
        "{}".to_owned(),
        " ".to_owned(),
        "\u{1b}]52;c;AAAA\u{7}".to_owned(),
        "x".repeat(7999),
    ];
    for payload in &payloads {
        notify(&fenced.web.sql, payload).await;
    }
    fenced.the_lane_goes_on().await;
    assert!(!fenced.daemon.log().contains("waits for the database"), "{}", fenced.daemon.log());
    fenced.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_200_000_costs_little_and_blocks_no_sender() {
    let fenced = Fenced::start(&[("PAIRD_LOG", "info")]).await;
    fenced.the_lane_goes_on().await;
    let account = fenced.web.account("desk").await;
    let stranger = fenced.stranger().await;
    let before = resident_kib(&fenced.daemon);
    let flood = "SELECT count(pg_notify('paird_command',
                     json_build_object('type', 'account.cancel', 'accountId', $1::uuid, 'nth', nth)::text))
                 FROM generate_series(1, 200000) AS nth";
    let sent: i64 = stranger.query_one(flood, &[&account]).await.unwrap().get(0);
    assert_eq!(sent, 200_000);
    let started = Instant::now();
    fenced.the_lane_goes_on().await;
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    let grown = resident_kib(&fenced.daemon).saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} KiB more");
    let stored = "SELECT count(*) FROM commands WHERE account_id = $1";
    assert_eq!(fenced.stage.web.count(stored, &[&account]).await, 0);
    fenced.finish().await;
}

fn resident_kib(daemon: &Daemon) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn wake_notifications_carry_only_type_account_id_and_seq() {
    let fenced = Fenced::start(&[("PAIRD_EVENT_PAYLOAD", "wake")]).await;
    let account = fenced.web.connect_account("desk", "436606000077", &fenced.stage.phones).await;
    fenced.web.event(account, "groups.synced", 0).await;
    let heard = until("all events are heard", || async {
        let heard = fenced.web.heard(account);
        heard.iter().any(|event| event["type"] == "groups.synced").then_some(heard)
    })
    .await;
    for event in heard {
        let fields: Vec<&String> = event.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["accountId", "id", "seq", "type"], "{event}");
    }
    let told = fenced.web.event(account, "session.connected", 0).await;
    assert_eq!(told.payload["phoneNumber"], "436606000077", "the row has all of it");
    fenced.finish().await;
}

/// Oversized values in every column that `paird_web` may write.
#[tokio::test(flavor = "multi_thread")]
async fn size_limits_apply_to_every_writing_role() {
    let stage = Stage::empty().await;
    let web_dsn = stage.logins().await.web;
    let web = Web::connect(&web_dsn).await;
    let account = web.account("desk").await;
    let id = format!("'{account}'");
    let refused = [
        "UPDATE whatsapp_accounts SET label = repeat('x', 201)",
        "UPDATE whatsapp_accounts SET label = repeat('x', 100000000)",
        "UPDATE whatsapp_accounts SET label = ''",
        "UPDATE whatsapp_accounts SET label = '   '",
        "UPDATE whatsapp_accounts SET label = E'a\\nb'",
        "UPDATE whatsapp_accounts SET label = E'\\x1b]0;x\\x07'",
        "UPDATE whatsapp_accounts SET label = E'a\\u009bb'",
        "INSERT INTO whatsapp_accounts (operator_id, label) VALUES (gen_random_uuid(), repeat('x', 201))",
        "UPDATE whatsapp_accounts SET proxy = repeat('x', 2001)",
        "UPDATE whatsapp_accounts SET device_name = repeat('x', 41)",
        "SELECT send_command(repeat('k', 101), $id)",
        "SELECT send_command('account.cancel', $id, jsonb_build_object('a', repeat('x', 66000)))",
        "SELECT send_command('account.cancel', $id, '{}', repeat('k', 201))",
        "SELECT send_command('account.cancel', $id, '{}', NULL, repeat('s', 41))",
        "INSERT INTO event_consumers (consumer, account_id) VALUES (repeat('c', 201), $id)",
        "INSERT INTO event_consumers (consumer, account_id) VALUES ('', $id)",
    ];
    for sql in refused {
        let wrong = web.sql.batch_execute(&sql.replace("$id", &id)).await.expect_err(sql);
        assert_eq!(wrong.code(), Some(&SqlState::CHECK_VIOLATION), "{sql}: {wrong:?}");
    }
    let taken = [
        "UPDATE whatsapp_accounts SET label = repeat('ü', 200)",
        "UPDATE whatsapp_accounts SET proxy = repeat('x', 2000)",
        "SELECT send_command(repeat('k', 100), $id)",
        "SELECT send_command('account.cancel', $id, jsonb_build_object('a', repeat('x', 65000)), repeat('k', 200), repeat('s', 40))",
        "INSERT INTO event_consumers (consumer, account_id) VALUES (repeat('c', 200), $id)",
    ];
    for sql in taken {
        web.sql.batch_execute(&sql.replace("$id", &id)).await.unwrap_or_else(|wrong| panic!("{sql}: {wrong:?}"));
    }
    drop(web);
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dedupe_key_belongs_to_its_account() {
    let fenced = Fenced::start(&[]).await;
    let web = &fenced.web;
    let (one, two) = (web.account("one").await, web.account("two").await);
    let send = async |kind: &str, account: Uuid, args: Value, key: &str| {
        let sql = "SELECT send_command($1, $2, $3, $4)";
        web.sql.query_one(sql, &[&kind, &account, &args, &key]).await.map(|row| row.get::<_, i64>(0))
    };
    let first = send("account.cancel", one, json!({}), "click-17").await.unwrap();
    assert_eq!(send("account.cancel", one, json!({}), "click-17").await.unwrap(), first);
    let other = send("account.cancel", two, json!({}), "click-17").await.unwrap();
    assert_ne!(other, first, "the key of another account stands for another command");
    for (kind, args) in [("account.delete", json!({})), ("account.cancel", json!({"x": 1}))] {
        let wrong = send(kind, one, args, "click-17").await.unwrap_err();
        assert_eq!(wrong.code(), Some(&SqlState::UNIQUE_VIOLATION));
        assert!(wrong.as_db_error().unwrap().message().contains("dedupe_key"), "{wrong:?}");
    }
    web.outcome(first).await;
    web.outcome(other).await;

    // The answer to a passkey is not stored, but a repetition is still recognized by its key.
    let answer = json!({"response": {"id": "x"}});
    let passkey = send("account.passkey", one, answer.clone(), "passkey-1").await.unwrap();
    web.outcome(passkey).await;
    assert_eq!(send("account.passkey", one, answer, "passkey-1").await.unwrap(), passkey);

    // A NOTIFY has no answer, so the error is stored as a failed command.
    let reused = json!({"type": "account.delete", "accountId": one, "dedupeKey": "click-17"});
    notify(&web.sql, &reused.to_string()).await;
    let failed = "SELECT count(*) FROM commands WHERE state = 'failed' AND kind = 'account.delete'
                  AND result LIKE '%dedupeKey%'";
    fenced.stage.web.count_becomes(failed, 1).await;
    fenced.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_roles_close_the_database_to_all_others() {
    let stage = Stage::empty().await;
    let make = "CREATE ROLE passer_by LOGIN; CREATE ROLE neighbour LOGIN;
                DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO neighbour', current_database()); END $$";
    stage.web.sql.batch_execute(make).await.unwrap();
    let of = |user: &str| stage.dsn.replace("user=paird", &format!("user={user}"));
    connect(&of("passer_by")).await;

    let output = command(&stage).args(["doctor"]).output().await.unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("every login can connect"), "{told}");
    let output = command(&stage).args(["migrate", "--roles"]).output().await.unwrap();
    let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(told.contains("CONNECT") && told.contains("PUBLIC"), "{told}");

    let wrong = tokio_postgres::connect(&of("passer_by"), tokio_postgres::NoTls).await.err().unwrap();
    assert_eq!(wrong.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{wrong:?}");
    let neighbour = connect(&of("neighbour")).await;
    let wrong = neighbour.batch_execute("CREATE TEMPORARY TABLE t (x int)").await.unwrap_err();
    assert_eq!(wrong.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{wrong:?}");
    let Logins { web: web_dsn, daemon: daemon_dsn, .. } = stage.logins().await;
    connect(&web_dsn).await;
    connect(&daemon_dsn).await;

    let output = command(&stage).args(["doctor"]).output().await.unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let line = told.lines().find(|line| line.contains("may connect")).unwrap_or_else(|| panic!("{told}"));
    assert!(line.contains("neighbour") && !line.contains("passer_by"), "{line}");
    stage.web.sql.batch_execute("SELECT 1").await.unwrap();
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_cannot_fake_its_login_or_clear_the_audit_log() {
    let fenced = Fenced::start(&[]).await;
    let account = fenced.web.account("desk").await;
    let sent = "SELECT send_command('account.cancel', $1, '{}', NULL, 'console')";
    let id: i64 = fenced.web.sql.query_one(sent, &[&account]).await.unwrap().get(0);
    fenced.web.outcome(id).await;
    let row = "SELECT source, sent_by, session_user::text FROM commands WHERE id = $1";
    let row = fenced.web.sql.query_one(row, &[&id]).await.unwrap();
    assert_eq!((row.get::<_, &str>(0), row.get::<_, &str>(1)), ("console", row.get::<_, &str>(2)));
    // The owner of the tables cannot change it either.
    let wrong = fenced.stage.web.sql.batch_execute("TRUNCATE audit_log").await.unwrap_err();
    assert!(wrong.as_db_error().unwrap().message().contains("append-only"), "{wrong:?}");
    fenced.finish().await;
}

/// Every login that can connect can take any advisory lock.
#[tokio::test(flavor = "multi_thread")]
async fn locks_of_a_stranger_keep_no_daemon_from_starting() {
    let stage = Stage::empty().await;
    let stranger = stranger(&stage).await;
    for key in ["paird.migrations", "paird.keys.rotate", "paird.prune"] {
        stranger.execute("SELECT pg_advisory_lock(hashtextextended($1, 0))", &[&key]).await.unwrap();
    }
    let daemon = stage.daemon(&[]).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn locks_of_a_stranger_stop_no_work() {
    let fenced = Fenced::start(&[]).await;
    let account = fenced.web.account("desk").await;
    let payload = json!({"type": "account.cancel", "accountId": account}).to_string();
    let stranger = fenced.stranger().await;
    let pid: i32 = fenced.web.sql.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    let heard = "SELECT 'paird.heard.' || encode(sha256(convert_to($1::int || ' ' || $2::text, 'UTF8')), 'hex')";
    let heard: String = stranger.query_one(heard, &[&pid, &payload]).await.unwrap().get(0);
    for key in ["paird.migrations", "paird.keys.rotate", "paird.prune", heard.as_str()] {
        stranger.execute("SELECT pg_advisory_lock(hashtextextended($1, 0))", &[&key]).await.unwrap();
    }
    notify(&fenced.web.sql, &payload).await;
    fenced.stage.web.count_becomes("SELECT count(*) FROM commands WHERE source = 'notify' AND state = 'done'", 1).await;
    for args in [&["prune"][..], &["keys", "rotate"], &["migrate"]] {
        let output = command(&fenced.stage).args(args).output().await.unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
    }
    fenced.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unverified_remote_database_is_warned_of() {
    let stage = Stage::empty().await;
    // The first host answers; the other one would be dialled if it did not.
    let dsn = stage.dsn.replacen("' user=", ",192.0.2.7' user=", 1);
    assert_ne!(dsn, stage.dsn);
    let mut daemon = stage.daemon(&[("DATABASE_URL", &dsn)]).await;
    let told = daemon.says("server's certificate is not verified").await;
    assert!(told.contains("192.0.2.7") && told.contains("sslmode=verify-full"), "{told}");
    for (dsn, level) in [(&dsn, "WARN  tls"), (&stage.dsn, "  ok  tls")] {
        let output = command(&stage).env("DATABASE_URL", dsn).arg("doctor").output().await.unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(told.contains(level), "{told}");
    }
    stage.finish([daemon]).await;
}
