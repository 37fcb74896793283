use std::time::Duration;

use paird::postgres::lease::{Lease, TTL};
use uuid::Uuid;

use crate::support::Database;

#[tokio::test]
async fn the_end_of_another_daemons_lease_is_seen_when_it_comes_and_not_at_the_next_renewal() {
    let database = Database::new().await;
    let pool = database.dsn.pool().unwrap();
    let dying = Lease::start(pool.clone(), Uuid::now_v7(), "paird_command", Duration::from_secs(2)).await;
    let heir = Lease::start(pool, Uuid::now_v7(), "paird_command", TTL).await;
    let mut daemons = heir.daemons();
    assert_eq!(*daemons.borrow_and_update(), 2);
    drop(dying);
    let seen = tokio::time::timeout(TTL / 5, daemons.wait_for(|daemons| *daemons == 1)).await;
    assert!(seen.is_ok_and(|seen| seen.is_ok()), "it renews at a quarter of its lease, and looked no earlier");
}
