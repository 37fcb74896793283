use tokio::sync::oneshot;

use super::actor::{Address, Call};
use crate::{
    account::handle::{AccountHandle, Inspection},
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
        self.address.do_send(Call::Wake { resync: false });
    }

    /// Compare everything with the database: boot, a listener that is back, and the
    /// tick are all this.
    pub fn resync(&self) {
        self.address.do_send(Call::Wake { resync: true });
    }

    /// The state of one account's actor; `None` if it has none.
    pub async fn inspect(&self, account: AccountId) -> Option<Inspection> {
        self.ask(|found| Call::Find(account, found)).await??.inspect().await
    }

    /// The states of all running accounts' actors.
    pub async fn inspect_all(&self) -> Vec<Inspection> {
        let handles = self.ask(Call::FindAll).await.unwrap_or_default();
        let all = futures_util::future::join_all(handles.iter().map(AccountHandle::inspect)).await;
        all.into_iter().flatten().collect()
    }

    /// How many accounts run here; `None` if the supervisor is gone. One that hangs does
    /// not answer, which is what a watchdog asks for.
    pub async fn headcount(&self) -> Option<usize> {
        self.ask(Call::Headcount).await
    }

    /// Parks pair attempts that a crash left behind; with `dry_run` only names them.
    ///
    /// # Errors
    /// The database did not do it.
    pub async fn sweep(&self, dry_run: bool) -> Result<Vec<Swept>, StoreError> {
        let gone = || Err(StoreError::Unavailable("the daemon is stopping".to_owned()));
        self.ask(|swept| Call::Sweep { dry_run, swept }).await.unwrap_or_else(gone)
    }

    /// Restarts one account's actor from its row.
    pub fn restart(&self, account: AccountId) {
        self.address.do_send(Call::Restart(account));
    }

    /// This daemon no longer owns anything: all actors end and write nothing.
    pub fn lease_lost(&self) {
        self.address.do_send(Call::LeaseLost);
    }

    /// The lease is live again: accounts that are still ours start from their rows.
    pub fn lease_back(&self) {
        self.address.do_send(Call::LeaseBack);
    }

    /// Disconnects and ends all actors, without logging out, and returns when they are gone.
    /// False if [`SupervisorHandle::undrain`] came first: then some may be connected.
    #[must_use = "without it, accounts may still be connected"]
    pub async fn drain(&self) -> bool {
        // Without a supervisor no actor is left.
        self.ask(Call::Drain).await.unwrap_or(true)
    }

    /// Takes accounts again after a drain.
    pub fn undrain(&self) {
        self.address.do_send(Call::Undrain);
    }

    /// `None` if the supervisor is gone.
    async fn ask<T>(&self, call: impl FnOnce(oneshot::Sender<T>) -> Call) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        self.address.do_send(call(answer));
        answered.await.ok()
    }
}
