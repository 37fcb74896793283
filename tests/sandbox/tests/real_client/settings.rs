//! The phone's settings reach the client by app state.

use wacore::types::events::Event;

use crate::companion::{Companion, NUMBER, Stage};

async fn hears_the_name(companion: &Companion, name: &str) {
    let pick = |event: &Event| {
        let Event::SelfPushNameUpdated(update) = event else { return None };
        (update.new_name == name).then_some(())
    };
    companion.event(name, pick).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_the_owners_name_is_read_by_the_client() {
    let stage = Stage::set().await;
    stage.remote.set_business(NUMBER, None).unwrap();
    // One that the first sync brings, and two that are announced later.
    stage.remote.change_own_name(NUMBER, "Anna").unwrap();
    let companion = stage.linked().await;
    hears_the_name(&companion, "Anna").await;
    for name in ["Anna K.", "Änne"] {
        stage.remote.change_own_name(NUMBER, name).unwrap();
        hears_the_name(&companion, name).await;
    }
    stage.nothing_waits().await;
    // The library says by itself that it is available.
    let said = stage.report().said;
    assert!(said.iter().any(|said| said.what.contains("<presence") && said.what.contains("\"available\"")), "{said:?}");
    stage.assert_nothing_odd();
}
