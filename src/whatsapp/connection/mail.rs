use std::sync::Arc;

use paird_actors::domain::StoreError;

use super::{Courier, Inbox};

/// The messages of a connection, both ways.
#[derive(Clone)]
pub(in crate::whatsapp) struct Mail {
    pub(in crate::whatsapp) inbox: Arc<Inbox>,
    pub(in crate::whatsapp) courier: Arc<Courier>,
}

impl Mail {
    /// Waits until everything is written that the next frame may acknowledge.
    ///
    /// # Errors
    /// It is not: nothing more may be sent.
    pub(super) async fn settle(&self) -> Result<(), StoreError> {
        self.inbox.settle().await?;
        self.courier.settle().await
    }
}
