//! What a fleet without accounts is shown: whether everything is ready, and how to begin.

use std::process::Stdio;

use paird_testkit::{Api, Stage, found_or_left_out, paird as program, until};
use serde_json::{Value, json};
use tokio::process::Command;
use uuid::Uuid;

use crate::command_line::command;

const NUMBER: &str = "436607000041";

fn words(findings: &Value, check: &str) -> (Value, Value) {
    let found = findings.as_array().unwrap().iter().find(|finding| finding["check"] == check);
    let found = found.unwrap_or_else(|| panic!("no {check}: {findings:#}"));
    (found["level"].clone(), found["found"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn setup_says_what_is_ready_in_the_words_of_doctor() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let setup = api.get("/api/setup").await.is(200);
    assert!(!setup.text().contains(&api.token), "the token stays in its file");
    let setup = setup.json();
    let mut doctor = command(&stage);
    doctor.args(["doctor", "--json"]).env("DATABASE_URL", &stage.roles().daemon);
    let told = doctor.env("PAIRD_WHATSAPP_URL", stage.whatsapp_url()).output().await.unwrap();
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    for check in ["database", "schema", "master key", "key file", "token file", "daemons", "leases", "whatsapp"] {
        let here = words(&setup["findings"], check);
        assert_eq!(here, words(&told["findings"], check), "{check}");
        assert_eq!(here.0, "ok", "{check}: {here:?}");
    }
    let (_, lease) = words(&setup["findings"], "this daemon");
    assert_eq!(lease, "its lease is live: its accounts are its own");
    let (_, console) = words(&setup["findings"], "console");
    assert!(console.as_str().unwrap().contains(&api.addr), "{console}");
    daemon.says("there is no account yet; next: paird accounts add \"front desk\"").await;

    api.post("/api/drain", json!({})).await.is(200);
    let drained = until("a look that is not shared with the one before", || async {
        let setup = api.get("/api/setup").await.is(200).json();
        (words(&setup["findings"], "this daemon").0 == "warn").then_some(setup)
    })
    .await;
    assert_ne!(drained["worst"], "ok");
    assert!(drained.to_string().contains("paird drain --undo"), "{drained:#}");
    stage.finish([daemon]).await;
}

/// The account that a way has added and is pairing; it is called something else then.
async fn is_pairing(stage: &Stage, way: &str) -> Uuid {
    let find = "SELECT id FROM whatsapp_accounts WHERE label = 'front desk' AND status = 'pending'";
    let found = until(way, || async { stage.web.sql.query_opt(find, &[]).await.unwrap() }).await;
    let account = found.get(0);
    stage.web.sql.execute("UPDATE whatsapp_accounts SET label = 'done' WHERE id = $1", &[&account]).await.unwrap();
    stage.web.qr(account).await;
    account
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_a_first_account_works_as_it_is_sent() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let ways = api.get("/api/setup").await.is(200).json()["ways"].clone();
    let text = |key: &str| {
        let way = ways.as_array().unwrap().iter().find(|way| way["key"] == key);
        way.unwrap_or_else(|| panic!("no {key}: {ways:#}"))["text"].as_str().unwrap().to_owned()
    };
    let path = format!("{}:/usr/bin:/bin", program().parent().unwrap().display());
    let shell = |key: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-euc", &text(key)]).env_clear().env("PATH", &path).env("DATABASE_URL", &stage.dsn);
        shell.env("HOME", &stage.dir).current_dir(&stage.dir).stdin(Stdio::null()).stdout(Stdio::piped());
        shell.kill_on_drop(true);
        shell
    };

    stage.web.sql.batch_execute(&text("sql")).await.unwrap();
    is_pairing(&stage, "sql").await;

    let curl = Command::new("curl").arg("--version").stdout(Stdio::null()).status().await;
    if found_or_left_out(curl.ok(), "curl", "curl").is_some() {
        let asked = shell("api").output().await.unwrap();
        assert!(asked.status.success() && String::from_utf8_lossy(&asked.stdout).contains("\"state\""), "{asked:?}");
        is_pairing(&stage, "api").await;
    }

    stage.phones.add(NUMBER).await;
    let mut typed = shell("command_line").spawn().unwrap();
    let account = is_pairing(&stage, "command_line").await;
    stage.web.scan(account, NUMBER, &stage.phones).await;
    assert!(typed.wait().await.unwrap().success());

    let imported = shell("file").output().await.unwrap();
    assert!(imported.status.success(), "{imported:?}");
    let labels =
        "SELECT count(*) FROM whatsapp_accounts WHERE label IN ('front desk', 'lobby') AND status = 'unpaired'";
    assert_eq!(stage.web.count(labels, &[]).await, 2);
    stage.finish([daemon]).await;
}
