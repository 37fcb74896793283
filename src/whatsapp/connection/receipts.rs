//! Writes what others' receipts say of the messages of one connection's account.
//!
//! The library acknowledges a receipt right after it has reported it, and WhatsApp then forgets
//! it. So no frame is sent before the receipts are written that came before it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use paird_actors::{
    connection::Outcome,
    domain::{Instant, Receipt, ReceiptKind, StoreError},
};
use tokio::sync;
use wacore::types::{events, presence::ReceiptType};

use super::{
    super::{compose::OwnJids, content},
    MessageLink, OutgoingStore, Shell,
    mail::write_in_time,
};

/// Ids of messages in one statement.
const IDS_AT_ONCE: usize = 500;

/// See the module's text.
pub(super) struct Receipts {
    store: Arc<dyn OutgoingStore>,
    link: MessageLink,
    shell: Arc<Shell>,
    queue: Mutex<Queue>,
    /// The number of receipts written so far. Held through a write.
    written: sync::Mutex<u64>,
}

#[derive(Default)]
struct Queue {
    /// Those that are being written are still among them: a write may be cut off.
    waiting: Vec<Arc<Heard>>,
    came: u64,
}

struct Heard {
    receipt: events::Receipt,
    kind: ReceiptKind,
}

impl Receipts {
    pub(super) fn new(store: Arc<dyn OutgoingStore>, link: MessageLink, shell: Arc<Shell>) -> Self {
        Self { store, link, shell, queue: Mutex::default(), written: sync::Mutex::default() }
    }

    /// Whether it says of somebody else that they have messages.
    pub(super) fn put(&self, receipt: &events::Receipt) -> bool {
        let Some(kind) = kind_of(&receipt.r#type) else { return false };
        if !receipt.message_ids.iter().any(|id| may_be_ours(id)) {
            return false;
        }
        let Some(client) = self.shell.client() else { return false };
        if OwnJids::of(&client).is_own(&receipt.source.sender) {
            return false;
        }
        let mut queue = self.lock();
        queue.waiting.push(Arc::new(Heard { receipt: receipt.clone(), kind }));
        queue.came += 1;
        true
    }

    /// Waits until everything is written that came so far.
    ///
    /// # Errors
    /// It is not: nothing more may be sent.
    pub(super) async fn settle(&self) -> Result<(), StoreError> {
        let wanted = self.lock().came;
        if wanted == 0 {
            return Ok(());
        }
        let mut written = self.written.lock().await;
        if *written >= wanted {
            return Ok(());
        }
        let (batch, came) = {
            let queue = self.lock();
            (queue.waiting.clone(), queue.came)
        };
        match write_in_time(&self.shell, "receipts", || self.try_to_write(&batch)).await {
            Ok(()) => {
                *written = came;
                self.lock().waiting.drain(..batch.len());
                Ok(())
            }
            Err(failure) => Err(self.fail(failure)),
        }
    }

    async fn try_to_write(&self, batch: &[Arc<Heard>]) -> Result<(), StoreError> {
        let Some(client) = self.shell.client() else {
            return Err(StoreError::Unavailable("the connection is over".to_owned()));
        };
        let mut statements = Statements::default();
        for heard in batch {
            let Heard { receipt, kind } = &**heard;
            let source = &receipt.source;
            let by = content::party(&client, &source.sender, source.sender_alt.as_ref()).await?;
            let is_with_them = source.chat.to_non_ad() == source.sender.to_non_ad();
            let chat = if is_with_them { by.clone() } else { content::party(&client, &source.chat, None).await? };
            let ids: BTreeSet<_> = receipt.message_ids.iter().filter(|id| may_be_ours(id)).collect();
            statements.add(Receipt {
                chat,
                by,
                wa_ids: ids.into_iter().map(ToString::to_string).collect(),
                kind: *kind,
                at: Instant::from(receipt.timestamp),
            });
        }
        for receipts in statements.0 {
            self.store.record_receipts(&self.link, &receipts).await?;
        }
        Ok(())
    }

    fn fail(&self, failure: StoreError) -> StoreError {
        self.shell.feed_outcome(Outcome::StoreFailed(failure.to_string()));
        failure
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Receipts, by the statement that writes them. Whoever has been written to decides how many ids a
/// receipt has, and one statement of them all might never end in time.
#[derive(Default)]
struct Statements(Vec<Vec<Receipt>>);

impl Statements {
    fn add(&mut self, receipt: Receipt) {
        for wa_ids in receipt.wa_ids.chunks(IDS_AT_ONCE) {
            let part = Receipt { wa_ids: wa_ids.to_vec(), ..receipt.clone() };
            match self.0.last_mut() {
                Some(last) if ids_of(last) + wa_ids.len() <= IDS_AT_ONCE => last.push(part),
                Some(_) | None => self.0.push(vec![part]),
            }
        }
    }
}

fn ids_of(receipts: &[Receipt]) -> usize {
    receipts.iter().map(|receipt| receipt.wa_ids.len()).sum()
}

/// Others are of messages that the account's owner wrote on the phone. `send_message` makes ids of
/// this form.
fn may_be_ours(wa_id: &str) -> bool {
    wa_id.len() == 24 && wa_id.starts_with("3EB0")
}

/// `None` if it is about something else, or of one of the account's own devices.
#[expect(clippy::wildcard_enum_match_arm, reason = "the library's enum is open")]
fn kind_of(kind: &ReceiptType) -> Option<ReceiptKind> {
    match kind {
        ReceiptType::Delivered | ReceiptType::Inactive => Some(ReceiptKind::Delivered),
        ReceiptType::Read | ReceiptType::Played => Some(ReceiptKind::Read),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use paird_actors::domain::Party;

    use super::*;

    #[test]
    fn receipts_of_many_messages_are_written_piece_by_piece() {
        let party = Party { jid: "1@lid".to_owned(), phone: None };
        let receipt = |count: usize| Receipt {
            chat: party.clone(),
            by: party.clone(),
            wa_ids: (0..count).map(|nth| format!("3EB0{nth:020}")).collect(),
            kind: ReceiptKind::Read,
            at: Instant(0),
        };
        let mut statements = Statements::default();
        for count in [1, 300, 199, 1, 1_200, 0] {
            statements.add(receipt(count));
        }
        let sizes = statements.0.iter().map(|receipts| ids_of(receipts)).collect::<Vec<_>>();
        assert_eq!(sizes, [500, 1, 500, 500, 200]);
        let ids = statements.0.iter().flatten().map(|receipt| receipt.wa_ids.len()).sum::<usize>();
        assert_eq!(ids, 1_701);
    }
}
