//! Limits of the console's listener: slow, wrong or frequent requests do not keep others out.

use std::time::Duration;

use futures_util::future::join_all;
use paird_testkit::{Api, Stage, until};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

const FORM: &str = "application/x-www-form-urlencoded";

/// Sends a request whose body comes at a byte a second and never ends. Returns what the daemon
/// answers until it closes.
async fn drip(addr: &str, head: &str) -> String {
    let mut socket = TcpStream::connect(addr).await.unwrap();
    let head = format!("{head}\r\nHost: {addr}\r\nContent-Length: 1000\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    let (mut from, mut to) = socket.into_split();
    let dripping = tokio::spawn(async move {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        loop {
            second.tick().await;
            if to.write_all(b"x").await.is_err() {
                return;
            }
        }
    });
    let mut answer = Vec::new();
    let ended = timeout(Duration::from_secs(15), from.read_to_end(&mut answer)).await;
    dripping.abort();
    assert!(ended.is_ok(), "a request that drips in is not ended: {head}");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_drips_in_is_ended() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let id = stage.web.account("desk").await;
    let bearer = format!("Authorization: Bearer {}", api.token);
    let json = "Content-Type: application/json";
    let requests = [
        (format!("POST /login HTTP/1.1\r\nContent-Type: {FORM}"), "408"),
        (format!("POST /login HTTP/1.1\r\n{json}"), "408"),
        (format!("PUT /api/accounts/{id}/proxy HTTP/1.1\r\n{bearer}\r\n{json}"), "408"),
        (format!("POST /logout HTTP/1.1\r\n{bearer}"), "204"),
        (format!("POST /api/accounts HTTP/1.1\r\nAuthorization: Bearer wrong\r\n{json}"), "401"),
        (format!("GET /api/accounts HTTP/1.1\r\n{bearer}"), "200"),
        ("GET /nowhere HTTP/1.1".to_owned(), "401"),
        ("GET /readyz HTTP/1.1".to_owned(), "200"),
    ];
    let answers = join_all(requests.iter().map(|(head, _)| drip(&api.addr, head))).await;
    for (answer, (head, status)) in answers.iter().zip(&requests) {
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{head}\n{answer}");
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_token_passes_many_wrong_ones() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let login = |kind: &'static str, token: &str| {
        let body = if kind == FORM { format!("token={token}") } else { json!({ "token": token }).to_string() };
        let api = api.clone();
        async move { api.bare("POST", "/login", &[("Content-Type", kind)], Some(body.into_bytes())).await }
    };
    let guessing = join_all((0..16).map(|nth| {
        let login = &login;
        async move {
            let kind = if nth % 2 == 0 { FORM } else { "application/json" };
            while login(kind, "guess").await.status != 204 {}
        }
    }));
    let knowing = async {
        until("guesses that are turned away", || async {
            (login(FORM, "another guess").await.status == 429).then_some(())
        })
        .await;
        for kind in [FORM, "application/json"].into_iter().cycle().take(6) {
            let answer = timeout(Duration::from_secs(5), login(kind, &api.token)).await;
            answer.expect("the right token waits").is(204);
        }
    };
    tokio::select! {
        _ = guessing => {}
        () = knowing => {}
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_limited_and_others_are_served() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let request = format!(
        "GET /api/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        api.addr, api.token
    );
    let mut open = Vec::new();
    for _ in 0..64 {
        let mut socket = TcpStream::connect(&api.addr).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut status = [0; 12];
        timeout(Duration::from_secs(10), socket.read_exact(&mut status)).await.unwrap().unwrap();
        assert_eq!(&status, b"HTTP/1.1 200");
        open.push(socket);
    }
    let refused = timeout(Duration::from_secs(10), api.raw(request.as_bytes())).await.expect("no answer to one more");
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("application/problem+json"), "{refused}");
    api.get("/api/accounts").await.is(200);
    api.get("/readyz").await.is(200);
    drop(open.pop());
    until("a stream in its place", || async {
        let mut socket = TcpStream::connect(&api.addr).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut status = [0; 12];
        timeout(Duration::from_secs(10), socket.read_exact(&mut status)).await.unwrap().unwrap();
        (&status == b"HTTP/1.1 200").then_some(())
    })
    .await;
    drop(open);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_there_may_be_keep_nobody_out() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let mut idle = Vec::new();
    for which in 0..400 {
        let mut socket = TcpStream::connect(&api.addr).await.unwrap();
        if which % 2 == 0 {
            socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").await.unwrap();
        }
        idle.push(socket);
    }
    let answer = timeout(Duration::from_secs(20), api.get("/api/accounts")).await;
    answer.expect("idle connections keep a caller out").is(200);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_asked_by_many_is_one_question() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let asked = stage.statements("SELECT true AS alive").await;
    let (before, started) = (asked.so_far(), std::time::Instant::now());
    join_all((0..200).map(|_| async { api.bare("GET", "/readyz", &[], None).await.is(200) })).await;
    let (took, asked) = (started.elapsed().as_secs(), asked.so_far() - before);
    assert!((1..=took + 2).contains(&asked), "{asked} questions in {took} s");
    stage.finish([daemon]).await;
}
