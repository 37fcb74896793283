use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use paird::postgres::pool::connection;

use crate::support::Database;

#[tokio::test]
async fn a_pooled_connection_with_a_frozen_server_is_not_reused() {
    let database = Database::new().await;
    let pool = database.dsn.pool().unwrap();
    let backend = "SELECT pg_backend_pid()";
    let frozen: i32 = connection(&pool).await.unwrap().query_one(backend, &[]).await.unwrap().get(0);
    kill(Pid::from_raw(frozen), Signal::SIGSTOP).unwrap();

    let next = connection(&pool).await.unwrap();
    let answered = tokio::time::timeout(Duration::from_secs(5), next.query_one(backend, &[])).await;
    kill(Pid::from_raw(frozen), Signal::SIGCONT).unwrap();
    assert_ne!(answered.expect("an answer").unwrap().get::<_, i32>(0), frozen);
}

#[tokio::test]
async fn a_silent_transaction_keeps_its_locks_for_ten_seconds() {
    let database = Database::new().await;
    let client = database.dsn.pool().unwrap().get().await.unwrap();
    let most: String = client.query_one("SHOW idle_in_transaction_session_timeout", &[]).await.unwrap().get(0);
    assert_eq!(most, "10s");
}
