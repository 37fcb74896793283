//! Asks again for parts of the phone's settings ("app state") whose change the library let pass.
//!
//! While it applies one change of a collection, the library skips the announcement of the next, and
//! only reports that. What was asked for before does not contain the next change, and nobody would
//! ask for that again: a new name of the owner, or the salt that tokens are made with, would stay
//! unknown until something else of the collection changes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::FutureExt as _;
use wacore::appstate::patch_decode::WAPatchName;
use whatsapp_rust::sync_task::MajorSyncTask;

use super::Shell;

/// The collections of one connection that are asked for again.
#[derive(Default)]
pub(super) struct SkippedSyncs {
    /// Whether one was skipped once more since.
    under_way: Mutex<BTreeMap<String, bool>>,
}

impl SkippedSyncs {
    /// The library has not asked for these, since it was at work on them.
    pub(super) fn skipped(self: &Arc<Self>, shell: &Arc<Shell>, collections: &[String]) {
        for collection in collections {
            if self.begin(collection) {
                let (skipped, of, collection) = (Arc::clone(self), Arc::clone(shell), collection.clone());
                drop(shell.runtime.start(async move { skipped.ask_again(&of, &collection).await }));
            }
        }
    }

    async fn ask_again(&self, shell: &Shell, collection: &str) {
        let Ok(name) = collection.parse::<WAPatchName>() else { return };
        loop {
            let Some(client) = shell.client() else { return };
            // It waits until the library is not at work on it any more.
            client.process_sync_task(MajorSyncTask::AppStateSync { name, full_sync: false }).boxed().await;
            if self.is_done(collection) {
                return;
            }
        }
    }

    fn begin(&self, collection: &str) -> bool {
        let mut under_way = self.lock();
        if let Some(again) = under_way.get_mut(collection) {
            *again = true;
            return false;
        }
        under_way.insert(collection.to_owned(), false);
        true
    }

    fn is_done(&self, collection: &str) -> bool {
        let mut under_way = self.lock();
        let is_wanted_again = under_way.get_mut(collection).is_some_and(std::mem::take);
        if !is_wanted_again {
            under_way.remove(collection);
        }
        !is_wanted_again
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, bool>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
