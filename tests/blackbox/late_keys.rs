//! Writes of keys that get stuck on the way to Postgres, and arrive when a newer connection
//! of the same daemon, under the same fence, has written newer ones.

use std::collections::BTreeSet;

use paird_sandbox::{Fault, Scope};
use paird_testkit::{Stage, Wire, until};
use serde_json::json;
use uuid::Uuid;

const NUMBER: &str = "436601000001";
/// A piece of the statement that writes keys.
const KEYS: &str = "AS gone (kind, name)";

/// Every record of the account's keys in its sealed form, which differs after each write.
async fn keys(stage: &Stage, account: Uuid) -> BTreeSet<String> {
    let sql = "SELECT c.kind || ' ' || c.name || ' ' || md5(c.sealed) FROM credentials c WHERE c.account_id = $1";
    stage.web.sql.query(sql, &[&account]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_former_connection_that_arrive_late_are_not_written() {
    let stage = Stage::empty().await;
    let wire = Wire::to(&stage);
    let daemon = stage.daemon(&[("DATABASE_URL", &wire.dsn)]).await;
    let web = &stage.web;
    let account = web.connect_account("shop", NUMBER, &stage.phones).await;
    web.event(account, "groups.synced", 0).await;
    // From here on each write of keys is a statement of its own.
    stage.logs_in_anew(account, NUMBER).await;
    let fence: i64 = web.column(account, "fence").await;

    wire.jam(KEYS);
    stage.phones.fault(Fault::Cut { scope: Scope::Number(NUMBER.to_owned()) }).await;
    wire.is_jammed(KEYS, account).await;
    let stuck_over = keys(&stage, account).await;
    wire.unjam();
    // The connection whose write is stuck ends, and the next one writes its keys.
    stage.logs_in_anew(account, NUMBER).await;
    until("newer keys", || async {
        let device = |keys: BTreeSet<String>| keys.into_iter().find(|key| key.starts_with("device "));
        (device(keys(&stage, account).await) != device(stuck_over.clone())).then_some(())
    })
    .await;

    let landing = async { (keys(&stage, account).await, wire.let_go().await, keys(&stage, account).await) };
    let (newer, answers, after) = stage.while_stopped(&[&daemon], landing).await;
    let changed: Vec<_> = newer.symmetric_difference(&after).collect();
    assert!(changed.is_empty(), "the late writes were {answers:?} and changed {changed:#?}");
    assert!(!answers.is_empty() && answers.iter().all(|answer| answer == "SELECT 1"), "not carried out: {answers:?}");
    assert_eq!(web.column::<i64>(account, "fence").await, fence, "the owner never changed");
    stage.logs_in_anew(account, NUMBER).await;
    web.does("groups.sync", account, json!({})).await;
    stage.finish([daemon]).await;
}
