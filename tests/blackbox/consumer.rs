//! The example web app of `tests/consumer`, killed in the middle of its transactions.
//! Needs `node`, and `npm ci` there, which `make test` runs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::json;
use tokio::process::{Child, Command};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use paird_testkit::{Logins, Stage, read_qr, until};

/// Events that wait for the consumer in each round; it takes 100 in one transaction.
const BACKLOG: usize = 30;
/// Messages that come at once.
const BURST: usize = 40;
const SHOP: &str = "436608000002";
const ANNA: &str = "999000000081";

#[tokio::test(flavor = "multi_thread")]
async fn the_example_handles_each_event_once_however_interrupted() {
    let Some(mut stage) = staged().await else { return };
    let Logins { web: web_dsn, daemon: daemon_dsn, .. } = stage.logins().await;
    let daemon = stage.daemon(&[("DATABASE_URL", &daemon_dsn)]).await;
    let (app, web, login) = installed(&stage, &web_dsn).await;

    let desk = pair(&app, &stage, "desk", "436608000001").await;
    let shop = stage.web.connect_account("shop", "436608000002", &stage.phones).await;
    app.catches_up().await;
    assert!(handled(&stage).await > 0);

    // From here on the last event of a batch waits for a lock, in the middle of the transaction.
    web.batch_execute(
        "CREATE FUNCTION wait_there() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF NEW.seq = (SELECT event_seq FROM whatsapp_accounts WHERE id = NEW.account_id) THEN
                 PERFORM pg_advisory_xact_lock_shared(7);
             END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER wait_there BEFORE INSERT ON activity FOR EACH ROW EXECUTE FUNCTION wait_there()",
    )
    .await
    .unwrap();
    for round in 0..4 {
        happens(&stage, &[desk, shop]).await;
        let before = handled(&stage).await;
        let barrier = connect(&stage.dsn).await;
        barrier.execute("SELECT pg_advisory_lock(7)", &[]).await.unwrap();
        let mut follow = app.follow(&format!("round-{round}"));
        until("the consumer in the middle of a batch", || async {
            let sql = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
            (stage.web.count(sql, &[]).await == 1).then_some(())
        })
        .await;
        let said = fs::read_to_string(stage.dir.join(format!("round-{round}.out"))).unwrap();
        assert!(said.lines().count() > 0, "some of the batch was handled");
        if round % 2 == 0 {
            follow.kill().await.unwrap();
            drop(barrier);
            gone(&stage).await;
            assert_eq!(handled(&stage).await, before, "nothing of the batch stayed");
        } else {
            // Its connection is cut; it connects again by itself.
            let cut =
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'paird-consumer'";
            stage.web.sql.execute(cut, &[]).await.unwrap();
            drop(barrier);
            all_is_handled(&stage).await;
            follow.kill().await.unwrap();
        }
    }

    // Two consumers with one name share the work, and survive a restart of the server.
    let (mut one, mut two) = (app.follow("one"), app.follow("two"));
    all_is_handled(&stage).await;
    stage.database.take().unwrap().stop().await;
    stage.start_database().await;
    stage.web.reconnect().await;
    stage.web.sql.batch_execute(&format!("SET search_path = public, {login}")).await.unwrap();
    happens(&stage, &[desk, shop]).await;
    all_is_handled(&stage).await;
    assert!(one.try_wait().unwrap().is_none() && two.try_wait().unwrap().is_none(), "both still run");
    one.kill().await.unwrap();
    two.kill().await.unwrap();
    stage.finish([daemon]).await;
}

/// A text that the copy stops at, in the middle of a burst.
const BARRIER: &str = "the one in the middle";

#[tokio::test(flavor = "multi_thread")]
async fn the_example_copies_each_message_once_however_killed() {
    let Some(stage) = staged().await else { return };
    let Logins { web: web_dsn, daemon: daemon_dsn, .. } = stage.logins().await;
    let daemon = stage.daemon(&[("DATABASE_URL", &daemon_dsn)]).await;
    let (app, web, _) = installed(&stage, &web_dsn).await;
    let shop = stage.web.reachable_account("shop", SHOP, &stage.phones).await;
    let trigger = format!(
        "CREATE FUNCTION wait_there() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF NEW.content #>> '{{text,body}}' LIKE '{BARRIER}%' THEN PERFORM pg_advisory_xact_lock_shared(7); END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER wait_there BEFORE INSERT ON conversations FOR EACH ROW EXECUTE FUNCTION wait_there()"
    );
    web.batch_execute(&trigger).await.unwrap();
    for round in 0..3 {
        let barrier = connect(&stage.dsn).await;
        barrier.execute("SELECT pg_advisory_lock(7)", &[]).await.unwrap();
        let mut follow = app.follow(&format!("round-{round}"));
        let texts = (0..BURST).map(|nth| match nth {
            nth if nth == BURST / 2 => format!("{BARRIER} of {round}"),
            nth => format!("message {nth} of {round}"),
        });
        stage.phones.burst(ANNA, SHOP, texts.collect()).await;
        until("the copy in the middle of the burst", || async {
            let sql = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
            (stage.web.count(sql, &[]).await == 1).then_some(())
        })
        .await;
        follow.kill().await.unwrap();
        drop(barrier);
        gone(&stage).await;
        let there =
            format!("SELECT count(*) FROM conversations WHERE content #>> '{{text,body}}' = '{BARRIER} of {round}'");
        assert_eq!(stage.web.count(&there, &[]).await, 0, "nothing of the batch stayed");
        let mut follow = app.follow(&format!("after-{round}"));
        all_is_copied(&stage, (round + 1) * BURST).await;
        follow.kill().await.unwrap();
    }

    // One that could not be read, read about only when it can be.
    for (kind, sql) in [
        (
            "message.waiting",
            "INSERT INTO messages (account_id, direction, chat, sender, wa_id, state, sent_at)
                             VALUES ($1, 'in', 'a@lid', 'a@lid', 'late', 'waiting', now()) RETURNING id",
        ),
        (
            "message.recovered",
            "UPDATE messages SET state = 'received', kind = 'text'
                               WHERE account_id = $1 AND wa_id = 'late' RETURNING id",
        ),
    ] {
        let told = format!(
            "WITH message AS ({sql}), account AS (
                 UPDATE whatsapp_accounts SET event_seq = event_seq + 1 WHERE id = $1 RETURNING event_seq)
             INSERT INTO events (account_id, seq, kind, payload)
             SELECT $1, event_seq, '{kind}', jsonb_build_object('messageId', message.id) FROM account, message"
        );
        stage.web.sql.execute(&told, &[&shop]).await.unwrap();
    }
    let mut follow = app.follow("recovered");
    all_is_copied(&stage, 3 * BURST + 1).await;
    follow.kill().await.unwrap();
    stage.finish([daemon]).await;
}

/// Answers that are queued in each round.
const ANSWERS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn the_echo_bot_answers_each_text_once_however_killed() {
    let Some(stage) = staged().await else { return };
    let Logins { web: web_dsn, daemon: daemon_dsn, .. } = stage.logins().await;
    let mut daemon = stage.daemon(&[("DATABASE_URL", &daemon_dsn)]).await;
    let (app, ..) = installed(&stage, &web_dsn).await;
    stage.web.reachable_account("shop", SHOP, &stage.phones).await;
    // Of a bot's answers, the one in the middle waits for a lock.
    let haste = "UPDATE whatsapp_accounts SET send_rate = 1000, send_burst = 100";
    stage.web.sql.batch_execute(haste).await.unwrap();
    let trigger = format!(
        "CREATE FUNCTION wait_there() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF NEW.content ? 'replyTo' AND NEW.content #>> '{{text,body}}' LIKE '{BARRIER}%' THEN
                 PERFORM pg_advisory_xact_lock_shared(7);
             END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER wait_there BEFORE INSERT ON message_bodies FOR EACH ROW EXECUTE FUNCTION wait_there()"
    );
    stage.web.sql.batch_execute(&trigger).await.unwrap();
    for round in 0..3 {
        let barrier = connect(&stage.dsn).await;
        barrier.execute("SELECT pg_advisory_lock(7)", &[]).await.unwrap();
        let mut bot = app.run(&format!("bot-{round}"), "echo.mjs", &[]);
        let texts = (0..ANSWERS).map(|nth| match nth {
            nth if nth == ANSWERS / 2 => format!("{BARRIER} of {round}"),
            nth => format!("question {nth} of {round}"),
        });
        stage.phones.burst(ANNA, SHOP, texts.collect()).await;
        until("the bot in the middle of its answers", || async {
            let sql = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
            (stage.web.count(sql, &[]).await == 1).then_some(())
        })
        .await;
        bot.kill().await.unwrap();
        drop(barrier);
        gone(&stage).await;
        let mut bot = app.run(&format!("bot-after-{round}"), "echo.mjs", &[]);
        // And the daemon, amid its sends.
        let some = format!(
            "SELECT count(*) >= {} FROM messages WHERE direction = 'out' AND state <> 'queued'",
            round * ANSWERS + 3
        );
        until("some answers on their way", || async {
            stage.web.sql.query_one(&some, &[]).await.unwrap().get::<_, bool>(0).then_some(())
        })
        .await;
        daemon.kill().await;
        daemon = stage.daemon(&[("DATABASE_URL", &daemon_dsn)]).await;
        let wanted = i64::try_from((round + 1) * ANSWERS).unwrap();
        stage.web.count_becomes("SELECT count(*) FROM messages WHERE direction = 'out'", wanted).await;
        // Started over, it answers nothing again.
        bot.kill().await.unwrap();
        gone(&stage).await;
        stage.web.sql.execute("UPDATE event_consumers SET seq = 0 WHERE consumer = 'echo'", &[]).await.unwrap();
        let mut bot = app.run(&format!("bot-again-{round}"), "echo.mjs", &[]);
        let caught_up = "SELECT count(*) FROM event_consumers c JOIN whatsapp_accounts a ON a.id = c.account_id
                         WHERE c.consumer = 'echo' AND c.seq = a.event_seq";
        stage.web.count_becomes(caught_up, 1).await;
        bot.kill().await.unwrap();
        gone(&stage).await;
    }
    let delivered = "SELECT count(*) FROM messages WHERE direction = 'out' AND state = 'delivered'";
    stage.web.count_becomes(delivered, i64::try_from(3 * ANSWERS).unwrap()).await;
    let asked = "SELECT array_agg(b.content #>> '{text,body}' ORDER BY m.id) FROM messages m
                 JOIN message_bodies b ON b.message_id = m.id WHERE m.direction = 'in'";
    let asked: Vec<String> = stage.web.sql.query_one(asked, &[]).await.unwrap().get(0);
    let screen = stage.phones.screen(ANNA).await.into_iter();
    let shown: Vec<String> = screen.filter(|message| !message.from_me).filter_map(|message| message.text).collect();
    assert_eq!(shown, asked, "Anna's phone shows each answer once, in order");
    let answered = "SELECT count(*) FROM messages q JOIN message_bodies qb ON qb.message_id = q.id
                    JOIN messages a ON a.key = 'echo-' || q.id AND a.account_id = q.account_id
                    JOIN message_bodies ab ON ab.message_id = a.id
                    WHERE q.direction = 'in' AND a.direction = 'out' AND a.chat = q.chat AND a.refers_to = q.id
                      AND ab.content #>> '{text,body}' = qb.content #>> '{text,body}'";
    let wanted = i64::try_from(3 * ANSWERS).unwrap();
    assert_eq!(stage.web.count(answered, &[]).await, wanted);
    assert_eq!(stage.web.count("SELECT count(*) FROM messages", &[]).await, 2 * wanted, "and no others");
    stage.finish([daemon]).await;
}

/// Waits until the events are handled; then each message has one copy that is as it is.
async fn all_is_copied(stage: &Stage, wanted: usize) {
    until("every message copied", || async {
        let sql = "SELECT count(*) FROM messages m JOIN activity a ON (a.payload->>'messageId')::bigint = m.id
                   WHERE a.kind IN ('message.received', 'message.recovered')";
        (stage.web.count(sql, &[]).await == wanted as i64).then_some(())
    })
    .await;
    let differs =
        "SELECT count(*) FROM (SELECT m.id, m.account_id, m.chat, m.sender, m.direction, m.kind, b.content, m.sent_at
                                         FROM messages m LEFT JOIN message_bodies b ON b.message_id = m.id) AS m
                   FULL JOIN conversations c ON c.message_id = m.id
                   WHERE to_jsonb(m) - 'id' IS DISTINCT FROM to_jsonb(c) - 'message_id'";
    assert_eq!(stage.web.count(differs, &[]).await, 0, "a copy that is missing, or differs");
    assert_eq!(stage.web.count("SELECT count(*) FROM conversations", &[]).await, wanted as i64);
}

/// `None` where the example cannot run.
async fn staged() -> Option<Stage> {
    if node().is_none() {
        eprintln!("skipped: no node here, or npm ci was not run in tests/consumer");
        return None;
    }
    Some(Stage::empty().await)
}

/// The example with its tables, a connection of its login, and the login's name.
async fn installed(stage: &Stage, web_dsn: &str) -> (App, Client, String) {
    let app = App { node: node().unwrap(), dsn: url(web_dsn), dir: stage.dir.clone() };
    let web = connect(web_dsn).await;
    let login: String = web.query_one("SELECT current_user::text", &[]).await.unwrap().get(0);
    stage.web.sql.batch_execute(&format!("CREATE SCHEMA AUTHORIZATION {login}")).await.unwrap();
    web.batch_execute(&fs::read_to_string(consumer().join("schema.sql")).unwrap()).await.unwrap();
    stage.web.sql.batch_execute(&format!("SET search_path = public, {login}")).await.unwrap();
    (app, web, login)
}

/// Pairs with `pair.mjs`, whose QR file a phone scans.
async fn pair(app: &App, stage: &Stage, label: &str, number: &str) -> Uuid {
    stage.phones.add(number).await;
    let qr = stage.dir.join("qr.png");
    let mut pairing = app.run("pair", "pair.mjs", &[label, "--qr", qr.to_str().unwrap()]);
    until("a scan of the file that is taken", || async {
        let picture = image::load_from_memory(&fs::read(&qr).ok()?).unwrap().into_luma8();
        stage.phones.scan(number, &read_qr(&picture)).await.ok()
    })
    .await;
    assert!(pairing.wait().await.unwrap().success(), "{}", app.said("pair"));
    let account = "SELECT id FROM whatsapp_accounts WHERE label = $1";
    let account = stage.web.sql.query_one(account, &[&label]).await.unwrap().get(0);
    stage.web.status_is(account, "connected").await;
    account
}

/// Causes events of both accounts.
async fn happens(stage: &Stage, accounts: &[Uuid]) {
    let mut sent = Vec::new();
    for nth in 0..BACKLOG {
        // Connected already: one event for each.
        sent.push(stage.web.send("account.pair", accounts[nth % accounts.len()], json!({})).await);
    }
    for command in sent {
        assert_eq!(stage.web.outcome(command).await.0, "done");
    }
}

async fn handled(stage: &Stage) -> i64 {
    stage.web.count("SELECT count(*) FROM activity", &[]).await
}

/// Waits until every event was handled; then each was handled once and in order.
async fn all_is_handled(stage: &Stage) {
    until("everything handled", || async {
        let left = "SELECT count(*) FROM events e
                    WHERE NOT EXISTS (SELECT FROM activity a WHERE a.account_id = e.account_id AND a.seq = e.seq)";
        (stage.web.count(left, &[]).await == 0).then_some(())
    })
    .await;
    // Not compared with the events there are: one more may have come since.
    let twice = "SELECT count(*) - count(DISTINCT (account_id, seq)) FROM activity";
    assert_eq!(stage.web.count(twice, &[]).await, 0, "nothing twice");
    let disorder = "SELECT count(*) FROM (SELECT seq, row_number() OVER (PARTITION BY account_id ORDER BY id) AS nth
                                          FROM activity) AS handled WHERE seq <> nth";
    assert_eq!(stage.web.count(disorder, &[]).await, 0, "each account's in order");
}

async fn gone(stage: &Stage) {
    until("the end of the consumer's connection", || async {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'paird-consumer'";
        (stage.web.count(sql, &[]).await == 0).then_some(())
    })
    .await;
}

struct App {
    node: PathBuf,
    dsn: String,
    dir: PathBuf,
}

impl App {
    fn follow(&self, name: &str) -> Child {
        self.run(name, "follow.mjs", &[])
    }

    async fn catches_up(&self) {
        let mut child = self.run("catch-up", "follow.mjs", &["--until-caught-up"]);
        assert!(child.wait().await.unwrap().success(), "{}", self.said("catch-up"));
    }

    fn run(&self, name: &str, script: &str, arguments: &[&str]) -> Child {
        let file = |what: &str| fs::File::create(self.dir.join(format!("{name}.{what}"))).unwrap();
        let mut command = Command::new(&self.node);
        command.arg(consumer().join(script)).args(arguments).env_clear().env("DATABASE_URL", &self.dsn);
        command.current_dir(&self.dir).stdin(Stdio::null()).stdout(file("out")).stderr(file("err"));
        command.kill_on_drop(true).spawn().unwrap()
    }

    fn said(&self, name: &str) -> String {
        fs::read_to_string(self.dir.join(format!("{name}.err"))).unwrap()
    }
}

fn consumer() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/consumer")
}

fn node() -> Option<PathBuf> {
    let installed = consumer().join("node_modules/pg").is_dir();
    paird::config::executable_dirs().into_iter().map(|dir| dir.join("node")).find(|path| installed && path.is_file())
}

/// The same as a URL, which is what `pg` reads.
fn url(dsn: &str) -> String {
    let value = |name: &str| {
        let text = dsn.split(&format!("{name}=")).nth(1).unwrap();
        text.split(' ').next().unwrap().trim_matches('\'').to_owned()
    };
    format!("postgres://{}@localhost/{}?host={}", value("user"), value("dbname"), value("host"))
}

async fn connect(dsn: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(dsn, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
