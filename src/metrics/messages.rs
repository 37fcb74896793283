//! Messages that are written: how many, of which kind, and how late.

use std::sync::Arc;

use async_trait::async_trait;
use paird_actors::{
    clock,
    domain::{IncomingMessage, StoreError, UnreadMessage, WaitingMessage},
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

    async fn take_waiting(&self, link: &MessageLink) -> Result<Vec<WaitingMessage>, StoreError> {
        let taken = self.meters.timed("take_waiting", self.inner.take_waiting(link)).await?;
        self.meters.messages_requested(taken.len());
        Ok(taken)
    }

    async fn end_waits(&self, link: &MessageLink, unread: &[UnreadMessage]) -> Result<(), StoreError> {
        self.meters.timed("end_waits", self.inner.end_waits(link, unread)).await
    }
}
