//! Which rows are pruned, and which are kept whatever their age.

use std::time::Duration;

use paird::postgres::pool::Dsn;
use paird::postgres::prune::{Keep, OrphanedKeyring, Pruned, once};
use paird::postgres::roles::{self, Isolation};
use paird_actors::domain::AccountId;
use uuid::Uuid;

use crate::support::Database;

const DAY: Duration = Duration::from_secs(24 * 3600);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
const KEEP: Keep = Keep { events: Duration::from_secs(30 * 24 * 3600), bodies: WEEK, commands: DAY, audit: None };

impl Database {
    async fn prune(&self, keep: Keep) -> Pruned {
        self.prune_as(keep, false).await
    }

    async fn prune_as(&self, keep: Keep, dry_run: bool) -> Pruned {
        once(&self.dsn.pool().unwrap(), keep, dry_run).await.unwrap()
    }

    /// Events 1 to `count` of an account, sent, and so many days old.
    async fn told(&self, account: AccountId, count: i64, days: i32) {
        let sql = "INSERT INTO events (account_id, seq, kind, created_at, notified)
                   SELECT $1, seq, 'session.timeout', now() - make_interval(days => $3), true
                   FROM generate_series(1, $2::bigint) seq";
        self.web.execute(sql, &[&account.0, &count, &days]).await.unwrap();
    }

    /// A consumer that has read so far, and was heard of so many days ago.
    async fn reads(&self, consumer: &str, account: AccountId, seq: i64, days: i32) {
        let sql = "INSERT INTO event_consumers (consumer, account_id, seq, updated_at)
                   VALUES ($1, $2, $3, now() - make_interval(days => $4))";
        self.web.execute(sql, &[&consumer, &account.0, &seq, &days]).await.unwrap();
    }

    async fn seqs(&self, account: AccountId) -> Vec<i64> {
        let sql = "SELECT coalesce(array_agg(seq ORDER BY seq), '{}') FROM events WHERE account_id = $1";
        self.one(sql, &[&account.0]).await
    }

    /// Deleted so many days ago and done with.
    async fn gone(&self, label: &str, days: i32) -> AccountId {
        let account = self.account(Uuid::new_v4(), label).await;
        let sql = "UPDATE whatsapp_accounts SET deleted_at = now() - make_interval(days => $2), desired = 'deleted'
                   WHERE id = $1";
        self.web.execute(sql, &[&account.0, &days]).await.unwrap();
        account
    }

    async fn labels(&self) -> Vec<String> {
        self.one("SELECT array_agg(label ORDER BY label) FROM whatsapp_accounts", &[]).await
    }
}

#[tokio::test]
async fn old_events_go_and_young_or_unsent_ones_stay() {
    let database = Database::new().await;
    let (old, young) = (database.account(Uuid::new_v4(), "old").await, database.account(Uuid::new_v4(), "young").await);
    database.told(old, 1_200, 31).await;
    database.told(young, 3, 29).await;
    database.web.execute("UPDATE events SET notified = false WHERE seq = 7", &[]).await.unwrap();
    let would = database.prune_as(KEEP, true).await;
    assert_eq!((would.events, database.seqs(old).await.len()), (1_199, 1_200), "a dry run changes nothing");
    assert_eq!(database.prune(KEEP).await, would);
    assert_eq!((database.seqs(old).await, database.seqs(young).await), (vec![7], vec![1, 2, 3]));
    assert_eq!(database.prune(KEEP).await, Pruned::default());
}

#[tokio::test]
async fn no_event_goes_before_every_consumer_has_passed_it() {
    let database = Database::new().await;
    let (one, two) = (database.account(Uuid::new_v4(), "one").await, database.account(Uuid::new_v4(), "two").await);
    for account in [one, two] {
        database.told(account, 9, 31).await;
    }
    database.reads("quick", one, 9, 0).await;
    database.reads("quick", two, 9, 0).await;
    database.reads("slow", one, 4, 89).await;
    assert_eq!(database.prune(KEEP).await.events, 4);
    assert_eq!(database.seqs(one).await, [5, 6, 7, 8, 9]);
    assert_eq!(database.seqs(two).await.len(), 9, "of which the slow one has noted nothing");
    database.reads("slow", two, 1, 0).await;
    assert_eq!(database.prune(KEEP).await.events, 1);
}

#[tokio::test]
async fn a_consumer_silent_for_90_days_holds_nothing_and_is_named() {
    let database = Database::new().await;
    let account = database.account(Uuid::new_v4(), "shop").await;
    database.told(account, 5, 31).await;
    database.reads("gone", account, 1, 91).await;
    database.reads("there", account, 3, 91).await;
    // The statement with which a consumer says that it still exists, see sql/README.md.
    let sql = "UPDATE event_consumers SET seq = seq WHERE consumer = 'there'";
    database.web.execute(sql, &[]).await.unwrap();
    let pruned = database.prune(KEEP).await;
    let silent: Vec<_> = pruned.silent.iter().map(|consumer| consumer.name.as_str()).collect();
    assert_eq!((pruned.events, silent), (3, vec!["gone"]));
}

#[tokio::test]
async fn commands_go_when_they_ended_long_ago() {
    let database = Database::new().await;
    let account = database.account(Uuid::new_v4(), "shop").await;
    let sql = "INSERT INTO commands (account_id, kind, state, created_at, done_at)
               SELECT $1, 'account.pair', state, now() - interval '9 days', ended
               FROM (VALUES ('queued', NULL), ('running', NULL), ('done', now() - interval '2 days'),
                            ('failed', now() - interval '2 days'), ('done', now())) AS c (state, ended)";
    database.web.execute(sql, &[&account.0]).await.unwrap();
    assert_eq!(database.prune_as(KEEP, true).await.commands, 2);
    assert_eq!(database.prune(KEEP).await.commands, 2);
    let left: Vec<String> = database.one("SELECT array_agg(state ORDER BY id) FROM commands", &[]).await;
    assert_eq!(left, ["queued", "running", "done"]);
}

#[tokio::test]
async fn deleted_accounts_go_with_all_that_is_theirs() {
    let database = Database::new().await;
    let account = database.gone("gone", 31).await;
    database.gone("gone lately", 29).await;
    let waited_for = database.gone("unread", 31).await;
    database.account(Uuid::new_v4(), "lives").await;
    for sql in [
        "INSERT INTO whatsapp_groups (account_id, jid, subject, participants, is_admin) VALUES ($1, 'g', 's', 1, true)",
        "INSERT INTO proxy_logins (id, account_id, proxy, wrapped_key, master_key, sealed)
         VALUES (gen_random_uuid(), $1, 'p', '', 'm', '')",
    ] {
        database.web.execute(sql, &[&account.0]).await.unwrap();
    }
    database.told(account, 3, 31).await;
    database.told(waited_for, 3, 31).await;
    database.reads("shop", account, 3, 0).await;
    database.reads("shop", waited_for, 2, 0).await;
    assert_eq!(database.prune_as(KEEP, true).await.accounts, 1);
    let pruned = database.prune(KEEP).await;
    assert_eq!((pruned.accounts, pruned.events), (1, 5));
    assert_eq!(database.labels().await, ["gone lately", "lives", "unread"]);
    for table in ["whatsapp_groups", "proxy_logins", "event_consumers", "events"] {
        let left = format!("SELECT count(*) FROM {table} WHERE account_id = $1");
        assert_eq!(database.one::<i64>(&left, &[&account.0]).await, 0, "{table}");
    }
}

#[tokio::test]
async fn a_deleted_account_stays_while_anything_is_left_to_do() {
    let database = Database::new().await;
    for (label, sql) in [
        ("status", "UPDATE whatsapp_accounts SET status = 'deleting' WHERE id = $1"),
        ("keyring", "INSERT INTO keyrings (id, account_id, wrapped_key, master_key) VALUES ($1, $1, '', 'm')"),
        ("linking", "UPDATE whatsapp_accounts SET linking_keyring_id = id WHERE id = $1"),
        ("keys", "UPDATE whatsapp_accounts SET keyring_id = id WHERE id = $1"),
        ("command", "INSERT INTO commands (account_id, kind) VALUES ($1, 'account.delete')"),
        ("event", "INSERT INTO events (account_id, seq, kind, notified) VALUES ($1, 1, 'account.deleted', true)"),
    ] {
        let account = database.gone(label, 31).await;
        database.web.execute(sql, &[&account.0]).await.unwrap();
    }
    assert_eq!(database.prune(KEEP).await.accounts, 0);
    assert_eq!(database.labels().await.len(), 6);
}

#[tokio::test]
async fn the_audit_log_is_kept_unless_it_is_said_for_how_long() {
    let database = Database::new().await;
    let sql = "INSERT INTO audit_log (source, action, target_type, created_at)
               SELECT 'web', 'account.paired', 'x', now() - make_interval(days => days)
               FROM unnest(ARRAY[0, 5, 400, 400]) days";
    database.web.execute(sql, &[]).await.unwrap();
    assert_eq!(database.prune(KEEP).await.audit, 0);
    let year = Keep { audit: Some(365 * DAY), ..KEEP };
    assert_eq!(database.prune_as(year, true).await.audit, 2);
    assert_eq!(database.prune(year).await.audit, 2);
    assert_eq!(
        database.prune(Keep { audit: Some(Duration::from_secs(1)), ..KEEP }).await.audit,
        1,
        "nothing of the last day is pruned"
    );
    for sql in ["DELETE FROM audit_log", "UPDATE audit_log SET action = 'x'"] {
        let refused = database.web.execute(sql, &[]).await.unwrap_err();
        assert!(refused.as_db_error().unwrap().message().contains("append-only"), "{refused}");
    }
}

#[tokio::test]
async fn orphaned_keys_are_shredded_after_an_hour() {
    let database = Database::new().await;
    let account = database.account(Uuid::new_v4(), "shop").await;
    let [held, linking, ticketed, orphan, fresh] = [
        database.keyring(account).await,
        database.keyring(account).await,
        database.keyring(account).await,
        database.keyring(account).await,
        database.keyring(account).await,
    ];
    let sql = "UPDATE whatsapp_accounts SET keyring_id = $2, linking_keyring_id = $3 WHERE id = $1";
    database.web.execute(sql, &[&account.0, &held, &linking]).await.unwrap();
    let sql = "INSERT INTO unlink_tickets (account_id, keyring_id, reason, source) VALUES ($1, $2, 'x', 'web')";
    database.web.execute(sql, &[&account.0, &ticketed]).await.unwrap();
    let sql = "UPDATE keyrings SET created_at = now() - interval '2 hours' WHERE id <> $1";
    database.web.execute(sql, &[&fresh]).await.unwrap();
    let found = [OrphanedKeyring { account: account.0, label: "shop".to_owned() }];
    assert_eq!(database.prune_as(KEEP, true).await.keyrings, found);

    // Keys of an account whose row is being written are skipped.
    let writer = crate::support::connect(&database.text).await;
    writer.batch_execute("BEGIN; SELECT FROM whatsapp_accounts FOR UPDATE").await.unwrap();
    assert_eq!(database.prune(KEEP).await.keyrings, []);
    writer.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(database.prune(KEEP).await.keyrings, found);
    let left: Vec<Uuid> = database.one("SELECT array_agg(id) FROM keyrings", &[]).await;
    assert!(left.len() == 4 && !left.contains(&orphan));
    assert_eq!(database.count("SELECT count(*) FROM credentials").await, 4);
}

#[tokio::test]
async fn the_daemons_role_may_prune_and_nothing_younger_than_a_day() {
    let database = Database::new().await;
    roles::grant(&database.dsn, Isolation::AsItIs).await.unwrap();
    let name = format!("pruner_{}", Uuid::new_v4().simple());
    database.web.batch_execute(&format!("CREATE ROLE {name} LOGIN IN ROLE paird_daemon")).await.unwrap();
    let account = database.gone("gone", 31).await;
    database.told(account, 2, 31).await;
    let young = database.account(Uuid::new_v4(), "young").await;
    database.told(young, 2, 0).await;
    let keyring = database.keyring(young).await;
    let sql = "UPDATE keyrings SET created_at = now() - interval '2 hours' WHERE id = $1";
    database.web.execute(sql, &[&keyring]).await.unwrap();
    let sql = "INSERT INTO audit_log (source, action, target_type, created_at) VALUES ('w', 'a', 'x', now() - interval '9 days')";
    database.web.execute(sql, &[]).await.unwrap();
    let dsn = Dsn::parse(&database.text.replace("user=paird", &format!("user={name}"))).unwrap();
    let now = Duration::from_secs(1);
    let pruned = once(&dsn.pool().unwrap(), Keep { events: now, bodies: now, commands: now, audit: Some(now) }, false)
        .await
        .unwrap();
    assert_eq!((pruned.events, pruned.accounts, pruned.audit, pruned.keyrings.len()), (2, 1, 1, 1));
    assert_eq!(database.seqs(young).await, [1, 2]);
}

#[tokio::test]
async fn what_cannot_be_pruned_keeps_nothing_else_from_it() {
    let database = Database::new().await;
    let account = database.account(Uuid::new_v4(), "shop").await;
    database.told(account, 3, 31).await;
    let broken = "ALTER FUNCTION erase_messages(integer, boolean) RENAME TO away";
    database.web.batch_execute(broken).await.unwrap();
    let why = once(&database.dsn.pool().unwrap(), KEEP, false).await.unwrap_err();
    assert!(why.to_string().contains("erase_messages"), "{why}");
    assert_eq!(database.seqs(account).await, Vec::<i64>::new());
}
