//! An account's proxy: everything goes through it, or nothing goes.

use std::process::Stdio;

use paird::credentials::{GivenProxy, set_proxy};
use paird_actors::domain::AccountId;
use paird_sandbox::{Fault, Scope};
use paird_testkit::{Proxy, Stage, Web, until};
use serde_json::json;
use tokio::{io::AsyncWriteExt as _, process::Command};
use uuid::Uuid;

const NUMBER: &str = "436601234567";
const PASSWORD: &str = "s3cret-of-the-proxy";
const LOGIN: &str = "alice:s3cret-of-the-proxy";

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_life_goes_through_the_proxy_alone() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    web.hush(PASSWORD);
    let open = Proxy::open().await;
    let wanting = Proxy::wanting(LOGIN).await;
    let ways = [
        (open.url("socks5"), "436601000001"),
        (open.url("http"), "436601000002"),
        (wanting.url_with("socks5", LOGIN), "436601000003"),
        (wanting.url_with("http", LOGIN), "436601000004"),
    ];
    for (url, number) in ways {
        let before = stage.phones.report().await.accepted;
        assert_eq!(before, open.tunnels() + wanting.tunnels());
        let account = web.account(&url.replace(PASSWORD, "")).await;
        set(&stage, account, &url).await;
        stage.phones.add(number).await;
        web.pair_with(account, number, &stage.phones).await;
        web.status_is(account, "connected").await;
        web.event(account, "groups.synced", 0).await;
        let seq = web.seq(account).await;
        stage.phones.fault(Fault::Cut { scope: Scope::Number(number.to_owned()) }).await;
        web.event(account, "session.connected", seq).await;
        // The unlink is a connection of its own.
        web.does("account.delete", account, json!({})).await;
        web.event(account, "account.unlinked", 0).await;
        stage.phones.devices_are(number, 0).await;
        web.status_is(account, "unpaired").await;
        assert_eq!(logins_kept(web, account).await, 0, "the stored login is deleted with the account");
        let accepted = stage.phones.report().await.accepted;
        assert!(accepted >= before + 4, "pairing, login, login again, unlink");
        assert_eq!(accepted, open.tunnels() + wanting.tunnels(), "a connection went around {url}");
    }
    assert!(wanting.logins().iter().all(|login| login == LOGIN) && wanting.logins().len() >= 8);
    assert_eq!(open.logins(), Vec::<String>::new());
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_proxy_is_named_and_never_bypassed() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    web.hush(PASSWORD);
    let proxy = Proxy::open().await;
    let account = paired_through(&stage, &proxy.url("socks5")).await;
    let accepted = stage.phones.report().await.accepted;

    let address = proxy.stop().await;
    reason_begins(web, account, "proxy_unreachable: socks5://127.0.0.1:").await;
    assert_eq!(web.status(account).await, "reconnecting");
    web.status_is(account, "reconnecting").await;
    let (refusing, wanting) = (Proxy::refusing().await, Proxy::wanting(LOGIN).await);
    for scheme in ["socks5", "http"] {
        point(web, account, Some(&refusing.url(scheme))).await;
        reason_begins(web, account, &format!("proxy_refused: {scheme}://")).await;
        point(web, account, Some(&wanting.url(scheme))).await;
        reason_begins(web, account, &format!("proxy_auth: {scheme}://")).await;
        set(&stage, account, &wanting.url_with(scheme, "alice:wrong")).await;
        reason_begins(web, account, &format!("proxy_auth: {scheme}://127.0.0.1:")).await;
        until("the wrong login was tried", || async {
            wanting.logins().contains(&"alice:wrong".to_owned()).then_some(())
        })
        .await;
    }
    assert_eq!(stage.phones.report().await.accepted, accepted, "a connection was made without the proxy");

    let back = Proxy::open_at(address).await;
    point(web, account, Some(&back.url("socks5"))).await;
    web.status_is(account, "connected").await;
    assert_eq!(stage.phones.report().await.accepted, accepted + back.tunnels());
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pairing_shows_a_dead_proxy_and_continues_when_it_returns() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    stage.phones.add(NUMBER).await;
    let address = Proxy::open().await.stop().await;
    let account = web.account("desk").await;
    point(web, account, Some(&format!("http://{address}"))).await;
    web.does("account.pair", account, json!({})).await;
    reason_begins(web, account, "proxy_unreachable: ").await;
    assert_eq!(web.status(account).await, "pending");
    let back = Proxy::open_at(address).await;
    web.scan(account, NUMBER, &stage.phones).await;
    web.status_is(account, "connected").await;
    assert_eq!(stage.phones.report().await.accepted, back.tunnels());
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_update_moves_a_live_connection_at_once() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let account = web.connect_account("desk", NUMBER, &stage.phones).await;
    web.event(account, "groups.synced", 0).await;
    let (seq, since) = (web.seq(account).await, stage.phones.report().await.logins);
    let proxy = Proxy::open().await;
    point(web, account, Some(&proxy.url("socks5"))).await;
    until("a login through the proxy", || async {
        (proxy.tunnels() == 1 && stage.phones.report().await.logins == since + 1).then_some(())
    })
    .await;
    // Setting the same value again does nothing.
    point(web, account, Some(&proxy.url("socks5"))).await;
    point(web, account, None).await;
    until("a login without it", || async { (stage.phones.report().await.logins == since + 2).then_some(()) }).await;
    assert_eq!(proxy.tunnels(), 1);
    assert_eq!(web.status(account).await, "connected");
    assert_eq!(web.kinds(account).await.split_off(seq as usize), Vec::<String>::new(), "nothing was lost meanwhile");
    let sent = "SELECT count(*) FROM commands WHERE account_id = $1 AND kind = 'account.reconnect'";
    assert_eq!(web.count(sent, &[&account]).await, 2);

    // An account that is not connected needs no reconnect.
    web.does("account.unpair", account, json!({})).await;
    point(web, account, Some(&proxy.url("http"))).await;
    assert_eq!(web.count(sent, &[&account]).await, 2);
    web.does("account.resume", account, json!({})).await;
    web.status_is(account, "connected").await;
    assert_eq!(proxy.tunnels(), 2);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_proxy_address_shows_on_the_row_and_dials_nothing() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    web.hush(PASSWORD);
    let account = web.connect_account("desk", NUMBER, &stage.phones).await;
    let accepted = stage.phones.report().await.accepted;
    let seq = web.seq(account).await;
    point(web, account, Some("proxy.example")).await;
    let held = web.event(account, "session.held", seq).await;
    assert!(held.payload["reason"].as_str().unwrap().starts_with("proxy_invalid: "), "{held:?}");
    assert_eq!(web.status(account).await, "held");
    // Another bad one is reported again, without its password.
    let seq = web.seq(account).await;
    point(web, account, Some(&format!("socks5://{LOGIN}@127.0.0.1:1080"))).await;
    let held = web.event(account, "session.held", seq).await;
    let told = held.payload.to_string();
    assert!(told.contains("paird accounts proxy") && !told.contains(PASSWORD), "{told}");

    let fresh = web.account("new").await;
    point(web, fresh, Some("socks4://127.0.0.1:1080")).await;
    web.does("account.pair", fresh, json!({})).await;
    let failed = web.event(fresh, "session.failed", 0).await;
    assert!(failed.payload["reason"].as_str().unwrap().starts_with("proxy_invalid: "), "{failed:?}");
    web.status_is(fresh, "unpaired").await;
    assert_eq!(stage.phones.report().await.accepted, accepted, "nothing was dialled");

    point(web, account, None).await;
    web.status_is(account, "connected").await;
    point(web, account, Some("http://127.0.0.1:9/")).await;
    reason_begins(web, account, "proxy_unreachable: ").await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_login_serves_only_its_address_and_account() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    web.hush(PASSWORD);
    let (mine, other) = (Proxy::wanting(LOGIN).await, Proxy::wanting(LOGIN).await);
    let account = paired_through(&stage, &mine.url_with("socks5", LOGIN)).await;
    let column: String = web.column(account, "proxy").await;
    assert!(!column.contains("alice"), "the login is not in the address");

    // The login is resealed by a rotation of the master key.
    assert!(paird(&stage, &["keys", "rotate"], "").await.0);
    let keys = "SELECT count(DISTINCT master_key) FROM (SELECT master_key FROM keyrings
                UNION ALL SELECT master_key FROM proxy_logins) AS sealed";
    assert_eq!(web.count(keys, &[]).await, 1);
    assert!(daemon.terminate().await.success());
    let daemon = stage.daemon(&[]).await;
    web.status_is(account, "connected").await;
    assert_eq!(stage.phones.report().await.accepted, mine.tunnels());

    // Whoever may write the column cannot direct the stored password to another proxy.
    point(web, account, Some(&other.url("socks5"))).await;
    reason_begins(web, account, "proxy_auth: ").await;
    assert_eq!((other.logins(), logins_kept(web, account).await), (Vec::new(), 0));
    // Nor can whoever moves its row to another account.
    set(&stage, account, &mine.url_with("socks5", LOGIN)).await;
    web.status_is(account, "connected").await;
    let moved = web.account("moved").await;
    point(web, moved, Some(&mine.url("socks5"))).await;
    web.sql
        .execute("UPDATE proxy_logins SET account_id = $1 WHERE account_id = $2", &[&moved, &account])
        .await
        .unwrap();
    let offered = mine.logins().len();
    web.does("account.pair", moved, json!({})).await;
    reason_begins(web, moved, "proxy_auth: the login of ").await;
    assert_eq!(mine.logins().len(), offered);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cli_sets_a_proxy_and_takes_no_password_as_argument() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    web.hush(PASSWORD);
    let proxy = Proxy::wanting(LOGIN).await;
    let account = web.connect_account("desk", NUMBER, &stage.phones).await;

    let (done, said) = paird(&stage, &["accounts", "proxy", "desk", &proxy.url_with("http", LOGIN)], "").await;
    assert!(!done && said.contains("can read arguments") && !said.contains(PASSWORD), "{said}");
    let (done, said) = paird(&stage, &["accounts", "proxy", "desk", "proxy.example:1080"], "").await;
    assert!(!done && said.contains("neither socks5 nor http"), "{said}");
    assert_eq!(web.column::<Option<String>>(account, "proxy").await, None);

    let secret = stage.dir.join("password");
    std::fs::write(&secret, format!("{PASSWORD}\n")).unwrap();
    let secret = secret.display().to_string();
    let by_file = ["accounts", "proxy", "desk", &proxy.url("socks5"), "--user", "alice", "--password-file", &secret];
    let by_stdin = ["accounts", "proxy", "desk", &proxy.url("http"), "--user", "alice"];
    let whole = ["accounts", "proxy", "desk", "-"];
    let url = proxy.url_with("socks5", LOGIN);
    for (args, input) in [(&by_file[..], ""), (&by_stdin[..], PASSWORD), (&whole[..], url.as_str())] {
        let tunnels = proxy.tunnels();
        let (done, said) = paird(&stage, args, input).await;
        assert!(done && said.contains("with user and password") && !said.contains(PASSWORD), "{said}");
        until("a login through it", || async { (proxy.tunnels() > tunnels).then_some(()) }).await;
        web.status_is(account, "connected").await;
    }
    // Setting the same login again does not reconnect; another password does.
    let sent = "SELECT count(*) FROM commands WHERE account_id = $1 AND kind = 'account.reconnect'";
    let reconnects = web.count(sent, &[&account]).await;
    assert!(paird(&stage, &whole, &url).await.0);
    assert_eq!(web.count(sent, &[&account]).await, reconnects);
    web.hush("another-one");
    assert!(paird(&stage, &whole, &proxy.url_with("socks5", "alice:another-one")).await.0);
    reason_begins(web, account, "proxy_auth: ").await;
    assert!(paird(&stage, &["accounts", "proxy", "desk", "none"], "").await.0);
    assert_eq!(web.column::<Option<String>>(account, "proxy").await, None);
    assert_eq!(logins_kept(web, account).await, 0);
    web.status_is(account, "connected").await;
    stage.finish([daemon]).await;
}

async fn paired_through(stage: &Stage, url: &str) -> Uuid {
    let account = stage.web.account("desk").await;
    set(stage, account, url).await;
    stage.phones.add(NUMBER).await;
    stage.web.pair_with(account, NUMBER, &stage.phones).await;
    stage.web.status_is(account, "connected").await;
    stage.web.event(account, "groups.synced", 0).await;
    account
}

async fn set(stage: &Stage, account: Uuid, url: &str) {
    let key_file = stage.dir.join("daemon/master.key");
    let given = GivenProxy::parse(url).unwrap();
    set_proxy(&stage.web.sql, &key_file, AccountId(account), &given, "web").await.unwrap();
}

/// Sets the account's proxy as a web app does.
async fn point(web: &Web, account: Uuid, proxy: Option<&str>) {
    web.sql.execute("UPDATE whatsapp_accounts SET proxy = $2 WHERE id = $1", &[&account, &proxy]).await.unwrap();
}

async fn reason_begins(web: &Web, account: Uuid, start: &str) {
    until(&format!("a reason that begins with {start}"), || async {
        web.column::<String>(account, "status_reason").await.starts_with(start).then_some(())
    })
    .await;
}

async fn logins_kept(web: &Web, account: Uuid) -> i64 {
    web.count("SELECT count(*) FROM proxy_logins WHERE account_id = $1", &[&account]).await
}

/// Runs the command with this input. Returns whether it succeeded, and its output.
async fn paird(stage: &Stage, args: &[&str], input: &str) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_paird"));
    command.env_clear().env("DATABASE_URL", &stage.dsn).env("HOME", &stage.dir);
    command.env("PAIRD_DATA_DIR", stage.dir.join("daemon")).current_dir(&stage.dir).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    // It may have refused the arguments before it reads.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes()).await;
    let output = child.wait_with_output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_where_none_may_be_is_not_knocked_at() {
    let stage = Stage::empty().await;
    let daemon = stage.daemon(&[("PAIRD_PROXY_ALLOW", "127.9.0.0/16, ::1")]).await;
    let proxy = Proxy::open().await;
    let port = proxy.url("socks5").rsplit(':').next().unwrap().to_owned();
    for (host, shown) in [("127.0.0.1", "127.0.0.1"), ("[::ffff:127.0.0.1]", "::ffff:127.0.0.1")] {
        for scheme in ["socks5", "http"] {
            let account = stage.web.account(&format!("{scheme} {host}")).await;
            set(&stage, account, &format!("{scheme}://{host}:{port}")).await;
            stage.web.send("account.pair", account, json!({})).await;
            stage.web.event(account, "session.failed", 0).await;
            reason_begins(&stage.web, account, &format!("proxy_invalid: proxies may not be at {shown}")).await;
        }
    }
    assert_eq!((proxy.knocks(), proxy.tunnels()), (0, 0));
    assert_eq!(stage.phones.report().await.accepted, 0, "a connection was made without the proxy");
    stage.finish([daemon]).await;
}
