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

#[tokio::test(flavor = "multi_thread")]
async fn the_example_handles_each_event_once_however_interrupted() {
    let Some(node) = node() else {
        eprintln!("skipped: no node here, or npm ci was not run in tests/consumer");
        return;
    };
    let mut stage = Stage::empty().await;
    let Logins { web: web_dsn, daemon: daemon_dsn, .. } = stage.logins().await;
    let daemon = stage.daemon(&[("DATABASE_URL", &daemon_dsn)]).await;
    let app = App { node, dsn: url(&web_dsn), dir: stage.dir.clone() };
    let web = connect(&web_dsn).await;
    let login: String = web.query_one("SELECT current_user::text", &[]).await.unwrap().get(0);
    stage.web.sql.batch_execute(&format!("CREATE SCHEMA AUTHORIZATION {login}")).await.unwrap();
    web.batch_execute(&fs::read_to_string(consumer().join("schema.sql")).unwrap()).await.unwrap();
    stage.web.sql.batch_execute(&format!("SET search_path = public, {login}")).await.unwrap();

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
    let happened = stage.web.count("SELECT count(*) FROM events", &[]).await;
    assert_eq!(handled(stage).await, happened, "nothing twice");
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
