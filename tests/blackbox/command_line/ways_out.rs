//! Where a QR can be seen besides the terminal: a picture in a file, and the console.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use paird_sandbox::Pace;
use paird_testkit::{Stage, find_qr, until};
use serde_json::json;

use super::{Pairing, command, document, refused, screen::Screen, text};

const NUMBER: &str = "436607000301";

/// The QR in the file, as another decoder reads it. Never half a picture.
fn read(file: &Path) -> Option<String> {
    let bytes = std::fs::read(file).ok()?;
    find_qr(&image::load_from_memory(&bytes).expect("a whole picture").into_luma8())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_qr_is_a_picture_in_a_file_that_follows_and_goes() {
    // WhatsApp closes a socket that nobody scans, and the next one has other QRs.
    let stage = Stage::with_pace(Pace { unscanned_lifetime_ms: 3000, ..Pace::default() }).await;
    let daemon = stage.daemon(&[]).await;
    stage.phones.add(NUMBER).await;
    let account = stage.web.account("desk").await;
    for wrong in ["nowhere/qr.png", "."] {
        let (code, words) = refused(&stage, &["pair", "desk", "--png", wrong]).await;
        assert!(code == 2 && words.contains("--png"), "{words}");
    }
    assert_eq!(stage.web.count("SELECT count(*) FROM commands", &[]).await, 0);

    let file = stage.dir.join("qr.png");
    let pairing = Pairing::start(&stage, &["desk", "--png", file.to_str().unwrap(), "--json"]);
    let first = until("a picture", || async { read(&file) }).await;
    stage.web.saw(&first);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let next = until("another picture", || async { read(&file).filter(|qr| *qr != first) }).await;
    stage.web.saw(&next);
    until("the picture scanned", || async {
        let qr = read(&file)?;
        stage.web.saw(&qr);
        stage.phones.scan(NUMBER, &qr).await.ok()
    })
    .await;
    stage.web.status_is(account, "connected").await;
    let (code, end) = pairing.end().await;
    assert_eq!(
        (code, serde_json::from_str::<serde_json::Value>(&end).unwrap()["outcome"].clone()),
        (0, json!("connected"))
    );
    assert!(!file.exists(), "a QR that is over must not be scanned");
    let left = std::fs::read_dir(&stage.dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(left.into_iter().all(|name| !name.contains("qr.png")), "no draft is left behind");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_too_small_for_a_qr_names_the_ways_out() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = stage.web.account("front desk").await;
    let mut screen = Screen::start(&stage, &["pair", "front desk"], 80, 24);
    screen.shows("this terminal has 80 and 24").await;
    let console = document(&stage, &["console"]).await;
    for way in ["paird pair 'front desk' --png FILE", console["url"].as_str().unwrap(), "paird console)"] {
        screen.shows(way).await;
    }
    screen.press("\u{3}");
    assert_eq!(screen.end().await, 6);
    let mut screen = Screen::start(&stage, &["pair", "front desk", "--png", "qr.png"], 80, 24);
    screen.shows("or open the picture:  qr.png").await;
    stage.web.qr(account).await;
    until("a picture", || async { read(&stage.dir.join("qr.png")) }).await;
    screen.press("\u{3}");
    assert_eq!(screen.end().await, 6);
    assert!(!stage.dir.join("qr.png").exists());
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_is_named_and_opened_without_its_token() {
    let (stage, daemon) = Stage::with_daemon().await;
    let file = stage.dir.join("daemon/console.token");
    let token = std::fs::read_to_string(&file).unwrap().trim().to_owned();
    let told = document(&stage, &["console"]).await;
    let addr = std::fs::read_to_string(stage.dir.join("daemon/console.addr")).unwrap();
    let url = format!("http://{addr}/");
    assert_eq!(told, json!({ "url": url, "tokenFile": file.display().to_string() }));

    // A browser that writes down what it is asked to open.
    let bin = stage.dir.join("bin");
    std::fs::create_dir(&bin).unwrap();
    let opened = stage.dir.join("opened");
    let script = format!("#!/bin/sh\nprintf '%s|' \"$@\" > {}\n", opened.display());
    std::fs::write(bin.join("xdg-open"), script).unwrap();
    std::fs::set_permissions(bin.join("xdg-open"), PermissionsExt::from_mode(0o755)).unwrap();
    let said = command(&stage).args(["console", "--open"]).env("PATH", &bin).output().await.unwrap();
    assert_eq!(text(&said), format!("{url} (token: {})\n", file.display()));
    assert_eq!(std::fs::read_to_string(&opened).unwrap(), format!("{url}|"));
    assert!(!text(&said).contains(&token), "the token itself is not printed");

    std::fs::remove_file(bin.join("xdg-open")).unwrap();
    let said = command(&stage).args(["console", "--open"]).env("PATH", &bin).output().await.unwrap();
    assert_eq!(said.status.code(), Some(1));
    assert!(String::from_utf8(said.stdout).unwrap().starts_with(&url), "the address is printed all the same");

    assert!(daemon.terminate().await.success());
    std::fs::write(stage.dir.join("daemon/console.addr"), "127.0.0.1:1").unwrap();
    let (code, words) = refused(&stage, &["console"]).await;
    assert!(code == 11 && words.contains("paird serve"), "{words}");
    stage.finish([]).await;
}
