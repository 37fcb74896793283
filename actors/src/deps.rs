use std::sync::Arc;

use crate::{
    exit::OnExit,
    ports::{AccountStore, ConnectionStore, Gateway, QrPainter, TicketStore},
};

/// The epoch of the daemon's lease if that is live at the moment of the call; another epoch
/// than before means that it was lost meanwhile.
pub type LeaseEpoch = Arc<dyn Fn() -> Option<i64> + Send + Sync>;

/// The dependencies that every actor shares.
#[derive(Clone)]
pub struct Deps {
    pub connections: Arc<dyn ConnectionStore>,
    pub accounts: Arc<dyn AccountStore>,
    pub tickets: Arc<dyn TicketStore>,
    pub gateway: Arc<dyn Gateway>,
    pub qr: Arc<dyn QrPainter>,
    /// Notifies the supervisor that the actor is gone.
    pub on_exit: OnExit,
    pub lease: LeaseEpoch,
    /// Runs input and output, and work that outlives its actor.
    pub runtime: tokio::runtime::Handle,
}
