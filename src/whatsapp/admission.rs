//! The gate before a link: nothing that would confirm it leaves before the answer.
//!
//! WhatsApp names the number in `<pair-success>`, and the link exists once the
//! client answered with `<pair-device-sign>` (`whatsapp-rust`, `pair.rs`). The
//! library calls the raw-node handler before it handles a stanza, so the gate is
//! armed before the answer is even built.

use std::time::Duration;

use thiserror::Error;
use tokio::sync::watch;

/// How long a scan waits for its answer; then it is refused.
pub(super) const HOLD: Duration = Duration::from_secs(30);

/// Holds every outgoing frame of a connection while a scan waits for its answer.
pub(super) struct Gate {
    state: watch::Sender<State>,
    patience: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Nothing to confirm: frames pass.
    Open,
    /// The named device waits for its answer: frames wait.
    Held { device_jid: String },
    /// The link was confirmed: frames pass.
    Linked { device_jid: String },
    /// Refused for good: no frame passes any more.
    Shut,
}

/// The gate is shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the link was refused")]
pub(super) struct Refused;

impl Gate {
    /// A gate that refuses a scan by itself after `patience`.
    pub(super) fn new(patience: Duration) -> Self {
        Self { state: watch::Sender::new(State::Open), patience }
    }

    /// Holds from now on: a `<pair-success>` for this device came in. False if
    /// there is nothing to ask about: it was asked, answered or refused already.
    ///
    /// A second device while one is held or linked shuts the gate: one answer
    /// must never confirm two links.
    pub(super) fn arm(&self, device_jid: &str) -> bool {
        let mut armed = false;
        self.state.send_if_modified(|state| {
            let next = match state {
                State::Open => State::Held { device_jid: device_jid.to_owned() },
                State::Held { device_jid: held } | State::Linked { device_jid: held } if held == device_jid => {
                    return false;
                }
                State::Held { .. } | State::Linked { .. } => State::Shut,
                State::Shut => return false,
            };
            armed = matches!(next, State::Held { .. });
            *state = next;
            true
        });
        armed
    }

    /// The scan failed, there is nothing to confirm: what was held, the answer
    /// that says so among it, goes out.
    pub(super) fn release(&self) {
        self.answer_held(|_| State::Open);
    }

    /// Lets the confirmation out. False if nothing is held (any more).
    pub(super) fn confirm(&self) -> bool {
        self.answer_held(|device_jid| State::Linked { device_jid })
    }

    /// Shuts the gate for good, whatever it was.
    pub(super) fn refuse(&self) {
        self.state.send_replace(State::Shut);
    }

    /// Shuts the gate if a scan waits; a gate that holds nothing stays as it is.
    pub(super) fn refuse_held(&self) {
        self.answer_held(|_| State::Shut);
    }

    pub(super) fn is_held(&self) -> bool {
        matches!(*self.state.borrow(), State::Held { .. })
    }

    pub(super) fn is_linked(&self) -> bool {
        matches!(*self.state.borrow(), State::Linked { .. })
    }

    pub(super) fn is_shut(&self) -> bool {
        *self.state.borrow() == State::Shut
    }

    /// Waits until the held scan has its answer; refuses it when that takes too long.
    pub(super) async fn hold(&self) {
        let mut state = self.state.subscribe();
        let answered = state.wait_for(|state| !matches!(state, State::Held { .. }));
        if tokio::time::timeout(self.patience, answered).await.is_err() {
            self.refuse_held();
        }
    }

    /// Returns when a frame may go out.
    pub(super) async fn pass(&self) -> Result<(), Refused> {
        if *self.state.borrow() == State::Open {
            return Ok(());
        }
        let mut state = self.state.subscribe();
        // The sender lives in `self`, so the wait itself cannot fail.
        match state.wait_for(|state| !matches!(state, State::Held { .. })).await.as_deref() {
            Ok(State::Open | State::Linked { .. }) => Ok(()),
            Ok(State::Held { .. } | State::Shut) | Err(_) => Err(Refused),
        }
    }

    fn answer_held(&self, next: impl FnOnce(String) -> State) -> bool {
        self.state.send_if_modified(|state| {
            let State::Held { device_jid } = state else { return false };
            let device_jid = std::mem::take(device_jid);
            *state = next(device_jid);
            true
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt;

    use super::*;

    const DEVICE: &str = "436601234567:1@s.whatsapp.net";

    fn held() -> Arc<Gate> {
        let gate = Arc::new(Gate::new(Duration::from_millis(10)));
        assert!(gate.arm(DEVICE));
        gate
    }

    #[test]
    fn an_unarmed_gate_lets_everything_pass() {
        assert_eq!(Gate::new(HOLD).pass().now_or_never(), Some(Ok(())));
    }

    #[test]
    fn a_held_frame_waits_and_passes_once_confirmed() {
        let gate = held();
        let mut frame = Box::pin(gate.pass());
        assert_eq!(frame.as_mut().now_or_never(), None);
        assert!(gate.confirm());
        assert_eq!(frame.now_or_never(), Some(Ok(())));
        assert!(gate.is_linked());
    }

    #[test]
    fn a_refusal_cannot_be_taken_back() {
        let gate = held();
        let mut frame = Box::pin(gate.pass());
        assert_eq!(frame.as_mut().now_or_never(), None);
        gate.refuse();
        assert_eq!(frame.now_or_never(), Some(Err(Refused)));
        assert!(!gate.confirm());
        assert!(!gate.arm(DEVICE));
        gate.release();
        assert_eq!(gate.pass().now_or_never(), Some(Err(Refused)));
    }

    #[test]
    fn a_scan_that_failed_leaves_the_gate_open_for_the_next() {
        let gate = held();
        gate.release();
        assert_eq!(gate.pass().now_or_never(), Some(Ok(())));
        assert!(!gate.confirm());
        assert!(gate.arm(DEVICE));
    }

    #[test]
    fn a_second_device_is_never_confirmed_along_with_the_first() {
        let gate = held();
        assert!(!gate.arm("436607654321:1@s.whatsapp.net"));
        assert!(!gate.confirm());
        assert_eq!(gate.pass().now_or_never(), Some(Err(Refused)));

        let gate = held();
        gate.confirm();
        assert!(!gate.arm("436607654321:1@s.whatsapp.net"));
        assert_eq!(gate.pass().now_or_never(), Some(Err(Refused)));
    }

    #[test]
    fn the_same_device_named_twice_is_asked_about_once() {
        let gate = held();
        assert!(!gate.arm(DEVICE));
        assert!(gate.is_held());
        gate.confirm();
        assert!(!gate.arm(DEVICE));
        assert!(gate.is_linked());
    }

    #[tokio::test]
    async fn no_answer_is_a_refusal() {
        let gate = held();
        gate.hold().await;
        assert_eq!(gate.pass().await, Err(Refused));
    }
}
