//! Pairing links: by HTTP and on the command line, and the page that they open, from outside.

use std::process::Output;

use paird_testkit::{Answer, Api, Daemon, Stage, until};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::command_line::command;

const NUMBER: &str = "436607000041";
const OTHER: &str = "436607000042";
const BASE: &str = "https://pair.example.com";
const LISTENS: [(&str, &str); 2] = [("PAIRD_LINK_ADDR", "127.0.0.1:0"), ("PAIRD_LINK_URL", BASE)];
const NOBODYS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNO-_";

/// A phone's browser, which has a link and nothing else.
struct Visitor {
    door: Api,
}

impl Visitor {
    async fn of(stage: &Stage, daemon: &mut Daemon) -> Self {
        let line = daemon.says("the page of pairing links is listening").await;
        let addr = line.split("addr=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        assert_eq!(std::fs::read_to_string(stage.dir.join("daemon/link.addr")).unwrap(), addr);
        let mut door = Api::of(stage, daemon).await;
        door.addr = addr;
        Self { door }
    }

    async fn state(&self, token: &str) -> Answer {
        self.state_with(token, &[]).await
    }

    async fn state_with(&self, token: &str, headers: &[(&str, &str)]) -> Answer {
        let bearer = format!("Bearer {token}");
        self.door.bare("GET", "/state", &[&[("Authorization", bearer.as_str())][..], headers].concat(), None).await
    }

    async fn pair(&self, token: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        self.door.bare("POST", "/pair", &headers, Some(serde_json::to_vec(&body).unwrap())).await
    }

    /// Looking for a phase uses up what one link may look: asks again until there is room.
    async fn pair_in_turn(&self, token: &str) -> Answer {
        until("room for another request", || async {
            let answer = self.pair(token, json!({})).await;
            (answer.status != 429).then_some(answer)
        })
        .await
    }

    async fn phase(&self, token: &str, phase: &str) -> Value {
        until(&format!("the phase {phase}"), || async {
            let answer = self.state(token).await;
            (answer.status == 200).then(|| answer.json()).filter(|state| state["phase"] == phase)
        })
        .await
    }
}

struct Made {
    id: String,
    token: String,
}

async fn made(stage: &Stage, api: &Api, account: Uuid, wanted: Value) -> Made {
    let link = api.post(&format!("/api/accounts/{account}/links"), wanted).await.is(201).json();
    let token = token_of(stage, link["url"].as_str().unwrap());
    Made { id: link["id"].as_str().unwrap().to_owned(), token }
}

/// It may be in no log from now on.
fn token_of(stage: &Stage, url: &str) -> String {
    let token = url.trim_end().strip_prefix(&format!("{BASE}/#")).unwrap();
    stage.web.hush(token);
    token.to_owned()
}

async fn listed(api: &Api, account: Uuid) -> Vec<Value> {
    api.get(&format!("/api/accounts/{account}/links")).await.is(200).json()["links"].as_array().unwrap().clone()
}

async fn open(settings: &[(&str, &str)]) -> (Stage, Daemon, Api, Visitor) {
    let stage = Stage::under_roles().await;
    let mut daemon = stage.daemon(&[&LISTENS[..], settings].concat()).await;
    let api = Api::of(&stage, &mut daemon).await;
    let visitor = Visitor::of(&stage, &mut daemon).await;
    (stage, daemon, api, visitor)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_pairs_its_account_by_code_and_is_used_up() {
    let (stage, daemon, api, visitor) = open(&[]).await;
    let web = &stage.web;
    stage.phones.add(NUMBER).await;
    let account = web.account("Depot Graz").await;
    let link = made(&stage, &api, account, json!({"expectPhone": "+43 660 7000041"})).await;
    let first = visitor.state(&link.token).await.is(200).json();
    let wanted = (&json!("Depot Graz"), &json!("idle"), &json!("041"), &json!(true));
    assert_eq!((&first["label"], &first["phase"], &first["expects"], &first["canPair"]), wanted);

    for (phone, words) in [("0660 12", "country code"), ("+43 660 7000042", "another number")] {
        let refused = visitor.pair(&link.token, json!({"phone": phone})).await;
        assert!(refused.problem(422)["detail"].as_str().unwrap().contains(words), "{}", refused.text());
    }
    visitor.pair(&link.token, json!({"phone": "+43 (0)660 7000041"})).await.is(202);
    let shown = until("a code on the page", || async {
        Some(visitor.state(&link.token).await.json()).filter(|state| state["code"].is_string())
    })
    .await;
    let code = web.code(account).await;
    assert_eq!((&shown["code"], &shown["phase"]), (&json!(code), &json!("code")));
    stage.phones.type_code(NUMBER, &code).await.unwrap();
    web.status_is(account, "connected").await;
    let last = visitor.phase(&link.token, "connected").await;
    assert_eq!((&last["canPair"], &last["code"], &last["qr"]), (&json!(false), &Value::Null, &Value::Null));
    assert!(!last.to_string().contains(NUMBER), "no number is told");
    visitor.pair(&link.token, json!({})).await.problem(404);

    let links = listed(&api, account).await;
    assert_eq!(
        (&links[0]["state"], &links[0]["usesLeft"], &links[0]["source"]),
        (&json!("used"), &json!(0), &json!("api"))
    );
    let sql = "SELECT json_agg(action || ' ' || source ORDER BY id) FROM audit_log
               WHERE target_id = $1 AND (action LIKE 'account.pairing%' OR action = 'account.paired')";
    let lines: Value = web.sql.query_one(sql, &[&account]).await.unwrap().get(0);
    let [made, opened, paired, used] = [
        "pairing_link_made api",
        "pairing_link_opened pairing_link",
        "paired pairing_link",
        "pairing_link_used pairing_link",
    ];
    assert_eq!(lines, json!([made, opened, paired, used].map(|line| format!("account.{line}"))));
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_shows_a_qr_and_tells_nothing_of_other_accounts() {
    let (stage, daemon, api, visitor) = open(&[]).await;
    let web = &stage.web;
    web.connect_account("secret shop", NUMBER, &stage.phones).await;
    stage.phones.add(OTHER).await;
    let account = web.account("desk").await;
    let link = made(&stage, &api, account, json!({"uses": 2})).await;
    visitor.pair_in_turn(&link.token).await.is(202);
    let shown = visitor.phase(&link.token, "scan").await;
    assert!(shown["qr"].as_str().unwrap().starts_with("<svg"), "{shown}");
    let answer = visitor.state(&link.token).await;
    let again = visitor.state_with(&link.token, &[("If-None-Match", answer.header("etag"))]).await;
    assert!(again.status == 304 || again.json() != answer.json(), "{}", again.text());

    web.scan(account, NUMBER, &stage.phones).await;
    let refused = visitor.phase(&link.token, "duplicate").await.to_string();
    for secret in ["secret shop", NUMBER] {
        assert!(!refused.contains(secret), "{refused}");
    }
    visitor.pair_in_turn(&link.token).await.is(202);
    visitor.phase(&link.token, "scan").await;
    web.scan(account, OTHER, &stage.phones).await;
    visitor.phase(&link.token, "connected").await;
    // It has another use, but not while a phone is linked.
    visitor.pair_in_turn(&link.token).await.problem(409);
    web.does("account.unpair", account, json!({"logout": true})).await;
    web.status_is(account, "unpaired").await;
    visitor.pair_in_turn(&link.token).await.is(202);
    visitor.phase(&link.token, "scan").await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_the_page_of_links_is_served() {
    let (stage, daemon, api, visitor) = open(&[]).await;
    let account = stage.web.account("desk").await;
    let link = made(&stage, &api, account, json!({})).await;
    let door = &visitor.door;
    let page = door.bare("GET", "/", &[("Host", "pair.example.com")], None).await.is(200);
    for answer in [&page, &visitor.state(&link.token).await.is(200)] {
        for (name, wanted) in [
            ("cache-control", "no-"),
            ("referrer-policy", "no-referrer"),
            ("x-robots-tag", "noindex, nofollow"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; script-src 'self'"),
            ("content-security-policy", "frame-ancestors 'none'"),
        ] {
            assert!(answer.header(name).contains(wanted), "{name}: {}", answer.header(name));
        }
        assert_eq!(answer.header("set-cookie"), "");
    }
    for file in ["link.js", "model/link.js", "styles/base.css", "icon.svg"] {
        door.bare("GET", &format!("/static/{file}"), &[], None).await.is(200);
    }
    let of_account = format!("/api/accounts/{account}");
    let paths = [
        "/api/accounts",
        &of_account,
        "/api/events",
        "/api/openapi.json",
        "/api/fleet",
        "/login",
        "/metrics",
        "/healthz",
        "/readyz",
        "/console.html",
        "/static/console.html",
        "/static/console.js",
        "/static/login.js",
        "/static/link.html",
        "/static/model/api.js",
        "/static/../pages.rs",
        "/static/..%2Fpages.rs",
        "/static//etc/passwd",
        "/state/x",
        "/p/x",
    ];
    for path in paths {
        // With the console's token, with that of a link, and with none.
        door.get(path).await.is(404);
        for token in [&link.token, NOBODYS] {
            let bearer = format!("Bearer {token}");
            door.bare("GET", path, &[("Authorization", &bearer)], None).await.is(404);
        }
        door.bare("GET", path, &[], None).await.is(404);
    }
    for (method, path) in [
        ("POST", "/state"),
        ("GET", "/pair"),
        ("PUT", "/"),
        ("DELETE", "/state"),
        ("POST", "/api/drain"),
        ("POST", "/logout"),
    ] {
        door.ask(method, path, &[], Some(json!({}))).await.is(404);
    }
    // A person who mistyped sees the page.
    let lost = door.bare("GET", "/nowhere", &[("Accept", "text/html")], None).await.is(404);
    assert_eq!(lost.body, page.body);
    // Nor does a link open the console.
    let bearer = format!("Bearer {}", link.token);
    api.bare("GET", "/api/accounts", &[("Authorization", &bearer)], None).await.is(401);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_over_is_as_one_that_never_was() {
    let (stage, daemon, api, visitor) = open(&[]).await;
    let account = stage.web.account("desk").await;
    let mut over = vec![NOBODYS.to_owned()];
    for ends in ["expires_at = clock_timestamp()", "uses_left = 0", "revoked_at = now()"] {
        let Made { id, token } = made(&stage, &api, account, json!({})).await;
        let sql = format!("UPDATE pairing_links SET {ends} WHERE id::text = $1");
        stage.web.sql.execute(&sql, &[&id]).await.unwrap();
        over.push(token);
    }
    let live = made(&stage, &api, account, json!({})).await.token;
    over.extend([live[1..].to_owned(), format!("{live}x"), live.to_lowercase(), "x".repeat(10_240)]);
    over.extend(["%00".to_owned(), "' OR true --".to_owned(), String::new()]);
    let wanted = visitor.state(NOBODYS).await.problem(404);
    for token in &over {
        assert_eq!(visitor.state(token).await.problem(404), wanted, "{token}");
    }
    visitor.pair(&over[1], json!({})).await.problem(404);
    let odd = b"GET /state HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\xc3\x28\r\nConnection: close\r\n\r\n";
    let answer = visitor.door.raw(odd).await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    visitor.state(&live).await.is(200);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_and_attempts_are_limited_and_others_are_not() {
    let (stage, daemon, api, visitor) = open(&[]).await;
    let (account, second) = (stage.web.account("desk").await, stage.web.account("second").await);
    let (link, other) = (made(&stage, &api, account, json!({})).await, made(&stage, &api, second, json!({})).await);
    // Through a proxy on this machine, which says who the visitor is.
    let (guesser, owner) = ([("X-Forwarded-For", "198.51.100.7")], [("X-Forwarded-For", "198.51.100.7, 198.51.100.8")]);
    let mut guesses = 0;
    let refused = loop {
        let answer = visitor.state_with(NOBODYS, &guesser).await;
        if answer.status == 429 {
            break answer;
        }
        answer.problem(404);
        guesses += 1;
        // One more in each three seconds.
        assert!(guesses < 40, "guesses are not limited");
    };
    refused.problem(429);
    assert!(guesses >= 20, "after {guesses}");
    assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|seconds| (1..=4).contains(&seconds)));
    visitor.state_with(&link.token, &guesser).await.problem(429);
    visitor.state_with(&link.token, &owner).await.is(200);

    for phone in ["12", "call me"] {
        visitor.pair(&link.token, json!({ "phone": phone })).await.problem(422);
    }
    for _ in 0..5 {
        visitor.pair(&link.token, json!({})).await.is(202);
    }
    let refused = visitor.pair(&link.token, json!({})).await;
    refused.problem(429);
    assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|seconds| (50..=61).contains(&seconds)));
    visitor.pair(&other.token, json!({})).await.is(202);
    visitor.state(&link.token).await.is(200);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_link_ends_its_attempt() {
    let (stage, daemon, api, visitor) = open(&[]).await;
    let account = stage.web.account("desk").await;
    let link = made(&stage, &api, account, json!({})).await;
    visitor.pair(&link.token, json!({})).await.is(202);
    visitor.phase(&link.token, "scan").await;
    let path = format!("/api/accounts/{account}/links/{}", link.id);
    let elsewhere = format!("/api/accounts/{}/links/{}", stage.web.account("other").await, link.id);
    api.ask("DELETE", &elsewhere, &[], None).await.problem(404);
    api.ask("DELETE", &path, &[], None).await.is(204);
    stage.web.event(account, "session.cancelled", 0).await;
    visitor.state(&link.token).await.problem(404);
    api.ask("DELETE", &path, &[], None).await.problem(409);
    assert_eq!(listed(&api, account).await[0]["state"], "revoked");

    let link = made(&stage, &api, account, json!({"expiresIn": 60})).await;
    api.post("/api/drain", json!({})).await.is(200);
    visitor.pair(&link.token, json!({})).await.problem(503);
    assert_eq!(stage.web.count("SELECT count(*) FROM commands WHERE state = 'queued'", &[]).await, 0);
    for (wanted, words) in [
        (json!({"uses": 0}), "uses"),
        (json!({"expiresIn": 59}), "expiresIn"),
        (json!({"expiresIn": 60, "withAttempt": true}), "expiresIn"),
        (json!({"withAttempt": true}), "no attempt is running"),
        (json!({"expectPhone": "0660"}), "expectPhone"),
        (json!({"expiry": 60}), "expiry"),
    ] {
        let refused = api.post(&format!("/api/accounts/{account}/links"), wanted.clone()).await;
        assert!(refused.problem(422)["detail"].as_str().unwrap().contains(words), "{wanted}: {}", refused.text());
    }
    api.post(&format!("/api/accounts/{}/links", Uuid::new_v4()), json!({})).await.problem(404);
    stage.finish([daemon]).await;
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_makes_lists_and_revokes_links() {
    let stage = Stage::under_roles().await;
    let mut daemon = stage.daemon(&[]).await;
    let api = Api::of(&stage, &mut daemon).await;
    let account = stage.web.account("desk").await;
    // Nowhere do they lead yet.
    api.post(&format!("/api/accounts/{account}/links"), json!({})).await.problem(409);
    let lost = command(&stage).args(["link", "desk"]).output().await.unwrap();
    assert_eq!(lost.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&lost.stderr).contains("PAIRD_LINK_URL"), "{lost:?}");

    let link = async |args: &[&str]| {
        let console = stage.roles().console.as_str();
        let mut command = command(&stage);
        command.env("PAIRD_LINK_URL", BASE).env("DATABASE_URL", console).args([&["link", "desk"][..], args].concat());
        command.output().await.unwrap()
    };
    let made = link(&["--expires", "2h", "--once"]).await;
    let url = said(&made);
    assert_eq!(url.lines().count(), 1, "the link alone: {url}");
    assert!(!String::from_utf8_lossy(&made.stderr).contains(&token_of(&stage, &url)), "beside it how to revoke it");
    let twice: Value =
        serde_json::from_str(&said(&link(&["--uses", "2", "--expect", "+43 660 1234567", "--json"]).await)).unwrap();
    token_of(&stage, twice["url"].as_str().unwrap());
    let links: Value = serde_json::from_str(&said(&link(&["--list", "--json"]).await)).unwrap();
    let shown =
        |at: usize| json!([links[at]["state"], links[at]["usesLeft"], links[at]["expectPhone"], links[at]["source"]]);
    assert_eq!(shown(0), json!(["live", 2, "436601234567", "cli"]));
    assert_eq!(shown(1), json!(["live", 1, null, "cli"]));
    let hours = "SELECT (extract(epoch FROM min(expires_at) - now()) / 60)::int4 FROM pairing_links";
    let minutes: i32 = stage.web.sql.query_one(hours, &[]).await.unwrap().get(0);
    assert!((118..=120).contains(&minutes), "{minutes}");

    let id = twice["id"].as_str().unwrap();
    said(&link(&["--revoke", id]).await);
    assert_eq!(link(&["--revoke", id]).await.status.code(), Some(1));
    assert!(said(&link(&["--list"]).await).contains("revoked"));
    for wrong in [
        &["--expires", "59s"][..],
        &["--expires", "attempt"],
        &["--expires", "soon"],
        &["--uses", "0"],
        &["--expect", "12"],
    ] {
        assert_eq!(link(wrong).await.status.code(), Some(2), "{wrong:?}");
    }
    stage.finish([daemon]).await;
}
