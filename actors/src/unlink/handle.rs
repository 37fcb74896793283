use tokio::sync::mpsc;

use super::saga::Input;

/// A running unlink actor, as the supervisor holds it.
#[derive(Clone)]
pub struct UnlinkHandle {
    inbox: mpsc::UnboundedSender<Input>,
}

impl UnlinkHandle {
    pub(super) fn new(inbox: mpsc::UnboundedSender<Input>) -> Self {
        Self { inbox }
    }

    /// End, and leave the ticket open for whoever owns the account next.
    pub fn leave(&self) {
        // An actor that is gone has left already.
        let _ = self.inbox.send(Input::Leave);
    }
}
