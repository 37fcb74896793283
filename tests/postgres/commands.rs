use std::sync::Arc;

use futures_util::FutureExt as _;
use paird::postgres::{outbox::Waker, store::PgStore};
use paird_actors::domain::Change;
use paird_actors::ports::{AccountStore, FleetStore};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::support::{Database, finished, update};

#[tokio::test]
async fn commands_of_an_account_come_one_at_a_time_in_order() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "shop").await;
    let mut sent = Vec::new();
    for kind in ["account.pair", "groups.sync", "account.cancel"] {
        sent.push(database.send(kind, record.id).await);
    }
    let take = async || {
        let taken = daemon.store.take_commands().await.unwrap();
        taken.into_iter().map(|command| command.id.0).collect::<Vec<_>>()
    };
    assert_eq!(take().await, [sent[0]]);
    assert!(take().await.is_empty());
    let done = vec![finished(sent[0], Err("no"))];
    daemon.write(update(&record, Change { finished: done, ..Change::default() })).await.unwrap();
    assert_eq!(take().await, [sent[1]]);
    assert_eq!(take().await, [sent[2]], "a running groups.sync does not block the next command");
    assert!(take().await.is_empty());
    let mut handed_out = daemon.store.handed_out(record.id);
    handed_out.sort();
    daemon.store.requeue_commands(&handed_out[1..]).await.unwrap();
    assert_eq!(take().await, [sent[2]]);
    daemon.store.requeue_commands(&daemon.store.handed_out(record.id)).await.unwrap();
    assert_eq!(take().await, [sent[1]]);
}

#[tokio::test]
async fn an_operators_many_commands_do_not_go_before_anothers_few() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let (busy, calm) = (Uuid::new_v4(), Uuid::new_v4());
    for nth in 0..40 {
        let account = database.account(busy, &format!("busy {nth}")).await;
        database.send("account.pair", account).await;
    }
    let mut few = Vec::new();
    for nth in 0..2 {
        let account = database.account(calm, &format!("calm {nth}")).await;
        few.push(database.send("account.pair", account).await);
    }
    let taken = daemon.store.take_commands().await.unwrap();
    let place = |id: i64| taken.iter().position(|command| command.id.0 == id).unwrap();
    assert_eq!(taken.len(), 42);
    assert!(place(few[0]) <= 1 && place(few[1]) <= 3, "at {} and {}", place(few[0]), place(few[1]));
    let theirs: Vec<_> = taken.iter().map(|command| command.id.0).filter(|id| !few.contains(id)).collect();
    assert!(theirs.is_sorted(), "the flood keeps its order");
}

#[tokio::test]
async fn two_daemons_run_each_command_once() {
    let database = Database::new().await;
    let (one, two) = (database.daemon().await, database.daemon().await);
    let operator = Uuid::new_v4();
    for nth in 0..60 {
        let account = database.account(operator, &format!("account {nth}")).await;
        database.send("account.cancel", account).await;
    }
    let mut taken = Vec::new();
    for _ in 0..3 {
        let answers = tokio::join!(
            one.store.take_commands(),
            two.store.take_commands(),
            one.store.take_commands(),
            two.store.take_commands()
        );
        for answer in [answers.0, answers.1, answers.2, answers.3] {
            taken.extend(answer.unwrap().into_iter().map(|command| command.id));
        }
    }
    let all = taken.len();
    taken.sort();
    taken.dedup();
    assert_eq!((all, taken.len()), (60, 60));
}

#[tokio::test]
async fn a_command_for_an_account_that_does_not_exist_fails_by_name() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let nobody = paird_actors::domain::AccountId(Uuid::new_v4());
    let command = database.send("account.pair", nobody).await;
    let headless: i64 = database.one("SELECT send_command('account.pair', NULL)", &[]).await;
    assert_eq!(daemon.store.take_commands().await.unwrap(), []);
    let result = async |id: i64| -> String {
        database.one("SELECT state || ': ' || result FROM commands WHERE id = $1", &[&id]).await
    };
    assert_eq!(result(command).await, format!("failed: no account with id {nobody}"));
    assert_eq!(result(headless).await, "failed: no account id given");
}

#[tokio::test]
async fn the_same_dedupe_key_twice_is_one_command() {
    let database = Database::new().await;
    let account = database.account(Uuid::new_v4(), "shop").await;
    let sql = "SELECT send_command('account.pair', $1, '{}', 'once')";
    let first: i64 = database.one(sql, &[&account.0]).await;
    let second: i64 = database.one(sql, &[&account.0]).await;
    assert_eq!(first, second);
    assert_eq!(database.count("SELECT count(*) FROM commands").await, 1);
}

#[tokio::test]
async fn an_undelivered_running_command_is_redelivered_once() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "shop").await;
    let take = async || {
        let taken = daemon.store.take_commands().await.unwrap();
        taken.into_iter().map(|command| command.id.0).collect::<Vec<_>>()
    };
    // A taking whose answer was lost, or that was carried out after the store had given it up.
    let take_unheard = async |id: i64| {
        let sql = "UPDATE commands SET state = 'running', taken_by = $2, taken = $3 WHERE id = $1";
        assert_eq!(database.web.execute(sql, &[&id, &daemon.process, &Uuid::new_v4()]).await.unwrap(), 1);
    };
    let first = database.send("account.pair", record.id).await;
    let second = database.send("account.cancel", record.id).await;
    take_unheard(first).await;
    assert_eq!(take().await, [first], "the second command was taken while the first one runs");
    assert!(take().await.is_empty(), "it was handed out twice");

    daemon.store.requeue_commands(&daemon.store.handed_out(record.id)).await.unwrap();
    take_unheard(first).await;
    assert_eq!(take().await, [first]);
    assert!(take().await.is_empty());
    // The store has it as handed out, but another claim has put it back and it was taken once more.
    take_unheard(first).await;
    assert_eq!(take().await, [first], "taken anew");

    let finished = vec![finished(first, Ok("done"))];
    daemon.write(update(&record, Change { finished, ..Change::default() })).await.unwrap();
    assert_eq!(take().await, [second]);
}

/// The second command is sent after the snapshot of the statement that ends the first one, and is
/// looked for before that statement commits. So neither statement sees that the second can be taken.
#[tokio::test]
async fn a_command_sent_while_another_ends_is_looked_for_at_once() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let inbox = Arc::new(Notify::new());
    let store = PgStore::new(daemon.pool.clone(), daemon.process, Waker::default(), Arc::clone(&inbox));
    let record = database.owned(&daemon, "shop").await;
    let first = database.send("account.pair", record.id).await;
    assert_eq!(store.take_commands().await.unwrap().len(), 1);
    let hold_up = "CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS
                   $$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NEW; END $$;
                   CREATE TRIGGER held_up BEFORE UPDATE ON commands FOR EACH ROW
                   WHEN (NEW.state = 'done') EXECUTE FUNCTION hold_up(); SELECT pg_advisory_lock(7)";
    database.web.batch_execute(hold_up).await.unwrap();
    let change = update(&record, Change { finished: vec![finished(first, Ok("done"))], ..Change::default() });
    let follows = store.load_account(record.id).await.unwrap().unwrap().last_change;
    let writing = crate::support::write(follows, change);
    let meanwhile = async {
        let waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        crate::support::eventually("the write waits", async || database.count(waits).await == 1).await;
        let second = database.send("account.cancel", record.id).await;
        assert_eq!(store.take_commands().await.unwrap(), [], "the first one is still running");
        assert!(inbox.notified().now_or_never().is_none());
        database.web.batch_execute("SELECT pg_advisory_unlock(7)").await.unwrap();
        second
    };
    let (written, second) = tokio::join!(store.record(&writing), meanwhile);
    written.unwrap();
    let rung = tokio::time::timeout(std::time::Duration::from_secs(5), inbox.notified()).await;
    assert!(rung.is_ok(), "it would wait for the next resync");
    let taken = store.take_commands().await.unwrap();
    assert_eq!(taken.iter().map(|taken| taken.id.0).collect::<Vec<_>>(), [second]);
}

#[tokio::test]
async fn a_command_taken_again_is_not_put_back_by_its_former_taking() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "shop").await;
    database.send("account.pair", record.id).await;
    daemon.store.take_commands().await.unwrap();
    let former = daemon.store.handed_out(record.id);
    daemon.store.requeue_commands(&former).await.unwrap();
    let taken = daemon.store.take_commands().await.unwrap();
    assert_eq!(taken.len(), 1);
    // The same statement again, as if the first one's answer had been lost.
    daemon.store.requeue_commands(&former).await.unwrap();
    assert_eq!(database.one::<String>("SELECT state FROM commands", &[]).await, "running");
    assert!(daemon.store.take_commands().await.unwrap().is_empty(), "handed out a second time");
}

#[tokio::test]
async fn commands_are_handed_out_though_orphans_cannot_be_failed() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "shop").await;
    let broken = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no room'; END $$;
                  CREATE TRIGGER refuse BEFORE UPDATE ON commands FOR EACH ROW
                      WHEN (NEW.result LIKE 'no account%') EXECUTE FUNCTION refuse()";
    database.web.batch_execute(broken).await.unwrap();
    database.send("account.pair", paird_actors::domain::AccountId(Uuid::new_v4())).await;
    let good = database.send("account.cancel", record.id).await;
    let taken = daemon.store.take_commands().await.unwrap();
    assert_eq!(taken.into_iter().map(|command| command.id.0).collect::<Vec<_>>(), [good]);
    database.web.batch_execute("DROP TRIGGER refuse ON commands").await.unwrap();
    assert_eq!(daemon.store.take_commands().await.unwrap(), []);
    assert_eq!(database.count("SELECT count(*) FROM commands WHERE state = 'failed'").await, 1);
}

#[tokio::test]
async fn a_passkeys_answer_for_no_account_is_not_kept() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let sql = "SELECT send_command('account.passkey', gen_random_uuid(), '{\"response\": {\"secret\": 1}, \"x\": 1}')";
    database.one::<i64>(sql, &[]).await;
    daemon.store.take_commands().await.unwrap();
    let args: serde_json::Value = database.one("SELECT args FROM commands WHERE state = 'failed'", &[]).await;
    assert_eq!(args, serde_json::json!({"x": 1}));
}
