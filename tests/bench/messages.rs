//! Messages that come in: how long one takes, how many a second, and what they cost in
//! statements and memory. Real phones write them: each one is encrypted and decrypted.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use paird_sandbox::Writing;
use paird_testkit::{Daemon, Wire, until_within};
use tokio::time::Instant;

use super::{
    costs::{asked_while_idle, beginning},
    figures::{Figures, Target, ms, percentile},
    fleet::{Fleet, number},
    process::settled,
    say,
};

/// People who write to an account that is much written to: each is a chat.
const CHATS: usize = 200;
/// Accounts whose memory is measured with so many chats.
const WARM_ACCOUNTS: usize = 20;
/// People who write to each account when all accounts are written to.
const CHATS_OF_EACH: usize = 4;
/// Messages that are measured one by one: enough for a 99th percentile.
const ALONE: usize = 200;
/// Messages whose statements are counted, one by one; and how long after each nothing else comes,
/// so that what the library writes later belongs to it.
const COUNTED: usize = 100;
const APART: Duration = Duration::from_millis(250);
/// How long nobody writes before an account's memory is looked at again.
const QUIET: Duration = Duration::from_secs(180);
/// A fleet that was just restored has done by then what it does once.
const SETTLE: Duration = Duration::from_secs(60);
const MEASURE_TIMEOUT: Duration = Duration::from_secs(300);
/// Requests to the phones under way at once.
const AT_ONCE: usize = 16;

const RECEIVED: &str = "message.received";

/// As many messages wait, and come at once to a whole fleet.
pub async fn measure(messages: usize, rounds: usize, figures: &mut Figures) {
    backlog(messages, rounds, figures).await;
    let accounts = (messages / 50).max(WARM_ACCOUNTS + 1);
    say(format_args!("{accounts} accounts that are written to"));
    let mut fleet = Fleet::empty().await;
    let daemon = fleet.daemon(&[]).await;
    let base = settled(daemon.pid()).await;
    fleet.grow_to(accounts).await;
    fleet.all_connected().await;
    for nth in 0..accounts {
        fleet.phones.keys_told(&number(nth)).await;
    }
    // From its second login on an account's keys are in the database alone.
    let daemon = again(&fleet, daemon, &[]).await;
    memory(&fleet, &daemon, base, figures).await;
    latency(&fleet, rounds, figures).await;
    rates(&fleet, messages, rounds, figures).await;
    let daemon = statements(&fleet, daemon, figures).await;
    all_are_there(&fleet).await;
    fleet.end([daemon]).await;
}

/// Of an account that was off line.
async fn backlog(messages: usize, rounds: usize, figures: &mut Figures) {
    let mut fleet = Fleet::empty().await;
    let mut daemon = fleet.daemon(&[]).await;
    fleet.grow_to(1).await;
    fleet.phones.keys_told(&number(0)).await;
    write_to(&fleet, &[0], CHATS, 1).await;
    let mut took = Vec::new();
    for _ in 0..rounds {
        assert!(daemon.terminate().await.success());
        say(format_args!("{messages} messages wait"));
        let before = fleet.listener.count_of(RECEIVED);
        let logins = fleet.phones.report().await.logins;
        let written = burst_to(&fleet, &[0], CHATS, messages / CHATS).await;
        daemon = fleet.daemon(&[]).await;
        until_within(MEASURE_TIMEOUT, "a login", || async {
            (fleet.phones.report().await.logins > logins).then_some(())
        })
        .await;
        let began = Instant::now();
        fleet.listener.wait_for_count_of(RECEIVED, before + written as u64).await;
        took.push(began.elapsed().as_secs_f64());
        all_are_there(&fleet).await;
    }
    let what = format!("{messages} messages of {CHATS} chats that waited, login → last event");
    figures.add(what, "s", Some(Target::AtMost(15.0)), took);
    fleet.end([daemon]).await;
}

/// Of the first accounts, which have many chats from here on.
async fn memory(fleet: &Fleet, daemon: &Daemon, base: f64, figures: &mut Figures) {
    let accounts = fleet.accounts.len() as f64;
    let idle = settled(daemon.pid()).await;
    let idle_each = (idle - base) / accounts;
    figures.add(format!("resident for an idle account, of {accounts} restored"), "KiB", None, vec![idle_each]);
    say(format_args!("{WARM_ACCOUNTS} accounts get {CHATS} chats"));
    let warm: Vec<usize> = (0..WARM_ACCOUNTS).collect();
    write_to(fleet, &warm, CHATS, 1).await;
    let each = |resident: f64| vec![((resident - idle) / WARM_ACCOUNTS as f64 + idle_each) / 1024.0];
    let busy = settled(daemon.pid()).await;
    let what = format!("resident for an account with {CHATS} warm chats");
    figures.add(what, "MiB", Some(Target::AtMost(1.5)), each(busy));
    tokio::time::sleep(QUIET).await;
    let quiet = settled(daemon.pid()).await;
    let quiet_for = humantime::format_duration(QUIET);
    figures.add(format!("the same, when nobody has written for {quiet_for}"), "MiB", None, each(quiet));
}

/// One message after the other, each of another chat.
async fn latency(fleet: &Fleet, rounds: usize, figures: &mut Figures) {
    say("one message after the other");
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let mut waited = Vec::new();
        for nth in 0..ALONE {
            let written = write_one(fleet, nth % CHATS).await;
            let heard = fleet.listener.wait_for(fleet.accounts[0], RECEIVED, written).await;
            waited.push(ms(heard - written));
        }
        p50.push(percentile(&mut waited, 50));
        p99.push(percentile(&mut waited, 99));
    }
    figures.add("written on a phone → `message.received` heard, p50", "ms", Some(Target::AtMost(15.0)), p50);
    figures.add("written on a phone → `message.received` heard, p99", "ms", Some(Target::AtMost(50.0)), p99);
}

/// Many at once.
async fn rates(fleet: &Fleet, messages: usize, rounds: usize, figures: &mut Figures) {
    say("as fast as they can be received");
    let all: Vec<usize> = (0..fleet.accounts.len()).collect();
    let (mut strangers, mut one, mut many) = (Vec::new(), Vec::new(), Vec::new());
    // The accounts behind those that have many chats already.
    for nth in (WARM_ACCOUNTS..fleet.accounts.len()).take(rounds) {
        strangers.push(rate(fleet, &[nth], CHATS, 1).await);
    }
    figures.add(format!("first messages of {CHATS} strangers, one account"), "/s", None, strangers);
    for _ in 0..rounds {
        one.push(rate(fleet, &[0], CHATS, (messages / 2 / CHATS).max(1)).await);
    }
    figures.add("messages received, one account", "/s", Some(Target::AtLeast(200.0)), one);
    write_to(fleet, &all, CHATS_OF_EACH, 1).await;
    for _ in 0..rounds {
        many.push(rate(fleet, &all, CHATS_OF_EACH, (messages / all.len() / CHATS_OF_EACH).max(1)).await);
    }
    let what = format!("messages received, {} accounts", all.len());
    figures.add(what, "/s", Some(Target::AtLeast(800.0)), many);
}

/// From the first one written to the last one heard.
async fn rate(fleet: &Fleet, accounts: &[usize], chats: usize, of_each: usize) -> f64 {
    let began = Instant::now();
    let written = write_to(fleet, accounts, chats, of_each).await;
    written as f64 / began.elapsed().as_secs_f64()
}

/// Counted on the wire, in chats that are warm.
async fn statements(fleet: &Fleet, daemon: Daemon, figures: &mut Figures) -> Daemon {
    say("what a message asks of the database");
    let wire = Wire::beside(&fleet.dir);
    let daemon = again(fleet, daemon, &[("DATABASE_URL", &wire.dsn)]).await;
    write_to(fleet, &[0], CHATS, 1).await;
    tokio::time::sleep(SETTLE).await;
    let idle = asked_while_idle(&wire).await;
    wire.count_anew();
    let began = Instant::now();
    for nth in 0..COUNTED {
        let written = write_one(fleet, nth).await;
        fleet.listener.wait_for(fleet.accounts[0], RECEIVED, written).await;
        tokio::time::sleep(APART).await;
    }
    let what = "statements for a message, beyond what an idle daemon asks meanwhile";
    figures.add(what, "", Some(Target::AtMost(4.0)), vec![asked_for_each(&wire, idle, began, COUNTED)]);
    wire.count_anew();
    let began = Instant::now();
    let at_once = write_to(fleet, &[0], CHATS, 10).await;
    tokio::time::sleep(APART).await;
    let each = vec![asked_for_each(&wire, idle, began, at_once)];
    figures.add("the same, of many at once to one account", "", None, each);
    daemon
}

/// Statements for each of so many messages. Says which.
pub fn asked_for_each(wire: &Wire, idle: f64, began: Instant, messages: usize) -> f64 {
    let carried = wire.carried();
    let asked = carried.values().sum::<usize>() as f64 - idle * began.elapsed().as_secs_f64();
    for (text, times) in carried {
        println!("  {:>6.2} {}", times as f64 / messages as f64, beginning(&text));
    }
    asked / messages as f64
}

/// To the first account. The moment before.
async fn write_one(fleet: &Fleet, chat: usize) -> Instant {
    let before = Instant::now();
    fleet.phones.send(&person(chat), Writing::text(&number(0), "a message as people write them")).await;
    before
}

/// To each of these accounts so many people write so many messages. Returns how many that were,
/// once each is heard.
pub async fn write_to(fleet: &Fleet, accounts: &[usize], chats: usize, of_each: usize) -> usize {
    let before = fleet.listener.count_of(RECEIVED);
    let written = burst_to(fleet, accounts, chats, of_each).await;
    fleet.listener.wait_for_count_of(RECEIVED, before + written as u64).await;
    written
}

/// The same, not waiting for anything.
async fn burst_to(fleet: &Fleet, accounts: &[usize], chats: usize, of_each: usize) -> usize {
    let texts: Vec<String> = (0..of_each).map(|nth| format!("message {nth} as people write them")).collect();
    let all = (0..chats).flat_map(|chat| accounts.iter().map(move |account| (chat, *account)));
    let writing = all.map(|(chat, account)| {
        let texts = texts.clone();
        async move { fleet.phones.burst(&person(chat), &number(account), texts).await.len() }
    });
    stream::iter(writing).buffer_unordered(AT_ONCE).fold(0, |sum, written| async move { sum + written }).await
}

/// One who is in no list of phones.
pub fn person(nth: usize) -> String {
    format!("999{nth:09}")
}

/// None was lost or written twice, and WhatsApp keeps none.
async fn all_are_there(fleet: &Fleet) {
    let sql = "SELECT count(*) FROM messages";
    let stored = "SELECT count(*) FROM messages WHERE direction = 'in' AND state = 'received'";
    let heard = i64::try_from(fleet.listener.count_of(RECEIVED)).unwrap();
    assert_eq!((fleet.web.count(sql, &[]).await, fleet.web.count(stored, &[]).await), (heard, heard));
    for nth in 0..fleet.accounts.len() {
        let number = number(nth);
        until_within(MEASURE_TIMEOUT, "nothing kept for the account", || async {
            let device = fleet.phones.devices(&number).await.pop()?;
            (fleet.phones.waiting(&number, &device.jid).await.stanzas == 0).then_some(())
        })
        .await;
    }
}

/// The same daemon once more: what it does from its second login on is what is measured.
pub async fn again(fleet: &Fleet, daemon: Daemon, settings: &[(&str, &str)]) -> Daemon {
    assert!(daemon.terminate().await.success());
    let daemon = fleet.daemon(settings).await;
    fleet.all_connected().await;
    daemon
}
