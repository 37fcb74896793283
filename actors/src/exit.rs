//! How an actor exits: its connection is closed first, then the supervisor is told.

use std::sync::Arc;

use tokio::sync::watch;

use crate::{domain::Incarnation, ports::Session, supervisor::Retired};

/// Told once when an actor is gone, whichever way it went.
pub type OnExit = Arc<dyn Fn(Retired) + Send + Sync>;

/// An actor's live connection and who is told of its end, in one place that is dropped with
/// the actor: also when it panics, the connection is closed before anybody starts
/// another one for the same device.
pub struct ExitGuard {
    retired: Retired,
    on_exit: OnExit,
    session: Option<(Incarnation, Arc<dyn Session>)>,
    runtime: tokio::runtime::Handle,
    /// The account is, or may soon be, another daemon's.
    fenced: watch::Receiver<bool>,
}

impl ExitGuard {
    /// `retired` is what is told if the actor just vanishes, that is by a panic.
    pub fn new(
        retired: Retired,
        on_exit: OnExit,
        runtime: tokio::runtime::Handle,
        fenced: watch::Receiver<bool>,
    ) -> Self {
        Self { retired, on_exit, session: None, runtime, fenced }
    }

    pub fn set_session(&mut self, incarnation: Incarnation, session: Arc<dyn Session>) {
        self.session = Some((incarnation, session));
    }

    /// The connection of that incarnation, if it is the one that is live.
    pub fn session(&self, incarnation: Incarnation) -> Option<Arc<dyn Session>> {
        self.session.as_ref().filter(|(live, _)| *live == incarnation).map(|(_, session)| Arc::clone(session))
    }

    /// The connection of that incarnation was closed.
    pub fn closed(&mut self, incarnation: Incarnation) {
        self.session.take_if(|(live, _)| *live == incarnation);
    }

    /// What will be told at the end, in place of a crash.
    pub fn leave_as(&mut self, retired: Retired) {
        self.retired = retired;
    }
}

impl Drop for ExitGuard {
    fn drop(&mut self) {
        let retired = self.retired.clone();
        let on_exit = Arc::clone(&self.on_exit);
        let session = self.session.take();
        let is_fenced = *self.fenced.borrow();
        self.runtime.spawn(async move {
            match session {
                // Politeness takes seconds, in which another daemon may connect.
                Some((_, session)) if is_fenced => session.cut().await,
                Some((_, session)) => session.close().await,
                None => {}
            }
            on_exit(retired);
        });
    }
}
