use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::saga::Input;

/// A running unlink actor, as the supervisor holds it.
#[derive(Clone)]
pub struct UnlinkHandle {
    inbox: mpsc::UnboundedSender<Input>,
    fenced: Arc<watch::Sender<bool>>,
}

impl UnlinkHandle {
    pub(super) fn new(inbox: mpsc::UnboundedSender<Input>, fenced: Arc<watch::Sender<bool>>) -> Self {
        Self { inbox, fenced }
    }

    /// End, and leave the ticket open for whoever owns the account next.
    pub fn leave(&self) {
        // An actor that is gone has left already.
        let _ = self.inbox.send(Input::Leave);
    }

    /// The account has another owner: cut the connection, end, and write nothing.
    pub fn fence_off(&self) {
        if !self.fenced.send_replace(true) {
            let _ = self.inbox.send(Input::Fenced);
        }
    }
}
