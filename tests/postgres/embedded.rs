use std::path::Path;
use std::process::{Child, Command, Stdio};

use paird::config::embedded_postgres;
use paird::postgres::embedded::{Embedded, EmbeddedError, Options};

use crate::support::{connect, eventually, scratch};

/// Without fsync, which tests do not need.
fn fast() -> Options {
    Options { fast: true, ..embedded_postgres(None) }
}

/// A daemon in a process of its own, with the cluster in its working directory. Run by
/// the tests below, which kill it.
#[tokio::test]
#[ignore = "a helper process of the tests below"]
async fn another_process() {
    let _embedded = Embedded::start(Path::new("."), fast()).await.unwrap();
    std::future::pending::<()>().await;
}

fn start_another_process(dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "embedded::another_process", "--ignored", "--test-threads=1"])
        .current_dir(dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn kill(mut process: Child) {
    process.kill().unwrap();
    process.wait().unwrap();
}

#[tokio::test]
async fn a_cluster_starts_answers_stops_and_keeps_its_rows() {
    let dir = scratch();
    let embedded = Embedded::start(&dir, embedded_postgres(None)).await.unwrap();
    let client = connect(&embedded.dsn()).await;
    client.batch_execute("CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)").await.unwrap();
    drop(client);
    embedded.stop().await;
    assert!(!dir.join("postgres/postmaster.pid").exists());

    let embedded = Embedded::start(&dir, fast()).await.unwrap();
    let client = connect(&embedded.dsn()).await;
    let kept: i32 = client.query_one("SELECT id FROM kept", &[]).await.unwrap().get(0);
    assert_eq!(kept, 7);
    // JIT compilation takes longer than any statement here, and loads LLVM.
    let jit: String = client.query_one("SHOW jit", &[]).await.unwrap().get(0);
    assert_eq!(jit, "off");
    embedded.stop().await;
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn a_kill_during_initdb_does_not_hinder_the_next_start() {
    let dir = scratch();
    let process = start_another_process(&dir);
    eventually("initdb writes", async || dir.join("postgres.new/base").exists()).await;
    kill(process);
    assert!(!dir.join("postgres").exists());
    let embedded = Embedded::start(&dir, fast()).await.unwrap();
    connect(&embedded.dsn()).await;
    embedded.stop().await;
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn the_server_ends_with_a_killed_daemon_and_restarts_at_once() {
    let dir = scratch();
    let process = start_another_process(&dir);
    let pid_file = dir.join("postgres/postmaster.pid");
    let is_ready = async || std::fs::read_to_string(&pid_file).is_ok_and(|text| text.contains("ready"));
    eventually("the server is ready", is_ready).await;
    let pid = std::fs::read_to_string(&pid_file).unwrap().lines().next().unwrap().to_owned();
    kill(process);
    let embedded = Embedded::start(&dir, fast()).await.unwrap();
    // In a container without an init process it stays as a zombie.
    let stat = std::fs::read_to_string(Path::new("/proc").join(&pid).join("stat")).unwrap_or_default();
    assert!(stat.is_empty() || stat.contains(") Z "), "the former server still runs: {stat}");
    connect(&embedded.dsn()).await;
    embedded.stop().await;
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn a_stale_pid_file_is_ignored_even_if_the_pid_is_reused() {
    let dir = scratch();
    Embedded::start(&dir, fast()).await.unwrap().stop().await;
    let ours = std::process::id();
    std::fs::write(dir.join("postgres/postmaster.pid"), format!("{ours}\n{}\n", dir.display())).unwrap();
    Embedded::start(&dir, fast()).await.unwrap().stop().await;
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn a_server_that_dies_is_started_again() {
    let dir = scratch();
    let embedded = Embedded::start(&dir, fast()).await.unwrap();
    let former = embedded.pid().unwrap();
    let pid = nix::unistd::Pid::from_raw(i32::try_from(former).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    let is_back = async || tokio_postgres::connect(&embedded.dsn(), tokio_postgres::NoTls).await.is_ok();
    eventually("a new server runs", async || embedded.pid().is_some_and(|pid| pid != former)).await;
    eventually("it answers", is_back).await;
    embedded.stop().await;
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn a_data_directory_may_have_a_long_path_or_a_closed_parent() {
    let closed = scratch();
    let long = closed.join("a".repeat(120));
    std::fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let embedded = Embedded::start(&long, fast()).await.unwrap();
    connect(&embedded.dsn()).await;
    embedded.stop().await;
    std::fs::remove_dir_all(closed).unwrap();
}

/// In a directory that every user can enter: otherwise a server started by root keeps the capability
/// to pass closed directories.
#[tokio::test]
async fn the_server_has_no_capability() {
    let dir = std::env::temp_dir().join(format!("paird-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir(&dir).unwrap();
    let embedded = Embedded::start(&dir, fast()).await.unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", embedded.pid().unwrap())).unwrap();
    for set in ["CapPrm:", "CapEff:", "CapAmb:"] {
        let line = status.lines().find(|line| line.starts_with(set)).unwrap();
        assert!(line.ends_with("0000000000000000"), "{line}");
    }
    embedded.stop().await;
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn files_beside_the_cluster_are_private() {
    let dir = scratch();
    for name in ["postgres.log", "postgres.lock"] {
        std::fs::write(dir.join(name), "").unwrap();
        std::fs::set_permissions(dir.join(name), std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    }
    let embedded = Embedded::start(&dir, fast()).await.unwrap();
    for name in ["postgres.log", "postgres.lock"] {
        let mode = std::fs::metadata(dir.join(name)).unwrap().permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o7777, 0o600, "{name}");
    }
    embedded.stop().await;
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn a_directory_without_postgres_is_named() {
    let wrong = Embedded::start(&scratch(), embedded_postgres(Some("/nowhere".into()))).await.unwrap_err();
    assert!(matches!(wrong, EmbeddedError::NotThere(_)));
    assert_eq!(wrong.to_string(), "PAIRD_POSTGRES_BIN: no initdb and postgres in /nowhere");
}
