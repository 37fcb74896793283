//! Any request gets a well-formed response: a problem, never a 500, never bare text.

use std::collections::BTreeSet;

use paird_actors::domain::{
    AuditAction, Command, CommandKind, Desired, EventKind, MessageState, Phase, Reason, Status, schema,
};
use paird_testkit::{Api, Stage, until};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRng, TestRunner},
};
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_request_gets_a_problem_that_says_what_is_wrong() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let id = stage.web.account("desk").await;
    let (account, commands) = (format!("/api/accounts/{id}"), format!("/api/accounts/{id}/commands"));
    let (proxy, device_name) = (format!("{account}/proxy"), format!("{account}/device-name"));
    let pace = format!("{account}/pace");
    let stranger = Uuid::new_v4();

    for (method, path, body, status, named) in [
        ("GET", "/api/nowhere", None, 404, "openapi.json"),
        ("GET", "/api/accounts/", None, 404, ""),
        ("GET", "/api/accounts/7", None, 400, "UUID"),
        ("GET", "/api/accounts/x/qr", None, 400, "UUID"),
        ("GET", "/api/commands/x", None, 400, "\"x\""),
        ("GET", "/api/commands/99999999999999999999", None, 400, ""),
        ("GET", "/api/commands/0", None, 404, "command 0"),
        ("GET", "/api/commands/1?wait=31", None, 400, "wait"),
        ("GET", "/api/commands/1?wait=-1", None, 400, ""),
        ("GET", "/api/accounts?operator=me", None, 400, "UUID"),
        ("GET", "/api/accounts?operators=1", None, 400, "operators"),
        ("GET", &format!("{account}/events?limit=0"), None, 400, "limit"),
        ("GET", &format!("{account}/events?limit=501"), None, 400, "limit"),
        ("GET", &format!("{account}/events?after=now"), None, 400, ""),
        ("GET", &format!("{account}/audit?befor=1"), None, 400, "befor"),
        ("GET", &format!("{account}/messages?limit=0"), None, 400, "limit is 1 to 100"),
        ("GET", &format!("{account}/messages?limit=101"), None, 400, "limit is 1 to 100"),
        ("GET", &format!("{account}/messages?limit=all"), None, 400, "limit is not a whole number"),
        ("GET", &format!("{account}/messages?after=yesterday"), None, 400, "after is not a whole number"),
        ("GET", &format!("{account}/messages?before=9223372036854775808"), None, 400, "before is not a whole number"),
        ("GET", &format!("{account}/messages?since=1"), None, 400, "since"),
        ("GET", &format!("{account}/messages?chat="), None, 400, "chat is not a jid"),
        ("GET", &format!("{account}/messages?chat=436601234567"), None, 400, "@s.whatsapp.net"),
        ("GET", &format!("{account}/messages?chat=a%00b%40lid"), None, 400, "chat is not a jid"),
        ("GET", &format!("/api/accounts/{stranger}/messages"), None, 404, &stranger.to_string()),
        ("GET", &format!("{account}/chats?limit=101"), None, 400, "limit is 1 to 100"),
        ("GET", &format!("{account}/chats?before=x"), None, 400, "before is not a whole number"),
        ("GET", &format!("{account}/chats?after=1"), None, 400, "after"),
        ("GET", &format!("/api/accounts/{stranger}/chats"), None, 404, &stranger.to_string()),
        ("GET", "/api/messages/7", None, 404, "no message 7"),
        ("GET", "/api/messages/x", None, 400, "\"x\""),
        ("DELETE", "/api/messages/7", None, 404, "no message 7"),
        ("DELETE", "/api/messages/x", None, 400, "\"x\""),
        ("PUT", "/api/messages/7", None, 405, "GET, HEAD, DELETE"),
        ("POST", &format!("/api/accounts/{stranger}/messages"), Some(json!({})), 404, &stranger.to_string()),
        ("POST", &format!("{account}/messages"), Some(json!([])), 422, "object"),
        ("POST", &format!("{account}/messages"), Some(json!({})), 422, "type"),
        ("GET", &format!("{account}/qr?format=gif"), None, 400, "gif"),
        ("GET", &format!("/api/accounts/{stranger}"), None, 404, &stranger.to_string()),
        ("GET", &format!("/api/accounts/{stranger}/groups"), None, 404, &stranger.to_string()),
        ("GET", &format!("/api/accounts/{stranger}/inspection"), None, 404, &stranger.to_string()),
        ("POST", &format!("/api/accounts/{stranger}/restart"), None, 404, &stranger.to_string()),
        ("POST", &format!("/api/accounts/{stranger}/commands"), Some(json!({"kind": "account.pair"})), 404, ""),
        ("PATCH", &format!("/api/accounts/{stranger}"), Some(json!({"label": "x"})), 404, ""),
        ("DELETE", "/api/accounts", None, 405, "GET, HEAD, POST"),
        ("PUT", &account, None, 405, "GET, HEAD, PATCH"),
        ("BREW", "/api/fleet", None, 405, "GET, HEAD"),
        ("POST", "/api/accounts", Some(json!({})), 422, "label"),
        ("POST", "/api/accounts", Some(json!([])), 422, "object"),
        ("POST", "/api/accounts", Some(json!({"label": ""})), 422, "label is empty"),
        ("POST", "/api/accounts", Some(json!({"label": " \t"})), 422, "label is empty"),
        ("POST", "/api/accounts", Some(json!({"label": "a\u{0}b"})), 422, "null character"),
        ("POST", "/api/accounts", Some(json!({"label": "a\nb"})), 422, "control"),
        ("POST", "/api/accounts", Some(json!({"label": "x".repeat(201)})), 422, "200"),
        ("POST", "/api/accounts", Some(json!({"label": "x", "operatorId": "me"})), 422, "UUID"),
        ("POST", "/api/accounts", Some(json!({"label": "x", "status": "connected"})), 422, "status"),
        ("PATCH", &account, Some(json!({"label": 7})), 422, "integer"),
        ("PATCH", &account, Some(json!({"label": "x", "desired": "paired"})), 422, "desired"),
        ("POST", &commands, Some(json!({"kind": "account.fly"})), 422, "account.fly"),
        ("POST", &commands, Some(json!({"kind": "account.pair", "args": {"expectFone": "1"}})), 422, "expectFone"),
        ("POST", &commands, Some(json!({"kind": "account.pair", "args": []})), 422, "args"),
        ("POST", &commands, Some(json!({"kind": "account.pair", "arg": {}})), 422, "arg"),
        ("PUT", &proxy, Some(json!({"url": "proxy.example:1080"})), 422, "socks5"),
        ("PUT", &proxy, Some(json!({"url": "socks5://x:1", "user": "u"})), 422, "password"),
        ("PUT", &proxy, Some(json!({"url": "socks5://x:1", "pass": "p"})), 422, "pass"),
        ("PUT", &proxy, Some(json!({"url": "socks5://a:b@x:1", "user": "u", "password": "p"})), 422, "once"),
        ("PUT", &proxy, Some(json!({})), 422, "url"),
        ("PUT", &format!("/api/accounts/{stranger}/proxy"), Some(json!({"url": "http://x:1"})), 404, ""),
        ("PUT", &format!("/api/accounts/{stranger}/proxy"), Some(json!({"url": "http://u:p@x:1"})), 404, ""),
        ("DELETE", &format!("/api/accounts/{stranger}/proxy"), None, 404, &stranger.to_string()),
        ("PUT", &device_name, Some(json!({"deviceName": "x".repeat(41)})), 422, "40"),
        ("PUT", &device_name, Some(json!({"deviceName": "  "})), 422, "deviceName is empty"),
        ("PUT", &device_name, Some(json!({"deviceName": "a\nb"})), 422, "control"),
        ("PUT", &pace, Some(json!({"sendRate": 0, "sendBurst": 5, "newChatsPerDay": 20})), 422, "send_rate"),
        ("PUT", &pace, Some(json!({"sendRate": 1, "sendBurst": 0, "newChatsPerDay": 20})), 422, "send_burst"),
        ("PUT", &pace, Some(json!({"sendRate": 1, "sendBurst": 5, "newChatsPerDay": -1})), 422, "new_chats_per_day"),
        ("PUT", &pace, Some(json!({"sendRate": 1, "sendBurst": 5})), 422, "newChatsPerDay"),
        ("PUT", &pace, Some(json!({"rate": 1})), 422, "rate"),
        ("GET", &format!("/api/accounts/{stranger}/pace"), None, 404, &stranger.to_string()),
        (
            "PUT",
            &format!("/api/accounts/{stranger}/pace"),
            Some(json!({"sendRate": 1, "sendBurst": 5, "newChatsPerDay": null})),
            404,
            &stranger.to_string(),
        ),
        ("DELETE", &format!("/api/accounts/{stranger}/device-name"), None, 404, &stranger.to_string()),
        ("GET", &format!("{account}/events?before=last"), None, 400, ""),
        ("POST", "/api/sweep", Some(json!({"dryRun": "yes"})), 422, "boolean"),
        ("POST", "/api/sweep", Some(json!({"dry_run": true})), 422, "dry_run"),
    ] {
        let answer = api.ask(method, path, &[], body).await;
        let problem = answer.problem(status);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(named), "{method} {path}: {detail:?} does not name {named:?}");
        assert_eq!(problem["instance"], path.split('?').next().unwrap());
        if status == 405 {
            assert_eq!(answer.header("allow"), named);
        }
    }

    let json = ("Content-Type", "application/json");
    let bearer = format!("Bearer {}", api.token);
    let token = ("Authorization", bearer.as_str());
    let huge = format!("{{\"label\": \"{}\"}}", "x".repeat(70_000));
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    for (headers, body, status) in [
        (vec![token, json], "{\"label\": ", 400),
        (vec![token, json], "", 400),
        (vec![token, json], "{\"label\": 1e999}", 400),
        (vec![token, json], deep.as_str(), 400),
        (vec![token, json], "\u{feff}{}", 400),
        (vec![token, json], huge.as_str(), 413),
        (vec![token], "{\"label\": \"x\"}", 415),
        (vec![token, ("Content-Type", "text/plain")], "{\"label\": \"x\"}", 415),
        (vec![token, ("Content-Type", "json")], "{\"label\": \"x\"}", 415),
    ] {
        api.bare("POST", "/api/accounts", &headers, Some(body.into())).await.problem(status);
    }
    assert_eq!(stage.web.count("SELECT count(*) FROM whatsapp_accounts", &[]).await, 1);
    assert_eq!(stage.web.count("SELECT count(*) FROM commands", &[]).await, 0);
    assert!(daemon.is_running());
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_has_its_code_and_the_field_that_is_wrong() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let id = stage.web.account("desk").await;
    let account = format!("/api/accounts/{id}");
    let (commands, links) = (format!("{account}/commands"), format!("{account}/links"));
    let (messages, pace, tags) = (format!("{account}/messages"), format!("{account}/pace"), format!("{account}/tags"));
    let stranger = format!("/api/accounts/{}", Uuid::new_v4());
    let pair = |args: Value| Some(json!({"kind": "account.pair", "args": args}));
    let text = |to: Value, body: Value| Some(json!({"to": to, "type": "text", "text": {"body": body}}));

    for (method, path, body, code, field) in [
        ("GET", "/api/nowhere", None, "route-unknown", None),
        ("DELETE", "/api/accounts", None, "method-unknown", None),
        ("GET", &stranger, None, "account-unknown", None),
        ("GET", "/api/accounts/7", None, "parameter-invalid", Some("id")),
        ("DELETE", &format!("{links}/7"), None, "parameter-invalid", Some("link")),
        ("DELETE", &format!("{links}/{id}"), None, "link-unknown", None),
        ("GET", "/api/commands/0", None, "command-unknown", None),
        ("GET", "/api/commands/1?wait=31", None, "parameter-invalid", Some("wait")),
        ("GET", "/api/commands/1?wait=soon", None, "parameter-invalid", Some("wait")),
        ("GET", "/api/commands/1?wait=1&wait=1", None, "parameter-invalid", Some("wait")),
        ("GET", "/api/accounts?status=dead", None, "parameter-invalid", Some("status")),
        ("GET", "/api/accounts?limit=0", None, "parameter-invalid", Some("limit")),
        ("GET", "/api/accounts?sort=label", None, "parameter-unknown", Some("sort")),
        ("GET", &format!("{account}/events?after=now"), None, "parameter-invalid", Some("after")),
        ("GET", &format!("{account}/audit?befor=1"), None, "parameter-unknown", Some("befor")),
        ("GET", &format!("{messages}?chat=x"), None, "parameter-invalid", Some("chat")),
        ("GET", &format!("{account}/qr"), None, "qr-absent", None),
        ("GET", &format!("{account}/inspection"), None, "account-at-rest", None),
        ("GET", "/api/messages/7", None, "message-unknown", None),
        ("POST", "/api/accounts", Some(json!({})), "argument-missing", Some("label")),
        ("POST", "/api/accounts", Some(json!({"label": " "})), "argument-invalid", Some("label")),
        ("POST", "/api/accounts", Some(json!({"label": 7})), "argument-invalid", Some("label")),
        ("POST", "/api/accounts", Some(json!({"label": "a\0"})), "argument-invalid", Some("label")),
        ("POST", "/api/accounts", Some(json!({"name": "x"})), "argument-unknown", Some("name")),
        ("POST", "/api/accounts", Some(json!([])), "argument-invalid", None),
        ("POST", &commands, Some(json!({"kind": "account.fly"})), "kind-unknown", Some("kind")),
        ("POST", &commands, pair(json!([])), "argument-invalid", Some("args")),
        ("POST", &commands, pair(json!({"expectFone": "1"})), "argument-unknown", Some("args.expectFone")),
        ("POST", &commands, pair(json!({"expectPhone": "x"})), "argument-invalid", Some("args.expectPhone")),
        ("POST", &commands, pair(json!({"method": "code"})), "argument-invalid", Some("args.phone")),
        ("POST", &links, Some(json!({})), "links-not-served", None),
        ("POST", &messages, text(json!("+43 660 1234567"), json!("")), "argument-invalid", Some("text.body")),
        ("POST", &messages, text(json!("x"), json!("hello")), "argument-invalid", Some("to")),
        ("PUT", &pace, Some(json!({"sendRate": 1, "sendBurst": 5})), "argument-missing", Some("newChatsPerDay")),
        (
            "PUT",
            &pace,
            Some(json!({"sendRate": 1, "sendBurst": 0, "newChatsPerDay": 1})),
            "argument-invalid",
            Some("sendBurst"),
        ),
        ("PATCH", &tags, Some(json!({"remove": ["a,b"]})), "argument-invalid", Some("remove")),
        ("PUT", &tags, Some(json!({"tags": ["a", 7]})), "argument-invalid", Some("tags[1]")),
        ("PUT", &format!("{account}/proxy"), Some(json!({"url": "x"})), "argument-invalid", Some("url")),
    ] {
        let answer = api.ask(method, path, &[], body).await;
        let problem = answer.problem(answer.status);
        assert_eq!((&problem["code"], &problem["field"]), (&json!(code), &json!(field)), "{method} {path}: {problem}");
    }

    let key = [("Idempotency-Key", "a key")];
    api.ask("POST", "/api/accounts", &key, Some(json!({"label": "one"}))).await.is(201);
    let taken = api.ask("POST", "/api/accounts", &key, Some(json!({"label": "two"}))).await.problem(422);
    assert_eq!((&taken["code"], &taken["field"]), (&json!("key-taken"), &json!("Idempotency-Key")));
    let long = [("Idempotency-Key", &*"x".repeat(201))];
    let wrong = api.ask("POST", "/api/accounts", &long, Some(json!({"label": "two"}))).await.problem(400);
    assert_eq!((&wrong["code"], &wrong["field"]), (&json!("header-invalid"), &json!("Idempotency-Key")));
    let anonymous = api.bare("GET", "/api/accounts", &[], None).await.problem(401);
    assert_eq!((&anonymous["code"], &anonymous["field"]), (&json!("unauthenticated"), &json!("Authorization")));
    // A name that a stranger chose is repeated, but not at any length.
    let body = Some(json!({"x".repeat(50_000): 1}));
    let long = api.ask("POST", "/api/accounts", &[], body).await.problem(422);
    assert_eq!(long["field"].as_str().unwrap().len(), 60);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_is_a_503_that_says_when_to_come_back() {
    let (mut stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let id = stage.web.account("desk").await;
    let mut live = api.follow(None);
    live.until("the account", |told| told.kind == "account").await;
    stage.database.take().unwrap().stop().await;

    for (method, path, body) in [
        ("GET", "/api/accounts".to_owned(), None),
        ("GET", "/api/fleet".to_owned(), None),
        ("GET", format!("/api/accounts/{id}/qr"), None),
        ("POST", "/api/accounts".to_owned(), Some(json!({"label": "x"}))),
        ("POST", format!("/api/accounts/{id}/commands"), Some(json!({"kind": "account.pair"}))),
        ("POST", "/api/sweep".to_owned(), Some(json!({"dryRun": true}))),
        ("GET", "/api/events".to_owned(), None),
    ] {
        let answer = api.ask(method, &path, &[], body).await;
        assert_eq!(answer.problem(503)["code"], "database-unavailable");
        assert!(answer.header("retry-after").parse::<u32>().is_ok(), "{path}");
    }
    api.get("/healthz").await.is(200);
    let ready = api.get("/readyz").await.is(503).json();
    assert_eq!((&ready["ready"], &ready["database"]), (&json!(false), &json!(false)));

    stage.start_database().await;
    stage.web.reconnect().await;
    until("readiness", || async { (api.get("/readyz").await.status == 200).then_some(()) }).await;
    // The stream that was open all the time still works.
    stage.web.does("account.delete", id, json!({})).await;
    live.until("what happened after it", |told| told.kind == "account.deleted").await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_lists_every_route_that_the_source_has() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let document = api.get("/api/openapi.json").await.is(200).json();
    let documented: BTreeSet<(String, String)> =
        operations(&document).map(|(method, path, _)| (method, path)).collect();

    // Pages are for people: they are not in the document.
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console");
    let mut routes = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_api = path.is_file() && !path.ends_with("pages.rs");
        let text = if is_api { std::fs::read_to_string(path).unwrap() } else { String::new() };
        for line in text.lines() {
            for method in ["get", "post", "put", "patch", "delete"] {
                if let Some(path) = line.strip_prefix(&format!("#[{method}(\"")) {
                    routes.insert((method.to_owned(), path.split('"').next().unwrap().to_owned()));
                }
            }
        }
    }
    assert!(routes.len() > 20, "{routes:?}");
    assert_eq!(documented, routes);
    // Each of them is served, and only with the token.
    for (method, path, operation) in operations(&document) {
        let path = path.replace("{id}", "00000000-0000-0000-0000-000000000000");
        if method == "get" && path != "/api/events" {
            assert_ne!(api.get(&path).await.status, 405, "{path}");
        }
        let is_open = operation["security"] == json!([{}]);
        let refused = api.bare(&method.to_uppercase(), &path, &[("Sec-Fetch-Site", "none")], None).await;
        assert_eq!(refused.status != 401 || path == "/login", is_open, "{method} {path}: {}", refused.status);
        assert_eq!(
            operation["responses"]["default"]["content"]["application/problem+json"]["schema"]["$ref"],
            "#/components/schemas/Problem"
        );
    }
    assert_eq!(document["components"]["securitySchemes"]["token"]["scheme"], "bearer");
    assert_eq!(document["components"]["securitySchemes"]["session"]["in"], "cookie");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_and_the_schemas_have_the_words_of_the_domain() {
    fn words<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> Value {
        all.iter().map(|one| word(*one)).collect()
    }
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let document = api.get("/api/openapi.json").await.is(200).json();
    let schemas = &document["components"]["schemas"];
    let account = &schemas["Account"]["properties"];
    assert_eq!(account["status"]["enum"], words(Status::ALL, Status::as_str));
    assert_eq!(account["desired"]["enum"], words(Desired::ALL, Desired::as_str));
    assert_eq!(account["statusWord"]["enum"], words(Reason::ALL, Reason::as_str));
    assert_eq!(account["phase"]["enum"], words(Phase::ALL, Phase::as_str));
    let kinds = words(CommandKind::ALL, CommandKind::as_str);
    assert_eq!(account["actions"]["items"]["enum"], kinds);
    let of_kind = |name: &str, kind: &str| {
        let place = schemas[name]["discriminator"]["mapping"][kind].as_str().unwrap_or_else(|| panic!("{name} {kind}"));
        assert!(schemas[name]["oneOf"].as_array().unwrap().contains(&json!({"$ref": place})), "{place}");
        document.pointer(place.strip_prefix('#').unwrap()).unwrap_or_else(|| panic!("{place}")).clone()
    };
    for kind in CommandKind::ALL {
        let schema = of_kind("NewCommand", kind.as_str());
        assert_eq!(schema["properties"]["kind"]["const"], kind.as_str());
        assert_eq!(schema["properties"]["args"]["properties"], kind.args_schema()["properties"]);
        // An example that lacks what is required is refused, and one that does not is taken.
        let needs_args = schema["required"].as_array().unwrap().contains(&json!("args"));
        assert_eq!(needs_args, Command::parse(kind.as_str(), &json!({})).is_err(), "{kind}");
    }
    for kind in EventKind::ALL {
        let schema = &of_kind("Event", kind.as_str())["allOf"][1]["properties"];
        assert_eq!(
            (&schema["type"]["const"], &schema["payload"]["required"]),
            (&json!(kind.as_str()), &kind.payload_schema()["required"])
        );
    }
    assert_eq!(schemas["Message"]["properties"]["state"]["enum"], words(MessageState::ALL, MessageState::as_str));
    let codes: BTreeSet<&str> =
        schemas["Problem"]["properties"]["code"]["enum"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let document_of_people = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console/README.md");
    let written = std::fs::read_to_string(document_of_people).unwrap();
    assert!(codes.len() > 40 && codes.iter().all(|code| written.contains(&format!("| `{code}` |"))), "{codes:?}");
    assert_eq!(schemas["AuditRecord"]["properties"]["action"]["enum"], words(AuditAction::ALL, AuditAction::as_str));

    assert_eq!(api.get("/api/schemas/commands.json").await.is(200).json(), schema::commands());
    assert_eq!(api.get("/api/schemas/events.json").await.is(200).json(), schema::events());
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_odd_request_is_answered_with_500_or_without_a_problem() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let id = stage.web.account("desk").await.to_string();
    let document = api.get("/api/openapi.json").await.is(200).json();
    let paths: Vec<String> = operations(&document)
        .map(|(_, path, _)| path)
        // The stream never ends, a drain would stop the work, and a login is slow on purpose.
        .filter(|path| !["/api/events", "/api/drain", "/login"].contains(&path.as_str()))
        .collect();

    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(prop::test_runner::RngAlgorithm::ChaCha));
    let odd = odd_request(paths, id);
    for _ in 0..600 {
        let request = odd.new_tree(&mut runner).unwrap().current();
        let sent = request.bytes(&api.token);
        let answer = api.raw(&sent).await;
        let shown = String::from_utf8_lossy(&sent).replace(&api.token, "TOKEN");
        let status: u16 = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        assert!((200..500).contains(&status), "{shown}\n→ {answer}");
        if status >= 400 {
            // Requests that are not HTTP are rejected by the server itself.
            let is_bare = answer.to_lowercase().contains("content-length: 0");
            assert!(is_bare || answer.contains("application/problem+json"), "{shown}\n→ {answer}");
        }
    }
    assert!(daemon.is_running());
    api.get("/healthz").await.is(200);
    let log = daemon.log();
    assert!(!log.contains("panicked"), "{log}");
    stage.finish([daemon]).await;
}

#[derive(Debug, Clone)]
struct Odd {
    method: String,
    path: String,
    query: String,
    header: (String, String),
    kind: String,
    body: Vec<u8>,
}

impl Odd {
    fn bytes(&self, token: &str) -> Vec<u8> {
        let Self { method, path, query, header: (name, value), kind, body } = self;
        let head = format!(
            "{method} {path}{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\
             Connection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{name}: {value}\r\n\r\n",
            body.len()
        );
        [head.into_bytes(), body.clone()].concat()
    }
}

fn odd_request(paths: Vec<String>, account: String) -> impl Strategy<Value = Odd> {
    let id = prop_oneof![
        4 => Just(account),
        1 => Just(Uuid::nil().to_string()),
        1 => any::<i64>().prop_map(|n| n.to_string()),
        2 => "[a-z0-9%-]{0,12}",
        1 => prop::sample::select(vec!["%00", "..", "%2e%2e", "%ff", "'--", "1e5"]).prop_map(str::to_owned),
    ];
    let path = (prop::sample::select(paths), id).prop_map(|(path, id)| path.replace("{id}", &id));
    let method =
        prop::sample::select(vec!["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW"]);
    let name = prop::sample::select(vec!["wait", "limit", "after", "before", "chat", "operator", "format", "x"]);
    let value =
        prop_oneof!["[0-9]{0,20}", "-?[0-9]{1,19}", "[a-z%+&=]{0,8}", Just("%00".to_owned()), Just("0".to_owned())];
    // `wait` really waits, so waits of 1 to 30 s are left out.
    let query = prop_oneof![
        2 => Just(String::new()),
        3 => (name, value).prop_filter("long waits", |(name, value)| {
            *name != "wait" || value.parse::<u64>().is_ok_and(|wait| wait == 0 || wait > 30)
        }).prop_map(|(name, value)| format!("?{name}={value}")),
    ];
    let header = (
        prop::sample::select(vec![
            "Idempotency-Key",
            "If-None-Match",
            "Accept",
            "Range",
            "Expect",
            "Cookie",
            "X-Odd",
            "Sec-Fetch-Site",
        ]),
        "[ -~]{0,40}",
    );
    let kind = prop::sample::select(vec![
        "application/json",
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain",
        ";",
        "application/problem+json",
    ]);
    let body = prop_oneof![
        3 => odd_json().prop_map(|value| value.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..60),
        1 => Just(Vec::new()),
    ];
    (method, path, query, header, kind, body).prop_map(|(method, path, query, (name, value), kind, body)| Odd {
        method: method.to_owned(),
        path,
        query,
        header: (name.to_owned(), value),
        kind: kind.to_owned(),
        body,
    })
}

/// Objects with the API's own field names, and any values.
fn odd_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|n| serde_json::Number::from_f64(n).map_or(Value::Null, Value::Number)),
        "\\PC{0,20}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(vec![
            "account.pair",
            "account.cancel",
            "account.passkey",
            "groups.sync",
            "code",
            "text",
            "location",
            "2027-01-01T00:00:00Z",
            "\u{0}",
            "+43 660 1"
        ])
        .prop_map(Value::from),
    ];
    let field = prop::sample::select(vec![
        "label",
        "operatorId",
        "kind",
        "args",
        "dryRun",
        "method",
        "phone",
        "response",
        "url",
        "user",
        "password",
        "deviceName",
        "presence",
        "sendRate",
        "sendBurst",
        "newChatsPerDay",
        "to",
        "type",
        "text",
        "body",
        "location",
        "latitude",
        "replyTo",
        "messageId",
        "notBefore",
        "x",
    ]);
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            3 => prop::collection::vec((field.clone(), inner.clone()), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())),
            1 => prop::collection::vec(inner, 0..4).prop_map(Value::from),
        ]
    })
}

fn operations(document: &Value) -> impl Iterator<Item = (String, String, Value)> + '_ {
    document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        item.as_object()
            .unwrap()
            .iter()
            .map(move |(method, operation)| (method.clone(), path.clone(), operation.clone()))
    })
}
