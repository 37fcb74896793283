//! Commands and events in bulk.

use std::sync::Arc;

use futures_util::future::join_all;
use tokio::time::Instant;
use uuid::Uuid;

use paird::postgres::{
    lease::{Lease, TTL},
    outbox::{EventPayload, Outbox},
    pool::Dsn,
    store::PgStore,
};
use paird_actors::{
    domain::{AccountId, Change, ChangeId, Event, Loaded, Write},
    ports::{AccountStore as _, FleetStore as _},
};
use paird_testkit::until;

use super::{
    figures::{Figures, Target},
    fleet::Fleet,
    say,
};

const ACCOUNTS: usize = 200;
const COMMANDS: usize = 10_000;
const EVENTS: usize = 20_000;
/// Web apps that send, and how many commands each puts into one transaction.
const SENDERS: usize = 4;
const IN_ONE: usize = 50;

pub async fn measure(rounds: usize, figures: &mut Figures) {
    let mut fleet = Fleet::empty().await;
    let daemon = fleet.daemon(&[]).await;
    fleet.grow_to(ACCOUNTS).await;
    say("commands that change nothing");
    let mut rates = Vec::new();
    for _ in 0..rounds {
        rates.push(rate(&fleet, "account.cancel", 0).await);
    }
    figures.add("commands that change nothing, sent and ended", "/s", Some(Target::AtLeast(2_000.0)), rates);
    say("commands that tell an event each");
    let mut rates = Vec::new();
    for _ in 0..rounds {
        rates.push(rate(&fleet, "account.pair", COMMANDS as u64).await);
    }
    figures.add("commands with an event each, sent, ended and heard", "/s", None, rates);
    fleet.end([daemon]).await;
    events(rounds, figures).await;
}

/// Commands a second, from the first one sent to the last one ended and its event heard.
async fn rate(fleet: &Fleet, kind: &str, events: u64) -> f64 {
    let before = fleet.listener.count();
    let began = Instant::now();
    let sending = fleet.accounts.chunks(ACCOUNTS / SENDERS).map(|accounts| send(fleet, kind, accounts));
    join_all(sending).await;
    let left = "SELECT count(*) FROM commands WHERE state IN ('queued', 'running')";
    until("every command ended", || async { (fleet.web.count(left, &[]).await == 0).then_some(()) }).await;
    fleet.listener.wait_for_count(before + events).await;
    COMMANDS as f64 / began.elapsed().as_secs_f64()
}

async fn send(fleet: &Fleet, kind: &str, accounts: &[Uuid]) {
    let app = fleet.web.another_connection().await;
    let sql = "SELECT send_command($1, id) FROM unnest($2::uuid[]) id";
    for _ in 0..COMMANDS / ACCOUNTS * accounts.len() / IN_ONE {
        let these: Vec<Uuid> = accounts.iter().copied().cycle().take(IN_ONE).collect();
        app.query(sql, &[&kind, &these]).await.unwrap();
    }
}

/// The daemon's own store and outbox, without a daemon: each change of an account is a
/// transaction with one event.
async fn events(rounds: usize, figures: &mut Figures) {
    say("events by themselves");
    let fleet = Fleet::empty().await;
    let accounts = fleet.accounts(ACCOUNTS).await;
    let (pool, process) = (Dsn::parse(&fleet.dsn).unwrap().pool().unwrap(), Uuid::now_v7());
    let lease = Lease::start(pool.clone(), process, "paird_command", Vec::new(), TTL).await;
    let outbox = Outbox::start(pool.clone(), process, "paird_event", EventPayload::Full);
    let store = PgStore::new(pool, process, outbox.waker(), Arc::default());
    fleet.web.sql.execute("UPDATE whatsapp_accounts SET owner = $1, fence = fence + 1", &[&process]).await.unwrap();
    for (what, events) in [("one event a transaction", 1), ("four events a transaction", 4)] {
        let mut rates = Vec::new();
        for _ in 0..rounds {
            let before = fleet.listener.count();
            let began = Instant::now();
            let writing = accounts.iter().map(|account| write(&store, *account, EVENTS / ACCOUNTS / events, events));
            join_all(writing).await;
            fleet.listener.wait_for_count(before + EVENTS as u64).await;
            rates.push(EVENTS as f64 / began.elapsed().as_secs_f64());
        }
        let target = Some(Target::AtLeast(5_000.0));
        figures.add(format!("events written and heard, {what}"), "/s", target, rates);
    }
    outbox.stop().await;
    drop(lease);
    fleet.end([]).await;
}

async fn write(store: &PgStore, account: Uuid, changes: usize, events: usize) {
    let Loaded { record, last_change: mut follows, .. } =
        store.load_account(AccountId(account)).await.unwrap().unwrap();
    for _ in 0..changes {
        let events = vec![Event::GroupsSynced { count: 3 }; events];
        let change = Change { events, ..Change::default() };
        let id = ChangeId(Uuid::new_v4());
        store.record(&Write { id, follows, record: record.clone(), change, keys: None, qr_png: None }).await.unwrap();
        follows = Some(id);
    }
}
