//! Counts statements, to detect a change that doubles one of these costs. `make bench`
//! measures time and memory.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use paird_testkit::{Api, Daemon, Stage, Wire, sample, until, until_within};
use uuid::Uuid;

/// Statements of the daemon from `account.pair` to the groups, with periodic ones in that time: 13
/// when this was written.
const OF_A_PAIRING: f64 = 18.0;
/// Of a text that comes in, with its notification: 3 when this was written.
const OF_A_RECEIVED_MESSAGE: f64 = 4.0;
/// Of a text that is sent to somebody who is known, until WhatsApp has it, with its notification: 4 when
/// this was written, beside what is seldom written.
const OF_A_SENT_MESSAGE: f64 = 4.5;
/// Pieces of the statements that messages need and an idle daemon sends, too: those that tell of events,
/// and those of keys.
const OF_MESSAGES: [&str; 2] = ["pg_notify(", "credentials"];
/// A piece of the statement with which the pool looks at connections that have rested.
const CONNECTION_CHECK: &str = "transaction_read_only";
/// Tasks that an idle account keeps: the library's readers and timers are most of them.
const OF_AN_ACCOUNT: f64 = 12.0;

/// Those who write, and bytes that may be kept for one of them, and for a message with a secret.
const PEOPLE: i64 = 5;
const OF_A_PERSON: i64 = 2_500;
const OF_A_MESSAGE: i64 = 500;

fn number(nth: usize) -> String {
    format!("43660{:07}", 3_000_000 + nth)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pairing_takes_a_dozen_statements() {
    let (stage, wire, daemon) = counted().await;
    pair(&stage, 0).await;
    wire.count_anew();
    const PAIRINGS: usize = 5;
    for nth in 1..=PAIRINGS {
        pair(&stage, nth).await;
    }
    let carried = wire.carried();
    let each = carried.values().sum::<usize>() as f64 / PAIRINGS as f64;
    assert!(each <= OF_A_PAIRING, "{each} statements a pairing: {carried:#?}");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_accounts_ask_the_database_for_nothing() {
    let (stage, wire, daemon) = counted().await;
    // One more than below, so that everything is among them that an idle daemon does every 15 s.
    heartbeats(&wire, 4).await;
    let own = wire.carried();
    join_all((0..8).map(|nth| pair(&stage, nth))).await;
    // Wait until the work after the pairings is over, and only an idle daemon's statements are left.
    wire.count_anew();
    until("a rest of three heartbeats", || async {
        let carried = wire.carried();
        if carried.keys().any(|text| !own.contains_key(text)) {
            wire.count_anew();
            return None;
        }
        (beats(&carried) >= 3).then_some(())
    })
    .await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_account_keeps_a_dozen_tasks() {
    let (stage, mut daemon) = Stage::with_daemon().await;
    let api = Api::of(&stage, &mut daemon).await;
    let few = tasks(&api).await;
    const ACCOUNTS: usize = 10;
    join_all((0..ACCOUNTS).map(|nth| pair(&stage, nth))).await;
    // A pairing's own tasks end when they are done.
    until(&format!("at most {OF_AN_ACCOUNT} tasks an account"), || async {
        ((tasks(&api).await - few) / ACCOUNTS as f64 <= OF_AN_ACCOUNT).then_some(())
    })
    .await;
    stage.finish([daemon]).await;
}

/// The library pings 15 to 30 s after the last sign of life. An idle account sends nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn idle_accounts_send_the_librarys_pings_and_nothing_else() {
    const ACCOUNTS: usize = 12;
    let stage = Stage::in_haste().await;
    let daemon = stage.daemon(&[]).await;
    join_all((0..ACCOUNTS).map(|nth| pair(&stage, nth))).await;
    let begun = RefCell::new((Instant::now(), stage.phones.report().await));
    let (pings, took) = until_within(Duration::from_secs(150), "two pings of each and nothing else", || async {
        let now = stage.phones.report().await;
        let mut begun = begun.borrow_mut();
        let (since, before) = &*begun;
        let pings = now.pings_answered - before.pings_answered;
        if now.asked != before.asked || now.said != before.said || now.accepted != before.accepted {
            // The work of a new link is not over yet.
            *begun = (Instant::now(), now);
            return None;
        }
        (pings >= 2 * ACCOUNTS as u64).then(|| (pings, since.elapsed() * stage.haste()))
    })
    .await;
    // They take 45 s, give or take 3. Twice as many, ours beside the library's, come in half the time.
    let least = Duration::from_secs(35);
    eprintln!("{pings} pings of {ACCOUNTS} accounts in {took:?}");
    assert!(took >= least, "{pings} pings of {ACCOUNTS} accounts in {took:?}");
    stage.finish([daemon]).await;
}

/// Of an account to which people write, without being asked to: what is kept for each of them, and
/// a message's own secret, which goes after 30 days. Nothing else grows with messages.
#[tokio::test(flavor = "multi_thread")]
async fn keys_grow_with_people_and_message_secrets_alone() {
    let (stage, daemon) = Stage::with_daemon().await;
    let account = pair(&stage, 0).await;
    let number = number(0);
    stage.phones.keys_told(&number).await;
    let before = keys(&stage, account).await;
    let first = written_to(&stage, account, &number, PEOPLE, 1).await;
    let then = written_to(&stage, account, &number, PEOPLE, 20).await;
    let of = |kinds: &BTreeMap<String, (i64, i64)>, kind: &str| kinds.get(kind).copied().unwrap_or_default();
    let total = |kinds: &BTreeMap<String, (i64, i64)>| kinds.values().map(|(_, bytes)| bytes).sum::<i64>();
    let secrets = |kinds| of(kinds, "message_secret");
    let person = (total(&first) - secrets(&first).1 - total(&before)) / PEOPLE;
    let message = (secrets(&then).1 - secrets(&first).1) / (secrets(&then).0 - secrets(&first).0);
    let kept = format!("{person} bytes a person, {message} a message: {before:#?}, then {first:#?}, then {then:#?}");
    assert_eq!(secrets(&then).0, PEOPLE * 21, "{kept}");
    for (kind, (rows, _)) in &then {
        // The versions of the app state's collections may only come now.
        let grown = *rows - of(&first, kind).0;
        assert!(kind == "message_secret" || grown < PEOPLE * 20 / 10, "{kind} grew with messages: {kept}");
    }
    assert!(person <= OF_A_PERSON && message <= OF_A_MESSAGE, "{kept}");
    stage.finish([daemon]).await;
}

/// The row of a text of somebody who has written before, the keys that have read it with its own
/// secret, and the notification.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_in_takes_at_most_four_statements() {
    const MESSAGES: usize = 20;
    let (stage, wire, daemon) = counted().await;
    let account = pair(&stage, 0).await;
    let number = number(0);
    stage.phones.keys_told(&number).await;
    // In a link's first minute keys are gathered.
    stage.logs_in_anew(account, &number).await;
    written_to(&stage, account, &number, PEOPLE, 2).await;
    heartbeats(&wire, 4).await;
    let idle: BTreeSet<String> = wire.carried().into_keys().filter(|text| !may_be_a_messages(text)).collect();
    wire.count_anew();
    for _ in 0..MESSAGES {
        written_to(&stage, account, &number, 1, 1).await;
    }
    let mut carried = wire.carried();
    carried.retain(|text, _| !idle.contains(text) && !text.contains(CONNECTION_CHECK));
    let each = carried.values().sum::<usize>() as f64 / MESSAGES as f64;
    assert!(each <= OF_A_RECEIVED_MESSAGE, "{each} statements a message: {carried:#?}");
    eprintln!("{each} statements a message");
    stage.finish([daemon]).await;
}

/// To people who have written, and were answered before. They are off line, so that there are no receipts.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_sent_takes_four_statements() {
    const MESSAGES: usize = 20;
    let (stage, wire, daemon) = counted().await;
    let account = pair(&stage, 0).await;
    let number = number(0);
    stage.phones.keys_told(&number).await;
    stage.logs_in_anew(account, &number).await;
    let unpaced = "UPDATE whatsapp_accounts SET send_rate = 1000, send_burst = 1000, new_chats_per_day = NULL";
    stage.web.sql.batch_execute(unpaced).await.unwrap();
    written_to(&stage, account, &number, PEOPLE, 2).await;
    for nth in 0..PEOPLE {
        answered(&stage, account, nth, "delivered").await;
        stage.phones.set_online(&person(nth), false).await;
        answered(&stage, account, nth, "sent").await;
    }
    heartbeats(&wire, 4).await;
    let idle: BTreeSet<String> = wire.carried().into_keys().filter(|text| !may_be_a_messages(text)).collect();
    wire.count_anew();
    for nth in 0..MESSAGES {
        answered(&stage, account, nth as i64 % PEOPLE, "sent").await;
    }
    // With what is written later.
    until("a heartbeat", || async { (beats(&wire.carried()) >= 1).then_some(()) }).await;
    let mut carried = wire.carried();
    carried.retain(|text, _| !idle.contains(text) && !text.contains(CONNECTION_CHECK));
    let each = carried.values().sum::<usize>() as f64 / MESSAGES as f64;
    assert!(each <= OF_A_SENT_MESSAGE, "{each} statements a message: {carried:#?}");
    eprintln!("{each} statements a message");
    stage.finish([daemon]).await;
}

/// The account answers one of those people, and its message gets so far.
async fn answered(stage: &Stage, account: Uuid, nth: i64, state: &str) {
    let sql = "SELECT send_message($1, jsonb_build_object('to', $2::text, 'type', 'text', 'text',
                                       jsonb_build_object('body', 'an answer')))";
    let id: i64 = stage.web.sql.query_one(sql, &[&account, &person(nth)]).await.unwrap().get(0);
    stage.web.count_becomes(&format!("SELECT count(*) FROM messages WHERE id = {id} AND state = '{state}'"), 1).await;
}

fn may_be_a_messages(text: &str) -> bool {
    OF_MESSAGES.iter().any(|piece| text.contains(piece))
}

fn person(nth: i64) -> String {
    format!("99900000{nth:04}")
}

/// The first so many people write so many more messages each. Returns what is kept afterwards.
async fn written_to(
    stage: &Stage,
    account: Uuid,
    number: &str,
    people: i64,
    messages: i64,
) -> BTreeMap<String, (i64, i64)> {
    let written = keys(stage, account).await.get("message_secret").map_or(0, |(rows, _)| *rows);
    for nth in 0..people {
        let texts = (0..messages).map(|text| format!("text {text}")).collect();
        stage.phones.burst(&person(nth), number, texts).await;
    }
    let expected = written + people * messages;
    until("every message is stored with its keys", || async {
        let stored = "SELECT count(*) FROM messages WHERE account_id = $1 AND direction = 'in'";
        let is_stored = stage.web.count(stored, &[&account]).await == expected;
        let device = stage.phones.devices(number).await.remove(0).jid;
        let is_receipted = stage.phones.waiting(number, &device).await.stanzas == 0;
        let kept = keys(stage, account).await;
        let has = |kind: &str, rows| kept.get(kind).is_some_and(|(kept, _)| *kept == rows);
        let is_kept =
            has("message_secret", expected) && has("session", PEOPLE) && !kept.contains_key("pending_inbound");
        (is_stored && is_receipted && is_kept).then_some(kept)
    })
    .await
}

/// Rows and bytes of the account's records, by kind; their index counts as much as their names.
async fn keys(stage: &Stage, account: Uuid) -> BTreeMap<String, (i64, i64)> {
    let sql = "SELECT kind, count(*), sum(pg_column_size(c.*) + 16 + length(kind) + length(name)) FROM credentials c
               WHERE account_id = $1 GROUP BY kind";
    let rows = stage.web.sql.query(sql, &[&account]).await.unwrap();
    rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect()
}

/// A daemon whose statements go through a wire that counts them.
async fn counted() -> (Stage, Wire, Daemon) {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    let daemon = stage.daemon(&[("DATABASE_URL", &wire.dsn)]).await;
    (stage, wire, daemon)
}

/// Counts statements anew, for so many heartbeats.
async fn heartbeats(wire: &Wire, count: usize) {
    wire.count_anew();
    until(&format!("{count} heartbeats"), || async { (beats(&wire.carried()) >= count).then_some(()) }).await;
}

fn beats(carried: &BTreeMap<String, usize>) -> usize {
    carried.iter().find(|(text, _)| text.contains("UPDATE processes")).map_or(0, |(_, times)| *times)
}

async fn tasks(api: &Api) -> f64 {
    sample(&api.get("/metrics").await.is(200).text(), "paird_tasks").unwrap()
}

/// From the command to the groups.
async fn pair(stage: &Stage, nth: usize) -> Uuid {
    let account = stage.web.connect_account(&format!("desk {nth}"), &number(nth), &stage.phones).await;
    stage.web.event(account, "groups.synced", 0).await;
    account
}
