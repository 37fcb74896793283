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

/// The DSN's own options have the last word.
#[tokio::test]
async fn sessions_for_messages_plan_each_statement_once() {
    let database = Database::new().await;
    let mode = async |dsn: paird::postgres::pool::Dsn| -> String {
        let client = dsn.pool_that_plans_once(1).unwrap().get().await.unwrap();
        client.query_one("SHOW plan_cache_mode", &[]).await.unwrap().get(0)
    };
    assert_eq!(mode(database.dsn.clone()).await, "force_generic_plan");
    let chosen = format!("{} options='-c plan_cache_mode=auto'", database.text);
    assert_eq!(mode(paird::postgres::pool::Dsn::parse(&chosen).unwrap()).await, "auto");
    let usual = connection(&database.dsn.pool().unwrap()).await.unwrap();
    let left: String = usual.query_one("SHOW plan_cache_mode", &[]).await.unwrap().get(0);
    assert_eq!(left, "auto");
}

/// After this statement the pool no longer hands out the connection.
async fn is_found_out(useless: &str) {
    let database = Database::new().await;
    let pool = database.dsn.pool().unwrap();
    let lost = connection(&pool).await.unwrap();
    lost.batch_execute(useless).await.unwrap();
    let backend: i32 = lost.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    drop(lost);
    for _ in 0..100 {
        let next = connection(&pool).await.unwrap();
        if next.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get::<_, i32>(0) != backend {
            return;
        }
    }
    panic!("it was reused a hundred times");
}

#[tokio::test]
async fn a_connection_that_takes_no_writes_is_found_out() {
    is_found_out("SET default_transaction_read_only = on").await;
}

#[tokio::test]
async fn a_connection_that_sees_no_tables_is_found_out() {
    is_found_out("SET search_path = pg_catalog").await;
}

#[tokio::test]
async fn a_connection_of_a_role_without_rights_is_found_out() {
    is_found_out("CREATE ROLE nobodys; GRANT USAGE ON SCHEMA public TO nobodys; SET ROLE nobodys").await;
}

#[tokio::test]
async fn a_server_that_takes_no_writes_is_named_in_one_line() {
    let database = Database::new().await;
    let read_only = format!("{} options='-c default_transaction_read_only=on'", database.text);
    let pool = paird::postgres::pool::Dsn::parse(&read_only).unwrap().pool().unwrap();
    let why = connection(&pool).await.map(drop).unwrap_err().to_string();
    assert!(why.contains("the server takes no writes") && !why.contains('\n'), "{why}");
}
