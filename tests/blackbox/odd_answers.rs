//! Unexpected and missing answers of WhatsApp: the account stays connected, and one odd item
//! does not spoil the rest. Each kind has generated variants.

use std::time::Duration;

use paird_sandbox::{Fault, Garbage, Group, Scope, Stanza};
use paird_testkit::{Api, Phones, Stage, Web, sample, until, until_within};
use serde_json::json;
use uuid::Uuid;

const NUMBER: &str = "436602000001";
const SERVER: &str = "s.whatsapp.net";

fn of(number: &str) -> Scope {
    Scope::Number(number.to_owned())
}

/// The same numbers in each run, evenly spread: splitmix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }

    fn one_of<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    /// Printable or not.
    fn text(&mut self) -> String {
        let of = ['a', 'Z', '9', ' ', '\0', '\n', '\u{1b}', '\u{202e}', 'ß', '漢', '🙂', '"', '<', '\u{7f}'];
        (0..self.below(40)).map(|_| of[usize::try_from(self.below(of.len() as u64)).unwrap()]).collect()
    }
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
    let mut dice = Dice(1);
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

/// A group with some oddity, and the fields that must be stored of it.
fn odd_group(dice: &mut Dice, nth: u64) -> (Stanza, Option<(String, Option<String>)>) {
    let jid = format!("12036309{:09}", dice.below(1_000_000_000) / 100 * 100 + nth);
    let subject = format!("Odd {nth}");
    let member = |number: u64| Stanza::new("participant").attr("jid", format!("999{number:08}@{SERVER}"));
    let group = Stanza::new("group").attr("id", &jid).attr("subject", &subject).attr("creation", 1_700_000_000);
    let known = |jid: &str, subject: Option<&str>| Some((format!("{jid}@g.us"), subject.map(str::to_owned)));
    let named = known(&jid, Some(&subject));
    let value = dice.one_of(&["", "-1", "101", "maybe", "99999999999999999999"]).to_owned();
    match nth % 16 {
        0 => (group.attr("size", &value).child(member(1)), named),
        1 => (Stanza { attrs: [("id".to_owned(), jid.clone())].into(), ..group }, known(&jid, None)),
        2 => (group.child(Stanza::new("participant")).child(member(2)), named),
        3 => (group.child(Stanza::new("participant").attr("jid", dice.text())), named),
        4 => (group.child(member(4).attr("type", dice.one_of(&["", "owner", "ghost"]))), named),
        5 => (group.child(Stanza::new("ephemeral").attr("expiration", &value).attr("trigger", 21)), named),
        6 => (group.child(Stanza::new("appeal_status").attr("type", "unheard")), named),
        7 => (group.child(Stanza::new("appeal_status")), named),
        8 => (group.child(Stanza::new("evolution_version").attr("value", &value)), named),
        9 => (group.attr("addressing_mode", "smoke").attr("p_v_id", &value), named),
        10 => (group.child(Stanza::new("suspended").attr("can_auto_file", &value)), named),
        11 => (group.child(Stanza::new("limit_sharing_enabled").attr("trigger", &value)), named),
        12 => (group.child(Stanza::new("mystery").child(Stanza::new("deeper").bytes(&[0xff, 0]))), named),
        13 => (group.child(Stanza::new("parent").attr("default_membership_approval_mode", &value)), named),
        14 => (Stanza { attrs: [("subject".to_owned(), subject)].into(), ..group }, None),
        _ => (group.attr("subject", dice.text()), known(&jid, None)),
    }
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
    let mut dice = Dice(2);
    for round in 0..4 {
        let mut list = Stanza::new("groups").child(plain(1));
        let mut wanted = Vec::new();
        for nth in round * 16..(round + 1) * 16 {
            let (group, known) = odd_group(&mut dice, nth);
            wanted.extend(known);
            list = list.child(group);
        }
        // One of them a second time, and a stranger among them.
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
    // None at all, said in several ways; and as many as there can be.
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
    let (stage, daemon) = Stage::with_daemon().await;
    let (web, phones) = (&stage.web, &stage.phones);
    // Every namespace that a login asks in, but for the pings.
    for xmlns in ["w:g2", "w:sync:app:state", "usync", "encrypt", "abt", "blocklist", "privacy", "passive"] {
        phones.fault(Fault::StallIqs { xmlns: Some(xmlns.to_owned()) }).await;
    }
    let account = web.connect_account("desk", NUMBER, phones).await;
    let connected = web.seq(account).await;
    // Longer than the library waits for anything: 180 s for the first app state.
    tokio::time::sleep(Duration::from_secs(200)).await;
    assert_eq!(web.kinds(account).await.split_off(usize::try_from(connected).unwrap()), Vec::<String>::new());
    let report = phones.report().await;
    assert_eq!(report.logins, 1, "{:?}", report.stalled);
    let asked = |xmlns: &str| report.stalled.iter().filter(|query| query.what == xmlns).count();
    // Each is waited for over a minute, and then left alone for longer and longer.
    for xmlns in ["w:g2", "w:sync:app:state", "usync", "encrypt", "abt", "blocklist", "privacy", "passive"] {
        assert!(asked(xmlns) <= 6, "{xmlns}: {} times", asked(xmlns));
    }
    assert!(asked("w:g2") >= 1);
    phones.clear_faults().await;
    until_within(Duration::from_secs(120), "the groups, late", || async {
        web.kinds(account).await.contains(&"groups.synced".to_owned()).then_some(())
    })
    .await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_query_ends_no_connection() {
    let (stage, daemon) = Stage::with_daemon().await;
    let (web, phones) = (&stage.web, &stage.phones);
    let mut dice = Dice(3);
    let queries = ["w:g2", "w:sync:app:state", "usync", "encrypt", "abt", "blocklist", "privacy", "passive"];
    for xmlns in queries {
        let code = [400, 401, 403, 404, 406, 429, 500, 503, 599][usize::try_from(dice.below(9)).unwrap()];
        let text = dice.one_of(&["", "not-authorized", "rate-overlimit", "internal-server-error"]).to_owned();
        phones.fault(Fault::RefuseIqs { xmlns: xmlns.to_owned(), code, text, times: None }).await;
    }
    let account = web.connect_account("desk", NUMBER, phones).await;
    let connected = web.seq(account).await;
    tokio::time::sleep(Duration::from_secs(45)).await;
    phones.clear_faults().await;
    for xmlns in queries {
        let children = vec![Stanza::new(dice.one_of(&["", "list", "usync", "sync", "x"]).trim_start_matches(' '))];
        let children = children.into_iter().filter(|child| !child.tag.is_empty()).collect();
        phones.fault(Fault::Answer { xmlns: xmlns.to_owned(), children, times: Some(3) }).await;
    }
    logs_in_again(&stage, account, NUMBER).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let since: Vec<_> = web.kinds(account).await.split_off(usize::try_from(connected).unwrap());
    let ends = since.iter().filter(|kind| *kind == "session.disconnected").count();
    assert_eq!(ends, 1, "{since:?}");
    assert_eq!(phones.report().await.logins, 2);
    stage.finish([daemon]).await;
}

fn unheard(dice: &mut Dice, nth: u64) -> Stanza {
    let tag = format!("{}{}", dice.one_of(&["mystery", "w:odd", "poll", "stream:news"]), nth % 4);
    Stanza::new(&tag).attr("id", format!("odd-{nth}")).attr("from", SERVER).child(Stanza::new("part").bytes(&[1, 2]))
}

/// A message without anything for this device to decrypt.
fn empty_message(dice: &mut Dice, nth: u64) -> Stanza {
    let message = Stanza::new("message").attr("id", format!("empty-{nth}")).attr("t", 1_700_000_000);
    let message = message.attr("type", dice.one_of(&["text", "media", "pay", "unheard"]));
    let other = Stanza::new("to").attr("jid", format!("99900000001:9@{SERVER}"));
    let message = match nth % 4 {
        0 => message,
        1 => message.child(Stanza::new("mystery")),
        2 => message.child(Stanza::new("participants").child(other.child(Stanza::new("enc").attr("type", "msg")))),
        _ => message.child(Stanza::new("body").bytes(b"plain")),
    };
    match nth % 3 {
        0 => message.attr("from", format!("99900000002@{SERVER}")),
        1 => message.attr("from", "120363000000000009@g.us").attr("participant", format!("99900000003@{SERVER}")),
        _ => message.attr("from", "99900000000002@lid"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_stanzas_are_acknowledged_and_counted() {
    let (stage, mut daemon) = Stage::with_daemon().await;
    let api = Api::of(&stage, &mut daemon).await;
    let (web, phones) = (&stage.web, &stage.phones);
    let account = web.connect_account("desk", NUMBER, phones).await;
    let seq = web.event(account, "groups.synced", 0).await.seq;
    let mut dice = Dice(4);
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
    // One that answers nothing at all any more, from its first unanswered ping on.
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
        assert_eq!(doubted, code.is_some(), "told when a connection ends by it");
    }
    stage.finish([daemon]).await;
}
