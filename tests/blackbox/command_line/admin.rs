//! Commands to the daemon itself: inspect, sweep, resync, drain, restart.

use chrono::{Duration, Utc};
use paird_testkit::{Api, Stage, Web, until, until_within};
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use uuid::Uuid;

use super::{document, paird, refused, text};

const NUMBER: &str = "436607000005";

/// A row as a daemon that died in a pair attempt leaves it.
async fn left_pending(web: &Web, label: &str) -> Uuid {
    let account = web.account(label).await;
    let late = Utc::now() - Duration::minutes(10);
    let sql = "UPDATE whatsapp_accounts SET status = 'pending', status_reason = 'waiting_for_scan', desired = 'paired',
                   status_since = $2, pair_deadline = $2, owner = gen_random_uuid(), fence = 7 WHERE id = $1";
    assert_eq!(web.sql.execute(sql, &[&account, &late]).await.unwrap(), 1);
    account
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_without_a_daemon_says_what_the_next_one_parks() {
    let stage = Stage::empty().await;
    let account = left_pending(&stage.web, "left").await;
    let looked = paird(&stage, &["sweep"]).await;
    assert_eq!(text(&looked).trim_end(), "left: would park, the attempt's deadline has passed");
    assert!(String::from_utf8(looked.stderr).unwrap().contains("no daemon was reached"));
    let swept = document(&stage, &["sweep"]).await;
    assert_eq!((&swept["dryRun"], &swept["swept"][0]["label"]), (&json!(true), &json!("left")));
    assert_eq!(stage.web.status(account).await, "pending", "a sweep without a daemon only looks");
    let daemon = stage.daemon(&[]).await;
    stage.web.status_is(account, "unpaired").await;
    assert_eq!(stage.web.kinds(account).await, ["session.timeout"]);
    let again = text(&paird(&stage, &["sweep"]).await);
    assert!(again.starts_with("nothing to sweep"), "{again}");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_running_daemon_obeys_every_admin_command() {
    let (stage, daemon) = Stage::with_daemon().await;
    let desk = stage.web.connect_account("desk", NUMBER, &stage.phones).await;
    stage.web.account("at rest").await;
    let seen = document(&stage, &["inspect", "desk"]).await;
    assert_eq!((&seen["accountId"], &seen["state"], &seen["label"]), (&json!(desk), &json!("Online"), &json!("desk")));
    let told = text(&paird(&stage, &["inspect", "desk"]).await);
    assert!(told.contains("state          Online"), "{told}");
    let all = text(&paird(&stage, &["inspect", "--all"]).await);
    assert!(all.contains("desk") && all.contains("Online"), "{all}");
    let (code, words) = refused(&stage, &["inspect", "at rest"]).await;
    assert_eq!((code, words.starts_with("paird: at rest: the account is at rest")), (1, true), "{words}");

    text(&paird(&stage, &["resync"]).await);
    let swept = document(&stage, &["sweep", "--dry-run"]).await;
    assert_eq!(swept, json!({ "dryRun": true, "swept": [] }));

    let before = stage.web.seq(desk).await;
    let restarted = text(&paird(&stage, &["restart", "desk"]).await);
    assert!(restarted.starts_with("desk: restarted"), "{restarted}");
    stage.web.event(desk, "session.connected", before).await;

    let drained = document(&stage, &["drain"]).await;
    assert!(drained["accounts"].as_u64().is_some_and(|accounts| accounts >= 1), "{drained}");
    let owned = "SELECT count(*) FROM whatsapp_accounts WHERE owner IS NOT NULL";
    assert_eq!(stage.web.count(owned, &[]).await, 0);
    assert_eq!(stage.phones.devices(NUMBER).await.len(), 1, "nobody was logged out");
    let all = text(&paird(&stage, &["inspect", "--all"]).await);
    assert!(all.starts_with("this daemon runs no account"), "{all}");
    assert_eq!(document(&stage, &["drain", "--undo"]).await, json!({ "wasDraining": true }));
    stage.web.count_becomes("SELECT count(*) FROM whatsapp_accounts WHERE owner IS NOT NULL", 1).await;
    let undone = text(&paird(&stage, &["drain", "--undo"]).await);
    assert!(undone.starts_with("this daemon was not drained"), "{undone}");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_daemon_is_rejected_as_such() {
    let (stage, daemon) = Stage::with_daemon().await;
    // Without the socket the command uses the address and the token.
    std::fs::remove_file(stage.dir.join("daemon/console.sock")).unwrap();
    std::fs::write(stage.dir.join("daemon/console.token"), "A-token-of-another-daemon-00\n").unwrap();
    let (code, words) = refused(&stage, &["resync"]).await;
    assert_eq!((code, words.contains("rejected the token from")), (1, true), "{words}");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_needs_no_token_where_the_socket_is() {
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
    let (stage, daemon) = Stage::with_daemon().await;
    let socket = stage.dir.join("daemon/console.sock");
    let found = std::fs::metadata(&socket).unwrap();
    assert!(found.file_type().is_socket());
    assert_eq!(found.permissions().mode() & 0o7777, 0o600);
    std::fs::remove_file(stage.dir.join("daemon/console.token")).unwrap();
    assert_eq!(document(&stage, &["sweep", "--dry-run"]).await, json!({ "dryRun": true, "swept": [] }));
    let drained = document(&stage, &["drain"]).await;
    assert!(drained["accounts"].is_u64(), "{drained}");
    assert_eq!(document(&stage, &["drain", "--undo"]).await, json!({ "wasDraining": true }));
    let inspected = text(&paird(&stage, &["inspect", "--all"]).await);
    assert!(inspected.starts_with("this daemon runs no account"), "{inspected}");

    // A second daemon in the same data directory takes the socket over once the first has ended.
    let second = stage.daemon(&[]).await;
    assert!(std::os::unix::net::UnixStream::connect(&socket).is_ok());
    assert!(daemon.terminate().await.success());
    until_within(std::time::Duration::from_secs(20), "the second has it", || async {
        std::os::unix::net::UnixStream::connect(&socket).ok()
    })
    .await;
    document(&stage, &["inspect", "--all"]).await;
    assert!(second.terminate().await.success());
    assert!(!socket.exists());
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_on_a_dead_daemons_address_gets_no_token() {
    let (stage, mut daemon) = Stage::with_daemon().await;
    let address = Api::of(&stage, &mut daemon).await.addr;
    let token = std::fs::read_to_string(stage.dir.join("daemon/console.token")).unwrap();
    daemon.kill().await;
    let place = until("its port is free", || async { tokio::net::TcpListener::bind(&address).await.ok() }).await;
    let heard = tokio::spawn(async move {
        let mut heard = Vec::new();
        loop {
            let Ok((mut socket, _)) = place.accept().await else { return heard };
            let mut words = [0; 4096];
            let length = socket.read(&mut words).await.unwrap_or(0);
            heard.extend_from_slice(&words[..length]);
            if length > 0 {
                return heard;
            }
        }
    });
    for args in [&["inspect", "--all"][..], &["drain"], &["resync"], &["drain", "--undo"]] {
        let (code, words) = refused(&stage, args).await;
        assert!(code == 11 && words.contains("no daemon answers"), "{args:?}: {code} {words}");
    }
    // The same with nothing but the token file.
    for left in ["console.sock", "console.addr"] {
        std::fs::remove_file(stage.dir.join("daemon").join(left)).unwrap();
    }
    let setting = [("PAIRD_CONSOLE_ADDR", address.as_str())];
    let output = super::command(&stage).envs(setting).args(["inspect", "--all"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(11), "{output:?}");
    assert!(!heard.is_finished(), "it was asked, with or without {token}");
    heard.abort();
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_proxy_of_the_environment_sees_the_token() {
    let (stage, daemon) = Stage::with_daemon().await;
    let proxy = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    // Over TCP, since only that could go through a proxy.
    std::fs::remove_file(stage.dir.join("daemon/console.sock")).unwrap();
    for args in [&["inspect", "--all"][..], &["resync"], &["health", "--live"], &["health", "--ready"]] {
        let mut command = super::command(&stage);
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env(name, &url).env(name.to_lowercase(), &url);
        }
        let output = command.args(args).output().await.unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
    }
    let own = tokio::net::TcpStream::connect(proxy.local_addr().unwrap()).await.unwrap();
    let (_, first) = proxy.accept().await.unwrap();
    assert_eq!(first, own.local_addr().unwrap(), "somebody connected to the proxy");
    stage.finish([daemon]).await;
}
