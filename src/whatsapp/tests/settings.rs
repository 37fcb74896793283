//! What the phone's settings say reaches the account's connection.

use std::sync::{
    Arc, Mutex,
    mpsc::{self, Receiver, Sender},
};

use paird_actors::ports::Session;
use tokio::task::block_in_place;
use wacore::types::events::{Event, EventHandler, EventInterest, EventKind};

use super::bench::{Bench, NUMBER, TIMEOUT, until};

/// Holds the library up while it reports this name: until it has skipped the next one.
struct Pause {
    name: &'static str,
    next: Box<dyn Fn() + Send + Sync>,
    skips: Mutex<Receiver<()>>,
    said: Mutex<Vec<String>>,
}

impl EventHandler for Pause {
    fn handle_event(&self, event: Arc<Event>) {
        let Event::SelfPushNameUpdated(update) = &*event else { return };
        self.said.lock().unwrap().push(update.new_name.clone());
        if update.new_name == self.name {
            block_in_place(|| {
                // Not those of the first sync.
                while self.skips.lock().unwrap().try_recv().is_ok() {}
                (self.next)();
                self.skips.lock().unwrap().recv_timeout(TIMEOUT).expect("a change that is skipped");
            });
        }
    }
}

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
async fn a_change_of_the_name_amid_another_is_not_lost() {
    let bench = Bench::start().await;
    bench.ask(|phone| phone.change_own_name(NUMBER, "Anna")).await.unwrap();
    let session = bench.linked().await;
    let client = session.client().upgrade().unwrap();
    let (skipped, skips) = mpsc::channel();
    let phone = bench.phone.clone();
    let next = Box::new(move || phone.change_own_name(NUMBER, "Änne").unwrap());
    let pause = Arc::new(Pause { name: "Anna K.", next, skips: Mutex::new(skips), said: Mutex::default() });
    let pausing = client.subscribe(EventInterest::of(&[EventKind::SelfPushNameUpdated]), pause.clone());
    let skips = Arc::new(Skips(Mutex::new(skipped)));
    let noting = client.subscribe(EventInterest::of(&[EventKind::AppStateSyncFailed]), skips);
    // The first sync of the link is over when it has been read.
    bench.ask(|phone| phone.change_own_name(NUMBER, "Anna K.")).await.unwrap();
    until("the last name", || pause.said.lock().unwrap().last().is_some_and(|name| name == "Änne")).await;
    drop((pausing, noting, client));
    session.close().await;
    session.is_gone().await;
}
