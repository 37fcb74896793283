//! A contact that has linked a client of another family to its phone: Baileys, whose Signal is not
//! that of paird and the sandbox. Needs `node`, and its packages, which `make test` fetches.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use paird_testkit::{Stage, paird, until};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};
use uuid::Uuid;

const SHOP: &str = "436602000001";
const ANNA: &str = "436602000002";
const TEXTS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn what_baileys_writes_is_there_once_and_in_order() {
    let Some(node) = node() else { return };
    let (stage, daemon) = Stage::with_daemon().await;
    let account = linked(&stage).await;
    let mut companion = Companion::link(&node, &stage).await;
    let texts: Vec<String> = (0..TEXTS).map(|nth| format!("no. {nth}, übers „Büro“ 👋")).collect();
    let mut ids = Vec::new();
    for text in &texts {
        companion.write(json!({ "to": SHOP, "text": text })).await;
        ids.push(companion.says("sent").await.as_str().unwrap().to_owned());
    }

    let rows = "SELECT b.content #>> '{text,body}', m.wa_id, m.sender_phone, m.direction
                FROM messages m LEFT JOIN message_bodies b ON b.message_id = m.id WHERE m.account_id = $1 ORDER BY m.id";
    let all = until("all texts", || async {
        let all = stage.web.sql.query(rows, &[&account]).await.unwrap();
        (all.len() >= TEXTS).then_some(all)
    })
    .await;
    let column = |at: usize| all.iter().map(|row| row.get::<_, Option<String>>(at)).collect::<Vec<_>>();
    assert_eq!(column(0), texts.iter().cloned().map(Some).collect::<Vec<_>>());
    assert_eq!(column(1), ids.into_iter().map(Some).collect::<Vec<_>>());
    assert_eq!(column(2), vec![Some(ANNA.to_owned()); TEXTS]);
    assert_eq!(column(3), vec![Some("in".to_owned()); TEXTS]);
    until("nothing kept for the account's device", || async {
        let device = stage.phones.devices(SHOP).await.pop()?;
        (stage.phones.waiting(SHOP, &device.jid).await.stanzas == 0).then_some(())
    })
    .await;
    let told =
        "SELECT count(DISTINCT payload->>'messageId') FROM events WHERE account_id = $1 AND kind = 'message.received'";
    assert_eq!(stage.web.count(told, &[&account]).await, TEXTS as i64);
    assert_eq!(stage.web.count("SELECT count(*) FROM messages WHERE account_id = $1", &[&account]).await, TEXTS as i64);
    drop(companion);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_paird_sends_is_read_by_baileys_once_and_in_order() {
    let Some(node) = node() else { return };
    let (stage, daemon) = Stage::with_daemon_under_roles().await;
    let account = linked(&stage).await;
    // No limits: the pace has tests of its own.
    stage.web.sql.execute("UPDATE whatsapp_accounts SET send_rate = 1000, send_burst = 100", &[]).await.unwrap();
    let mut companion = Companion::link(&node, &stage).await;
    let send = async |content: Value| {
        let id: i64 =
            stage.web.sql.query_one("SELECT send_message($1, $2)", &[&account, &content]).await.unwrap().get(0);
        let sql = "SELECT wa_id FROM messages WHERE id = $1";
        (id, stage.web.sql.query_one(sql, &[&id]).await.unwrap().get::<_, String>(0))
    };
    let (first, original) = send(json!({ "to": ANNA, "type": "text", "text": { "body": "übers „Büro“ 👋" } })).await;
    let read = async |companion: &mut Companion, wa_id: &str| {
        let message = companion.says("message").await;
        assert_eq!(message["id"], wa_id, "{message}");
        message
    };
    assert_eq!(read(&mut companion, &original).await["text"], "übers „Büro“ 👋");

    let reply = json!({ "to": ANNA, "type": "text", "text": { "body": "and so on" }, "replyTo": first });
    let (_, reply) = send(reply).await;
    let message = read(&mut companion, &reply).await;
    assert_eq!((&message["text"], &message["about"]), (&json!("and so on"), &json!(original)));

    let (_, place) =
        send(json!({ "to": ANNA, "type": "location", "location": { "latitude": 48.25, "longitude": 16.5 } })).await;
    assert_eq!(read(&mut companion, &place).await["place"], 48.25);

    let reaction = json!({ "to": ANNA, "type": "reaction", "reaction": { "messageId": first, "emoji": "👍" } });
    let (_, reaction) = send(reaction).await;
    let message = read(&mut companion, &reaction).await;
    assert_eq!((&message["reaction"], &message["about"]), (&json!("👍"), &json!(original)));

    // A kill in the middle of ten: each is read once, and in order.
    let texts: Vec<String> = (0..10).map(|nth| format!("no. {nth}")).collect();
    let mut wanted = Vec::new();
    for text in &texts {
        wanted.push(send(json!({ "to": ANNA, "type": "text", "text": { "body": text } })).await.1);
    }
    let mut seen = vec![companion.says("message").await];
    daemon.kill().await;
    let daemon = stage.daemon(&[]).await;
    while seen.len() < wanted.len() {
        let message = companion.says("message").await;
        // The same id a second time is no second message.
        if !seen.iter().any(|before| before["id"] == message["id"]) {
            seen.push(message);
        }
    }
    assert_eq!(seen.iter().map(|message| message["text"].as_str().unwrap()).collect::<Vec<_>>(), texts);
    assert_eq!(seen.iter().map(|message| message["id"].as_str().unwrap()).collect::<Vec<_>>(), wanted);
    until("its row says so", || async {
        let state = "SELECT state FROM messages WHERE id = $1";
        let state: String = stage.web.sql.query_one(state, &[&first]).await.unwrap().get(0);
        (state == "delivered").then_some(())
    })
    .await;
    drop(companion);
    stage.finish([daemon]).await;
}

/// An account that can be written to.
async fn linked(stage: &Stage) -> Uuid {
    let account = stage.web.reachable_account("shop", SHOP, &stage.phones).await;
    stage.phones.add(ANNA).await;
    account
}

/// The program of `tests/baileys`, which ends with the test.
struct Companion {
    _child: Child,
    reads: ChildStdin,
    says: Lines<BufReader<ChildStdout>>,
    errors: PathBuf,
}

impl Companion {
    /// One that the contact has linked to its phone.
    async fn link(node: &Path, stage: &Stage) -> Self {
        let mut companion = Self::start(node, stage);
        let qr = companion.says("qr").await;
        stage.phones.scan(ANNA, qr.as_str().unwrap()).await.unwrap();
        companion.says("open").await;
        companion
    }

    fn start(node: &Path, stage: &Stage) -> Self {
        // Beside its packages, or node does not find them.
        let script = packages().join("contact.mjs");
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/baileys/contact.mjs"), &script).unwrap();
        let errors = stage.dir.join("baileys.err");
        let mut command = Command::new(node);
        command.arg(script).arg(stage.whatsapp_url()).env_clear().current_dir(&stage.dir);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(fs::File::create(&errors).unwrap());
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        let (reads, says) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { _child: child, reads, says: BufReader::new(says).lines(), errors }
    }

    async fn write(&mut self, line: Value) {
        self.reads.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// Waits until it says this, and returns what.
    async fn says(&mut self, what: &str) -> Value {
        loop {
            let Ok(Ok(Some(line))) = timeout(paird_testkit::DEADLINE, self.says.next_line()).await else {
                panic!("never said: {what}; {}", fs::read_to_string(&self.errors).unwrap());
            };
            let line: Value = serde_json::from_str(&line).unwrap();
            if let Some(said) = line.get(what) {
                return said.clone();
            }
        }
    }
}

/// Where `make test` puts them.
fn packages() -> PathBuf {
    paird().ancestors().nth(2).unwrap().join("baileys")
}

/// `None`, with a word about it, where these tests cannot run.
fn node() -> Option<PathBuf> {
    let fetched = packages().join("node_modules/@whiskeysockets/baileys").is_dir();
    let mut paths = paird::config::executable_dirs().into_iter().map(|dir| dir.join("node"));
    let node = paths.find(|path| fetched && path.is_file());
    if node.is_none() {
        eprintln!("skipped: no node here, or the packages of tests/baileys were not fetched (.ci/test)");
    }
    node
}
