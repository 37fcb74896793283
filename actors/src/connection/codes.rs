use crate::domain::{Instant, Phone};

/// The codes that a connection has asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Codes {
    /// Whose; `None` for a connection that shows QRs alone.
    pub(super) phone: Option<Phone>,
    pub(super) asked: u8,
    /// Times that the last one was typed.
    pub(super) typed: u8,
    pub(super) wait: Option<CodeWait>,
    /// Every QR of this socket was shown: it lives for its code alone.
    pub(super) is_without_qr: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CodeWait {
    /// The code that is shown expires.
    Expiry(Instant),
    /// An older code is void by then, and the next can be asked for.
    Retry(Instant),
}

impl Codes {
    pub(super) fn new(phone: Option<Phone>) -> Self {
        Self { phone, asked: 0, typed: 0, wait: None, is_without_qr: false }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.wait.map(|wait| match wait {
            CodeWait::Expiry(at) | CodeWait::Retry(at) => at,
        })
    }
}
