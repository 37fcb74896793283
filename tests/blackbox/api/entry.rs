//! Authentication: tokens, sessions, other sites, other host names.

use std::{collections::BTreeSet, os::unix::fs::PermissionsExt};

use paird_testkit::{Answer, Api, Stage, until};
use serde_json::json;

use crate::command_line::command;

#[tokio::test(flavor = "multi_thread")]
async fn without_the_token_only_health_and_login_answer() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let id = stage.web.account("desk").await;

    for path in ["/api/accounts", "/api/fleet", "/api/events", "/api/openapi.json", "/api/nowhere", "/metrics", "/"] {
        let refused = api.bare("GET", path, &[], None).await;
        refused.problem(401);
        assert_eq!(refused.header("www-authenticate"), "Bearer", "{path}");
    }
    for wrong in [&format!("Bearer {}x", api.token), "Bearer ", "Bearer", "Basic cGFpcmQ6cGFpcmQ=", &api.token] {
        api.bare("GET", "/api/accounts", &[("Authorization", wrong)], None).await.problem(401);
    }
    // A token in the URL is not accepted, whatever the parameter is called.
    for name in ["token", "access_token", "paird_session"] {
        api.bare("GET", &format!("/api/accounts?{name}={}", api.token), &[], None).await.problem(401);
    }
    let path = format!("/api/accounts/{id}/commands");
    let json = [("Content-Type", "application/json")];
    let nobody = api.bare("POST", &path, &json, Some(b"{\"kind\":\"account.delete\"}".to_vec()));
    nobody.await.problem(401);
    assert_eq!(stage.web.count("SELECT count(*) FROM commands", &[]).await, 0);

    for path in ["/healthz", "/readyz"] {
        api.bare("GET", path, &[], None).await.is(200);
    }
    let page = api.bare("GET", "/accounts/x", &[("Accept", "text/html")], None).await.is(303);
    assert_eq!(page.header("location"), "/login?to=/accounts/x");
    api.get("/api/accounts").await.is(200);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_the_headers_that_keep_a_browser_safe() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    for answer in [
        api.get("/api/accounts").await,
        api.get("/nowhere").await,
        api.bare("GET", "/healthz", &[], None).await,
        api.bare("GET", "/api/accounts", &[], None).await,
        api.bare("GET", "/healthz", &[("Host", "evil.example")], None).await,
    ] {
        assert_eq!(
            answer.header("content-security-policy"),
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
             form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_outlives_the_daemon_and_ends_with_logout() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let session = login(&api).await;
    let cookie = [("Cookie", session.as_str())];
    api.bare("GET", "/api/accounts", &cookie, None).await.is(200);
    daemon.terminate().await;

    let mut daemon = stage.daemon(&[]).await;
    let api = Api::of(&stage, &mut daemon).await;
    api.bare("GET", "/api/accounts", &cookie, None).await.is(200);
    let changed = format!("{}A", &session[..session.len() - 1]);
    let other = if changed == session { format!("{}B", &session[..session.len() - 1]) } else { changed };
    api.bare("GET", "/api/accounts", &[("Cookie", &other)], None).await.problem(401);

    let own = [("Cookie", session.as_str()), ("Sec-Fetch-Site", "same-origin")];
    let out = api.bare("POST", "/logout", &own, Some(Vec::new())).await.is(204);
    assert!(out.header("set-cookie").contains("Max-Age=0"), "{}", out.header("set-cookie"));
    api.bare("GET", "/api/accounts", &cookie, None).await.problem(401);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_ends_the_live_streams_of_its_session_alone() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let (session, neighbour) = (login(&api).await, login(&api).await);
    let mut by_session = [(); 2].map(|()| api.follow_as(("Cookie", &session), None));
    let mut others = [api.follow_as(("Cookie", &neighbour), None), api.follow(None)];
    for live in by_session.iter_mut().chain(&mut others) {
        live.until("the beginning", |told| told.kind == "accounts").await;
    }
    let own = [("Cookie", session.as_str()), ("Sec-Fetch-Site", "same-origin")];
    api.bare("POST", "/logout", &own, None).await.is(204);
    for live in &mut by_session {
        assert_eq!(live.next().await, None, "nothing more is told to who has logged out");
    }
    stage.web.account("new").await;
    for live in &mut others {
        live.until("a new account", |told| told.kind == "account" && told.data["label"] == "new").await;
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_needs_the_token_and_guessing_is_slow() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let json = [("Content-Type", "application/json")];
    let wrong = || api.bare("POST", "/login", &json, Some(b"{\"token\":\"no\"}".to_vec()));
    let started = std::time::Instant::now();
    let answers = futures_util::future::join_all((0..30).map(|_| wrong())).await;
    let turned_away = answers.iter().filter(|answer| answer.status == 429).count();
    let looked_at = answers.iter().filter(|answer| answer.status == 401).count();
    assert_eq!(turned_away + looked_at, 30);
    assert!(turned_away >= 10, "only {turned_away} of 30 guesses at once were turned away");
    let pace = started.elapsed().as_secs_f64() / looked_at as f64;
    assert!(pace >= 0.25, "{looked_at} guesses in {:?}", started.elapsed());
    for answer in &answers {
        answer.problem(answer.status);
        assert!(answer.headers.get("set-cookie").is_none());
    }
    login(&api).await;

    for body in ["{}", "{\"token\":1}", "{\"token\":\"a\",\"b\":1}", "[]"] {
        api.bare("POST", "/login", &json, Some(body.into())).await.problem(422);
    }
    let form = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Accept", "text/html"),
        ("Sec-Fetch-Site", "same-origin"),
    ];
    let body = Some(format!("token={}", api.token).into_bytes());
    let page = api.bare("POST", "/login", &form, body.clone()).await.is(303);
    assert_eq!(page.header("location"), "/");
    // Another site may not log its own user in here.
    let foreign = [form[0], form[1], ("Sec-Fetch-Site", "cross-site")];
    api.bare("POST", "/login", &foreign, body).await.problem(403);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_alone_changes_nothing_for_another_site() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let session = login(&api).await;
    let here = format!("http://{}", api.addr);
    let send = |extra: Vec<(&'static str, String)>| {
        let (api, session) = (&api, &session);
        async move {
            let mut headers = vec![("Cookie", session.as_str()), ("Content-Type", "application/json")];
            headers.extend(extra.iter().map(|(name, value)| (*name, value.as_str())));
            api.bare("POST", "/api/accounts", &headers, Some(json!({"label": "desk"}).to_string().into_bytes())).await
        }
    };
    for wrong in [
        vec![],
        vec![("Sec-Fetch-Site", "cross-site".to_owned())],
        vec![("Sec-Fetch-Site", "same-site".to_owned())],
        vec![("Sec-Fetch-Site", "none".to_owned())],
        vec![("Origin", "http://evil.example".to_owned())],
        vec![("Origin", "null".to_owned())],
        vec![("Origin", "http://127.0.0.1:1".to_owned())],
        vec![("Origin", here.replace("http:", "https:"))],
        vec![("Sec-Fetch-Site", "cross-site".to_owned()), ("Origin", here.clone())],
    ] {
        send(wrong).await.problem(403);
    }
    assert_eq!(stage.web.count("SELECT count(*) FROM whatsapp_accounts", &[]).await, 0);
    send(vec![("Sec-Fetch-Site", "same-origin".to_owned())]).await.is(201);
    send(vec![("Origin", here)]).await.is(201);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_only_leads_to_loopback_is_not_answered() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let bearer = format!("Bearer {}", api.token);
    for host in [
        "evil.example",
        "evil.example:8088",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "10.0.0.1",
        "user@127.0.0.1:x",
        "",
    ] {
        let request = format!(
            "GET /api/accounts HTTP/1.1\r\nHost: {host}\r\nAuthorization: {bearer}\r\nConnection: close\r\n\r\n"
        );
        let answer = api.raw(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 421 "), "{host}: {answer}");
        assert!(answer.contains("application/problem+json"), "{host}: {answer}");
    }
    let none = format!("GET /api/accounts HTTP/1.0\r\nAuthorization: {bearer}\r\n\r\n");
    assert!(api.raw(none.as_bytes()).await.contains(" 421 "));
    for host in ["localhost", "LOCALHOST:9999", "127.0.0.1", "[::1]:8088", "127.8.8.8:1"] {
        api.bare("GET", "/api/accounts", &[("Host", host), ("Authorization", &bearer)], None).await.is(200);
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_made_once_for_its_owner_alone() {
    let stage = Stage::under_roles().await;
    let file = stage.dir.join("daemon/console.token");
    let mut daemon = stage.daemon(&[]).await;
    let token = std::fs::read_to_string(&file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(token.trim().len(), 43, "256 bits in base64");
    let addr = std::fs::read_to_string(stage.dir.join("daemon/console.addr")).unwrap();
    assert_eq!(addr, Api::of(&stage, &mut daemon).await.addr);
    daemon.terminate().await;
    assert!(!stage.dir.join("daemon/console.addr").exists());

    let daemon = stage.daemon(&[]).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), token);
    daemon.terminate().await;

    std::fs::write(&file, "  my-own-token-of-some-length \n\n").unwrap();
    let mut daemon = stage.daemon(&[]).await;
    let api = Api::of(&stage, &mut daemon).await;
    assert_eq!(api.token, "my-own-token-of-some-length");
    api.get("/api/accounts").await.is(200);
    daemon.terminate().await;

    for (text, mode, wrong) in
        [("short", 0o600, "holds no token"), ("", 0o600, "holds no token"), (token.as_str(), 0o644, "chmod 600")]
    {
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let (status, said) = stage.daemon_starting(&[]).last_words().await;
        assert!(!status.success());
        let last = said.lines().last().unwrap();
        assert!(last.contains("PAIRD_CONSOLE_TOKEN_FILE") && last.contains(wrong), "{said}");
    }
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_consoles_of_one_host_do_not_log_each_other_out() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let first = Api::of(&stage, &mut daemon).await;
    let other_dir = stage.dir.join("other");
    std::fs::create_dir(&other_dir).unwrap();
    std::fs::copy(stage.dir.join("daemon/master.key"), other_dir.join("master.key")).unwrap();
    let mut other = stage.daemon(&[("PAIRD_DATA_DIR", &other_dir.display().to_string())]).await;
    let line = other.says("the console is listening").await;
    let addr = line.split("addr=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let second = Api::at(addr, &other_dir.join("console.token"));

    // Cookies are not bound to a port, so a browser sends both cookies to both consoles.
    let both = format!("{}; {}", login(&first).await, login(&second).await);
    for api in [&first, &second] {
        api.bare("GET", "/api/accounts", &[("Cookie", &both)], None).await.is(200);
    }
    let away = [("Cookie", both.as_str()), ("Sec-Fetch-Site", "same-origin")];
    first.bare("POST", "/logout", &away, None).await.is(204);
    first.bare("GET", "/api/accounts", &[("Cookie", &both)], None).await.problem(401);
    second.bare("GET", "/api/accounts", &[("Cookie", &both)], None).await.is(200);
    stage.finish([daemon, other]).await;
}

/// The cookie as a browser sends it back.
async fn login(api: &Api) -> String {
    let body = json!({"token": api.token}).to_string().into_bytes();
    let answer = api.bare("POST", "/login", &[("Content-Type", "application/json")], Some(body)).await.is(204);
    let set = answer.header("set-cookie");
    for rule in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="] {
        assert!(set.contains(rule), "{set}");
    }
    let cookie = set.split(';').next().unwrap().to_owned();
    assert!(cookie.starts_with("paird_session_") && cookie.len() > 80, "{set}");
    cookie
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_must_log_in_is_told_where_it_wanted_to_go() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let page = [("Accept", "text/html")];
    for (path, location) in [
        ("/", "/login"),
        ("/accounts/0-1/pair", "/login?to=/accounts/0-1/pair"),
        ("/nowhere", "/login?to=/nowhere"),
        ("/?status=held&q=a%20b", "/login?to=/?status%3Dheld%26q%3Da%2520b"),
        // Only plain paths of ours: a login leads nowhere else.
        ("//evil.example/", "/login"),
        ("/%0d%0aSet-Cookie:x", "/login"),
    ] {
        let answer = api.bare("GET", path, &page, None).await.is(303);
        assert_eq!(answer.header("location"), location, "{path}");
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_address_is_a_page_for_a_browser_and_a_problem_else() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let html = [("Accept", "text/html,*/*;q=0.8")];
    for path in ["/nowhere", "/accounts/x/unpair"] {
        let page = api.ask("GET", path, &html, None).await.is(404);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{path}");
        assert!(page.text().contains("href=\"/\""), "{}", page.text());
        assert_eq!(page.header("cache-control"), "no-store");
        api.get(path).await.problem(404);
    }
    api.ask("GET", "/api/nowhere", &html, None).await.problem(404);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_answered_like_get_without_a_body() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let id = stage.web.account("desk").await;
    for path in ["/healthz", "/readyz", "/metrics", "/", "/login", "/static/console.js", "/api/accounts", "/api/events"]
        .map(str::to_owned)
        .into_iter()
        .chain([format!("/api/accounts/{id}"), "/api/nowhere".to_owned()])
    {
        let request = |method: &str| {
            format!(
                "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
                api.addr, api.token
            )
        };
        let head = tokio::time::timeout(std::time::Duration::from_secs(10), api.raw(request("HEAD").as_bytes())).await;
        let head = head.unwrap_or_else(|_| panic!("HEAD of {path} does not end"));
        let (lines, body) = head.split_once("\r\n\r\n").unwrap();
        let status = if path == "/api/nowhere" { "404" } else { "200" };
        assert!(lines.starts_with(&format!("HTTP/1.1 {status}")) && body.is_empty(), "{path}: {head}");
        assert!(lines.to_lowercase().contains("content-type: "), "{path}: {head}");
    }
    let written = api.ask("HEAD", "/api/drain", &[], None).await;
    assert_eq!(written.status, 405);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn head_has_the_status_and_the_headers_of_get_on_every_route() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let id = stage.web.account("desk").await.to_string();
    api.does(&id, "account.pair", json!({})).await;
    let qr = format!("/api/accounts/{id}/qr");
    until("a QR code", || async { (api.get(&qr).await.status == 200).then_some(()) }).await;
    let document = api.get("/api/openapi.json").await.is(200).json();
    let paths = document["paths"].as_object().unwrap().iter().filter(|(_, methods)| methods.get("get").is_some());
    let paths: Vec<String> = paths.map(|(path, _)| path.replace("{id}", &id)).collect();
    assert!(paths.len() > 20, "{paths:?}");
    for path in paths {
        let (get, head) = if path == "/api/events" {
            (None, api.ask("HEAD", &path, &[], None).await)
        } else {
            // The one code may be followed by another in between.
            until("the same answer to both", || async {
                let get = api.get(&path).await;
                let head = api.ask("HEAD", &path, &[], None).await;
                (get.header("etag") == head.header("etag")).then_some((Some(get), head))
            })
            .await
        };
        assert!(head.body.is_empty(), "{path}");
        let Some(get) = get else {
            assert_eq!((head.status, head.header("content-type")), (200, "text/event-stream"));
            continue;
        };
        let told = |answer: &Answer| {
            let names = answer.headers.keys().filter(|name| !["date", "content-length"].contains(&name.as_str()));
            names.map(|name| format!("{name}: {}", answer.header(name.as_str()))).collect::<BTreeSet<_>>()
        };
        assert_eq!((head.status, told(&head)), (get.status, told(&get)), "{path}");
        if !get.header("etag").is_empty() {
            assert_eq!(head.header("content-length"), get.body.len().to_string(), "{path}");
            let known = [("If-None-Match", get.header("etag"))];
            let again = api.ask("HEAD", &path, &known, None).await;
            assert!(again.status == 304 || again.header("etag") != get.header("etag"), "{path}: {}", again.status);
        }
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_start_says_where_the_console_is_and_its_token() {
    let (stage, mut daemon) = Stage::with_daemon().await;
    let line = daemon.says("the console is listening").await;
    let file = stage.dir.join("daemon/console.token");
    let told = line.split_once("is listening: ").unwrap().1;
    assert!(
        told.starts_with("http://127.0.0.1:") && told.contains(&format!("/ (token: {})", file.display())),
        "{line}"
    );
    let said = command(&stage).arg("console").output().await.unwrap();
    assert!(said.status.success(), "{said:?}");
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(told.starts_with(said.trim_end()), "the same words: {told} {said}");
    stage.finish([daemon]).await;
}
