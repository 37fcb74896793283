//! Messages on their way out: what came of each try, and how long WhatsApp took.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use paird_actors::domain::{AccountId, MessageId, Phone, Receipt, SendFailure, SendOutcome, StoreError, TakenMessages};
use prometheus_client::{metrics::histogram::Histogram, registry::Registry};
use uuid::Uuid;

use super::{
    Meters,
    meters::{Counters, begin, counters, seconds},
};
use crate::whatsapp::{MessageLink, OutgoingStore, SendStep, SentMessage};

/// The series of outgoing messages.
pub(super) struct OutgoingMeters {
    tries: Counters,
    failures: Counters,
    wire: Histogram,
    acknowledgement: Histogram,
}

impl OutgoingMeters {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let r = registry;
        let meters = Self {
            tries: counters(r, "paird_outgoing_messages", "Messages that were tried, by what came of it"),
            failures: counters(r, "paird_outgoing_failures", "Messages that were given up, by reason"),
            wire: seconds(r, "paird_outgoing_wire_duration", "From the start of a try to the frame on the wire"),
            acknowledgement: seconds(
                r,
                "paird_outgoing_acknowledgement_duration",
                "From the frame of a message to WhatsApp's acknowledgement",
            ),
        };
        begin(&meters.tries, "outcome", ["sent", "again", "failed"]);
        begin(&meters.failures, "reason", SendFailure::ALL.iter().map(|reason| reason.as_str()));
        meters
    }

    fn ended(&self, outcome: &SendOutcome) {
        let word = match outcome {
            SendOutcome::Sent { .. } => "sent",
            SendOutcome::Again { .. } => "again",
            SendOutcome::Failed { reason, .. } => {
                self.failures.get_or_create(&[("reason", reason.as_str())]).inc();
                "failed"
            }
        };
        self.tries.get_or_create(&[("outcome", word)]).inc();
    }

    /// Messages that WhatsApp acknowledged.
    pub(super) fn sent(&self) -> u64 {
        self.tries.get(&[("outcome", "sent")]).map_or(0, |counter| counter.get())
    }

    fn came_to(&self, step: SendStep, after: Duration) {
        let histogram = match step {
            SendStep::Wired => &self.wire,
            SendStep::Acknowledged => &self.acknowledgement,
        };
        histogram.observe(after.as_secs_f64());
    }
}

/// Passes everything on; see the module.
pub struct MeteredOutgoing {
    inner: Arc<dyn OutgoingStore>,
    meters: Arc<Meters>,
}

impl MeteredOutgoing {
    pub fn new(inner: Arc<dyn OutgoingStore>, meters: Arc<Meters>) -> Self {
        Self { inner, meters }
    }
}

#[async_trait]
impl OutgoingStore for MeteredOutgoing {
    async fn take(
        &self,
        link: &MessageLink,
        connection: Uuid,
        held: &[MessageId],
        room: u16,
    ) -> Result<TakenMessages, StoreError> {
        self.meters.timed("take_messages", self.inner.take(link, connection, held, room)).await
    }

    async fn settle(
        &self,
        link: &MessageLink,
        connection: Uuid,
        outcomes: &[(MessageId, SendOutcome)],
    ) -> Result<(), StoreError> {
        self.meters.timed("settle_messages", self.inner.settle(link, connection, outcomes)).await?;
        outcomes.iter().for_each(|(_, outcome)| self.meters.outgoing.ended(outcome));
        Ok(())
    }

    async fn record_receipts(&self, link: &MessageLink, receipts: &[Receipt]) -> Result<(), StoreError> {
        self.meters.timed("record_receipts", self.inner.record_receipts(link, receipts)).await
    }

    async fn is_called(&self, link: &MessageLink, number: &Phone, jid: &str) -> Result<(), StoreError> {
        self.meters.timed("merge_chat", self.inner.is_called(link, number, jid)).await
    }

    async fn find_sent(
        &self,
        link: &MessageLink,
        chats: &[String],
        wa_id: &str,
    ) -> Result<Option<SentMessage>, StoreError> {
        self.meters.timed("find_sent_message", self.inner.find_sent(link, chats, wa_id)).await
    }

    async fn ringing(&self) -> Result<Vec<AccountId>, StoreError> {
        self.meters.timed("list_ringing", self.inner.ringing()).await
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        self.meters.timed("sweep_messages", self.inner.sweep()).await
    }

    fn came_to(&self, step: SendStep, after: Duration) {
        self.meters.outgoing.came_to(step, after);
    }
}
