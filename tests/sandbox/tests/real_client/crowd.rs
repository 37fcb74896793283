//! Many clients at once.

use std::sync::Arc;

use futures_util::future::join_all;

use crate::companion::{Companion, Stage, eventually};

const CROWD: usize = 300;

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_companions_show_their_qrs_at_once() {
    let stage = Arc::new(Stage::set().await);
    let companions = join_all((0..CROWD).map(|_| Companion::start(&stage))).await;
    let qrs = join_all(companions.iter().map(Companion::qr)).await;
    let distinct: std::collections::HashSet<&String> = qrs.iter().collect();
    assert_eq!((distinct.len(), stage.report().connections_now), (CROWD, CROWD as u64));
    join_all(companions.iter().map(|companion| companion.client.disconnect())).await;
    eventually("all gone", || stage.report().connections_now == 0).await;
    stage.assert_nothing_odd();
}
