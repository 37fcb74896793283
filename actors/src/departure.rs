//! How an actor leaves: its connection is closed first, then it is missed.

use std::sync::Arc;

use crate::{domain::Incarnation, ports::Session, supervisor::Retired};

/// Told once when an actor is gone, whichever way it went.
pub type Farewell = Arc<dyn Fn(Retired) + Send + Sync>;

/// An actor's live connection and its farewell, in one place that is dropped with
/// the actor: also when it panics, the connection is closed before anybody starts
/// another one for the same device.
pub struct Departure {
    retired: Retired,
    farewell: Farewell,
    session: Option<(Incarnation, Arc<dyn Session>)>,
    runtime: tokio::runtime::Handle,
}

impl Departure {
    /// `retired` is what is told if the actor just vanishes, that is by a panic.
    pub fn new(retired: Retired, farewell: Farewell, runtime: tokio::runtime::Handle) -> Self {
        Self { retired, farewell, session: None, runtime }
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

impl Drop for Departure {
    fn drop(&mut self) {
        let retired = self.retired.clone();
        let farewell = Arc::clone(&self.farewell);
        let session = self.session.take();
        self.runtime.spawn(async move {
            if let Some((_, session)) = session {
                session.close().await;
            }
            farewell(retired);
        });
    }
}
