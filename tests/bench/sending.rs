//! Messages that go out: how long one takes to a phone, how many a second, and what one costs in
//! statements. Real phones read them.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures_util::{StreamExt as _, stream};
use paird_testkit::{Daemon, Wire, until_within};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    costs::asked_while_idle,
    figures::{Figures, Target, ms, percentile},
    fleet::{Fleet, number},
    messages::{again, asked_for_each, person, write_to},
    say,
};

/// People whom an account writes to that writes much: each is a chat.
const CHATS: usize = 64;
/// People whom each account writes to when all accounts write.
const CHATS_OF_EACH: usize = 4;
/// Messages that are measured one by one: enough for a 99th percentile.
const ALONE: usize = 200;
/// Messages whose statements are counted, one by one; and how long after each nothing else is sent,
/// so that what the library writes later belongs to it.
const COUNTED: usize = 64;
const APART: Duration = Duration::from_millis(250);
/// A fleet that was just restored has done by then what it does once.
const SETTLE: Duration = Duration::from_secs(60);
const MEASURE_TIMEOUT: Duration = Duration::from_secs(300);
/// Requests to the database under way at once.
const AT_ONCE: usize = 16;

const SENT: &str = "message.sent";

/// As many messages go out at once from a whole fleet.
pub async fn measure(messages: usize, rounds: usize, figures: &mut Figures) {
    let accounts = (messages / 50).max(2);
    say(format_args!("{accounts} accounts that write"));
    let mut fleet = Fleet::empty().await;
    let daemon = fleet.daemon(&[]).await;
    fleet.grow_to(accounts).await;
    fleet.all_connected().await;
    for nth in 0..accounts {
        fleet.phones.keys_told(&number(nth)).await;
    }
    // From its second login on an account's keys are in the database alone.
    let daemon = again(&fleet, daemon, &[]).await;
    let unpaced = "UPDATE whatsapp_accounts SET send_rate = 1000, send_burst = 1000, new_chats_per_day = NULL";
    fleet.web.sql.execute(unpaced, &[]).await.unwrap();
    // Everybody has written before, and was answered.
    let all: Vec<usize> = (0..accounts).collect();
    write_to(&fleet, &[0], CHATS, 1).await;
    write_to(&fleet, &all, CHATS_OF_EACH, 1).await;
    send(&fleet, &[0], CHATS, 1).await;
    send(&fleet, &all, CHATS_OF_EACH, 1).await;
    all_are_delivered(&fleet).await;
    latency(&fleet, rounds, figures).await;
    rates(&fleet, &all, messages, rounds, figures).await;
    let daemon = statements(&fleet, daemon, figures).await;
    fleet.end([daemon]).await;
}

/// One message after the other, each in another chat.
async fn latency(fleet: &Fleet, rounds: usize, figures: &mut Figures) {
    say("one message after the other");
    let mut percentiles = [const { Vec::new() }; 4];
    for _ in 0..rounds {
        let (mut written, mut acknowledged) = (HashMap::new(), Vec::new());
        for nth in 0..ALONE {
            let (began, now) = (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap());
            let id = queue_one(fleet, nth % CHATS).await;
            let heard = fleet.listener.wait_for(fleet.accounts[0], SENT, began).await;
            written.insert(id, now);
            acknowledged.push(ms(heard - began));
        }
        all_are_delivered(fleet).await;
        let screen = fleet.phones.screen(&number(0)).await;
        let arrived = screen.iter().filter_map(|shown| {
            let delivered = shown.receipts.iter().find(|receipt| receipt.kind == "delivered")?;
            Some(delivered.at_ms as f64 - ms(*written.get(&shown.id)?))
        });
        let mut arrived: Vec<f64> = arrived.collect();
        assert_eq!(arrived.len(), ALONE, "not all were delivered");
        percentiles[0].push(percentile(&mut arrived, 50));
        percentiles[1].push(percentile(&mut arrived, 99));
        percentiles[2].push(percentile(&mut acknowledged, 50));
        percentiles[3].push(percentile(&mut acknowledged, 99));
    }
    let [p50, p99, sent_p50, sent_p99] = percentiles;
    figures.add("`send_message` → read by the recipient's phone, p50", "ms", Some(Target::AtMost(12.0)), p50);
    figures.add("`send_message` → read by the recipient's phone, p99", "ms", Some(Target::AtMost(40.0)), p99);
    figures.add("`send_message` → `message.sent` heard, p50", "ms", None, sent_p50);
    figures.add("`send_message` → `message.sent` heard, p99", "ms", None, sent_p99);
}

/// Many at once, without a pace.
async fn rates(fleet: &Fleet, all: &[usize], messages: usize, rounds: usize, figures: &mut Figures) {
    say("as fast as they can be sent");
    let (mut one, mut many) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        one.push(rate(fleet, &[0], CHATS, (messages / 5 / CHATS).max(1)).await);
    }
    figures.add(format!("messages sent, one account to {CHATS} chats"), "/s", Some(Target::AtLeast(100.0)), one);
    for _ in 0..rounds {
        let of_each = (messages / 2 / all.len() / CHATS_OF_EACH).max(1);
        many.push(rate(fleet, all, CHATS_OF_EACH, of_each).await);
    }
    let what = format!("messages sent, {} accounts", all.len());
    figures.add(what, "/s", Some(Target::AtLeast(400.0)), many);
}

/// From the first one queued to the last one that WhatsApp has.
async fn rate(fleet: &Fleet, accounts: &[usize], chats: usize, of_each: usize) -> f64 {
    let began = Instant::now();
    let sent = send(fleet, accounts, chats, of_each).await;
    let rate = sent as f64 / began.elapsed().as_secs_f64();
    all_are_delivered(fleet).await;
    rate
}

/// Counted on the wire, in chats that are warm. While the recipients are off line nothing but the
/// sending is counted.
async fn statements(fleet: &Fleet, daemon: Daemon, figures: &mut Figures) -> Daemon {
    say("what a message that is sent asks of the database");
    let wire = Wire::beside(&fleet.dir);
    let daemon = again(fleet, daemon, &[("DATABASE_URL", &wire.dsn)]).await;
    send(fleet, &[0], CHATS, 1).await;
    all_are_delivered(fleet).await;
    tokio::time::sleep(SETTLE).await;
    let idle = asked_while_idle(&wire).await;
    for (is_online, what, target) in [
        (false, "statements for a message that is sent, beyond what an idle daemon asks", Some(Target::AtMost(4.0))),
        (true, "the same, with its receipt", None),
    ] {
        for chat in 0..COUNTED {
            fleet.phones.set_online(&person(chat), is_online).await;
        }
        if is_online {
            all_are_delivered(fleet).await;
            tokio::time::sleep(APART).await;
        }
        wire.count_anew();
        let began = Instant::now();
        for nth in 0..COUNTED {
            let queued = Instant::now();
            queue_one(fleet, nth % CHATS).await;
            fleet.listener.wait_for(fleet.accounts[0], SENT, queued).await;
            tokio::time::sleep(APART).await;
        }
        figures.add(what, "", target, vec![asked_for_each(&wire, idle, began, COUNTED)]);
    }
    daemon
}

/// A message of the first account. Its id on WhatsApp.
async fn queue_one(fleet: &Fleet, chat: usize) -> String {
    let queued = "SELECT send_message($1, jsonb_build_object('to', $2::text, 'type', 'text', 'text',
                         jsonb_build_object('body', 'an answer as programs write them'))) AS id";
    let id: i64 = fleet.web.sql.query_one(queued, &[&fleet.accounts[0], &person(chat)]).await.unwrap().get(0);
    let known = "SELECT wa_id FROM messages WHERE id = $1";
    fleet.web.sql.query_one(known, &[&id]).await.unwrap().get(0)
}

/// Each of these accounts writes so many messages to so many people. Returns how many that were,
/// once WhatsApp has all.
async fn send(fleet: &Fleet, accounts: &[usize], chats: usize, of_each: usize) -> usize {
    let before = fleet.listener.count_of(SENT);
    let people: Vec<String> = (0..chats).map(person).collect();
    let of_each = i64::try_from(of_each).unwrap();
    let queueing = accounts.iter().map(|account| queue(fleet, fleet.accounts[*account], &people, of_each));
    let sent = stream::iter(queueing).buffer_unordered(AT_ONCE).fold(0, |sum, sent| async move { sum + sent }).await;
    fleet.listener.wait_for_count_of(SENT, before + sent as u64).await;
    sent
}

async fn queue(fleet: &Fleet, account: Uuid, people: &[String], of_each: i64) -> usize {
    let sql = "SELECT send_message($1, jsonb_build_object('to', p.number, 'type', 'text', 'text',
                      jsonb_build_object('body', 'answer ' || nth)))
               FROM generate_series(1, $3::bigint) nth, unnest($2::text[]) AS p (number)";
    fleet.web.sql.query(sql, &[&account, &people, &of_each]).await.unwrap().len()
}

/// None failed, and each is on its phone. Nobody writes meanwhile.
async fn all_are_delivered(fleet: &Fleet) {
    let sql = "SELECT count(*) FROM messages WHERE direction = 'out' AND state <> 'delivered'";
    until_within(MEASURE_TIMEOUT, "all delivered", || async { (fleet.web.count(sql, &[]).await == 0).then_some(()) })
        .await;
}
