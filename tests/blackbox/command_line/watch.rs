//! `paird watch`, in a real terminal and without one.

use std::process::Stdio;

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use paird_testkit::Stage;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

use super::{command, screen::Screen};

const NUMBER: &str = "436607000003";

#[tokio::test(flavor = "multi_thread")]
async fn the_fleet_is_drawn_live_and_a_phone_scans_the_shown_qr() {
    let (stage, daemon) = Stage::with_daemon().await;
    stage.phones.add(NUMBER).await;
    let lobby = stage.web.account("lobby").await;
    stage.web.account("attic").await;
    let mut screen = Screen::start(&stage, &["watch"], 130, 45);
    screen.shows("2 accounts  2 unpaired  1 daemon").await;
    assert!(screen.is_borrowed());

    stage.web.does("account.pair", lobby, json!({})).await;
    screen.shows("waiting_for_scan").await;
    screen.shows("left").await;
    let qr = screen.qr().await;
    stage.web.qr(lobby).await;
    stage.phones.scan(NUMBER, &qr).await.unwrap();
    screen.shows("1 connected  1 unpaired").await;
    screen.shows("+436607000003").await;
    screen.hides("left").await;

    screen.press("q");
    assert_eq!(screen.end().await, 0);
    screen.is_given_back().await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_terminal_names_the_size_a_qr_needs_until_enlarged() {
    let (stage, daemon) = Stage::with_daemon().await;
    let lobby = stage.web.account("lobby").await;
    let mut screen = Screen::start(&stage, &["watch"], 80, 24);
    stage.web.does("account.pair", lobby, json!({})).await;
    stage.web.qr(lobby).await;
    screen.shows("enlarge it").await;
    screen.shows("lobby").await;
    screen.resize(20, 5);
    screen.shows("lobby").await;
    screen.resize(100, 60);
    assert_eq!(screen.qr().await, stage.web.qr(lobby).await);
    screen.press("\u{3}");
    assert_eq!(screen.end().await, 0, "Ctrl-C");
    screen.is_given_back().await;
    stage.web.does("account.cancel", lobby, json!({})).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn watch_survives_a_database_outage_and_restores_the_terminal() {
    let (mut stage, daemon) = Stage::with_daemon().await;
    stage.web.account("lobby").await;
    let mut screen = Screen::start(&stage, &["watch"], 100, 20);
    screen.shows("1 unpaired").await;
    stage.database.take().unwrap().stop().await;
    screen.shows("trying again").await;
    stage.start_database().await;
    stage.web.reconnect().await;
    stage.web.account("attic").await;
    screen.shows("attic").await;
    kill(Pid::from_raw(screen.pid()), Signal::SIGTERM).unwrap();
    assert_eq!(screen.end().await, 0);
    screen.is_given_back().await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_each_change_is_a_line() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = stage.web.account("desk").await;
    for json in [false, true] {
        let mut watch = command(&stage);
        watch.arg("watch").args(json.then_some("--json")).stdout(Stdio::piped());
        let mut child = watch.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next_line().await.unwrap().unwrap();
        assert!(!first.contains('\u{1b}'), "{first}");
        stage.web.does("account.pair", account, json!({})).await;
        loop {
            let line = lines.next_line().await.unwrap().unwrap();
            let shows = match json {
                false => line.contains("desk: pending (waiting_for_scan)") && line.ends_with(", a QR to scan"),
                true => {
                    let document: Value = serde_json::from_str(&line).unwrap();
                    document["type"] == "account" && document["qrShown"] == true && document["label"] == "desk"
                }
            };
            if shows {
                break;
            }
        }
        stage.web.does("account.cancel", account, json!({})).await;
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_ends_with_the_pipe_it_writes_to() {
    let stage = Stage::empty().await;
    stage.web.account("desk").await;
    for args in [&["watch"][..], &["watch", "--json"], &["events", "--follow"], &["messages", "desk", "--follow"]] {
        let mut follow = command(&stage);
        let mut child = follow.args(args).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        if args[0] == "watch" {
            assert_ne!(out.read_u8().await.unwrap(), 0);
        }
        drop(out);
        let ended = tokio::time::timeout(std::time::Duration::from_secs(20), child.wait()).await;
        let ended = ended.unwrap_or_else(|_| panic!("{args:?} goes on though nobody reads it")).unwrap();
        assert!(ended.success(), "{args:?}: {ended}");
    }
    stage.finish([]).await;
}
