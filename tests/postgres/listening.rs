use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use paird::postgres::listener::{ListenMode, Listener};
use paird::postgres::notify_lane::NotifyCommands;
use paird_actors::ports::FleetStore;
use serde_json::json;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::support::{Daemon, Database, connect, eventually};

async fn listen(database: &Database, daemon: &Daemon) -> Listener {
    let listener =
        Listener::start(database.dsn.clone(), daemon.pool.clone(), "paird_command", NotifyCommands::Verified);
    hears(&listener).await;
    listener
}

async fn hears(listener: &Listener) {
    let mut mode = listener.mode();
    let heard = mode.wait_for(|mode| *mode == ListenMode::Listening);
    tokio::time::timeout(Duration::from_secs(20), heard).await.unwrap().unwrap();
}

async fn woken(wake: &Arc<Notify>) {
    tokio::time::timeout(Duration::from_secs(20), wake.notified()).await.unwrap();
}

/// Wakes and takes, as a supervisor does, until a command came.
async fn next_command(listener: &Listener, daemon: &Daemon) -> i64 {
    loop {
        woken(&listener.wake()).await;
        if let Ok(taken) = daemon.store.take_commands().await
            && let Some(command) = taken.first()
        {
            return command.id.0;
        }
    }
}

#[tokio::test]
async fn a_command_wakes_within_a_moment() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let account = database.account(Uuid::new_v4(), "shop").await;
    let listener = listen(&database, &daemon).await;
    let sent = database.send("account.cancel", account).await;
    let taken = tokio::time::timeout(Duration::from_secs(1), next_command(&listener, &daemon)).await;
    assert_eq!(taken.unwrap(), sent);
}

#[tokio::test]
async fn send_command_rings_on_the_channel_that_a_daemon_chose() {
    let database = Database::new().await;
    let lease = paird::postgres::lease::Lease::start(
        database.dsn.pool().unwrap(),
        Uuid::now_v7(),
        "my channel",
        Vec::new(),
        paird::postgres::lease::TTL,
    )
    .await;
    let listener =
        Listener::start(database.dsn.clone(), database.dsn.pool().unwrap(), "my channel", NotifyCommands::Verified);
    hears(&listener).await;
    let wake = listener.wake();
    // It woke for what came before it listened.
    woken(&wake).await;
    let account = database.account(Uuid::new_v4(), "shop").await;
    database.send("account.cancel", account).await;
    tokio::time::timeout(Duration::from_secs(1), wake.notified()).await.unwrap();
    drop(lease);
}

#[tokio::test]
async fn every_notification_is_one_row_however_many_daemons_hear_it() {
    let database = Database::new().await;
    let (one, two) = (database.daemon().await, database.daemon().await);
    let _first = listen(&database, &one).await;
    let _second = listen(&database, &two).await;
    let account = database.account(Uuid::new_v4(), "shop").await;
    let twice = json!({"type": "account.cancel", "accountId": account.0}).to_string();
    let other = connect(&database.text).await;
    for _ in 0..2 {
        database.web.execute("SELECT pg_notify('paird_command', $1)", &[&twice]).await.unwrap();
    }
    other.execute("SELECT pg_notify('paird_command', $1)", &[&twice]).await.unwrap();
    let keyed = json!({"type": "account.pair", "accountId": account.0, "dedupeKey": "k", "method": "qr"}).to_string();
    for _ in 0..3 {
        other.execute("SELECT pg_notify('paird_command', $1)", &[&keyed]).await.unwrap();
    }
    for nth in 0..40 {
        let payload = json!({"type": "groups.sync", "accountId": account.0, "nth": nth}).to_string();
        other.execute("SELECT pg_notify('paird_command', $1)", &[&payload]).await.unwrap();
    }
    // Both listeners have stored all that they heard once this last one, heard by both, is there.
    for _ in 0..2 {
        other.execute("SELECT pg_notify('paird_command', 'last')", &[]).await.unwrap();
    }
    let last = "SELECT count(*) FROM commands WHERE result = 'the notification is not JSON' AND state = 'failed'";
    eventually("both last ones are stored", async || database.count(last).await == 2).await;
    let by_kind = "SELECT count(*) FROM commands WHERE source = 'notify' AND kind = ";
    assert_eq!(database.count(&format!("{by_kind} 'account.cancel'")).await, 3);
    assert_eq!(database.count(&format!("{by_kind} 'account.pair' AND args = '{{\"method\": \"qr\"}}'")).await, 1);
    eventually("all are stored", async || database.count(&format!("{by_kind} 'groups.sync'")).await == 40).await;
    assert_eq!(database.count("SELECT count(*) FROM commands WHERE state = 'failed' AND args <> '{}'").await, 0);
}

#[tokio::test]
async fn a_listener_whose_connection_is_cut_loses_no_command() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let account = database.account(Uuid::new_v4(), "shop").await;
    let listener = listen(&database, &daemon).await;
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    assert!(database.count(cut).await > 0);
    let sent = database.send("account.cancel", account).await;
    assert_eq!(next_command(&listener, &daemon).await, sent);
    hears(&listener).await;
}

#[tokio::test]
async fn a_restart_of_postgres_loses_no_command() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let account = database.account(Uuid::new_v4(), "shop").await;
    let listener = listen(&database, &daemon).await;
    let former = database.cluster.server().pid().unwrap();
    let sent = database.send("account.cancel", account).await;
    kill(Pid::from_raw(i32::try_from(former).unwrap()), Signal::SIGQUIT).unwrap();
    assert_eq!(next_command(&listener, &daemon).await, sent);
    hears(&listener).await;
    let web = connect(&database.text).await;
    let another: i64 = web.query_one("SELECT send_command('groups.sync', $1)", &[&account.0]).await.unwrap().get(0);
    web.execute("UPDATE commands SET state = 'done' WHERE id = $1", &[&sent]).await.unwrap();
    assert_eq!(next_command(&listener, &daemon).await, another);
    eventually("the lease lives", async || daemon.lease.is_live()).await;
}

/// Notified all the while. An equal notification that is heard twice would be two commands.
#[tokio::test]
async fn old_listening_connections_are_replaced_without_a_loss() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let account = database.account(Uuid::new_v4(), "shop").await;
    let listener = Listener::start_with(
        database.dsn.clone(),
        daemon.pool.clone(),
        "paird_command",
        NotifyCommands::Verified,
        Duration::from_millis(100),
    );
    hears(&listener).await;
    let listening = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%listening%' AND pid <> pg_backend_pid()";
    let mut seen = std::collections::BTreeSet::new();
    let mut sent = 0;
    let deadline = Instant::now() + Duration::from_secs(20);
    while seen.len() < 20 {
        assert!(Instant::now() < deadline, "{} connections listened so far", seen.len());
        let payload = json!({"type": "groups.sync", "accountId": account.0, "nth": sent % 3}).to_string();
        database.web.execute("SELECT pg_notify('paird_command', $1)", &[&payload]).await.unwrap();
        sent += 1;
        seen.extend(database.web.query(listening, &[]).await.unwrap().iter().map(|row| row.get::<_, i32>(0)));
    }
    database.web.execute("SELECT pg_notify('paird_command', 'last')", &[]).await.unwrap();
    let last = "SELECT count(*) FROM commands WHERE result = 'the notification is not JSON'";
    eventually("the last is stored", async || database.count(last).await == 1).await;
    let stored = "SELECT count(*) FROM commands WHERE source = 'notify' AND kind = 'groups.sync'";
    assert_eq!(database.count(stored).await, sent, "each once");
    eventually("the old connections are gone", async || database.web.query(listening, &[]).await.unwrap().len() <= 2)
        .await;
    // It never polled: that would have been told.
    assert_eq!(*listener.mode().borrow(), ListenMode::Listening);
}

/// Equal notifications are distinguished by when they were heard. The first one is stored late, as
/// after an outage of the database.
#[tokio::test]
async fn an_equal_notification_half_a_minute_later_is_another_command() {
    let database = Database::new().await;
    let account = database.account(Uuid::new_v4(), "shop").await;
    let store = async |secs_ago: f64| {
        let store = "SELECT store_heard_command('key', 1, clock_timestamp() - make_interval(secs => $1), '30 s',
                                                'account.cancel', $2, '{}', NULL, NULL)";
        database.one::<Option<i64>>(store, &[&secs_ago, &account.0]).await
    };
    assert!(store(31.0).await.is_some());
    assert!(store(31.2).await.is_none(), "by the other daemon, whose clock is a little behind");
    assert!(store(0.0).await.is_some());
    assert!(store(0.2).await.is_none());
}
