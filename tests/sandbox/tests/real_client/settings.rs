//! The phone's settings reach the client by app state.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};

use wacore::appstate::patch_decode::WAPatchName;
use wacore::types::events::{Event, EventHandler, EventInterest, EventKind};
use whatsapp_rust::sync_task::MajorSyncTask;

use crate::companion::{Companion, DEADLINE, NUMBER, Stage};

/// While the client applies one change it skips the announcement of the next, and only says so:
/// whoever wants that one asks for it.
async fn hears_the_name(companion: &Companion, name: &str) {
    let pick = |event: &Event| {
        if let Event::AppStateSyncFailed(failed) = event {
            return (!failed.skipped.is_empty()).then_some(false);
        }
        let Event::SelfPushNameUpdated(update) = event else { return None };
        (update.new_name == name).then_some(true)
    };
    while !companion.event(name, pick).await {
        let task = MajorSyncTask::AppStateSync { name: WAPatchName::CriticalBlock, full_sync: false };
        companion.client.process_sync_task(task).await;
    }
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
    // The client says by itself that it is available.
    let said = stage.report().said;
    assert!(said.iter().any(|said| said.what.contains("<presence") && said.what.contains("\"available\"")), "{said:?}");
    stage.assert_nothing_odd();
}

/// Holds the client up while it reports this name: until it has skipped the next one.
struct Pause {
    name: &'static str,
    next: Box<dyn Fn() + Send + Sync>,
    skips: Mutex<Receiver<()>>,
}

impl EventHandler for Pause {
    fn handle_event(&self, event: Arc<Event>) {
        if let Event::SelfPushNameUpdated(update) = &*event
            && update.new_name == self.name
        {
            tokio::task::block_in_place(|| {
                // Not those of the first sync.
                while self.skips.lock().unwrap().try_recv().is_ok() {}
                (self.next)();
                self.skips.lock().unwrap().recv_timeout(DEADLINE).expect("a change that is skipped");
            });
        }
    }
}

/// Reports what is skipped from within the client.
struct Skips(Mutex<Sender<()>>);

impl EventHandler for Skips {
    fn handle_event(&self, event: Arc<Event>) {
        if let Event::AppStateSyncFailed(failed) = &*event
            && !failed.skipped.is_empty()
        {
            let _ = self.0.lock().unwrap().send(());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_that_comes_amid_another_is_asked_for_again() {
    let stage = Stage::set().await;
    stage.remote.change_own_name(NUMBER, "Anna").unwrap();
    let companion = stage.linked().await;
    hears_the_name(&companion, "Anna").await;
    let (skipped, skips) = mpsc::channel();
    let remote = stage.remote.clone();
    let next = Box::new(move || remote.change_own_name(NUMBER, "Änne").unwrap());
    let pause = Arc::new(Pause { name: "Anna K.", next, skips: Mutex::new(skips) });
    let interest = EventInterest::of(&[EventKind::SelfPushNameUpdated]);
    let _pausing = companion.client.subscribe(interest, pause);
    let interest = EventInterest::of(&[EventKind::AppStateSyncFailed]);
    let _noting = companion.client.subscribe(interest, Arc::new(Skips(Mutex::new(skipped))));
    stage.remote.change_own_name(NUMBER, "Anna K.").unwrap();
    hears_the_name(&companion, "Änne").await;
}
