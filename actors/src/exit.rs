//! How an actor exits: its connection is closed first, then the supervisor is told.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::{
    domain::{Ending, Incarnation},
    ports::Session,
    supervisor::Retired,
};

/// Told once when an actor is gone, whichever way it went.
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

/// An actor's live connection and who is told of its end, in one place that is dropped with
/// the actor: also when it panics, the connection is closed before anybody starts
/// another one for the same device.
pub struct ExitGuard {
    retired: Retired,
    on_exit: OnExit,
    live: LiveSession,
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
        Self { retired, on_exit, live: LiveSession::default(), runtime, fenced }
    }

    pub fn live(&self) -> &LiveSession {
        &self.live
    }

    /// What will be told at the end, in place of a crash.
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
