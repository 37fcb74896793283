//! Unexpected and missing answers of WhatsApp: the account stays connected, and one odd item
//! does not spoil the rest. Each kind has generated variants.

use std::time::Duration;

use paird_sandbox::{Fault, Garbage, Group, Scope, Stanza};
use paird_testkit::{
    Api, Phones, Stage, Web,
    odd::{Dice, empty_message, is_readable, odd_children, odd_group, odd_of_known_kind, unheard},
    sample, until, until_within,
};
use serde_json::json;
use uuid::Uuid;

const NUMBER: &str = "436602000001";
const SERVER: &str = "s.whatsapp.net";

fn of(number: &str) -> Scope {
    Scope::Number(number.to_owned())
}

/// Stanzas of the number's devices so far that contain all of these parts.
async fn said(phones: &Phones, number: &str, parts: &[&str]) -> Vec<String> {
    let said = phones.report().await.said.into_iter().filter(|stanza| stanza.from.starts_with(number));
    said.map(|stanza| stanza.what).filter(|what| parts.iter().all(|part| what.contains(part))).collect()
}

async fn says(phones: &Phones, number: &str, parts: &[&str], times: usize) {
    until(&format!("{number} says {parts:?} {times} times"), || async {
        (said(phones, number, parts).await.len() >= times).then_some(())
    })
    .await;
}

async fn logs_in_again(stage: &Stage, account: Uuid, number: &str) {
    let seq = stage.web.seq(account).await;
    stage.phones.fault(Fault::Cut { scope: of(number) }).await;
    stage.web.event(account, "session.connected", seq).await;
}

fn new_name(number: &str, id: u64, name: &str) -> Stanza {
    Stanza::new("notification")
        .attr("from", format!("{number}@{SERVER}"))
        .attr("id", id)
        .attr("type", "account_sync")
        .attr("t", 1_700_000_000)
        .attr("pushname", name)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_link_makes_an_account_look_online() {
    let (stage, daemon) = Stage::with_daemon().await;
    let (web, phones) = (&stage.web, &stage.phones);
    let mut dice = Dice::new(1);
    let kinds = [(Some("Shop"), false), (Some("Shop"), true), (None, true), (None, false)];
    for (nth, (business, is_told)) in kinds.into_iter().enumerate() {
        let number = format!("43660300000{nth}");
        phones.add(&number).await;
        phones.set_business(&number, business).await;
        let account = web.connect_account(&format!("account {nth}"), &number, phones).await;
        for again in 0..3 {
            if is_told {
                let name = format!("Name {}", dice.below(1_000_000));
                phones.say(&number, &new_name(&number, again, &name)).await;
                says(phones, &number, &["<presence", "unavailable", &name], 1).await;
            }
            phones.write(&number, "is anybody there?").await;
            says(phones, &number, &["<receipt", "type=\"inactive\""], 2 * usize::try_from(again).unwrap() + 1).await;
            let silent = said(phones, &number, &["<presence", "unavailable"]).await.len();
            logs_in_again(&stage, account, &number).await;
            if business.is_some() || is_told {
                says(phones, &number, &["<presence", "unavailable"], silent + 1).await;
            }
            phones.write(&number, "and now?").await;
            says(phones, &number, &["<receipt", "type=\"inactive\""], 2 * usize::try_from(again).unwrap() + 2).await;
        }
        assert_eq!(said(phones, &number, &["<presence", "\"available\""]).await, Vec::<String>::new());
        let receipts = said(phones, &number, &["<receipt"]).await;
        assert!(receipts.iter().all(|receipt| receipt.contains("type=\"inactive\"")), "{receipts:?}");
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_by_app_state_makes_no_account_look_online() {
    let (stage, daemon) = Stage::with_daemon().await;
    let (web, phones) = (&stage.web, &stage.phones);
    // A name that the first sync brings, and one that the owner chooses later.
    let kinds = [(Some("Shop"), true), (Some("Shop"), false), (None, true), (None, false)];
    for (nth, (business, is_first)) in kinds.into_iter().enumerate() {
        let number = format!("43660300001{nth}");
        phones.add(&number).await;
        phones.set_business(&number, business).await;
        if is_first {
            phones.change_own_name(&number, "First name").await;
        }
        let account = web.connect_account(&format!("account {nth}"), &number, phones).await;
        if is_first {
            says(phones, &number, &["<presence", "unavailable", "First name"], 1).await;
        }
        for again in 0..2 {
            phones.keys_told(&number).await;
            let name = format!("Name {again}");
            phones.change_own_name(&number, &name).await;
            says(phones, &number, &["<presence", "unavailable", &name], 1).await;
            let silent = said(phones, &number, &["<presence", "unavailable"]).await.len();
            logs_in_again(&stage, account, &number).await;
            says(phones, &number, &["<presence", "unavailable"], silent + 1).await;
            phones.write(&number, "is anybody there?").await;
            says(phones, &number, &["<receipt", "type=\"inactive\""], again + 1).await;
        }
        assert_eq!(said(phones, &number, &["<presence", "\"available\""]).await, Vec::<String>::new());
        // The phone's own messages, by which it shares its keys, are receipted as such.
        let ticks = said(phones, &number, &["<receipt"]).await.into_iter();
        let ticks: Vec<String> = ticks.filter(|receipt| !receipt.contains("type=\"")).collect();
        assert_eq!(ticks, Vec::<String>::new());
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_shall_look_online_does_so() {
    let (stage, mut daemon) = Stage::with_daemon().await;
    let api = Api::of(&stage, &mut daemon).await;
    let (web, phones) = (&stage.web, &stage.phones);
    let account = web.connect_account("desk", NUMBER, phones).await;
    let path = format!("/api/accounts/{account}/presence");
    assert_eq!(api.account(&account.to_string()).await["presence"], "silent");
    let set = api.ask("PUT", &path, &[], Some(json!({"presence": "available"}))).await.is(200).json();
    assert_eq!(set["presence"], "available");
    says(phones, NUMBER, &["<presence", "\"available\""], 1).await;
    phones.write(NUMBER, "now you see me").await;
    until("a receipt that is a tick", || async {
        let receipts = said(phones, NUMBER, &["<receipt"]).await;
        receipts.iter().any(|receipt| !receipt.contains("type=")).then_some(())
    })
    .await;
    let before = said(phones, NUMBER, &["<presence", "unavailable"]).await.len();
    web.sql.execute("UPDATE whatsapp_accounts SET presence = 'silent' WHERE id = $1", &[&account]).await.unwrap();
    says(phones, NUMBER, &["<presence", "unavailable"], before + 1).await;
    web.sql.execute("UPDATE whatsapp_accounts SET presence = 'loud' WHERE id = $1", &[&account]).await.unwrap_err();
    api.ask("PUT", &path, &[], Some(json!({"presence": "loud"}))).await.is(422);
    stage.finish([daemon]).await;
}

async fn groups_of(web: &Web, account: Uuid) -> Vec<(String, String, i32)> {
    let sql = "SELECT jid, subject, participants FROM whatsapp_groups WHERE account_id = $1 ORDER BY jid";
    let rows = web.sql.query(sql, &[&account]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_odd_group_is_stored_with_its_known_fields() {
    let (stage, daemon) = Stage::with_daemon().await;
    let (web, phones) = (&stage.web, &stage.phones);
    let account = web.connect_account("desk", NUMBER, phones).await;
    web.event(account, "groups.synced", 0).await;
    let plain = |nth: u64| {
        let own = Stanza::new("participant").attr("jid", format!("{NUMBER}@{SERVER}")).attr("type", "admin");
        let group = Stanza::new("group").attr("id", format!("12036300000000000{nth}"));
        group.attr("subject", format!("Plain {nth}")).attr("size", 3).child(own)
    };
    let mut dice = Dice::new(2);
    for round in 0..4 {
        let mut list = Stanza::new("groups").child(plain(1));
        let mut wanted = Vec::new();
        for nth in round * 16..(round + 1) * 16 {
            let (group, known) = odd_group(&mut dice, nth);
            wanted.extend(known);
            list = list.child(group);
        }
        // One group twice, and an unknown element among them.
        let list = list.child(plain(2)).child(plain(1)).child(Stanza::new("crowd").attr("id", 7));
        let tag = ["groups", "communities", "groups", "groups"][usize::try_from(round).unwrap()];
        let list = Stanza { tag: tag.to_owned(), ..list };
        phones.fault(Fault::Answer { xmlns: "w:g2".to_owned(), children: vec![list], times: Some(1) }).await;
        let result = web.does("groups.sync", account, json!({})).await;
        assert_eq!(result, format!("{} groups", wanted.len() + 2));
        let stored = groups_of(web, account).await;
        assert_eq!(stored.len(), wanted.len() + 2);
        for (jid, subject) in wanted {
            let (_, found, _) = stored.iter().find(|(known, ..)| *known == jid).unwrap_or_else(|| panic!("{jid}"));
            assert!(subject.is_none_or(|subject| *found == subject), "{jid}: {found}");
        }
        for plain in ["Plain 1", "Plain 2"] {
            assert!(stored.iter().any(|(_, subject, count)| subject == plain && *count == 3), "{stored:?}");
        }
    }
    // Several forms of an empty list, then a very long one.
    for children in [vec![], vec![Stanza::new("groups")], vec![Stanza::new("mystery")]] {
        phones.fault(Fault::Answer { xmlns: "w:g2".to_owned(), children, times: Some(1) }).await;
        web.ask("groups.sync", account, json!({})).await;
    }
    let crowd = |nth: u32, participants| Group {
        jid: format!("1203630000000001{nth:02}@g.us"),
        subject: format!("Crowd {nth}"),
        participants,
        is_admin: true,
        by_lid: nth == 1,
    };
    phones.set_groups(NUMBER, &[crowd(0, 2), crowd(1, 20_000), crowd(2, 20_001), crowd(3, 3)]).await;
    web.does("groups.sync", account, json!({})).await;
    let counts: Vec<i32> = groups_of(web, account).await.into_iter().map(|(_, _, count)| count).collect();
    assert_eq!(counts, [2, 20_000, 20_001, 3]);
    assert_eq!(web.count("SELECT count(*) FROM whatsapp_groups WHERE is_admin", &[]).await, 4);
    assert!(!web.kinds(account).await.contains(&"session.disconnected".to_owned()));
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unanswered_query_ends_no_connection() {
    let stage = Stage::in_haste().await;
    let daemon = stage.daemon(&[]).await;
    let (web, phones) = (&stage.web, &stage.phones);
    // Every namespace that a login asks in, but for the pings.
    for xmlns in QUERIES {
        phones.fault(Fault::StallIqs { xmlns: Some(xmlns.to_owned()) }).await;
    }
    let account = web.connect_account("desk", NUMBER, phones).await;
    let connected = web.seq(account).await;
    // Longer than the library waits for anything: 180 s of the daemon's for the first app state. The
    // connection's own pings, each 20 s, tell the time.
    let pings = phones.report().await.pings_answered;
    until_within(Duration::from_secs(300), "ten pings", || async {
        (phones.report().await.pings_answered >= pings + 10).then_some(())
    })
    .await;
    assert_eq!(web.kinds(account).await.split_off(usize::try_from(connected).unwrap()), Vec::<String>::new());
    let report = phones.report().await;
    assert_eq!(report.logins, 1, "{:?}", report.stalled);
    let asked = |xmlns: &str| report.stalled.iter().filter(|query| query.what == xmlns).count();
    assert!(report.asked.len() >= report.stalled.len());
    // Each is waited for over a minute, and then left alone for longer and longer.
    for xmlns in QUERIES {
        assert!(asked(xmlns) <= 6, "{xmlns}: {} times", asked(xmlns));
    }
    assert!(asked("w:g2") >= 1);
    phones.clear_faults().await;
    // The pause after so many failures is of minutes. Who asks does not wait for it, only for a
    // query that is still under way and whose answer never comes.
    let first = web.send("groups.sync", account, json!({})).await;
    let ended = "SELECT count(*) FROM commands WHERE id = $1 AND state IN ('done', 'failed')";
    until_within(Duration::from_secs(120), "the groups, or that they do not come", || async {
        (web.count(ended, &[&first]).await == 1).then_some(())
    })
    .await;
    let (state, result) = web.ask("groups.sync", account, json!({})).await;
    assert_eq!(state, "done", "{result}");
    assert!(web.kinds(account).await.contains(&"groups.synced".to_owned()));
    stage.finish([daemon]).await;
}

/// What a login asks for, but for pings, and for [`ACTIVATION`].
const QUERIES: [&str; 7] = ["w:g2", "w:sync:app:state", "usync", "encrypt", "abt", "blocklist", "privacy"];

/// The request to be active. Nothing is delivered to a device that WhatsApp leaves without an answer to
/// it, or refuses: that connection is not healthy, see `deaf`.
const ACTIVATION: &str = "passive";

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_query_ends_no_connection() {
    let stage = Stage::in_haste().await;
    let daemon = stage.daemon(&[]).await;
    let (web, phones) = (&stage.web, &stage.phones);
    let mut dice = Dice::new(3);
    for xmlns in QUERIES {
        let code = [400, 401, 403, 404, 406, 429, 500, 503, 599][usize::try_from(dice.below(9)).unwrap()];
        let text = dice.one_of(&["", "not-authorized", "rate-overlimit", "internal-server-error"]).to_owned();
        phones.fault(Fault::RefuseIqs { xmlns: xmlns.to_owned(), code, text, times: None }).await;
    }
    let account = web.connect_account("desk", NUMBER, phones).await;
    let connected = web.seq(account).await;
    until("a query for the groups", || async {
        phones.report().await.asked.iter().any(|query| query.what.starts_with("w:g2 ")).then_some(())
    })
    .await;
    is_pinged(phones, 1).await;
    phones.clear_faults().await;
    let rounds = 3;
    for _ in 0..rounds {
        for xmlns in QUERIES.into_iter().chain([ACTIVATION]) {
            for _ in 0..3 {
                let children = odd_children(&mut dice, 3);
                phones.fault(Fault::Answer { xmlns: xmlns.to_owned(), children, times: Some(1) }).await;
            }
        }
        logs_in_again(&stage, account, NUMBER).await;
        is_pinged(phones, 1).await;
        phones.clear_faults().await;
    }
    let since: Vec<_> = web.kinds(account).await.split_off(usize::try_from(connected).unwrap());
    let ends = since.iter().filter(|kind| *kind == "session.disconnected").count();
    assert_eq!(ends, rounds, "{since:?}");
    assert_eq!(phones.report().await.logins, 1 + rounds as u64);
    stage.finish([daemon]).await;
}

/// Waits until the connection has sent so many more pings: it works.
async fn is_pinged(phones: &Phones, times: u64) {
    let pings = phones.report().await.pings_answered;
    until_within(Duration::from_secs(90), "pings", || async {
        (phones.report().await.pings_answered >= pings + times).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_stanzas_of_known_kinds_end_no_connection() {
    let stage = Stage::in_haste().await;
    let mut daemon = stage.daemon(&[]).await;
    let api = Api::of(&stage, &mut daemon).await;
    let (web, phones) = (&stage.web, &stage.phones);
    let account = web.connect_account("desk", NUMBER, phones).await;
    let seq = web.event(account, "groups.synced", 0).await.seq;
    let mut dice = Dice::new(5);
    let tags =
        ["notification", "notification", "notification", "receipt", "call", "ib", "chatstate", "presence", "ack", "iq"];
    let mut wants_ack = Vec::new();
    for nth in 0..200 {
        let tag = tags[usize::try_from(nth).unwrap() % tags.len()];
        let stanza = odd_of_known_kind(&mut dice, tag, nth);
        // Without a sender, WhatsApp expects no acknowledgement.
        let has_sender =
            stanza.attrs.get("from").is_some_and(|from| from == SERVER || from.starts_with("99900000004@"));
        if ["notification", "receipt", "call"].contains(&tag) && has_sender && is_readable(&stanza) {
            wants_ack.push(format!("id=\"known-{nth}\""));
        }
        phones.say(NUMBER, &stanza).await;
    }
    let news = ["unheard-1", "unheard-2", "unheard-1"];
    for (kind, nth) in news.into_iter().zip(900..) {
        let stanza = Stanza::new("notification").attr("id", format!("known-{nth}")).attr("from", SERVER);
        phones.say(NUMBER, &stanza.attr("type", kind)).await;
        wants_ack.push(format!("id=\"known-{nth}\""));
    }
    // WhatsApp's complaint about a missing acknowledgement does not end the stream.
    let no_end = Stanza::new("stream:error").child(Stanza::new("ack").attr("class", "status"));
    phones.say(NUMBER, &no_end).await;
    for id in &wants_ack {
        says(phones, NUMBER, &["<ack", id], 1).await;
    }
    is_pinged(phones, 1).await;
    for id in &wants_ack {
        assert_eq!(said(phones, NUMBER, &["<ack", id]).await.len(), 1, "{id} is acknowledged once");
    }
    let kinds = web.kinds(account).await.split_off(usize::try_from(seq).unwrap());
    assert!(!kinds.iter().any(|kind| kind.starts_with("session.")), "{kinds:?}");
    assert_eq!(phones.report().await.logins, 1);
    let metrics = api.get("/metrics").await.is(200).text();
    let count = sample(&metrics, "paird_odd_stanzas_total{kind=\"notification\"}");
    assert!(count.is_some_and(|count| count >= 3.0), "{metrics}");
    let log = daemon.log();
    for (kind, times) in [("unheard-1", 1), ("unheard-2", 1)] {
        let named = log.lines().filter(|line| line.contains("unknown kind") && line.contains(kind)).count();
        assert_eq!(named, times, "{kind}");
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_of_any_length_are_kept_short() {
    let (stage, daemon) = Stage::with_daemon().await;
    let (web, phones) = (&stage.web, &stage.phones);
    let endless = [
        Stanza::new("stream:error").attr("code", "9".repeat(100_000)),
        Stanza::new("failure").attr("reason", 403).attr("message", "m".repeat(500_000)),
        Stanza::new("failure").attr("reason", 599).attr("location", "ß".repeat(100_000)),
    ];
    for (nth, stanza) in endless.into_iter().enumerate() {
        let number = format!("43660220000{nth}");
        let account = web.connect_account(&format!("desk {nth}"), &number, phones).await;
        let seq = web.seq(account).await;
        phones.say(&number, &stanza).await;
        let ended = until("an end of the connection", || async {
            web.events(account).await.into_iter().find(|event| {
                event.seq > seq && ["session.disconnected", "session.held"].contains(&event.kind.as_str())
            })
        })
        .await;
        let sql = "SELECT max(length(words)) FROM (
                       SELECT status_reason FROM whatsapp_accounts UNION ALL SELECT payload::text FROM events
                       UNION ALL SELECT payload::text FROM audit_log) AS said (words)";
        let longest: i32 = web.sql.query_one(sql, &[]).await.unwrap().get(0);
        assert!(longest <= 800, "{longest} characters after {} of {nth}", ended.kind);
    }
    let longest = daemon.log().lines().map(str::len).max().unwrap();
    assert!(longest < 5_000, "a line of the log has {longest} bytes");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_stanzas_are_acknowledged_and_counted() {
    let (stage, mut daemon) = Stage::with_daemon().await;
    let api = Api::of(&stage, &mut daemon).await;
    let (web, phones) = (&stage.web, &stage.phones);
    let account = web.connect_account("desk", NUMBER, phones).await;
    let seq = web.event(account, "groups.synced", 0).await.seq;
    let mut dice = Dice::new(4);
    for nth in 0..24 {
        phones.say(NUMBER, &unheard(&mut dice, nth)).await;
        phones.say(NUMBER, &empty_message(&mut dice, nth)).await;
        says(phones, NUMBER, &["<ack", &format!("id=\"odd-{nth}\"")], 1).await;
        says(phones, NUMBER, &["<ack", "class=\"message\"", &format!("id=\"empty-{nth}\"")], 1).await;
    }
    for nth in 0..24 {
        for id in [format!("id=\"odd-{nth}\""), format!("id=\"empty-{nth}\"")] {
            assert_eq!(said(phones, NUMBER, &["<ack", &id]).await.len(), 1, "{id} is acknowledged once");
        }
    }
    let metrics = api.get("/metrics").await.is(200).text();
    let count = |kind: &str| sample(&metrics, &format!("paird_odd_stanzas_total{{kind=\"{kind}\"}}"));
    assert_eq!((count("unknown"), count("empty_message")), (Some(24.0), Some(24.0)), "{metrics}");
    let log = daemon.log();
    let named =
        |what: &str| log.lines().filter(|line| line.contains("of an unknown kind") && line.contains(what)).count();
    assert!(named("mystery") + named("w:odd") + named("poll") + named("stream:news") <= 16, "once each");
    assert!(named("unknown") >= 1 && named("empty_message") == 1, "{log}");
    assert_eq!(web.kinds(account).await.len(), usize::try_from(seq).unwrap());
    stage.finish([daemon]).await;
}

/// Waits until the account has another connection, from now on.
async fn is_replaced(web: &Web, account: Uuid, seq: i64) {
    until_within(Duration::from_secs(30), "another connection, within 30 s", || async {
        let events = web.events(account).await;
        events.iter().any(|event| event.kind == "session.connected" && event.seq > seq).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_cannot_decrypt_is_replaced_in_30_s() {
    let (stage, daemon) = Stage::with_daemon().await;
    let (web, phones) = (&stage.web, &stage.phones);
    let kinds = [Garbage::Frame, Garbage::Skipped, Garbage::Length, Garbage::Empty];
    let mut accounts = Vec::new();
    for nth in 0..5 {
        let number = format!("43660400000{nth}");
        let account = web.connect_account(&format!("account {nth}"), &number, phones).await;
        web.event(account, "groups.synced", 0).await;
        accounts.push((account, number));
    }
    let looking = kinds.into_iter().zip(&accounts).map(|(how, (account, number))| async move {
        let seq = web.seq(*account).await;
        phones.fault(Fault::Garble { scope: of(number), how }).await;
        is_replaced(web, *account, seq).await;
    });
    futures_util::future::join_all(looking).await;
    // A connection on which WhatsApp answers nothing any more is lost after unanswered pings.
    let (account, _) = accounts[4];
    let (seq, before) = (web.seq(account).await, phones.report().await);
    phones.fault(Fault::StallIqs { xmlns: None }).await;
    until("a query that is not answered", || async {
        (phones.report().await.iqs_stalled >= before.iqs_stalled + 5).then_some(())
    })
    .await;
    is_replaced(web, account, seq).await;
    phones.clear_faults().await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_is_believed_after_a_second_look() {
    let (stage, daemon) = Stage::with_daemon().await;
    let (web, phones) = (&stage.web, &stage.phones);
    let refused = |number: &str, times| Fault::LoginFailure {
        reason: 401,
        code: None,
        expire: None,
        number: Some(number.to_owned()),
        times: Some(times),
    };
    let stream = |code, number: &str| Fault::StreamError { code, scope: of(number) };
    // Said once, at a login or of a stream, and taken back by the next login; or said twice.
    for (nth, (code, times)) in
        [(None, 1), (Some(401), 0), (Some(516), 0), (None, 2), (Some(401), 1), (Some(516), 1)].into_iter().enumerate()
    {
        let number = format!("43660500000{nth}");
        let account = web.connect_account(&format!("account {nth}"), &number, phones).await;
        let seq = web.seq(account).await;
        if times > 0 {
            phones.fault(refused(&number, times)).await;
        }
        phones.fault(code.map_or(Fault::Cut { scope: of(&number) }, |code| stream(code, &number))).await;
        let is_gone = times + u32::from(code.is_some()) == 2;
        if is_gone {
            let told = web.event(account, "session.logged_out", 0).await;
            assert_eq!(told.payload["reason"], "logged_out: failure 401 location=loopback");
            web.status_is(account, "unpaired").await;
            assert_eq!(web.keys(account).await, (0, 0));
        } else {
            web.event(account, "session.connected", seq).await;
            assert_eq!(web.keys(account).await.0, 1, "the keys are kept");
        }
        assert_eq!(web.kinds(account).await.contains(&"session.logged_out".to_owned()), is_gone);
        let doubted =
            web.events(account).await.into_iter().any(|event| {
                event.payload["reason"].as_str().is_some_and(|reason| reason.starts_with("not_authorized"))
            });
        assert_eq!(doubted, code.is_some(), "an event is written if the connection ends");
    }
    stage.finish([daemon]).await;
}
