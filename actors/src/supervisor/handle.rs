use super::actor::{self, Address};
use crate::{
    account::handle::Inspection,
    domain::{AccountId, StoreError, Swept},
};

/// The running supervisor: for the listener that wakes it, and for admins.
#[derive(Clone)]
pub struct SupervisorHandle {
    address: Address,
}

impl SupervisorHandle {
    pub(super) fn new(address: Address) -> Self {
        Self { address }
    }

    /// There may be commands: look.
    pub fn wake(&self) {
        actor::wake(&self.address, false);
    }

    /// Compare everything with the database: boot, a listener that is back, and the
    /// tick are all this.
    pub fn resync(&self) {
        actor::wake(&self.address, true);
    }

    /// What one account's actor is in; `None` if it has none.
    pub async fn inspect(&self, account: AccountId) -> Option<Inspection> {
        actor::inspect(&self.address, account).await
    }

    /// What every running account's actor is in.
    pub async fn inspect_all(&self) -> Vec<Inspection> {
        actor::inspect_all(&self.address).await
    }

    /// How many accounts run here; `None` if the supervisor is gone. One that hangs does
    /// not answer, which is what a watchdog asks for.
    pub async fn headcount(&self) -> Option<usize> {
        actor::headcount(&self.address).await
    }

    /// Parks pair attempts that a crash left behind; with `dry_run` only names them.
    ///
    /// # Errors
    /// The database did not do it.
    pub async fn sweep(&self, dry_run: bool) -> Result<Vec<Swept>, StoreError> {
        actor::sweep(&self.address, dry_run).await
    }

    /// Makes one account's actor anew, from its row.
    pub fn restart(&self, account: AccountId) {
        actor::restart(&self.address, account);
    }

    /// This daemon no longer owns anything: everybody leaves and writes nothing.
    pub fn lease_lost(&self) {
        actor::lease_lost(&self.address);
    }

    /// The lease is live again: whoever is still ours starts from its row.
    pub fn lease_back(&self) {
        actor::lease_back(&self.address);
    }

    /// Everybody disconnects and ends, without logging out; returns when they have. False
    /// if [`SupervisorHandle::undrain`] came first: then some may be connected.
    #[must_use = "who is not drained may be connected"]
    pub async fn drain(&self) -> bool {
        actor::drain(&self.address).await
    }

    /// Takes accounts again after a drain.
    pub fn undrain(&self) {
        actor::undrain(&self.address);
    }
}
