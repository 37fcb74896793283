//! When messages are written, and what waits for that.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use paird_actors::{
    domain::{
        CloseReason, IncomingMessage, MessageContent, MessageId, Purpose, Said, SessionEvent, StoreError,
        UnreadMessage, WaitingMessage,
    },
    ports::Session,
};
use paird_sandbox::{DeliveryFault, Fault, HandSettings, Remote, Waiting, Writing, Written};
use tokio::sync::Semaphore;

use super::{
    super::{MessageLink, MessageStore},
    bench::{Bench, NUMBER, Opened, until, until_told},
};

const ANNA: &str = "999000000001";
const BERT: &str = "999000000002";

/// Messages in memory. A write waits while writes are held, and can be refused.
struct Ledger {
    tried: Mutex<Vec<String>>,
    written: Mutex<Vec<String>>,
    chats: Mutex<HashMap<String, String>>,
    /// The next write of this text is refused.
    refused: Mutex<Option<&'static str>>,
    writes: Semaphore,
}

impl Ledger {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            tried: Mutex::default(),
            written: Mutex::default(),
            chats: Mutex::default(),
            refused: Mutex::default(),
            writes: Semaphore::new(1),
        })
    }

    fn tried(&self) -> Vec<String> {
        self.tried.lock().unwrap().clone()
    }

    fn written(&self) -> Vec<String> {
        self.written.lock().unwrap().clone()
    }

    /// The jid of the chat that this text was in.
    fn chat_of(&self, text: &str) -> String {
        self.chats.lock().unwrap()[text].clone()
    }
}

#[async_trait]
impl MessageStore for Ledger {
    async fn record(&self, _: &MessageLink, batch: &[IncomingMessage]) -> Result<Vec<usize>, StoreError> {
        let said: Vec<String> = batch.iter().map(said).collect();
        self.tried.lock().unwrap().extend(said.clone());
        let chats = batch.iter().map(|message| message.chat.jid.clone());
        self.chats.lock().unwrap().extend(said.iter().cloned().zip(chats));
        let _may = self.writes.acquire().await.unwrap();
        let is_refused = |text: &mut &str| said.iter().any(|said| said == text);
        if self.refused.lock().unwrap().take_if(is_refused).is_some() {
            return Err(StoreError::Refused("no room".to_owned()));
        }
        let mut written = self.written.lock().unwrap();
        let new: Vec<usize> = (0..said.len()).filter(|nth| !written.contains(&said[*nth])).collect();
        written.extend(new.iter().map(|nth| said[*nth].clone()));
        Ok(new)
    }

    async fn take_waiting(&self, _: &MessageLink, _: Duration) -> Result<Vec<WaitingMessage>, StoreError> {
        Ok(Vec::new())
    }

    async fn put_back_waiting(&self, _: &MessageLink, _: &[MessageId]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn end_waits(&self, _: &MessageLink, _: &[UnreadMessage]) -> Result<(), StoreError> {
        Ok(())
    }
}

fn said(message: &IncomingMessage) -> String {
    match &message.content {
        Ok(MessageContent { said: Said::Text { body, .. }, .. }) => body.clone(),
        Ok(content) => format!("{content:?}"),
        Err(waits) => waits.to_string(),
    }
}

/// A linked session that can be written to, and what is written of it.
async fn linked() -> (Bench, Arc<Ledger>, Opened) {
    let ledger = Ledger::new();
    let bench = Bench::with_messages(ledger.clone()).await;
    let session = bench.linked().await;
    let phone = bench.phone.clone();
    until("keys to write with", || waiting(&phone, 1).one_time_keys > 0).await;
    (bench, ledger, session)
}

/// What the server keeps for a device of the number.
fn waiting(phone: &Remote, device: u16) -> Waiting {
    tokio::task::block_in_place(|| phone.waiting(NUMBER, device).unwrap())
}

async fn writes(bench: &Bench, from: &'static str, text: &'static str) -> Written {
    bench.ask(move |phone| phone.send(from, &Writing::text(NUMBER, text))).await.unwrap()
}

/// Waits until the library has decrypted a message and is about to hand it on.
async fn arrived(session: &Opened, chat: &str, message: &Written) {
    let client = session.client().upgrade().unwrap();
    let backend = client.persistence_manager().backend();
    // An unknown one is an empty one.
    let copy = async || backend.get_pending_inbound(chat, chat, &message.id).await.unwrap().unwrap();
    let has_it = async || !copy().await.is_empty();
    until_told("the message has come", has_it).await;
}

/// The library reports a message that it cannot read, and acknowledges it without waiting.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaves_before_an_unreadable_message_is_written() {
    let (bench, ledger, session) = linked().await;
    writes(&bench, BERT, "before").await;
    until("written", || ledger.written() == ["before"]).await;
    until("acknowledged", || waiting(&bench.phone, 1).stanzas == 0).await;
    // Nobody else helps with the message that cannot be read.
    let offline = HandSettings { online: Some(false), ..HandSettings::default() };
    bench.ask(move |phone| phone.set_hand(NUMBER, 0, &offline)).await.unwrap();
    let once = Fault::Delivery { how: DeliveryFault::Unavailable, number: Some(NUMBER.to_owned()), times: Some(1) };
    bench.ask(move |phone| phone.fault(&once)).await.unwrap();

    let held = ledger.writes.acquire().await.unwrap();
    writes(&bench, ANNA, "for the phone alone").await;
    until("a write", || ledger.tried().contains(&"unavailable".to_owned())).await;
    let mut question = Box::pin(session.groups());
    // What nothing holds back has left by the time that this has come, and been answered.
    let another = async {
        let another = writes(&bench, BERT, "another").await;
        arrived(&session, &ledger.chat_of("before"), &another).await;
    };
    tokio::select! {
        _ = &mut question => panic!("a frame has left"),
        () = another => {}
    }
    assert_eq!(waiting(&bench.phone, 1).stanzas, 2, "acknowledged before it was written");
    assert_eq!(ledger.written(), ["before"]);
    drop(held);
    question.await.unwrap();
    until("acknowledged", || waiting(&bench.phone, 1).stanzas == 0).await;
    assert_eq!(ledger.written(), ["before", "unavailable", "another"]);
    session.close().await;
}

/// One chat's message is refused while another's waits its turn: nothing is written from then on,
/// and each chat goes on where it was at the next login.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_refused_write_nothing_more_is_written() {
    let (bench, ledger, session) = linked().await;
    for from in [ANNA, BERT] {
        writes(&bench, from, if from == ANNA { "a0" } else { "b0" }).await;
    }
    until("written", || ledger.written().len() == 2).await;
    *ledger.refused.lock().unwrap() = Some("a1");
    let held = ledger.writes.acquire().await.unwrap();
    for text in ["a1", "a2", "a3"] {
        writes(&bench, ANNA, text).await;
    }
    until("a write", || ledger.tried().contains(&"a1".to_owned())).await;
    let behind = writes(&bench, BERT, "b1").await;
    arrived(&session, &ledger.chat_of("b0"), &behind).await;
    drop(held);
    assert_eq!(session.end().await, CloseReason::StoreFailed("no room".to_owned()));
    session.is_gone().await;
    let tried = ledger.tried();
    assert_eq!(tried.last().map(String::as_str), Some("a1"), "written behind what was refused: {tried:?}");
    assert!(bench.keyrings.has_failed(session.keyring), "keys may be written without the messages that they read");

    let again = bench.open(session.keyring, Purpose::Login).await;
    again.hears(|event| matches!(event, SessionEvent::Open { .. })).await;
    until("all of them", || ledger.written().len() == 6).await;
    let of_anna: Vec<String> = ledger.written().into_iter().filter(|text| text.starts_with('a')).collect();
    assert_eq!(of_anna, ["a0", "a1", "a2", "a3"]);
    until("acknowledged", || waiting(&bench.phone, 1).stanzas == 0).await;
    again.close().await;
}
