//! The history that a phone sends to a new device: read for what sending needs, and for nothing else.

use paird_sandbox::{History, MediaHost, OldChat};
use paird_testkit::{Daemon, Proxy, Stage, until};
use uuid::Uuid;

use super::receiving::{ANNA, BERT, NUMBER, linked, nothing_waits, texts_are, writes};

const WORDS: &str = "what Anna said years ago";

fn history(host: MediaHost) -> History {
    let chat = |number: &str, token| OldChat {
        number: number.to_owned(),
        text: WORDS.to_owned(),
        token,
        ..OldChat::default()
    };
    let chats = vec![chat(ANNA, vec![7; 16]), chat(BERT, vec![8; 16]), chat("999000000003", Vec::new())];
    History { chats, salt: vec![9; 32], host, ..History::default() }
}

async fn has(stage: &Stage, history: &History) {
    stage.phones.add(NUMBER).await;
    stage.phones.set_history(NUMBER, history).await;
}

async fn is_confirmed(stage: &Stage) -> bool {
    stage.phones.report().await.said.iter().any(|said| said.what.contains("hist_sync"))
}

async fn until_confirmed(stage: &Stage) {
    until("the phone is told that it was read", || async { is_confirmed(stage).await.then_some(()) }).await;
}

async fn tokens(stage: &Stage, account: Uuid) -> i64 {
    let sql = "SELECT count(*) FROM credentials WHERE account_id = $1 AND kind = 'tc_token'";
    stage.web.count(sql, &[&account]).await
}

/// No row of any table contains it.
async fn is_in_no_row(stage: &Stage, text: &str) {
    let tables = "SELECT c.oid::regclass::text FROM pg_class c
                  WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace";
    for table in stage.web.sql.query(tables, &[]).await.unwrap() {
        let table: String = table.get(0);
        let sql = format!(
            "SELECT count(*) FROM {table} AS t WHERE position($1 IN t::text) > 0
                              OR position(encode($1::text::bytea, 'hex') IN t::text) > 0"
        );
        assert_eq!(stage.web.count(&sql, &[&text]).await, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_read_for_tokens_and_lids_alone() {
    let (stage, daemon) = Stage::with_daemon_under_roles().await;
    has(&stage, &history(MediaHost::Serves)).await;
    let account = linked(&stage).await;
    until_confirmed(&stage).await;
    // The receipt waited for them, like any frame in a link's first minute.
    assert_eq!(tokens(&stage, account).await, 2);
    let lids = "SELECT count(*) FROM credentials WHERE account_id = $1 AND kind = 'lid_mapping'";
    assert!(stage.web.count(lids, &[&account]).await >= 3);
    assert_eq!(stage.web.count("SELECT count(*) FROM messages", &[]).await, 0);
    assert_eq!(stage.web.count("SELECT count(*) FROM contacts", &[]).await, 0);
    assert!(!stage.web.kinds(account).await.iter().any(|kind| kind.starts_with("message.")));
    is_in_no_row(&stage, WORDS).await;
    is_in_no_row(&stage, "Old friend").await;
    let log = daemon.log();
    assert!(![WORDS, "Old friend", "sandbox-media-auth"].iter().any(|said| log.contains(said)), "{log}");
    daemon.kill().await;
    let daemon = stage.daemon(&[]).await;
    stage.web.status_is(account, "connected").await;
    writes(&stage, ANNA, "after all these years").await;
    texts_are(&stage, account, &["after all these years"]).await;
    assert_eq!(tokens(&stage, account).await, 2);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_history_delays_neither_link_nor_messages() {
    let (stage, daemon) = Stage::with_daemon().await;
    has(&stage, &history(MediaHost::Stalls)).await;
    let account = linked(&stage).await;
    until("the file is asked for", || async { (stage.phones.report().await.media_asked > 0).then_some(()) }).await;
    writes(&stage, ANNA, "meanwhile").await;
    texts_are(&stage, account, &["meanwhile"]).await;
    nothing_waits(&stage).await;
    let other = "436601000002";
    stage.phones.add(other).await;
    stage.phones.set_history(other, &history(MediaHost::Stalls)).await;
    stage.web.connect_account("desk", other, &stage.phones).await;
    assert!(!is_confirmed(&stage).await, "confirmed before it was read");
    assert_eq!(tokens(&stage, account).await, 0);
    // It stops in time, too.
    stage.finish([daemon]).await;
}

/// WhatsApp has forgotten the message by then, and the phone sends it once.
#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_a_crash_cut_off_is_read_at_the_next_login() {
    let (stage, daemon) = Stage::with_daemon().await;
    has(&stage, &history(MediaHost::Stalls)).await;
    let account = linked(&stage).await;
    until("the file is asked for", || async { (stage.phones.report().await.media_asked > 0).then_some(()) }).await;
    nothing_waits(&stage).await;
    daemon.kill().await;
    stage.phones.set_history(NUMBER, &history(MediaHost::Serves)).await;
    let daemon = stage.daemon(&[]).await;
    until_confirmed(&stage).await;
    assert_eq!(tokens(&stage, account).await, 2);
    let asked = stage.phones.report().await.media_asked;
    // It is not read a third time.
    stage.logs_in_anew(account, NUMBER).await;
    writes(&stage, ANNA, "after").await;
    texts_are(&stage, account, &["after"]).await;
    assert_eq!(stage.phones.report().await.media_asked, asked);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_fetched_through_the_accounts_proxy() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    has(&stage, &history(MediaHost::Serves)).await;
    for scheme in ["socks5", "http"] {
        let proxy = Proxy::open().await;
        let before = stage.phones.report().await;
        let account = web.account(scheme).await;
        let sql = "UPDATE whatsapp_accounts SET proxy = $1 WHERE id = $2";
        web.sql.execute(sql, &[&proxy.url(scheme), &account]).await.unwrap();
        web.pair_with(account, NUMBER, &stage.phones).await;
        web.status_is(account, "connected").await;
        until("tokens", || async { (tokens(&stage, account).await == 2).then_some(()) }).await;
        let after = stage.phones.report().await;
        let files = after.media_asked - before.media_asked;
        assert_eq!(files, 1);
        assert_eq!(proxy.tunnels(), after.accepted - before.accepted + files, "something went around {scheme}");
        web.does("account.delete", account, serde_json::json!({})).await;
        web.event(account, "account.unlinked", 0).await;
    }
    stage.finish([daemon]).await;
}

/// How often the daemon has logged that something of a history was left out.
fn left_out(daemon: &Daemon, what: &str) -> usize {
    daemon.log().matches(&format!("{what} in the history that the phone announces")).count()
}

async fn confirmed(stage: &Stage) -> usize {
    stage.phones.report().await.said.iter().filter(|said| said.what.contains("hist_sync")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_very_many_announcements_the_first_are_heeded() {
    const HEEDED: usize = 256;
    let (stage, daemon) = Stage::with_daemon().await;
    has(&stage, &History { inline: true, times: 300, ..history(MediaHost::Serves) }).await;
    let account = linked(&stage).await;
    until("as many as are heeded", || async { (confirmed(&stage).await >= HEEDED).then_some(()) }).await;
    writes(&stage, ANNA, "behind all of them").await;
    texts_are(&stage, account, &["behind all of them"]).await;
    nothing_waits(&stage).await;
    assert_eq!(confirmed(&stage).await, HEEDED);
    assert_eq!(left_out(&daemon, "too many parts"), 1);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_long_in_a_history_is_left_out() {
    let (stage, daemon) = Stage::with_daemon().await;
    let mut long = history(MediaHost::Serves);
    long.chats[1].token = vec![8; 1025];
    long.salt = vec![9; 1025];
    has(&stage, &long).await;
    let account = linked(&stage).await;
    until_confirmed(&stage).await;
    assert_eq!(tokens(&stage, account).await, 1, "the longest that there may be is 1024 bytes");
    assert_eq!(left_out(&daemon, "too long a token"), 1);

    let other = "436601000002";
    stage.phones.add(other).await;
    let asked = stage.phones.report().await.media_asked;
    stage.phones.set_history(other, &History { padding: 4096, times: 3, ..history(MediaHost::Serves) }).await;
    stage.web.connect_account("desk", other, &stage.phones).await;
    stage.phones.keys_told(other).await;
    until("the announcements are acknowledged", || async {
        let device = stage.phones.devices(other).await.pop()?;
        let is_left_out = left_out(&daemon, "too long an announcement") > 0;
        (is_left_out && stage.phones.waiting(other, &device.jid).await.stanzas == 0).then_some(())
    })
    .await;
    assert_eq!(left_out(&daemon, "too long an announcement"), 1);
    let report = stage.phones.report().await;
    assert_eq!((report.media_asked, confirmed(&stage).await), (asked, 1), "it was read");
    stage.finish([daemon]).await;
}
