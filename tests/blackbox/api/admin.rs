//! The daemon's admin operations, and its listening addresses.

use nix::sys::signal::Signal;
use paird_sandbox::{Fault, Scope};
use paird_testkit::{Api, Stage, until};
use serde_json::{Value, json};

const NUMBER: &str = "436607000003";

#[tokio::test(flavor = "multi_thread")]
async fn an_address_in_use_is_waited_for_while_the_daemon_works() {
    let stage = Stage::under_roles().await;
    let squatter = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = squatter.local_addr().unwrap().to_string();
    let mut daemon = stage.daemon(&[("PAIRD_CONSOLE_ADDR", &addr)]).await;
    daemon.says("PAIRD_CONSOLE_ADDR").await;
    let id = stage.web.connect_account("desk", NUMBER, &stage.phones).await;
    drop(squatter);
    let api = Api::of(&stage, &mut daemon).await;
    assert_eq!(api.addr, addr);
    assert_eq!(api.account(&id.to_string()).await["status"], "connected");
    assert_eq!(daemon.log().matches("PAIRD_CONSOLE_ADDR").count(), 1, "said once");
    daemon.terminate().await;

    let without = stage.daemon(&[("PAIRD_CONSOLE_ADDR", "off"), ("PAIRD_CONSOLE_TOKEN_FILE", "/nowhere/token")]).await;
    stage.web.status_is(id, "connected").await;
    assert!(!without.log().contains("console"), "{}", without.log());
    stage.finish([without]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_minute_that_has_begun_is_in_the_history() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let last =
        async || api.get("/api/fleet/history").await.is(200).json()["samples"].as_array().unwrap().last().cloned();
    let begun = last().await.unwrap();
    assert_eq!((&begun["qrs"], &begun["qrMs"], &begun["logins"]), (&json!(0), &json!(null), &json!(0)));
    let id = stage.web.connect_account("desk", NUMBER, &stage.phones).await;
    let logins = stage.phones.report().await.logins;
    stage.phones.fault(Fault::Cut { scope: Scope::Number(NUMBER.to_owned()) }).await;
    until("a login with keys that exist", || async { (stage.phones.report().await.logins > logins).then_some(()) })
        .await;
    stage.web.status_is(id, "connected").await;
    let now = until("the fleet as it is", || async {
        last()
            .await
            .filter(|sample| sample["fleet"]["byStatus"]["connected"] == json!(1) && sample["logins"] == json!(1))
    })
    .await;
    assert_eq!((&now["qrs"], &now["connections"]), (&json!(1), &json!(1)), "{now}");
    assert_eq!(now["ends"], json!({"socket_lost": 1}), "{now}");
    assert!(now["qrMs"].as_u64().is_some() && now["loginMs"].as_u64().is_some(), "{now}");
    assert_eq!(now["fleet"]["daemons"], json!(1), "{now}");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_actor_is_inspected_and_restarted_where_it_runs() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let id = stage.web.connect_account("desk", NUMBER, &stage.phones).await;
    let idle = stage.web.account("idle").await;
    let path = format!("/api/accounts/{id}");

    let inspection = api.get(&format!("{path}/inspection")).await.is(200).json();
    assert_eq!((&inspection["state"], &inspection["status"]), (&json!("Online"), &json!("connected")));
    assert_eq!((&inspection["accountId"], &inspection["hasKeys"]), (&json!(id), &json!(true)));
    let all = api.get("/api/inspections").await.is(200).json();
    assert_eq!(all["inspections"].as_array().unwrap().len(), 1);
    api.get(&format!("/api/accounts/{idle}/inspection")).await.problem(409);
    api.post(&format!("/api/accounts/{idle}/restart"), json!({})).await.problem(409);

    let logins = || async { stage.phones.report().await.accepted };
    let before = logins().await;
    api.post(&format!("{path}/restart"), json!({})).await.is(202);
    until("another login", || async { (logins().await > before).then_some(()) }).await;
    stage.web.status_is(id, "connected").await;
    api.post("/api/resync", json!({})).await.is(202);

    // Asked of another daemon, it names the one to ask.
    let other_dir = stage.dir.join("other").display().to_string();
    let mut other = stage
        .daemon(&[
            ("PAIRD_DATA_DIR", &other_dir),
            ("PAIRD_MASTER_KEY_FILE", &stage.dir.join("daemon/master.key").display().to_string()),
        ])
        .await;
    let line = other.says("the console is listening").await;
    let addr = line.split("addr=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let elsewhere = Api::at(addr, &stage.dir.join("other/console.token"));
    let owner = api.account(&id.to_string()).await["owner"]["pid"].clone();
    let (here, there) = if owner == daemon.pid() { (&api, &elsewhere) } else { (&elsewhere, &api) };
    here.get(&format!("{path}/inspection")).await.is(200);
    for refused in
        [there.post(&format!("{path}/restart"), json!({})).await, there.get(&format!("{path}/inspection")).await]
    {
        let problem = refused.problem(409);
        assert!(problem["detail"].as_str().unwrap().contains(&owner.to_string()), "{problem}");
    }
    stage.finish([daemon, other]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_names_what_it_would_park_and_then_parks_it() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let id = stage.web.account("desk").await;
    let sql =
        "UPDATE whatsapp_accounts SET status = 'pending', pair_deadline = now() - interval '1 minute' WHERE id = $1";
    let freeze = async {
        // A row that no actor looks after: owned by a daemon that is long gone.
        let gone = "INSERT INTO processes (id, host, pid, version, pid_space, pid_birth, expires_at)
                    VALUES (gen_random_uuid(), 'gone', 1, '0', '', 0, now() - interval '1 minute')";
        stage.web.sql.execute(gone, &[]).await.unwrap();
        daemon.signal(Signal::SIGSTOP);
        stage.web.sql.execute(sql, &[&id]).await.unwrap();
        daemon.signal(Signal::SIGCONT);
    };
    freeze.await;
    let dry = api.post("/api/sweep", json!({"dryRun": true})).await.is(200).json();
    assert_eq!(dry["dryRun"], true);
    // The tick may have been faster than the test: then the attempt has ended by itself.
    if dry["swept"] != json!([]) {
        assert_eq!((&dry["swept"][0]["accountId"], &dry["swept"][0]["label"]), (&json!(id), &json!("desk")));
        assert_eq!(stage.web.status(id).await, "pending");
    }
    api.post("/api/sweep", json!({})).await.is(200);
    stage.web.status_is(id, "unpaired").await;
    assert_eq!(stage.web.ends(id).await, ["session.timeout timeout"]);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_daemon_gives_everything_away_and_stays_to_be_asked() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let id = stage.web.connect_account("desk", NUMBER, &stage.phones).await;
    let jid = stage.phones.devices_are(NUMBER, 1).await.remove(0).jid;

    let drained = api.post("/api/drain", json!({})).await.is(200).json();
    assert_eq!(drained["accounts"], 1);
    assert_eq!(api.get("/readyz").await.is(503).json()["draining"], true);
    api.get("/healthz").await.is(200);
    let fleet = api.get("/api/fleet").await.is(200).json();
    let me = &fleet["daemons"][0];
    assert_eq!((&me["draining"], &me["accounts"], &me["pid"]), (&json!(true), &json!(0), &json!(daemon.pid())));
    assert_eq!(fleet["byStatus"].as_object().unwrap().values().filter_map(Value::as_i64).sum::<i64>(), 1);
    // No daemon is there to do it, and it is not lost.
    let queued =
        api.post(&format!("/api/accounts/{id}/commands"), json!({"kind": "account.cancel"})).await.is(202).json();
    let fleet = api.get("/api/fleet").await.is(200).json();
    assert_eq!(fleet["queuedCommands"], 1);
    assert!(fleet["oldestQueuedCommandAgeMs"].as_i64().unwrap() >= 0);
    assert!(daemon.is_running());

    let second = stage.daemon(&[]).await;
    let end = api.get(&format!("/api/commands/{}?wait=30", queued["id"])).await.is(200).json();
    assert_eq!(end["state"], "done", "{end}");
    let account = api.status_is(&id.to_string(), "connected").await;
    assert_eq!(account["owner"]["pid"], second.pid());
    assert_eq!(stage.phones.devices(NUMBER).await[0].jid, jid, "nobody was logged out");
    stage.finish([daemon, second]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_daemon_is_drained_again_and_stops_at_once() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    stage.web.connect_account("desk", NUMBER, &stage.phones).await;
    assert_eq!(api.post("/api/drain", json!({})).await.is(200).json()["accounts"], 1);
    assert_eq!(api.post("/api/drain", json!({})).await.is(200).json()["accounts"], 0);

    let log = daemon.log_path();
    assert!(daemon.terminate().await.success());
    let log = std::fs::read_to_string(log).unwrap();
    assert!(!log.contains("did not disconnect in time"), "{log}");
    assert_eq!(stage.web.count("SELECT count(*) FROM processes", &[]).await, 0, "the lease is released");
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_drain_connects_every_account_again() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let id = stage.web.connect_account("desk", NUMBER, &stage.phones).await;
    let jid = stage.phones.devices_are(NUMBER, 1).await.remove(0).jid;
    let undrain = || async { api.ask("DELETE", "/api/drain", &[], None).await.is(200).json() };
    assert_eq!(undrain().await, json!({"wasDraining": false}));

    for _ in 0..2 {
        api.post("/api/drain", json!({})).await.is(200);
        assert_eq!(stage.web.count("SELECT count(*) FROM whatsapp_accounts WHERE owner IS NOT NULL", &[]).await, 0);
        let connections = stage.phones.report().await.accepted;
        assert_eq!(undrain().await, json!({"wasDraining": true}));
        until("a new connection", || async { (stage.phones.report().await.accepted > connections).then_some(()) })
            .await;
        let account = api.status_is(&id.to_string(), "connected").await;
        assert_eq!(account["owner"]["pid"], daemon.pid());
    }
    assert_eq!(api.get("/readyz").await.is(200).json()["draining"], false);
    assert_eq!(stage.phones.devices(NUMBER).await[0].jid, jid, "nobody was logged out");

    // A drain and an undrain at the same time.
    let (drained, undone) = tokio::join!(api.post("/api/drain", json!({})), undrain());
    assert!([200, 409].contains(&drained.status), "drained, or told that it was taken back: {}", drained.status);
    assert!(undone["wasDraining"].is_boolean());
    undrain().await;
    stage.web.count_becomes("SELECT count(*) FROM whatsapp_accounts WHERE owner IS NOT NULL", 1).await;
    stage.finish([daemon]).await;
}
