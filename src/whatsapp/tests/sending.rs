//! What becomes of a message if WhatsApp or the library says nothing about it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use paird_actors::{
    domain::{
        AccountId, CloseReason, MessageId, OutgoingContent, OutgoingMessage, Party, Phone, Receipt, SendOutcome,
        StoreError, TakenMessages,
    },
    outgoing::OutgoingPolicy,
    ports::Session as _,
};
use paird_sandbox::{Fault, MessageFault, ReceiptFault, ShownMessage};
use uuid::Uuid;

use super::{
    super::{MessageLink, OutgoingStore, SentMessage},
    bench::{Bench, NUMBER, Opened, until},
};

const ANNA: &str = "436601234568";
const WA_ID: &str = "3EB00123456789ABCDEF0123";

/// One message to send, and what came of it.
struct Post {
    waiting: Mutex<Option<OutgoingMessage>>,
    outcomes: Mutex<Vec<SendOutcome>>,
}

impl Post {
    fn with_a_text() -> Arc<Self> {
        let message = OutgoingMessage {
            id: MessageId(1),
            chat: Party { jid: format!("{ANNA}@s.whatsapp.net"), phone: None },
            wa_id: WA_ID.to_owned(),
            content: OutgoingContent::Text { body: "hello".to_owned(), mentions: Vec::new(), reply_to: None },
            attempt: 1,
            is_new_chat: true,
            maybe_sent: false,
            expires_at: None,
        };
        Arc::new(Self { waiting: Mutex::new(Some(message)), outcomes: Mutex::default() })
    }

    fn outcomes(&self) -> Vec<SendOutcome> {
        self.outcomes.lock().unwrap().clone()
    }
}

#[async_trait]
impl OutgoingStore for Post {
    async fn take(&self, _: &MessageLink, _: Uuid, _: &[MessageId], room: u16) -> Result<TakenMessages, StoreError> {
        let mut waiting = self.waiting.lock().unwrap();
        let messages = if room > 0 { waiting.take().into_iter().collect() } else { Vec::new() };
        Ok(TakenMessages { messages, has_more: waiting.is_some(), ..TakenMessages::default() })
    }

    async fn settle(&self, _: &MessageLink, _: Uuid, outcomes: &[(MessageId, SendOutcome)]) -> Result<(), StoreError> {
        self.outcomes.lock().unwrap().extend(outcomes.iter().map(|(_, outcome)| outcome.clone()));
        Ok(())
    }

    async fn record_receipts(&self, _: &MessageLink, _: &[Receipt]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn is_called(&self, _: &MessageLink, _: &Phone, _: &str) -> Result<(), StoreError> {
        Ok(())
    }

    async fn find_sent(&self, _: &MessageLink, _: &[String], _: &str) -> Result<Option<SentMessage>, StoreError> {
        Ok(None)
    }

    async fn ringing(&self) -> Result<Vec<AccountId>, StoreError> {
        Ok(Vec::new())
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A session that sends the text as soon as it has logged in, with this policy and these faults.
async fn sending(policy: OutgoingPolicy, faults: Vec<Fault>) -> (Bench, Opened, Arc<Post>) {
    let mut bench = Bench::start().await;
    let post = Post::with_a_text();
    bench.gateway = bench.gateway.with_post(post.clone(), policy);
    bench.ask(|phone| phone.add_phone(ANNA)).await.unwrap();
    for fault in faults {
        bench.ask(move |phone| phone.fault(&fault)).await.unwrap();
    }
    let session = bench.linked().await;
    (bench, session, post)
}

async fn shown(bench: &Bench) -> Vec<ShownMessage> {
    bench.ask(|phone| phone.messages(ANNA, 0)).await.unwrap()
}

fn number() -> Option<String> {
    Some(NUMBER.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_a_word_ends_the_connection() {
    let policy = OutgoingPolicy { ack_timeout: Duration::from_millis(300), ..OutgoingPolicy::default() };
    let faults = vec![
        Fault::Message { how: MessageFault::AckLost, number: number(), times: Some(1) },
        Fault::Receipts { how: ReceiptFault::Lost, number: number(), times: None },
    ];
    let (bench, session, post) = sending(policy, faults).await;
    assert_eq!(session.end().await, CloseReason::SocketLost("a message was not acknowledged".to_owned()));
    assert_eq!((post.outcomes(), shown(&bench).await.len()), (Vec::new(), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_that_hangs_is_given_up_before_anything_has_left() {
    let policy = OutgoingPolicy { send_timeout: Duration::from_millis(300), ..OutgoingPolicy::default() };
    let stalled = Fault::StallIqs { xmlns: Some("usync".to_owned()) };
    let (bench, session, post) = sending(policy, vec![stalled]).await;
    until("an outcome", || !post.outcomes().is_empty()).await;
    assert!(matches!(post.outcomes()[..], [SendOutcome::Again { .. }]), "{:?}", post.outcomes());
    bench.ask(|phone| phone.clear_faults()).await.unwrap();
    assert_eq!(shown(&bench).await, []);
    session.close().await;
}
