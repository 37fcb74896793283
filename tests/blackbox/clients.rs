//! The packages of `src/console/clients`, as they are packed, with the daemon: each promise in both languages and on both
//! ways in. Needs Node and Python, and what `.ci/clients install` puts below `target`, which `make test` runs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};
use uuid::Uuid;

use paird_testkit::{Api, Daemon, Stage, paird, read_qr, until};

const SHOP: &str = "436604000001";
const ANNA: &str = "436604000002";
/// Messages that come while a follower is killed.
const BURST: usize = 60;

#[derive(Clone, Copy)]
enum Language {
    TypeScript,
    Python,
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Sql,
    Http,
}

use {
    Language::{Python, TypeScript},
    Way::{Http, Sql},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_client_does_it_all_over_sql() {
    does_it_all(TypeScript, Sql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_client_does_it_all_over_http() {
    does_it_all(TypeScript, Http).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_client_does_it_all_over_sql() {
    does_it_all(Python, Sql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_client_does_it_all_over_http() {
    does_it_all(Python, Http).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_typescript_client_loses_nothing_over_sql() {
    loses_nothing(TypeScript, Sql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_typescript_client_loses_nothing_over_http() {
    loses_nothing(TypeScript, Http).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_python_client_loses_nothing_over_sql() {
    loses_nothing(Python, Sql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_python_client_loses_nothing_over_http() {
    loses_nothing(Python, Http).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_client_says_what_is_wrong() {
    says_what_is_wrong(TypeScript).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_client_says_what_is_wrong() {
    says_what_is_wrong(Python).await;
}

/// Pairs, sends, receives, unpairs and deletes.
async fn does_it_all(language: Language, way: Way) {
    let Some((stage, daemon, setting)) = staged(language).await else { return };
    stage.phones.add(SHOP).await;
    stage.phones.add(ANNA).await;
    let mut client = setting.client(way);

    let create = json!({ "call": "create", "label": "desk", "options": { "key": "click-1" } });
    let added = client.does(&create).await;
    assert_eq!(client.does(&create).await["id"], added["id"], "the same key is the same account");
    let account: Uuid = added["id"].as_str().unwrap().parse().unwrap();

    // Another attempt takes the place of the first, which each of them is told of its own.
    let mut another = setting.client(way);
    another.asks(&json!({ "call": "pair", "account": "desk" })).await;
    assert_eq!(another.item().await["kind"], "qr");
    let pair = json!({ "call": "pair", "account": "desk", "options": { "key": "click-2" } });
    client.asks(&pair).await;
    assert_eq!(client.item().await["kind"], "qr");
    assert_eq!(another.item().await, json!({ "kind": "cancelled", "reason": "superseded" }));
    another.result().await;
    another.ends().await;
    // A process that is killed leaves its attempt behind; the next one follows it, by its key.
    client.kill().await;
    let mut client = setting.client(way);
    client.asks(&pair).await;
    let mut steps = Vec::new();
    let end = loop {
        let step = client.item().await;
        let Some(png) = step["png"].as_str() else { break step };
        let picture = image::load_from_memory(&BASE64_STANDARD.decode(png).unwrap()).unwrap().into_luma8();
        // It may be over already: then there is another one.
        let _ = stage.phones.scan(SHOP, &read_qr(&picture)).await;
        steps.push(step);
    };
    assert!(!steps.is_empty());
    assert_eq!((&end["kind"], &end["phoneNumber"]), (&json!("connected"), &json!(SHOP)));
    client.result().await;
    assert_eq!(stage.web.count("SELECT count(*) FROM commands WHERE kind = 'account.pair'", &[]).await, 2);
    // A second attempt with a linked account is told that it is connected, and nothing before that.
    client.asks(&json!({ "call": "pair", "account": account })).await;
    assert_eq!(client.item().await["kind"], "connected");
    client.result().await;
    stage.web.event(account, "groups.synced", 0).await;
    stage.phones.keys_told(SHOP).await;

    let message = json!({ "to": format!("+{ANNA}"), "type": "text", "text": { "body": "Your table is free 🎉" } });
    let options = json!({ "key": "order-17", "until": "delivered" });
    let send = json!({ "call": "send", "account": "desk", "message": message, "options": options });
    let sent = client.does(&send).await;
    assert_eq!((&sent["state"], &sent["key"]), (&json!("delivered"), &json!("order-17")));
    assert_eq!(client.does(&send).await["id"], sent["id"], "the same key is the same message");
    let screen = stage.phones.screen(ANNA).await;
    let shown: Vec<_> = screen.iter().map(|shown| (shown.text.as_deref(), shown.arrivals)).collect();
    assert_eq!(shown, [(Some("Your table is free 🎉"), 1)]);

    stage.phones.burst(ANNA, SHOP, vec!["Thank you".to_owned(), "See you".to_owned()]).await;
    client.asks(&json!({ "call": "messages", "options": { "consumer": "copy", "account": "desk" } })).await;
    for text in ["Thank you", "See you"] {
        let received = client.item().await;
        assert_eq!(received["content"], json!({ "type": "text", "text": { "body": text } }));
        assert_eq!((&received["senderPhone"], &received["direction"]), (&json!(ANNA), &json!("in")));
        client.goes_on().await;
    }
    client.kill().await;

    let mut client = setting.client(way);
    let accounts = client.does(&json!({ "call": "accounts" })).await;
    assert_eq!((&accounts[0]["label"], &accounts[0]["phoneNumber"]), (&json!("desk"), &json!(SHOP)));
    client.does(&json!({ "call": "unpair", "account": "desk", "options": { "logout": true } })).await;
    stage.phones.devices_are(SHOP, 0).await;
    client.does(&json!({ "call": "cancel", "account": "desk" })).await;

    client.asks(&json!({ "call": "pair", "account": "desk", "options": { "phone": format!("+{SHOP}") } })).await;
    let mut codes = 0;
    let end = loop {
        let step = client.item().await;
        match step["kind"].as_str().unwrap() {
            "qr" => {}
            "code" => {
                codes += 1;
                let _ = stage.phones.type_code(SHOP, step["code"].as_str().unwrap()).await;
            }
            _ => break step,
        }
    };
    assert_eq!((&end["kind"], codes > 0), (&json!("connected"), true));
    client.result().await;
    let sync = client.does(&json!({ "call": "command", "account": "desk", "kind": "groups.sync", "args": {} })).await;
    assert_eq!(sync["state"], "done");
    client.does(&json!({ "call": "delete", "account": "desk" })).await;
    stage.phones.devices_are(SHOP, 0).await;
    assert_eq!(client.does(&json!({ "call": "accounts" })).await, json!([]));
    client.ends().await;
    stage.finish([daemon]).await;
}

/// A follower is killed at a known point, then anywhere; then it loses the daemon and its connections.
async fn loses_nothing(language: Language, way: Way) {
    let Some((stage, daemon, setting)) = staged(language).await else { return };
    let shop = stage.web.reachable_account("shop", SHOP, &stage.phones).await;
    stage.phones.add(ANNA).await;
    let controlled = json!({ "call": "events", "options": { "consumer": "copy" } });
    let free = json!({ "call": "events", "options": { "consumer": "copy" }, "free": true });

    // Killed while it has an event in hand: that one comes again, and none before it.
    let mut client = setting.client(way);
    client.asks(&controlled).await;
    let first = client.seq().await;
    assert_eq!(first, 1);
    client.goes_on().await;
    assert_eq!(client.seq().await, 2);
    client.kill().await;

    let mut seen = vec![1, 2];
    let texts = |round: usize| (0..BURST).map(move |nth| format!("message {nth} of {round}")).collect();
    for round in 0..3 {
        let mut client = setting.client(way);
        client.asks(&free).await;
        stage.phones.burst(ANNA, SHOP, texts(round)).await;
        let mut again = Vec::new();
        while again.len() < BURST / 3 {
            again.push(client.seq().await);
        }
        again.extend(client.kill().await.iter().map(|item| item["seq"].as_i64().unwrap()));
        let last = *seen.last().unwrap();
        let begins = again[0];
        assert!(begins == last || begins == last + 1, "it had seen {last}, and goes on at {begins}");
        if round == 0 {
            assert_eq!(begins, 2, "the one that it had in hand");
        }
        seen.extend(again);
    }
    assert!(seen.windows(2).all(|pair| pair[1] == pair[0] || pair[1] == pair[0] + 1), "{seen:?}");
    let doubles = seen.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert!(doubles <= 4, "at most one for each kill: {seen:?}");

    // The daemon goes and comes back, and connections of the client are cut: it goes on by itself.
    let mut client = setting.client(way);
    client.asks(&free).await;
    let upto = stage.web.seq(shop).await;
    let mut last = client.seq().await;
    assert!(last == seen[seen.len() - 1] || last == seen[seen.len() - 1] + 1);
    while last < upto {
        last = follows(last, &mut client).await;
    }
    daemon.kill().await;
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'paird-client'";
    assert_eq!(stage.web.count(cut, &[]).await > 0, way == Sql);
    let daemon = stage.daemon(&[("PAIRD_CONSOLE_ADDR", &setting.addr)]).await;
    stage.web.status_is(shop, "connected").await;
    stage.phones.burst(ANNA, SHOP, texts(3)).await;
    let all_told = "SELECT count(*) FROM events WHERE kind = 'message.received'";
    stage.web.count_becomes(all_told, 4 * BURST as i64).await;
    let upto = stage.web.seq(shop).await;
    while last < upto {
        last = follows(last, &mut client).await;
    }
    client.kill().await;
    if way == Sql {
        let position = "SELECT seq FROM event_consumers WHERE consumer = 'copy' AND account_id = $1";
        let position: i64 = stage.web.sql.query_one(position, &[&shop]).await.unwrap().get(0);
        assert!(position == upto || position == upto - 1, "{position} of {upto}");
    }

    // One that begins now has its position at once: what happens while it is away is not lost.
    let late = json!({ "call": "events", "options": { "consumer": "late", "from": "now" } });
    let mut client = setting.client(way);
    client.asks(&late).await;
    until("a position without an event", || async {
        let rows = stage.web.count("SELECT count(*) FROM event_consumers WHERE consumer = 'late'", &[]).await;
        (rows == 1 || Path::new(&setting.offsets).join("late.offset").is_file()).then_some(())
    })
    .await;
    assert_eq!(client.kill().await, Vec::<Value>::new());
    stage.phones.burst(ANNA, SHOP, vec!["while it is away".to_owned()]).await;
    stage.web.count_becomes(all_told, 4 * BURST as i64 + 1).await;
    let mut client = setting.client(way);
    client.asks(&late).await;
    assert_eq!(client.seq().await, upto + 1);
    client.kill().await;
    stage.finish([daemon]).await;
}

/// The next event is the next one.
async fn follows(last: i64, client: &mut Running) -> i64 {
    let seq = client.seq().await;
    assert_eq!(seq, last + 1);
    seq
}

/// Each error has its code and the words that name what was wrong.
async fn says_what_is_wrong(language: Language) {
    let Some((stage, daemon, setting)) = staged(language).await else { return };
    stage.web.connect_account("shop", SHOP, &stage.phones).await;
    for label in ["twin", "twin"] {
        stage.web.account(label).await;
    }
    let text = |to: &str, body: &str| json!({ "to": to, "type": "text", "text": { "body": body } });
    for way in [Sql, Http] {
        let mut client = setting.client(way);
        let send = |account: &str, message: Value| json!({ "call": "send", "account": account, "message": message });
        let create = |label: &str| json!({ "call": "create", "label": label, "options": { "key": "taken" } });
        client.fails(&send("nope", text(ANNA, "hi")), "not_found", "there is no account with the label \"nope\"").await;
        client.fails(&send("twin", text(ANNA, "hi")), "ambiguous", "several accounts have the label \"twin\"").await;
        client.fails(&send("shop", text(ANNA, "")), "invalid", "text.body: must be a text of 1 to 65536").await;
        client.fails(&send("shop", text("12", "hi")), "invalid", "to: ").await;
        client.fails(&send("shop", text("436604999999", "hi")), "not_sent", "failed, not_on_whatsapp").await;
        client.fails(&create(""), "invalid", "label is ").await;
        client.does(&create("taker")).await;
        client.fails(&create("another"), "conflict", "another account has this key already").await;
        let phone = json!({ "call": "pair", "account": "taker", "options": { "phone": "abc" } });
        let code = if way == Sql { "command_failed" } else { "invalid" };
        client.fails(&phone, code, "account.pair: phone: ").await;
        let key = json!({ "call": "unpair", "account": "taker", "options": { "key": "ü" } });
        client.fails(&key, "invalid", "key: must be 1 to 200 visible ASCII characters").await;
        let consumer = json!({ "call": "events", "options": { "consumer": "" } });
        client.fails(&consumer, "invalid", "consumer: must have 1 to 200 characters").await;
        client.ends().await;
    }

    let accounts = json!({ "call": "accounts" });
    let wrong = Setting { token: "wrong-token".to_owned(), ..setting.clone() };
    wrong.client(Http).fails(&accounts, "unauthorized", "send Authorization: Bearer").await;
    let broken = Setting { token: "two words".to_owned(), ..setting.clone() };
    let said = broken.client(Http).says("error").await;
    assert_eq!(said, json!({ "code": "invalid", "message": "token: must be one word of visible ASCII characters" }));
    let login = Setting { dsn: setting.dsn.replace("postgres://", "postgres://no_such_"), ..setting.clone() };
    login.client(Sql).fails(&accounts, "unauthorized", "no_such_").await;
    let away =
        Setting { addr: "127.0.0.1:1".to_owned(), dsn: "postgres://a@127.0.0.1:1/b".to_owned(), ..setting.clone() };
    for way in [Sql, Http] {
        away.client(way).fails(&accounts, "unavailable", "").await;
    }
    let nowhere = Setting { offsets: String::new(), ..setting.clone() };
    let follow = json!({ "call": "events", "options": { "consumer": "copy" } });
    nowhere.client(Http).fails(&follow, "invalid", "consumer: over HTTP its position is kept on your side").await;
    stage.finish([daemon]).await;
}

/// What a client needs to know.
#[derive(Clone)]
struct Setting {
    program: Vec<PathBuf>,
    dsn: String,
    addr: String,
    token: String,
    offsets: String,
    dir: PathBuf,
}

impl Setting {
    fn client(&self, way: Way) -> Running {
        let errors = self.dir.join(format!("client-{}.err", Uuid::new_v4().simple()));
        let mut command = Command::new(&self.program[0]);
        command.arg(&self.program[1]).arg(if way == Sql { "sql" } else { "http" });
        command.env_clear().current_dir(&self.dir).env("PAIRD_SQL", &self.dsn);
        command.env("PAIRD_URL", format!("http://{}", self.addr)).env("PAIRD_TOKEN", &self.token);
        command.env("PAIRD_OFFSETS", &self.offsets).env("PAIRD_PATIENCE_MS", "2000");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(fs::File::create(&errors).unwrap());
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        let (reads, says) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Running { child, reads, says: BufReader::new(says).lines(), errors, token: self.token.clone() }
    }
}

/// A program of `tests/clients`.
struct Running {
    child: Child,
    reads: ChildStdin,
    says: Lines<BufReader<ChildStdout>>,
    errors: PathBuf,
    token: String,
}

impl Running {
    async fn asks(&mut self, line: &Value) {
        self.reads.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// The next item is asked for.
    async fn goes_on(&mut self) {
        self.asks(&json!({ "next": true })).await;
    }

    async fn does(&mut self, line: &Value) -> Value {
        self.asks(line).await;
        self.result().await
    }

    async fn result(&mut self) -> Value {
        self.says("result").await
    }

    async fn item(&mut self) -> Value {
        self.says("item").await
    }

    /// Of an event.
    async fn seq(&mut self) -> i64 {
        self.item().await["seq"].as_i64().unwrap()
    }

    async fn fails(&mut self, line: &Value, code: &str, words: &str) {
        self.asks(line).await;
        let error = self.says("error").await;
        let message = error["message"].as_str().unwrap();
        assert_eq!(error["code"], code, "{line}: {message}");
        assert!(message.contains(words) && !message.contains('\n'), "{line}: {message}");
        assert!(!message.contains(&self.token), "the token in an error");
    }

    /// The next line, which must be of this kind.
    async fn says(&mut self, what: &str) -> Value {
        let Ok(Ok(Some(line))) = timeout(paird_testkit::DEADLINE, self.says.next_line()).await else {
            panic!("never said: {what}; {}", self.trouble());
        };
        let line: Value = serde_json::from_str(&line).unwrap();
        line.get(what).unwrap_or_else(|| panic!("not {what}, but {line}")).clone()
    }

    /// kill -9; returns the items that it had said already.
    async fn kill(mut self) -> Vec<Value> {
        self.child.kill().await.unwrap();
        let mut left = Vec::new();
        while let Some(line) = self.says.next_line().await.unwrap() {
            // Its last line may be cut off.
            left.extend(serde_json::from_str::<Value>(&line).ok().and_then(|line| line.get("item").cloned()));
        }
        assert_eq!(self.trouble(), "");
        left
    }

    /// Its input ends, and so does it.
    async fn ends(mut self) {
        drop(self.reads);
        let status = timeout(paird_testkit::DEADLINE, self.child.wait()).await.expect("it never ended").unwrap();
        assert!(status.success(), "{status}");
        assert_eq!(fs::read_to_string(&self.errors).unwrap(), "");
    }

    fn trouble(&self) -> String {
        fs::read_to_string(&self.errors).unwrap()
    }
}

/// A daemon under roles, and how to reach it; `None`, with a word about it, where the client cannot run.
async fn staged(language: Language) -> Option<(Stage, Daemon, Setting)> {
    let program = program(language)?;
    let stage = Stage::under_roles().await;
    let mut daemon = stage.daemon(&[]).await;
    let api = Api::of(&stage, &mut daemon).await;
    let setting = Setting {
        program,
        dsn: url(&stage.roles().web),
        addr: api.addr,
        token: api.token,
        offsets: stage.dir.join("offsets").display().to_string(),
        dir: stage.dir.clone(),
    };
    // The pace has tests of its own.
    let pace = "ALTER TABLE whatsapp_accounts ALTER send_rate SET DEFAULT 1000, ALTER send_burst SET DEFAULT 100";
    stage.web.sql.batch_execute(pace).await.unwrap();
    Some((stage, daemon, setting))
}

fn program(language: Language) -> Option<Vec<PathBuf>> {
    let installed = paird().ancestors().nth(2).unwrap().join("clients");
    let drivers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let program = match language {
        TypeScript => {
            let mut nodes = paird::config::executable_dirs().into_iter().map(|dir| dir.join("node"));
            let node = nodes.find(|path| path.is_file()).unwrap_or_default();
            // Beside the package, or node does not find it.
            let driver = installed.join("node/driver.mjs");
            if installed.join("node/node_modules/paird-client").is_dir() {
                fs::copy(drivers.join("driver.mjs"), &driver).unwrap();
            }
            vec![node, driver]
        }
        Python => vec![installed.join("venv/bin/python"), drivers.join("driver.py")],
    };
    if !program.iter().all(|path| path.is_file()) {
        eprintln!("skipped: no node or python here, or the client was not installed (.ci/clients install)");
        return None;
    }
    Some(program)
}

/// The same as a URL, which is what both libraries read.
fn url(dsn: &str) -> String {
    let value = |name: &str| {
        let text = dsn.split(&format!("{name}=")).nth(1).unwrap();
        text.split(' ').next().unwrap().trim_matches('\'').to_owned()
    };
    format!("postgres://{}@/{}?host={}", value("user"), value("dbname"), value("host"))
}
