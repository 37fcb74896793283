//! Events of a dump that was restored into a cluster whose transactions count lower.

use paird::postgres::migrate::migrate;
use paird_sql::queries::console::{get_feed_line, list_feed_events};
use uuid::Uuid;

use crate::support::Database;

impl Database {
    /// The `seq`s of the events that a follower at this position gets.
    async fn fed(&self, (xact, id): (i64, i64)) -> Vec<i64> {
        let events = list_feed_events().bind(&self.web, &xact, &id, &500).all().await.unwrap();
        events.into_iter().map(|event| event.seq).collect()
    }

    async fn line(&self) -> i64 {
        get_feed_line().bind(&self.web).one().await.unwrap()
    }

    /// Runs transactions, so that ids advance.
    async fn pass(&self, transactions: i64) {
        for _ in 0..transactions {
            self.web.execute("SELECT pg_current_xact_id()", &[]).await.unwrap();
        }
    }
}

#[tokio::test]
async fn events_of_a_restored_dump_are_never_sent_as_new() {
    let database = Database::new().await;
    let account = database.account(Uuid::new_v4(), "shop").await.0;
    // Two events with transaction ids of the past, two with ids that this cluster has not reached yet.
    for (seq, ahead) in [(1_i64, -300_i64), (2, 0), (3, 50), (4, 60)] {
        let sql = "INSERT INTO events (account_id, seq, kind, notified, xact)
                   SELECT $1, $2, 'account.deleted', true, (greatest(pg_snapshot_xmax(pg_current_snapshot())::text::bigint + $3, 3))::text::xid8";
        database.web.execute(sql, &[&account, &seq, &ahead]).await.unwrap();
    }
    migrate(&database.dsn).await.unwrap();
    let follower = (database.line().await - 1, i64::MAX);
    database.pass(100).await;
    assert_eq!(database.fed(follower).await, Vec::<i64>::new(), "old events, told as new");
    let sql = "INSERT INTO events (account_id, seq, kind, notified) VALUES ($1, 5, 'session.timeout', true)";
    database.web.execute(sql, &[&account]).await.unwrap();
    database.pass(1).await;
    assert_eq!(database.fed(follower).await, [5], "what is new is not missed");
    assert_eq!(database.fed((0, 0)).await, [1, 2, 3, 4, 5], "history keeps an account's order");
    let last: i64 = database.one("SELECT id FROM events WHERE seq = 3", &[]).await;
    assert_eq!(database.fed((0, last)).await, [4, 5], "a follower continues in the middle of the history");
    let before: String = database.one("SELECT string_agg(xact::text, ' ' ORDER BY id) FROM events", &[]).await;
    migrate(&database.dsn).await.unwrap();
    let after: String = database.one("SELECT string_agg(xact::text, ' ' ORDER BY id) FROM events", &[]).await;
    assert_eq!(before, after, "a second start finds nothing to do");
}
