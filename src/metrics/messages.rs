//! Messages that are written: how many, of which kind, and how late.

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use paird_actors::{
    clock,
    domain::{IncomingMessage, StoreError, WaitingMessage},
};

use super::{
    Meters,
    trace::{Port, traced},
};
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
        let started = Instant::now();
        let done = traced(Port::Store, "record_messages", self.inner.record(link, batch)).await;
        self.meters.store_answered("record_messages", started.elapsed(), done.as_ref().err());
        if let Ok(new) = &done {
            let now = clock::now();
            new.iter().filter_map(|nth| batch.get(*nth)).for_each(|message| self.meters.message_came(message, now));
        }
        done
    }

    async fn take_waiting(&self, link: &MessageLink) -> Result<Vec<WaitingMessage>, StoreError> {
        let started = Instant::now();
        let done = traced(Port::Store, "take_waiting", self.inner.take_waiting(link)).await;
        self.meters.store_answered("take_waiting", started.elapsed(), done.as_ref().err());
        if let Ok(taken) = &done {
            self.meters.messages_requested(taken.len());
        }
        done
    }
}
