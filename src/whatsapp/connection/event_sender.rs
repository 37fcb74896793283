//! The way to a connection's owner.

use paird_actors::{
    domain::{Incarnation, SessionEvent},
    ports::SessionListener,
};

/// Delivers session events to the owner until it is closed. Used under the lock of the
/// shell only: once [`EventSender::close`] has returned, no call of the listener is under way.
pub(super) struct EventSender {
    incarnation: Incarnation,
    listener: Option<SessionListener>,
}

impl EventSender {
    pub(super) fn new(incarnation: Incarnation, listener: SessionListener) -> Self {
        Self { incarnation, listener: Some(listener) }
    }

    pub(super) fn send(&self, event: SessionEvent) {
        if let Some(listener) = &self.listener {
            listener(self.incarnation, event);
        }
    }

    /// Lets the listener go, and what it holds.
    pub(super) fn close(&mut self) {
        self.listener = None;
    }
}
