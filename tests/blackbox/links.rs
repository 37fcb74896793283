//! sql/README.md, "Statuses": the consequences for a link when its connection ends.

use paird_sandbox::{Fault, Scope};
use paird_testkit::{Stage, Web, until};
use serde_json::{Value, json};
use uuid::Uuid;

const NUMBER: &str = "436601234567";
const WITNESS: &str = "436607654321";

fn of(number: &str) -> Scope {
    Scope::Number(number.to_owned())
}

fn refused(reason: u16, number: &str) -> Fault {
    Fault::LoginFailure { reason, code: None, expire: None, number: Some(number.to_owned()), times: Some(1) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_connection_is_reported_and_made_again() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.connect_account("desk", NUMBER, &stage.phones).await;
    let seq = web.event(account, "groups.synced", 0).await.seq;

    stage.phones.fault(Fault::RefuseConnections { times: None }).await;
    stage.phones.fault(Fault::Cut { scope: of(NUMBER) }).await;
    let told = web.event(account, "session.disconnected", seq).await;
    web.status_is(account, "reconnecting").await;
    assert!(told.payload["reason"].as_str().unwrap().starts_with("socket_lost"), "{told:?}");
    assert!(told.payload["nextRetryAt"].is_string(), "{told:?}");
    // While WhatsApp is unreachable the row says when the next try is.
    until("a second try, refused", || async {
        let reason: String = web.column(account, "status_reason").await;
        let planned: Option<chrono::DateTime<chrono::Utc>> = web.column(account, "next_retry_at").await;
        (reason.starts_with("unreachable") && planned.is_some()).then_some(())
    })
    .await;
    assert!(web.keys(account).await.0 == 1, "the keys of a link that is down are kept");

    stage.phones.clear_faults().await;
    web.status_is(account, "connected").await;
    assert_eq!(web.column::<Option<chrono::DateTime<chrono::Utc>>>(account, "next_retry_at").await, None);
    let since: Vec<_> = web.kinds(account).await.split_off(seq as usize);
    assert_eq!(since, ["session.disconnected", "session.connected"], "one event for the loss and one for the return");
    assert_eq!(stage.phones.report().await.links_made, 1);
    web.agrees_with(&stage.phones, NUMBER).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_answered_with_503_or_429_is_tried_again() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.connect_account("desk", NUMBER, &stage.phones).await;
    let seq = web.seq(account).await;
    stage.phones.fault(refused(503, NUMBER)).await;
    stage.phones.fault(refused(429, NUMBER)).await;
    stage.phones.fault(Fault::StreamError { code: 503, scope: of(NUMBER) }).await;

    let told = web.event(account, "session.disconnected", seq).await;
    assert_eq!(told.payload["reason"], "server_busy: stream:error 503");
    for reason in ["server_busy: failure", "rate_limited: failure"] {
        until(reason, || async {
            let found: String = web.column(account, "status_reason").await;
            found.starts_with(reason).then_some(())
        })
        .await;
        assert_eq!(web.status(account).await, "reconnecting");
    }
    web.status_is(account, "connected").await;
    assert_eq!(stage.phones.report().await.logins_refused, 2);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_removed_on_the_phone_is_unpaired_for_good() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.connect_account("desk", NUMBER, &stage.phones).await;
    let device = stage.phones.devices(NUMBER).await.remove(0);
    stage.phones.unlink(NUMBER, &device.jid).await;

    let told = web.event(account, "session.logged_out", 0).await;
    assert_eq!(told.payload["reason"], "logged_out: stream:error conflict device_removed");
    logged_out(web, account).await;
    let (state, why) = web.ask("account.resume", account, json!({})).await;
    assert_eq!(
        (state.as_str(), why.as_str()),
        ("failed", "there are no stored keys to connect with; pair the account")
    );

    let before = stage.phones.report().await;
    assert!(daemon.terminate().await.success());
    let daemon = stage.daemon(&[]).await;
    // Once another account has paired and logged in, this one would have been started, too.
    web.connect_account("witness", WITNESS, &stage.phones).await;
    assert_eq!(stage.phones.report().await.accepted, before.accepted + 2, "only the witness paired and logged in");
    assert_eq!(web.status(account).await, "unpaired");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_word_for_a_link_that_is_gone_erases_the_keys() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let at_login = |number: &str| refused(401, number);
    let stream = |code, number: &str| Fault::StreamError { code, scope: of(number) };
    // A 401 that does not name the removal is believed only when the next login gets it again.
    let said: [(&str, &str, Vec<Fault>); 4] = [
        (
            "at login",
            "436601111111",
            vec![at_login("436601111111"), at_login("436601111111"), Fault::Cut { scope: of("436601111111") }],
        ),
        ("516", "436602222222", vec![at_login("436602222222"), stream(516, "436602222222")]),
        ("401", "436603333333", vec![at_login("436603333333"), stream(401, "436603333333")]),
        ("removed", "436604444444", vec![Fault::DeviceRemoved { scope: of("436604444444") }]),
    ];
    for (label, number, faults) in said {
        let account = web.connect_account(label, number, &stage.phones).await;
        for fault in faults {
            stage.phones.fault(fault).await;
        }
        web.event(account, "session.logged_out", 0).await;
        logged_out(web, account).await;
    }
    stage.finish([daemon]).await;
}

async fn logged_out(web: &Web, account: Uuid) {
    web.status_is(account, "unpaired").await;
    assert_eq!(web.column::<String>(account, "status_reason").await, "logged_out");
    assert_eq!(web.column::<String>(account, "desired").await, "unpaired");
    assert_eq!(web.column::<Option<String>>(account, "phone_number").await, None);
    assert_eq!(web.keys(account).await, (0, 0), "the keys are erased");
    assert_eq!(web.tickets(account).await, 0, "there is nothing to unlink");
    let audited = web
        .count("SELECT count(*) FROM audit_log WHERE target_id = $1 AND action = 'account.logged_out'", &[&account])
        .await;
    assert_eq!(audited, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_connection_is_held_and_does_not_fight() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.connect_account("desk", NUMBER, &stage.phones).await;
    let witness = web.connect_account("witness", WITNESS, &stage.phones).await;
    let seq = web.seq(account).await;
    let before = stage.phones.report().await;

    stage.phones.fault(Fault::Replaced { scope: of(NUMBER) }).await;
    let told = web.event(account, "session.held", seq).await;
    assert!(told.payload["reason"].as_str().unwrap().starts_with("replaced"), "{told:?}");
    assert_eq!(told.payload["until"], Value::Null);
    assert_eq!(web.status(account).await, "held");
    // Another account reconnects twice and a daemon starts: if this one tried again, it would have by then.
    for _ in 0..2 {
        let seq = web.seq(witness).await;
        stage.phones.fault(Fault::Cut { scope: of(WITNESS) }).await;
        web.event(witness, "session.connected", seq).await;
    }
    assert_eq!(stage.phones.report().await.accepted, before.accepted + 2, "only the witness came back");
    assert!(daemon.terminate().await.success());
    let daemon = stage.daemon(&[]).await;
    web.status_is(witness, "connected").await;
    assert_eq!(
        stage.phones.report().await.accepted,
        before.accepted + 3,
        "a restarted daemon does not reconnect a replaced account"
    );
    assert_eq!(web.status(account).await, "held");

    let result = web.does("account.resume", account, json!({})).await;
    assert_eq!(result, "connecting with the stored keys");
    web.status_is(account, "connected").await;
    let report = stage.phones.report().await;
    assert_eq!((report.accepted, report.links_made), (before.accepted + 4, before.links_made));
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_ban_is_waited_out_and_ends_by_itself() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.connect_account("desk", NUMBER, &stage.phones).await;
    let seq = web.seq(account).await;
    let ban = Fault::LoginFailure {
        reason: 402,
        code: Some(101),
        expire: Some(3),
        number: Some(NUMBER.to_owned()),
        times: Some(1),
    };
    stage.phones.fault(ban).await;
    stage.phones.fault(Fault::Cut { scope: of(NUMBER) }).await;

    let held = web.event(account, "session.held", seq).await;
    assert!(held.payload["reason"].as_str().unwrap().starts_with("temporary_ban: failure 402 101"), "{held:?}");
    let until: chrono::DateTime<chrono::Utc> = held.payload["until"].as_str().unwrap().parse().unwrap();
    assert_eq!(web.status(account).await, "held");
    let planned: Option<chrono::DateTime<chrono::Utc>> = web.column(account, "next_retry_at").await;
    assert_eq!(planned, Some(until));
    web.event(account, "session.connected", held.seq).await;
    assert!(
        web.column::<chrono::DateTime<chrono::Utc>>(account, "status_since").await >= until,
        "the account came back before the ban's end"
    );
    assert_eq!(web.status(account).await, "connected");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bans_and_outdated_clients_are_held_with_whatsapps_code() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.connect_account("desk", NUMBER, &stage.phones).await;
    for (code, word) in [(403, "banned"), (406, "banned"), (405, "client_outdated")] {
        let seq = web.seq(account).await;
        stage.phones.fault(refused(code, NUMBER)).await;
        stage.phones.fault(Fault::Cut { scope: of(NUMBER) }).await;
        let told = web.event(account, "session.held", seq).await;
        let reason = told.payload["reason"].as_str().unwrap();
        assert!(reason.starts_with(&format!("{word}: failure {code}")), "{reason}");
        // Only an outdated client is tried again by itself.
        assert_eq!(told.payload["until"].is_null(), code != 405);
        assert_eq!(web.status(account).await, "held");
        assert_eq!(web.column::<String>(account, "status_reason").await, reason);
        let audited = web
            .count(
                "SELECT count(*) FROM audit_log WHERE target_id = $1 AND action = 'account.held' AND payload->>'raw' LIKE $2",
                &[&account, &format!("failure {code}%")],
            )
            .await;
        assert_eq!(audited, 1);
        web.does("account.resume", account, json!({})).await;
        web.status_is(account, "connected").await;
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_that_whatsapp_asks_for_leaves_the_status_as_it_is() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.connect_account("desk", NUMBER, &stage.phones).await;
    web.event(account, "groups.synced", 0).await;
    let (seq, logins) = (web.seq(account).await, stage.phones.report().await.logins);
    let since: chrono::DateTime<chrono::Utc> = web.column(account, "status_since").await;

    stage.phones.fault(Fault::StreamError { code: 515, scope: of(NUMBER) }).await;
    until("the login after 515", || async {
        assert_eq!(web.status(account).await, "connected");
        (stage.phones.report().await.logins == logins + 1).then_some(())
    })
    .await;
    daemon.log_until("online again", |log| log.contains("Connecting → Online")).await;
    web.does("groups.sync", account, json!({})).await;
    assert_eq!(web.column::<chrono::DateTime<chrono::Utc>>(account, "status_since").await, since);
    assert_eq!(web.kinds(account).await.split_off(seq as usize), ["groups.synced"]);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_version_that_worked_is_kept_for_the_fleet() {
    let (stage, daemon) = Stage::with_daemon_under_roles().await;
    let kept = || async {
        let sql = "SELECT format('%s.%s.%s', major, minor, revision), accepted_at::text FROM client_version";
        let rows = stage.web.sql.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect::<Vec<(String, String)>>()
    };
    assert!(kept().await.is_empty(), "nobody has logged in yet");
    let account = stage.web.connect_account("desk", "436601000077", &stage.phones).await;
    let first = until("the version is kept", || async { kept().await.pop() }).await;
    let claimed = stage.phones.report().await.versions;
    assert!(claimed.iter().all(|claim| claim.what == first.0), "{claimed:?}");
    let seq = stage.web.seq(account).await;
    stage.phones.fault(Fault::Cut { scope: Scope::All }).await;
    stage.web.event(account, "session.connected", seq).await;
    assert_eq!(kept().await, [first], "the same again is not written");
    stage.finish([daemon]).await;
}
