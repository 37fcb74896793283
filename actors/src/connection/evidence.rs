use crate::domain::CloseReason;

/// Observations of one socket, from which its close reason is inferred: the library ends some
/// sockets with an event and some silently.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct CloseEvidence {
    /// A reason that needs no interpretation; the first one counts.
    reported: Option<CloseReason>,
    stream_error: Option<CloseReason>,
    /// The end of the socket as the library described it.
    lost: Option<String>,
    /// Why no socket came about.
    dial_failed: Option<CloseReason>,
    /// A stanza came in, so the handshake was through.
    heard: bool,
}

impl CloseEvidence {
    pub(super) fn report(&mut self, reason: CloseReason) {
        self.reported.get_or_insert(reason);
    }

    pub(super) fn stream_error(&mut self, reason: CloseReason) {
        self.stream_error = Some(reason);
    }

    pub(super) fn lost(&mut self, how: String) {
        self.lost = Some(how);
    }

    pub(super) fn dial_failed(&mut self, why: CloseReason) {
        self.dial_failed = Some(why);
    }

    pub(super) fn heard(&mut self) {
        self.heard = true;
    }

    /// WhatsApp's words for it, if it said that the device is gone.
    pub(super) fn logout(&self) -> Option<&str> {
        if let Some(CloseReason::LoggedOut(raw) | CloseReason::NotAuthorized(raw)) = &self.reported {
            Some(raw)
        } else {
            None
        }
    }

    /// Why the socket ended.
    pub(super) fn reason(&self) -> CloseReason {
        if let Some(reported) = self.reported.as_ref().or(self.stream_error.as_ref()) {
            return reported.clone();
        }
        match (&self.lost, &self.dial_failed, self.heard) {
            (Some(lost), _, _) => CloseReason::SocketLost(lost.clone()),
            (None, Some(why), _) => why.clone(),
            (None, None, true) => CloseReason::SocketLost("the stream ended".to_owned()),
            (None, None, false) => CloseReason::Unreachable("the noise handshake did not finish".to_owned()),
        }
    }
}
