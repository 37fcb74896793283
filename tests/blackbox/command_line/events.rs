//! `paird events --follow`.

use std::process::Stdio;
use std::time::Duration;

use paird_testkit::Stage;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use tokio_postgres::Client;
use uuid::Uuid;

use super::command;

const LINE_TIMEOUT: Duration = Duration::from_secs(30);

pub struct Follower {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Follower {
    pub fn start(stage: &Stage, args: &[&str]) -> Self {
        let mut follow = command(stage);
        follow.args(["events", "--follow", "--json"]).args(args).stdout(Stdio::piped());
        let mut child = follow.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { _child: child, lines }
    }

    /// The account and seq of the next printed event.
    pub async fn next(&mut self) -> (Value, Value) {
        let line = tokio::time::timeout(LINE_TIMEOUT, self.lines.next_line()).await.expect("an event");
        let event: Value = serde_json::from_str(&line.unwrap().unwrap()).unwrap();
        (event["accountId"].clone(), event["seq"].clone())
    }

    /// Emits events of the account until one was printed, and returns the seq of the last.
    async fn follows(&mut self, sql: &Client, account: Uuid) -> i64 {
        let mut seq = 0;
        let printed = async {
            let mut next = tokio::time::interval(Duration::from_millis(100));
            loop {
                tokio::select! {
                    line = self.lines.next_line() => return line,
                    _ = next.tick() => {
                        seq += 1;
                        tell(sql, account, seq).await;
                    }
                }
            }
        };
        let line = tokio::time::timeout(LINE_TIMEOUT, printed).await.expect("an event");
        let first: Value = serde_json::from_str(&line.unwrap().unwrap()).unwrap();
        for told in first["seq"].as_i64().unwrap()..seq {
            assert_eq!(self.next().await, (json!(account), json!(told + 1)));
        }
        seq
    }
}

/// Writes an event as a daemon does, with the account's counter in one statement.
pub async fn tell(sql: &Client, account: Uuid, seq: i64) {
    let told = "WITH account AS (UPDATE whatsapp_accounts SET event_seq = $2 WHERE id = $1)
                INSERT INTO events (account_id, seq, kind, notified) VALUES ($1, $2, 'session.timeout', true)";
    sql.execute(told, &[&account, &seq]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_committed_late_are_followed_once_each() {
    let stage = Stage::empty().await;
    let (prompt, late) = (stage.web.account("prompt").await, stage.web.account("late").await);
    let mut follower = Follower::start(&stage, &[]);
    let seq = follower.follows(&stage.web.sql, prompt).await;
    let other = stage.web.another_connection().await;
    other.batch_execute("BEGIN").await.unwrap();
    tell(&other, late, 1).await;
    tell(&stage.web.sql, prompt, seq + 1).await;
    let third = stage.web.another_connection().await;
    third.batch_execute("BEGIN").await.unwrap();
    tell(&third, prompt, seq + 2).await;
    other.batch_execute("COMMIT").await.unwrap();
    let printed = [follower.next().await, follower.next().await];
    assert_eq!(
        printed,
        [(json!(late), json!(1)), (json!(prompt), json!(seq + 1))],
        "events are in the order of commits"
    );
    third.batch_execute("COMMIT").await.unwrap();
    tell(&stage.web.sql, late, 2).await;
    let printed = [follower.next().await, follower.next().await];
    assert_eq!(printed, [(json!(prompt), json!(seq + 2)), (json!(late), json!(2))]);
    stage.finish([]).await;
}

/// A follower reads only the events, so its cost does not depend on the number of accounts.
#[tokio::test(flavor = "multi_thread")]
async fn a_follower_of_events_does_not_read_the_accounts() {
    let stage = Stage::empty().await;
    let account = stage.web.account("shop").await;
    let mut follower = Follower::start(&stage, &[]);
    let seq = follower.follows(&stage.web.sql, account).await;
    stage.web.sql.batch_execute("ALTER TABLE whatsapp_accounts RENAME TO out_of_sight").await.unwrap();
    for seq in seq + 1..seq + 3 {
        let told = "INSERT INTO events (account_id, seq, kind, notified) VALUES ($1, $2, 'session.timeout', true)";
        stage.web.sql.execute(told, &[&account, &seq]).await.unwrap();
        assert_eq!(follower.next().await, (json!(account), json!(seq)));
    }
    stage.web.sql.batch_execute("ALTER TABLE out_of_sight RENAME TO whatsapp_accounts").await.unwrap();
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_since_a_seq_are_replayed_and_then_followed() {
    let stage = Stage::empty().await;
    let (shop, other) = (stage.web.account("shop").await, stage.web.account("other").await);
    for seq in 1..=250 {
        tell(&stage.web.sql, shop, seq).await;
    }
    tell(&stage.web.sql, other, 1).await;
    let late = stage.web.another_connection().await;
    late.batch_execute("BEGIN").await.unwrap();
    tell(&late, other, 2).await;
    let mut follower = Follower::start(&stage, &["--since", "1", "shop"]);
    for seq in 2..=250 {
        assert_eq!(follower.next().await, (json!(shop), json!(seq)));
    }
    late.batch_execute("COMMIT").await.unwrap();
    tell(&stage.web.sql, shop, 251).await;
    assert_eq!(follower.next().await, (json!(shop), json!(251)), "only events of this account are printed");
    stage.finish([]).await;
}
