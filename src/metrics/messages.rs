//! Messages that are written: how many, of which kind, and how late.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use paird_actors::{
    clock,
    domain::{IncomingMessage, MessageId, StoreError, UnreadMessage, WaitingMessage},
};

use super::Meters;
use crate::whatsapp::{MessageLink, MessageStore};

/// Passes everything on; see the module.
pub struct MeteredMessages {
    inner: Arc<dyn MessageStore>,
    meters: Arc<Meters>,
}

impl MeteredMessages {
    pub fn new(inner: Arc<dyn MessageStore>, meters: Arc<Meters>) -> Self {
        Self { inner, meters }
    }
}

#[async_trait]
impl MessageStore for MeteredMessages {
    async fn record(&self, link: &MessageLink, batch: &[IncomingMessage]) -> Result<Vec<usize>, StoreError> {
        let new = self.meters.timed("record_messages", self.inner.record(link, batch)).await?;
        let now = clock::now();
        new.iter().filter_map(|nth| batch.get(*nth)).for_each(|message| self.meters.message_came(message, now));
        Ok(new)
    }

    async fn take_waiting(&self, link: &MessageLink, age: Duration) -> Result<Vec<WaitingMessage>, StoreError> {
        let taken = self.meters.timed("take_waiting", self.inner.take_waiting(link, age)).await?;
        self.meters.messages_requested(taken.len());
        Ok(taken)
    }

    async fn put_back_waiting(&self, link: &MessageLink, messages: &[MessageId]) -> Result<(), StoreError> {
        self.meters.timed("put_back_waiting", self.inner.put_back_waiting(link, messages)).await
    }

    async fn end_waits(&self, link: &MessageLink, unread: &[UnreadMessage]) -> Result<(), StoreError> {
        self.meters.timed("end_waits", self.inner.end_waits(link, unread)).await
    }
}
