//! What a connection says, until it may say no more.

use std::sync::{Mutex, MutexGuard, PoisonError};

use paird_actors::{
    domain::{CloseReason, Incarnation},
    ports::{SessionEvent, SessionListener},
};

/// The one way to a connection's listener. It falls silent for good with the
/// first [`Voice::end`] or [`Voice::silence`], whatever still runs behind it.
pub(super) struct Voice {
    incarnation: Incarnation,
    listener: Mutex<Option<SessionListener>>,
}

impl Voice {
    pub(super) fn new(incarnation: Incarnation, listener: SessionListener) -> Self {
        Self { incarnation, listener: Mutex::new(Some(listener)) }
    }

    pub(super) fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    pub(super) fn say(&self, event: SessionEvent) {
        // The lock is held during the call: after `silence` returned, no call is
        // under way. A listener only passes on.
        if let Some(listener) = self.listener().as_ref() {
            listener(self.incarnation, event);
        }
    }

    /// Says the last word, once.
    pub(super) fn end(&self, reason: CloseReason) {
        if let Some(listener) = self.listener().take() {
            listener(self.incarnation, SessionEvent::Ended { reason });
        }
    }

    /// Says nothing any more. When it returns no call is under way.
    pub(super) fn silence(&self) {
        self.listener().take();
    }

    fn listener(&self) -> MutexGuard<'_, Option<SessionListener>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn heard() -> (Arc<Mutex<Vec<SessionEvent>>>, Voice) {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let into = heard.clone();
        let voice = Voice::new(Incarnation(1), Arc::new(move |_, event| into.lock().unwrap().push(event)));
        (heard, voice)
    }

    #[test]
    fn the_end_is_said_once_and_nothing_after_it() {
        let (heard, voice) = heard();
        voice.end(CloseReason::QrExhausted);
        voice.end(CloseReason::RestartRequired);
        voice.say(SessionEvent::ScanRejected { reason: "late".into() });
        assert_eq!(*heard.lock().unwrap(), [SessionEvent::Ended { reason: CloseReason::QrExhausted }]);
    }

    #[test]
    fn a_silenced_voice_says_not_even_the_end() {
        let (heard, voice) = heard();
        voice.silence();
        voice.end(CloseReason::QrExhausted);
        assert!(heard.lock().unwrap().is_empty());
    }
}
