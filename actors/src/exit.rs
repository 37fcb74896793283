//! An actor's exit: its connection is closed first, then the supervisor is notified.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::{
    domain::{Ending, Incarnation, Retired},
    ports::Session,
};

/// Called once when an actor is gone, also after a panic.
pub type OnExit = Arc<dyn Fn(Retired) + Send + Sync>;

/// A connection, and which one of its actor's it is.
pub type NumberedSession = (Incarnation, Arc<dyn Session>);

/// The live connection of an actor, if it has one.
#[derive(Clone, Default)]
pub struct LiveSession(Arc<Mutex<Option<NumberedSession>>>);

impl LiveSession {
    pub fn set(&self, incarnation: Incarnation, session: Arc<dyn Session>) {
        *self.lock() = Some((incarnation, session));
    }

    pub fn now(&self) -> Option<NumberedSession> {
        self.lock().clone()
    }

    /// That of this incarnation was closed.
    pub fn closed(&self, incarnation: Incarnation) {
        self.lock().take_if(|(live, _)| *live == incarnation);
    }

    fn lock(&self) -> MutexGuard<'_, Option<NumberedSession>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds an actor's live connection and its exit callback, and is dropped with the actor. So
/// the connection is closed before another one is opened for the same device, also when the
/// actor panics.
pub struct ExitGuard {
    retired: Retired,
    on_exit: OnExit,
    live: LiveSession,
    runtime: tokio::runtime::Handle,
    /// The account is, or may soon be, another daemon's.
    fenced: watch::Receiver<bool>,
}

impl ExitGuard {
    /// `retired` is reported if the actor panics.
    pub fn new(
        retired: Retired,
        on_exit: OnExit,
        runtime: tokio::runtime::Handle,
        fenced: watch::Receiver<bool>,
    ) -> Self {
        Self { retired, on_exit, live: LiveSession::default(), runtime, fenced }
    }

    pub fn live(&self) -> &LiveSession {
        &self.live
    }

    /// Sets the ending to report instead of a crash.
    pub fn leave_as(&mut self, ending: Ending) {
        self.retired.ending = ending;
    }
}

impl Drop for ExitGuard {
    fn drop(&mut self) {
        let retired = self.retired.clone();
        let on_exit = Arc::clone(&self.on_exit);
        let session = self.live.lock().take();
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
