//! `PAIRD_PROBE_ADDR`: requests of orchestrators and Prometheus, from outside, without a token.

use std::{process::Stdio, time::Duration};

use paird_testkit::{Api, Daemon, Stage, sample, until};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::Command,
    time::Instant,
};

const NUMBER: &str = "436607000011";

/// On every address of the machine, with a free port.
const ANYWHERE: [(&str, &str); 1] = [("PAIRD_PROBE_ADDR", "0.0.0.0:0")];

/// A client of the listener, which sends no token.
async fn probes(stage: &Stage, daemon: &mut Daemon) -> Api {
    let line = daemon.says("the probe listener is listening").await;
    let port = line.split("addr=0.0.0.0:").nth(1).unwrap().split_whitespace().next().unwrap();
    let told = std::fs::read_to_string(stage.dir.join("daemon/probe.addr")).unwrap();
    assert_eq!(told, format!("0.0.0.0:{port}"));
    let mut probes = Api::of(stage, daemon).await;
    probes.addr = format!("127.0.0.1:{port}");
    probes
}

#[tokio::test(flavor = "multi_thread")]
async fn the_probe_listener_has_three_paths_and_no_account() {
    let stage = Stage::empty().await;
    let mut daemon = stage.daemon(&ANYWHERE).await;
    let (probes, console) = (probes(&stage, &mut daemon).await, Api::of(&stage, &mut daemon).await);
    let id = stage.web.connect_account("front desk", NUMBER, &stage.phones).await.to_string();

    let foreign = [("Host", "paird.example:8089")];
    assert_eq!(probes.bare("GET", "/healthz", &foreign, None).await.is(200).json()["alive"], true);
    assert_eq!(probes.bare("GET", "/readyz", &foreign, None).await.is(200).json()["ready"], true);
    let exposition = probes.bare("GET", "/metrics", &foreign, None).await.is(200).text();
    assert_eq!(sample(&exposition, "paird_lease_live"), Some(1.0));
    for name in ["front desk", NUMBER, &id] {
        assert!(!exposition.contains(name), "{name} is told to everybody");
    }
    let account = format!("/api/accounts/{id}");
    for path in ["/", "/login", "/api/accounts", &account, "/api/openapi.json", "/static/console.js", "/healthz/x"] {
        // Nothing else is served here, with or without the token.
        probes.get(path).await.is(404);
    }
    for (method, path) in [("POST", "/healthz"), ("DELETE", "/metrics"), ("POST", "/api/drain"), ("PUT", "/readyz")] {
        probes.ask(method, path, &[], Some(serde_json::json!({}))).await.is(404);
    }

    console.post("/api/drain", serde_json::json!({})).await;
    assert_eq!(probes.bare("GET", "/readyz", &[], None).await.is(503).json()["draining"], true);
    probes.bare("GET", "/healthz", &[], None).await.is(200);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_follows_the_database_and_liveness_does_not() {
    let mut stage = Stage::empty().await;
    let mut daemon = stage.daemon(&ANYWHERE).await;
    let probes = probes(&stage, &mut daemon).await;
    until("ready", || async { (probes.bare("GET", "/readyz", &[], None).await.status == 200).then_some(()) }).await;
    stage.database.take().unwrap().stop().await;
    until("not ready", || async { (probes.bare("GET", "/readyz", &[], None).await.status == 503).then_some(()) }).await;
    assert_eq!(probes.bare("GET", "/readyz", &[], None).await.json()["database"], false);
    probes.bare("GET", "/healthz", &[], None).await.is(200);
    let exposition = probes.bare("GET", "/metrics", &[], None).await.is(200).text();
    assert!(sample(&exposition, "paird_fleet_figures_age_seconds").is_some());
    assert!(daemon.terminate().await.success());
    stage.finish_without_database().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_do_not_block_the_probes() {
    let stage = Stage::empty().await;
    let mut daemon = stage.daemon(&ANYWHERE).await;
    let probes = probes(&stage, &mut daemon).await;
    let mut idle = Vec::new();
    for which in 0..100 {
        let mut socket = TcpStream::connect(&probes.addr).await.unwrap();
        if which % 2 == 0 {
            socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap();
        }
        idle.push(socket);
    }
    let asked = Instant::now();
    probes.bare("GET", "/healthz", &[], None).await.is(200);
    assert!(asked.elapsed() < Duration::from_secs(8), "a probe waited for {:?}", asked.elapsed());

    // A request whose body never comes is answered at once, and then the connection is closed.
    let mut socket = TcpStream::connect(&probes.addr).await.unwrap();
    socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n").await.unwrap();
    idle.push(socket);
    let dripping = Instant::now();
    for mut socket in idle {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(20), socket.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "a connection that asks nothing lives on after {:?}", dripping.elapsed());
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_asks_the_probe_listener_where_there_is_no_console() {
    let stage = Stage::empty().await;
    let settings = [ANYWHERE[0], ("PAIRD_CONSOLE_ADDR", "off")];
    let mut daemon = stage.daemon(&settings).await;
    daemon.says("the probe listener is listening").await;
    let health = |how: &'static str| {
        let mut command = Command::new(paird_testkit::paird());
        command.args(["health", how]).env_clear().current_dir(&stage.dir).stdin(Stdio::null());
        command.envs(settings).env("PAIRD_DATA_DIR", stage.dir.join("daemon")).env("HOME", &stage.dir);
        async move { command.output().await.unwrap() }
    };
    for how in ["--live", "--ready"] {
        let output = health(how).await;
        assert!(output.status.success(), "{how}: {output:?}");
    }
    daemon.terminate().await;
    assert!(!stage.dir.join("daemon/probe.addr").exists());
    assert!(!health("--live").await.status.success());
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_probes_share_one_database_query() {
    let stage = Stage::empty().await;
    let mut daemon = stage.daemon(&ANYWHERE).await;
    let probes = probes(&stage, &mut daemon).await;
    let asked = stage.statements("SELECT true AS alive").await;
    let (before, started) = (asked.so_far(), Instant::now());
    let asks = (0..200).map(|n| {
        let probes = probes.clone();
        async move { probes.bare("GET", if n % 2 == 0 { "/readyz" } else { "/metrics" }, &[], None).await.is(200) }
    });
    futures_util::future::join_all(asks).await;
    let (took, asked) = (started.elapsed().as_secs(), asked.so_far() - before);
    assert!((1..=took + 2).contains(&asked), "{asked} questions in {took} s");
    stage.finish([daemon]).await;
}
